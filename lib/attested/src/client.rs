//! The participant's end: from a key to answers that are vouched for.
//!
//! The token of an answer is held against all that this end knows by itself: its own key, the challenge that it has
//! drawn, the exporter of its own connection, the manifest's digest and the bytes that came. Nothing is taken from the
//! server but the token and those bytes.

mod answer;
pub(crate) mod certificate;
mod connection;
mod failure;
mod judge;

pub use answer::AttestedAnswer;
pub use connection::Connection;
pub use failure::{Failure, Nonce};
pub use hyper::http::uri::PathAndQuery;
pub use hyper::{Method, StatusCode};
pub use judge::{Clock, Demands};

use crate::{Identity, NoIdentity};
use certificate::AnyCertificate;
use judge::Judge;
use mcbn_manifest::Address;
use mcbn_tls13::{exporter, is_full};
use ring::rand::SystemRandom;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Connects to servers in attested machines, with one participant's key.
#[derive(Clone)]
pub struct Client {
    tls: mcbn_tls13::Client,
    judge: Arc<Judge>,
    random: SystemRandom,
    patience: Duration,
}

impl Client {
    /// Each step takes at most `patience`: a connection, and each request.
    ///
    /// # Errors
    ///
    /// The key cannot be used.
    pub fn new(
        identity: Identity,
        demands: Demands,
        random: SystemRandom,
        patience: Duration,
    ) -> Result<Client, NoIdentity> {
        let judge = Arc::new(Judge::new(demands, &identity.pin()));
        // The judge lets every key pass: the token says whose it is.
        let tls = mcbn_tls13::Client::new(AnyCertificate, Some(identity.into_parts()?));
        Ok(Client {
            tls: tls.map_err(|_| NoIdentity::NotAKey)?,
            judge,
            random,
            patience,
        })
    }

    /// Connects to a server. Nothing is known of it before its first answer.
    ///
    /// In TLS 1.3 this is done before the server has judged our key: where it refuses, the first request says so.
    ///
    /// # Errors
    ///
    /// Nobody answers there in TLS 1.3.
    pub async fn connect(&self, address: &Address) -> Result<Connection, Failure> {
        let host = address.to_string();
        let connected = timeout(self.patience, async {
            let stream = TcpStream::connect(&host).await;
            let stream = stream.map_err(Failure::Unreachable)?;
            // Small writes leave at once; without it they are only slower.
            let _ = stream.set_nodelay(true);
            self.handshake(stream, &host).await
        });
        connected.await.unwrap_or(Err(Failure::Slow))
    }

    /// Does the same over a stream that is there already. `host` is what requests name.
    ///
    /// # Errors
    ///
    /// What answers does not speak TLS 1.3.
    pub async fn connect_over<S>(&self, stream: S, host: &Address) -> Result<Connection, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let host = host.to_string();
        let connected = timeout(self.patience, self.handshake(stream, &host)).await;
        connected.unwrap_or(Err(Failure::Slow))
    }

    async fn handshake<S>(&self, stream: S, host: &str) -> Result<Connection, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = self.tls.connect(stream).await;
        let stream = stream.map_err(Failure::handshake)?;
        let session = stream.get_ref().1;
        let exporter = exporter(session).filter(|_| is_full(session));
        let exporter = exporter.ok_or(Failure::Bug)?;
        Connection::over(stream, host, exporter, self.clone()).await
    }
}
