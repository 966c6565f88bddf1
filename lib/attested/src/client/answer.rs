//! The proof that an answer comes from a machine of the manifest.

use hyper::StatusCode;
use hyper::body::Bytes;
use mcbn_attest::Accepted;

/// An answer that a token vouches for: a machine that meets every demand of the manifest gave it on this connection, to
/// this request. There is no other way to a body.
#[derive(Clone, Debug)]
pub struct AttestedAnswer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    pub(super) token: String,
    pub(super) accepted: Accepted,
}

impl AttestedAnswer {
    /// It stands in no nonce, and is as good as the connection.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The exact bytes that the token names.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The token, for whoever keeps what was shown.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The machine, the image that it runs, and every demand that they meet.
    pub fn accepted(&self) -> &Accepted {
        &self.accepted
    }
}
