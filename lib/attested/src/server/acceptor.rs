//! The server's side of the handshake.

use super::admission::Admission;
use super::caller::Caller;
use crate::{Identity, NoIdentity};
use mcbn_manifest::Pin;
use mcbn_tls13::{HTTP_1_1, Verifier, provider};
use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Accepts connections from these participants.
#[derive(Clone)]
pub struct Acceptor {
    tls: TlsAcceptor,
    admission: Arc<Admission>,
}

/// Bytes that are read and thrown away after a refusal.
const REST: u64 = 64 * 1024;

impl Acceptor {
    /// # Errors
    ///
    /// The key cannot be used.
    pub fn new(
        identity: Identity,
        participants: impl IntoIterator<Item = Pin>,
    ) -> Result<Acceptor, NoIdentity> {
        let admission = Arc::new(Admission::of(BTreeSet::from_iter(participants)));
        let (certificates, private) = identity.into_parts()?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .expect("the provider has the suites of TLS 1.3")
            .with_client_cert_verifier(Arc::new(Verifier::new(Arc::clone(&admission))))
            .with_single_cert(certificates, private)
            .map_err(|_| NoIdentity::NotAKey)?;
        // The client's key is checked, and the exporter is another one, on each connection.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Acceptor {
            tls: Arc::new(config).into(),
            admission,
        })
    }

    /// Does the handshake. Ends when the client lets it end: the caller sets the deadline.
    ///
    /// # Errors
    ///
    /// The client is no participant, or does not do its part.
    pub async fn accept(
        &self,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, Caller), io::Error> {
        let stream = match self.tls.accept(stream).into_fallible().await {
            Ok(stream) => stream,
            Err((error, stream)) => {
                say_no(stream).await;
                return Err(error);
            }
        };
        match Caller::of(stream.get_ref().1, &self.admission) {
            Some(caller) => Ok((stream, caller)),
            None => Err(io::Error::other("a handshake that showed no key")),
        }
    }
}

/// Closes so that the alert arrives. A client of TLS 1.3 may have sent a request by now, and what is not read when a
/// connection is closed resets it: the client would not see why.
async fn say_no(mut stream: TcpStream) {
    if stream.shutdown().await.is_ok() {
        let mut rest = stream.take(REST);
        let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
    }
}
