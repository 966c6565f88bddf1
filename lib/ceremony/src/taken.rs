use std::error::Error;
use std::fmt;

/// What a participant sent does not count, and nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotTaken<R, E> {
    /// By the participant's fault.
    Refused(R),
    /// The source of random bytes failed: the platform is at fault, and the same may come again.
    Random(E),
}

impl<R, E> From<R> for NotTaken<R, E> {
    fn from(refused: R) -> Self {
        Self::Refused(refused)
    }
}

impl<R: fmt::Display, E> fmt::Display for NotTaken<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Random(_) => f.write_str("cannot get random bytes"),
        }
    }
}

impl<R: Error, E: Error + 'static> Error for NotTaken<R, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(refused) => refused.source(),
            Self::Random(error) => Some(error),
        }
    }
}
