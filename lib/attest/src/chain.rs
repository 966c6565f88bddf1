//! From a token's certificates to a pinned root.

use std::fmt::{self, Display};

/// The certificate in which every chain must end.
#[derive(Clone, Debug)]
pub struct Root {}

impl Root {
    /// # Errors
    ///
    /// Not exactly one certificate of a certificate authority.
    pub fn from_pem(_pem: &[u8]) -> Result<Root, NotARoot> {
        todo!()
    }
}

/// Not one certificate of a certificate authority.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotARoot {}

impl Display for NotARoot {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for NotARoot {}

/// What is wrong with a token's certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChainFault {}

impl Display for ChainFault {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}
