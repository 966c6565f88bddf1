//! What a participant agrees to, apart from the one act: with whom, how many of them, in which image, under which
//! manifest.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use mcbn_manifest::ImageDigest;
use mcbn_share::ManifestDigest;
use mcbn_threshold::Threshold;

use crate::participants::Participants;

/// They fit each other: the threshold is 2 to the number of the participants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    manifest: ManifestDigest,
    image: ImageDigest,
    threshold: Threshold,
    participants: Participants,
}

impl Terms {
    pub fn new(
        manifest: ManifestDigest,
        image: ImageDigest,
        threshold: Threshold,
        participants: Participants,
    ) -> Result<Self, ThresholdTooHigh> {
        match threshold.get() <= usize::from(participants.count()) {
            true => Ok(Self {
                manifest,
                image,
                threshold,
                participants,
            }),
            false => Err(ThresholdTooHigh),
        }
    }

    pub fn manifest(&self) -> &ManifestDigest {
        &self.manifest
    }

    pub fn image(&self) -> &ImageDigest {
        &self.image
    }

    pub fn threshold(&self) -> Threshold {
        self.threshold
    }

    pub fn participants(&self) -> &Participants {
        &self.participants
    }
}

/// So many participants cannot reach the threshold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThresholdTooHigh;

impl fmt::Display for ThresholdTooHigh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are fewer participants than the threshold")
    }
}

impl Error for ThresholdTooHigh {}

/// What a key or a signature is for, as people read it before they agree: 1 to 256 printable ASCII characters, so that
/// it can be shown as it stands, whoever wrote it; none of them `"` or `\`, so that it is one text in JSON and in the
/// manifest, too.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Purpose(String);

impl Purpose {
    pub const LONGEST: usize = 256;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Purpose {
    type Err = NotAPurpose;

    fn from_str(text: &str) -> Result<Self, NotAPurpose> {
        let shown = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        match text.bytes().all(shown) && (1..=Self::LONGEST).contains(&text.len()) {
            true => Ok(Self(text.into())),
            false => Err(NotAPurpose),
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAPurpose;

impl fmt::Display for NotAPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a purpose is 1 to 256 printable ASCII characters, and has no \" and no \\ in it",
        )
    }
}

impl Error for NotAPurpose {}

/// A point in time: so long after a fixed one of the caller's, by a clock that never goes back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(pub Duration);

impl Moment {
    pub fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }

    /// How long it is from `earlier` to this one; nothing if it comes before.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::keys;

    #[test]
    fn a_threshold_of_one_is_refused() {
        assert!(Threshold::new(0).is_err());
        assert!(Threshold::new(1).is_err());
        assert!(Threshold::new(2).is_ok());
    }

    #[test]
    fn a_threshold_above_the_number_of_participants_is_refused() {
        let terms = |threshold| {
            let threshold = Threshold::new(threshold).unwrap();
            let participants = Participants::new(keys(3)).unwrap();
            Terms::new(
                ManifestDigest([1; 32]),
                ImageDigest([2; 32]),
                threshold,
                participants,
            )
        };
        assert_eq!(terms(4), Err(ThresholdTooHigh));
        assert_eq!(terms(3).unwrap().threshold().get(), 3);
    }

    #[test]
    fn a_purpose_that_could_not_be_shown_is_refused() {
        for text in [
            "",
            "\n",
            "a\tb",
            "\u{1b}[2J",
            "\u{7f}",
            "\u{202e}",
            "ä",
            "to sign \"it\"",
            "a\\b",
            &"a".repeat(257),
        ] {
            assert_eq!(text.parse::<Purpose>(), Err(NotAPurpose), "{text:?}");
        }
        assert!("a".repeat(256).parse::<Purpose>().is_ok());
    }
}
