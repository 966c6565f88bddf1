use std::error::Error;
use std::fmt;

use blst::BLST_ERROR;

use crate::index::Index;

/// The bytes are no point that a key or a signature can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAPoint {
    /// Not the one compressed encoding of a point.
    Encoding,
    OffCurve,
    /// On the curve, outside the group of prime order.
    OutsideGroup,
    Infinity,
}

impl NotAPoint {
    pub(crate) fn of(error: BLST_ERROR) -> Self {
        match error {
            BLST_ERROR::BLST_POINT_NOT_ON_CURVE => Self::OffCurve,
            BLST_ERROR::BLST_POINT_NOT_IN_GROUP => Self::OutsideGroup,
            BLST_ERROR::BLST_PK_IS_INFINITY => Self::Infinity,
            // The rest are not said of a single point that is read.
            _ => Self::Encoding,
        }
    }
}

impl fmt::Display for NotAPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding => "not the compressed encoding of a point of BLS12-381",
            Self::OffCurve => "the point is not on the curve",
            Self::OutsideGroup => "the point is not in the group of prime order",
            Self::Infinity => "the point is at infinity",
        })
    }
}

impl Error for NotAPoint {}

/// The text names no public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAPublicKey {
    Digits,
    Point(NotAPoint),
}

impl fmt::Display for NotAPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digits => f.write_str("a BLS public key is 96 lower-case hex digits"),
            Self::Point(reason) => reason.fmt(f),
        }
    }
}

impl Error for NotAPublicKey {}

/// A signature, a proof or a share that does not belong to the key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotGenuine;

impl fmt::Display for NotGenuine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it does not verify")
    }
}

impl Error for NotGenuine {}

/// The bytes are zero, or not less than the order of the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAKeyShare;

impl fmt::Display for NotAKeyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a share of a BLS12-381 key: 32 bytes, big-endian, of a number below the group's order that is not zero")
    }
}

impl Error for NotAKeyShare {}

/// No group is described.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAGroup {
    /// The commitments are as many as the threshold: 2 to 255.
    Threshold,
    /// So many participants cannot reach the threshold.
    FewerThanThreshold,
    /// The commitments give this participant no share.
    NoShare(Index),
}

impl fmt::Display for NotAGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Threshold => {
                f.write_str("a group has 2 to 255 commitments, as many as its threshold")
            }
            Self::FewerThanThreshold => {
                f.write_str("the group has fewer participants than its threshold")
            }
            Self::NoShare(index) => write!(
                f,
                "the commitments leave participant {index} without a share"
            ),
        }
    }
}

impl Error for NotAGroup {}

/// No key was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotDealt<E> {
    /// So many participants cannot reach the threshold.
    FewerThanThreshold,
    /// The source of random bytes failed.
    Random(E),
}

impl<E> fmt::Display for NotDealt<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FewerThanThreshold => "the group has fewer participants than its threshold",
            Self::Random(_) => "cannot get random bytes",
        })
    }
}

impl<E: Error + 'static> Error for NotDealt<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Random(error) => Some(error),
            Self::FewerThanThreshold => None,
        }
    }
}

/// No signature was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotCombined<E> {
    /// Two partial signatures of one participant.
    Repeated(Index),
    /// There is no such participant in the group.
    Stranger(Index),
    /// Those that verify are too few. `bad` did not.
    TooFew {
        good: usize,
        threshold: usize,
        bad: Vec<Index>,
    },
    /// What they make does not verify, so one of them does not.
    NotGenuine,
    /// The source of random bytes failed.
    Random(E),
}

impl<E> fmt::Display for NotCombined<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated(index) => write!(f, "participant {index} signed twice"),
            Self::Stranger(index) => write!(f, "there is no participant {index} in the group"),
            Self::TooFew {
                good, threshold, ..
            } => write!(
                f,
                "{good} of the {threshold} partial signatures that are needed verify"
            ),
            Self::NotGenuine => f.write_str("what the partial signatures make does not verify"),
            Self::Random(_) => f.write_str("cannot get random bytes"),
        }
    }
}

impl<E: Error + 'static> Error for NotCombined<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Random(error) => Some(error),
            Self::Repeated(_) | Self::Stranger(_) | Self::TooFew { .. } | Self::NotGenuine => None,
        }
    }
}
