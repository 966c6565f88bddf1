//! The way to a keeper, whichever library does the TLS.

use crate::message::Exporter;
use mcbn_manifest::Keeper;
use std::error::Error;
use std::fmt::{self, Display};
use std::future::Future;
use tokio::io::{AsyncRead, AsyncWrite};

/// Reaches keepers.
pub trait Connect: Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Connects to a keeper, over TLS 1.3, in one attempt.
    ///
    /// A channel is given only where the peer has shown, inside the handshake, that it has the key with the keeper's
    /// pin. There is no resumption. The caller sets the deadline.
    fn connect(
        &self,
        keeper: &Keeper,
    ) -> impl Future<Output = Result<Channel<Self::Stream>, NoChannel>> + Send;
}

/// A connection to the keeper that the manifest means.
#[derive(Debug)]
pub struct Channel<S> {
    pub stream: S,
    pub exporter: Exporter,
}

/// The keeper is out of reach, or somebody else answers in its place.
#[derive(Debug)]
pub struct NoChannel {
    /// A short fixed word for logs and metrics.
    pub reason: &'static str,
    pub source: Box<dyn Error + Send + Sync>,
}

impl Display for NoChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keeper cannot be reached")
    }
}

impl Error for NoChannel {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
