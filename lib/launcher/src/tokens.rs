//! Where tokens come from.

use crate::{Error, Launcher, Request, Token};
use std::future::Future;

/// Gives attestation tokens: [`Launcher`] does, and the doubles of tests.
pub trait Tokens: Send + Sync + 'static {
    fn token(&self, request: &Request) -> impl Future<Output = Result<Token, Error>> + Send;
}

impl Tokens for Launcher {
    fn token(&self, request: &Request) -> impl Future<Output = Result<Token, Error>> + Send {
        self.custom_token(request)
    }
}
