//! The network, as far as it is needed: a document of an issuer.

use crate::location::Location;
use std::fmt::{self, Display};

/// Gets what is at a location.
pub trait Fetch: Send + Sync {
    /// Blocks, for some seconds at most. No redirect is followed.
    ///
    /// # Errors
    ///
    /// Anything but an answer 200 with a body of at most [`MAX_ANSWER`] bytes.
    fn get(&self, location: &Location) -> Result<Vec<u8>, Unfetched>;
}

/// Bytes. Google's key set has under 3000.
pub const MAX_ANSWER: usize = 256 * 1024;

/// Why there is no answer, in words for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfetched(pub String);

impl Display for Unfetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfetched {}
