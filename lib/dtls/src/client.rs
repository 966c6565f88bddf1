//! The client's side.

use std::sync::Arc;
use std::time::Duration;

use mcbn_psk::{Identity, Witness};
use mcbn_secret::Psk;
use mcbn_tls::{HandshakeError, Setup};
use openssl::ssl::{SslContext, SslMethod, SslStream, SslVerifyMode};
use tokio::net::UdpSocket;

use crate::context::{self, Suites};
use crate::key::{KeySource, Randoms};
use crate::link::Link;
use crate::mtu::Mtu;
use crate::session::{KeyAsked, NoSession, Session};

/// Connects to servers that know the key.
#[derive(Clone)]
pub struct Connector {
    pub(crate) ctx: SslContext,
    mtu: Mtu,
    witness: Witness,
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
        let witness = Witness::of(&keys);
        let asked = KeyAsked::index()?;
        // A server that answers with a certificate fails here, since the store of trusted roots is empty. The proof
        // after the handshake does not lean on it.
        ctx.set_verify(SslVerifyMode::PEER);
        // A panic must not cross into C, so nothing here can: no indexing, no unwrapping.
        ctx.set_psk_client_callback(move |ssl, _hint, name_out, key_out| {
            let name = identity.as_str().as_bytes();
            let (Some(name_room), Some(key_room), Some(randoms)) = (
                // One byte more for the terminator.
                name_out.get_mut(..=name.len()),
                key_out.first_chunk_mut(),
                Randoms::of(ssl),
            ) else {
                return Ok(0);
            };
            if let Some((terminator, room)) = name_room.split_last_mut() {
                room.copy_from_slice(name);
                *terminator = 0;
            }
            ssl.set_ex_data(asked, KeyAsked);
            match keys.write_key(&randoms, key_room) {
                Ok(()) => Ok(Psk::LENGTH),
                Err(_) => Ok(0),
            }
        });
        Ok(Self {
            ctx: ctx.build(),
            mtu,
            witness,
        })
    }

    /// Sees the key's end.
    pub fn witness(&self) -> Witness {
        self.witness.clone()
    }

    /// Does the handshake over a socket that is connected to the server, within `limit`.
    pub async fn connect(&self, socket: UdpSocket, limit: Duration) -> Result<Session, NoSession> {
        let local = |setup| NoSession::Failed(HandshakeError::Local(setup));
        let mut ssl = context::ssl(&self.ctx, self.mtu).map_err(local)?;
        ssl.set_connect_state();
        let stream = SslStream::new(ssl, Link::own(socket))
            .map_err(|stack| local(Setup::step("make a session")(stack)))?;
        Session::handshake(stream, limit).await
    }
}
