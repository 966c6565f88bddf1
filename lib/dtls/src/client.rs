//! The client's side.

use std::sync::Arc;
use std::time::Duration;

use mcbn_psk::{ClientKeys, Identity, KeySource, Source, Witness};
use mcbn_tls::{HandshakeError, Setup};
use openssl::ssl::{SslContext, SslMethod, SslStream, SslVerifyMode};
use tokio::net::UdpSocket;

use crate::context::{self, Suites};
use crate::link::Link;
use crate::mtu::Mtu;
use crate::session::{NoSession, Session};

/// Connects to servers that know the key.
#[derive(Clone)]
pub struct Connector {
    pub(crate) ctx: SslContext,
    mtu: Mtu,
    source: Source,
}

impl Connector {
    /// A connector with one identity and what gives its keys.
    pub fn new<K: KeySource>(
        identity: Identity,
        keys: K,
        suites: Suites,
        mtu: Mtu,
    ) -> Result<Self, Setup> {
        let mut ctx = context::builder(SslMethod::dtls_client(), suites)?;
        let keys = Arc::new(keys);
        let source = Source::of(&keys);
        // A server that answers with a certificate fails here, since the store of trusted roots is empty. The proof
        // after the handshake does not lean on it.
        ctx.set_verify(SslVerifyMode::PEER);
        ClientKeys::new(identity, keys).install(&mut ctx);
        Ok(Self {
            ctx: ctx.build(),
            mtu,
            source,
        })
    }

    /// What is known of the source of its keys.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Sees the key's end.
    pub fn witness(&self) -> Witness {
        self.source.witness()
    }

    /// Does the handshake over a socket that is connected to the server, within `limit`.
    pub async fn connect(&self, socket: UdpSocket, limit: Duration) -> Result<Session, NoSession> {
        let local = |setup| NoSession::Failed(HandshakeError::Local(setup));
        let mut ssl = context::ssl(&self.ctx, self.mtu).map_err(local)?;
        ssl.set_connect_state();
        let stream = SslStream::new(ssl, Link::own(socket))
            .map_err(|stack| local(Setup::step("make a session")(stack)))?;
        Session::handshake(stream, &self.source, limit).await
    }
}
