//! The server's side.

use std::sync::{Arc, LazyLock};

use mcbn_secret::Psk;
use mcbn_tls::{HandshakeError, Setup, TlsStream};
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{ClientHelloResponse, Ssl, SslContext, SslMethod, SslVersion};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::context::{self, Versions};
use crate::decoy::Decoy;
use crate::identity::Identity;
use crate::peer::{AuthenticatedPeer, PskStream};
use crate::witness::Witness;
use crate::{ffi, offer};

/// Accepts connections from clients that know the key.
#[derive(Clone)]
pub struct Acceptor {
    ctx: SslContext,
    witness: Witness,
}

impl Acceptor {
    /// An acceptor for one identity and its key.
    pub fn new(identity: Identity, key: Psk, versions: Versions) -> Result<Self, Setup> {
        let mut ctx = context::builder(SslMethod::tls_server(), versions)?;
        ctx.set_num_tickets(0)
            .map_err(Setup::step("switch tickets off"))?;

        let keys = Keys::new(identity, key)?;
        let witness = Witness::of(&keys.key);
        let offered = *OFFERED
            .as_ref()
            .map_err(|stack| Setup::step("make an index")(stack.clone()))?;
        let own = keys.identity.clone();
        ctx.set_client_hello_callback(move |ssl, _alert| {
            let found = ffi::pre_shared_key_extension(ssl)
                .is_some_and(|extension| offer::names_exactly(extension, &own));
            ssl.set_ex_data(offered, OwnIdentityOffered(found));
            Ok(ClientHelloResponse::SUCCESS)
        });
        // A panic must not cross into C, so nothing here can: no indexing, no unwrapping.
        ctx.set_psk_server_callback(move |ssl, name, out| {
            // OpenSSL ends the name at its first zero byte, in `tls_parse_ctos_psk` (extensions_srvr.c) as in
            // `tls_process_cke_psk_preamble` (statem_srvr.c): what is equal here may have been longer.
            let own = keys.identity.matches(name.unwrap_or_default());
            if ssl.version2() != Some(SslVersion::TLS1_3) {
                // What follows a zero byte stays unseen here: TLS 1.2 has the name in a later message. It opens
                // nothing, since the peer must know the key, and that name too stands in what the peer's Finished
                // covers. The ClientHello's list means nothing in TLS 1.2, and must not change the answer.
                return Ok(keys.answer(own, out));
            }
            let own_offered = ssl.ex_data(offered).is_some_and(|offered| offered.0);
            if !own && own_offered {
                // A ticket of another server, or another of the client's keys. Ours comes next.
                return Ok(0);
            }
            Ok(keys.answer(own & own_offered, out))
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
    pub async fn accept<S>(&self, stream: S) -> Result<PskStream<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut ssl = Ssl::new(&self.ctx)
            .map_err(|stack| HandshakeError::Local(Setup::step("make a connection")(stack)))?;
        ssl.set_accept_state();
        TlsStream::handshake(ssl, stream, AuthenticatedPeer::of).await
    }
}

/// Whether the ClientHello names the identity that the server has a key for, and nothing that could be taken for it.
struct OwnIdentityOffered(bool);

static OFFERED: LazyLock<Result<Index<Ssl, OwnIdentityOffered>, ErrorStack>> =
    LazyLock::new(Ssl::new_ex_index);

/// The key, and the one that stands in for every key that does not exist.
struct Keys {
    identity: Identity,
    key: Arc<Psk>,
    decoy: Decoy,
}

impl Keys {
    fn new(identity: Identity, key: Psk) -> Result<Self, Setup> {
        Ok(Self {
            identity,
            key: Arc::new(key),
            decoy: Decoy::draw()?,
        })
    }

    /// Writes the key for a known identity, or the decoy for any other.
    fn answer(&self, known: bool, out: &mut [u8]) -> usize {
        match out.first_chunk_mut() {
            Some(room) => {
                // OpenSSL needs the bytes: this is the one place where the server's key enters TLS.
                room.copy_from_slice(self.key.expose_secret());
                self.decoy.replace_unless(known, room);
                Psk::LENGTH
            }
            None => 0,
        }
    }
}
