//! Who stands beside a handshake.

use std::future::{Ready, ready};

use openssl::ssl::SslRef;
use tokio::sync::OwnedSemaphorePermit;

use crate::error::{HandshakeError, PeerFault};

/// Sees a finished handshake, and gives the proof that its stream then carries, or no stream.
///
/// A judge that only judges is a closure. One whose callbacks inside OpenSSL block their thread also says how many
/// handshakes may be there at one time, and what went wrong in a callback, for which OpenSSL has no word.
pub trait Judge {
    type Proof;

    /// Waits until OpenSSL may be called for this handshake once more. What it gives is dropped after the call.
    fn admit(
        &self,
        _ssl: &SslRef,
    ) -> impl Future<Output = Result<Option<OwnedSemaphorePermit>, HandshakeError>> + Send {
        free()
    }

    /// What a callback of this side says of a handshake that failed.
    fn own_fault(&self, _ssl: &SslRef) -> Option<HandshakeError> {
        None
    }

    fn judge(self, ssl: &SslRef) -> Result<Self::Proof, PeerFault>;
}

fn free() -> Ready<Result<Option<OwnedSemaphorePermit>, HandshakeError>> {
    ready(Ok(None))
}

impl<P, F: FnOnce(&SslRef) -> Result<P, PeerFault>> Judge for F {
    type Proof = P;

    fn judge(self, ssl: &SslRef) -> Result<P, PeerFault> {
        self(ssl)
    }
}
