//! An issuer's published keys.

use std::fmt::{self, Display};

/// RSA keys by key id ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)).
#[derive(Clone, Debug)]
pub struct Jwks {}

impl Jwks {
    /// # Errors
    ///
    /// Not a key set, or one with a key that cannot be a key.
    pub fn parse(_json: &[u8]) -> Result<Jwks, NotAJwks> {
        todo!()
    }
}

/// What is wrong with a key set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAJwks {}

impl Display for NotAJwks {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for NotAJwks {}
