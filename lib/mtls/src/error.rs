//! Why this side cannot be set up. Says nothing about a key.

use std::error::Error;
use std::fmt;

/// A library could not be set up. Says in which step.
#[derive(Debug)]
pub struct Setup {
    step: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Setup {
    /// For `map_err`; the step is what could not be done, as in "make the certificate".
    pub(crate) fn step<E: Error + Send + Sync + 'static>(
        step: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self {
            step,
            source: Some(Box::new(source)),
        }
    }

    pub(crate) fn no_clock() -> Self {
        Self {
            step: "tell the time",
            source: None,
        }
    }

    /// A certificate that was given is of another key than the one that was made.
    pub(crate) fn other_key() -> Self {
        Self {
            step: "use the certificate: it is not of this key",
            source: None,
        }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}", self.step)
    }
}

impl Error for Setup {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
