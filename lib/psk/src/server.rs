//! The server's side.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use mcbn_secret::Psk;
use mcbn_tls::{HandshakeError, Setup, TlsStream};
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{
    ClientHelloResponse, Ssl, SslContext, SslContextBuilder, SslMethod, SslVersion,
};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::answer::ServerKeys;
use crate::asking::Asking;
use crate::context::{self, Keys, Versions};
use crate::identity::Identity;
use crate::key::{KeySource, write_fixed};
use crate::peer::{KeyJudge, PskStream};
use crate::sessions::{self, Resumption};
use crate::source::Source;
use crate::witness::Witness;
use crate::{ffi, offer};

/// Accepts connections from clients that know the key.
#[derive(Clone)]
pub struct Acceptor {
    ctx: SslContext,
    pub(crate) source: Source,
    pub(crate) keys: Keys,
    resumption: Resumption,
}

impl Acceptor {
    /// An acceptor for one identity and its key.
    pub fn new(identity: Identity, key: Psk, versions: Versions) -> Result<Self, Setup> {
        let mut ctx = context::builder(SslMethod::tls_server(), versions)?;
        ctx.set_num_tickets(0)
            .map_err(Setup::step("switch tickets off"))?;

        let key = Arc::new(key);
        let source = Source::of(&key);
        let offered = *OFFERED
            .as_ref()
            .map_err(|stack| Setup::step("make an index")(stack.clone()))?;
        let own = identity.clone();
        ctx.set_client_hello_callback(move |ssl, _alert| {
            let found = ffi::pre_shared_key_extension(ssl)
                .is_some_and(|extension| offer::names_exactly(extension, &own));
            ssl.set_ex_data(offered, OwnIdentityOffered(found));
            Ok(ClientHelloResponse::SUCCESS)
        });
        let keys = ServerKeys::new(identity, key)?;
        ctx.set_psk_server_callback(move |ssl, name, out| {
            if ssl.version2() != Some(SslVersion::TLS1_3) {
                // The ClientHello's list means nothing in TLS 1.2, which has the name in a later message, and must not
                // change the answer.
                let written = keys.write(ssl, name.unwrap_or_default(), out);
                return Ok(written.unwrap_or_default());
            }
            // OpenSSL ends the name at its first zero byte, in `tls_parse_ctos_psk` (extensions_srvr.c): what is equal
            // here may have been longer.
            let own = keys.identity.matches(name.unwrap_or_default());
            let own_offered = ssl.ex_data(offered).is_some_and(|offered| offered.0);
            if !own && own_offered {
                // A ticket of another server, or another of the client's keys. Ours comes next.
                return Ok(0);
            }
            Ok(keys.write_for_tls13(own & own_offered, out))
        });
        Ok(Self::of(ctx, source, Keys::Fixed, Resumption::Off))
    }

    /// An acceptor for one identity and what gives each session a key of its own: TLS 1.2 alone, since TLS 1.3 asks for
    /// the key before there is a server's random.
    pub fn of_session_keys<K: KeySource>(
        identity: Identity,
        keys: K,
        resumption: Resumption,
    ) -> Result<Self, Setup> {
        let mut ctx = context::of_session_keys(SslMethod::tls_server())?;
        let keys = Arc::new(keys);
        let source = Source::of(&keys);
        ServerKeys::new(identity, keys)?.install(&mut ctx)?;
        if resumption == Resumption::On {
            sessions::keep(&mut ctx)?;
        }
        Ok(Self::of(ctx, source, Keys::OfSessions, resumption))
    }

    fn of(ctx: SslContextBuilder, source: Source, keys: Keys, resumption: Resumption) -> Self {
        Self {
            ctx: ctx.build(),
            source,
            keys,
            resumption,
        }
    }

    /// Sees the key's end.
    pub fn witness(&self) -> Witness {
        self.source.witness()
    }

    /// Does the handshake. Ends when the peer lets it end: the caller sets the deadline.
    pub async fn accept<S>(&self, stream: S) -> Result<PskStream<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.accept_by(stream, None).await
    }

    /// The same, and the source of the key learns when the caller stops waiting.
    pub(crate) async fn accept_by<S>(
        &self,
        stream: S,
        until: Option<Instant>,
    ) -> Result<PskStream<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let ssl = self.prepare(until).map_err(HandshakeError::Local)?;
        let judge = KeyJudge {
            source: &self.source,
            resumption: self.resumption,
            last: None,
        };
        TlsStream::handshake(ssl, stream, judge).await
    }

    fn prepare(&self, until: Option<Instant>) -> Result<Ssl, Setup> {
        let mut ssl = Ssl::new(&self.ctx).map_err(Setup::step("make a connection"))?;
        ssl.set_accept_state();
        Asking::prepare(&mut ssl, until)?;
        Ok(ssl)
    }
}

/// Whether the ClientHello names the identity that the server has a key for, and nothing that could be taken for it.
struct OwnIdentityOffered(bool);

static OFFERED: LazyLock<Result<Index<Ssl, OwnIdentityOffered>, ErrorStack>> =
    LazyLock::new(Ssl::new_ex_index);

impl ServerKeys<Psk> {
    /// Writes the key for a known identity, or the decoy for any other. TLS 1.3 binds it to the handshake by itself.
    fn write_for_tls13(&self, known: bool, out: &mut [u8]) -> usize {
        match out.first_chunk_mut() {
            Some(room) => {
                write_fixed(&self.keys, room);
                self.decoy.replace_unless(known, room);
                Psk::LENGTH
            }
            None => 0,
        }
    }
}
