//! The client's side.

use std::sync::Arc;

use mcbn_secret::Psk;
use mcbn_tls::{HandshakeError, Setup, TlsStream};
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::context::{self, Versions};
use crate::identity::Identity;
use crate::peer::{AuthenticatedPeer, PskStream};
use crate::witness::Witness;

/// Connects to servers that know the key.
#[derive(Clone)]
pub struct Connector {
    ctx: SslContext,
    witness: Witness,
}

impl Connector {
    /// A connector with one identity and its key.
    pub fn new(identity: Identity, key: Psk, versions: Versions) -> Result<Self, Setup> {
        let mut ctx = context::builder(SslMethod::tls_client(), versions)?;
        let key = Arc::new(key);
        let witness = Witness::of(&key);
        // A server that answers with a certificate fails here, since the store of trusted roots is empty. The
        // proof after the handshake does not lean on it.
        ctx.set_verify(SslVerifyMode::PEER);
        // A panic must not cross into C, so nothing here can: no indexing, no unwrapping. With TLS 1.2 allowed
        // OpenSSL asks twice.
        ctx.set_psk_client_callback(move |_ssl, _hint, name_out, key_out| {
            let name = identity.as_str().as_bytes();
            let (Some(name_room), Some(key_room)) = (
                // One byte more for the terminator.
                name_out.get_mut(..=name.len()),
                key_out.get_mut(..Psk::LENGTH),
            ) else {
                return Ok(0);
            };
            if let Some((terminator, room)) = name_room.split_last_mut() {
                room.copy_from_slice(name);
                *terminator = 0;
            }
            // OpenSSL needs the bytes: this is the one place where the client's key enters TLS.
            key_room.copy_from_slice(key.expose_secret());
            Ok(Psk::LENGTH)
        });
        Ok(Self {
            ctx: ctx.build(),
            witness,
        })
    }

    /// Sees the key's end.
    pub fn witness(&self) -> Witness {
        self.witness.clone()
    }

    /// Does the handshake. Ends when the peer lets it end: the caller sets the deadline.
    pub async fn connect<S>(&self, stream: S) -> Result<PskStream<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut ssl = Ssl::new(&self.ctx)
            .map_err(|stack| HandshakeError::Local(Setup::step("make a connection")(stack)))?;
        ssl.set_connect_state();
        TlsStream::handshake(ssl, stream, AuthenticatedPeer::of).await
    }
}
