//! The client's side.

use std::sync::Arc;
use std::time::Instant;

use mcbn_secret::Psk;
use mcbn_tls::{HandshakeError, Setup, TlsStream};
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslVerifyMode};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::answer::ClientKeys;
use crate::asking::Asking;
use crate::context::{self, Keys, Versions};
use crate::identity::Identity;
use crate::key::{KeySource, write_fixed};
use crate::peer::{KeyJudge, PskStream};
use crate::sessions::{LastSession, Resumption};
use crate::source::Source;
use crate::witness::Witness;

/// Connects to servers that know the key.
#[derive(Clone)]
pub struct Connector {
    ctx: SslContext,
    pub(crate) source: Source,
    pub(crate) keys: Keys,
    resumption: Resumption,
    last: LastSession,
}

impl Connector {
    /// A connector with one identity and its key.
    pub fn new(identity: Identity, key: Psk, versions: Versions) -> Result<Self, Setup> {
        let mut ctx = context::builder(SslMethod::tls_client(), versions)?;
        let key = Arc::new(key);
        let source = Source::of(&key);
        let keys = ClientKeys::new(identity, key);
        // With TLS 1.2 allowed OpenSSL asks twice, and at first nobody knows which version it will be.
        ctx.set_psk_client_callback(move |_ssl, _hint, name_out, key_out| {
            Ok(keys.write_with(name_out, key_out, |key, room| {
                write_fixed(key, room);
                Ok(())
            }))
        });
        Ok(Self::of(ctx, source, Keys::Fixed, Resumption::Off))
    }

    /// A connector with one identity and what gives each session a key of its own: TLS 1.2 alone, since TLS 1.3 asks for
    /// the key before there is a server's random.
    pub fn of_session_keys<K: KeySource>(
        identity: Identity,
        keys: K,
        resumption: Resumption,
    ) -> Result<Self, Setup> {
        let mut ctx = context::of_session_keys(SslMethod::tls_client())?;
        let keys = Arc::new(keys);
        let source = Source::of(&keys);
        ClientKeys::new(identity, keys).install(&mut ctx);
        Ok(Self::of(ctx, source, Keys::OfSessions, resumption))
    }

    fn of(mut ctx: SslContextBuilder, source: Source, keys: Keys, resumption: Resumption) -> Self {
        // A server that answers with a certificate fails here, since the store of trusted roots is empty. The
        // proof after the handshake does not lean on it.
        ctx.set_verify(SslVerifyMode::PEER);
        Self {
            ctx: ctx.build(),
            source,
            keys,
            resumption,
            last: LastSession::default(),
        }
    }

    /// Sees the key's end.
    pub fn witness(&self) -> Witness {
        self.source.witness()
    }

    /// Does the handshake. Ends when the peer lets it end: the caller sets the deadline.
    pub async fn connect<S>(&self, stream: S) -> Result<PskStream<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.connect_by(stream, None).await
    }

    /// The same, and the source of the key learns when the caller stops waiting.
    pub(crate) async fn connect_by<S>(
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
            last: Some(&self.last),
        };
        let connected = TlsStream::handshake(ssl, stream, judge).await;
        if connected.is_err() {
            // It may be the session that the server stumbles over.
            self.last.forget();
        }
        connected
    }

    fn prepare(&self, until: Option<Instant>) -> Result<Ssl, Setup> {
        let mut ssl = Ssl::new(&self.ctx).map_err(Setup::step("make a connection"))?;
        ssl.set_connect_state();
        Asking::prepare(&mut ssl, until)?;
        if self.resumption == Resumption::On {
            self.last.offer(&mut ssl, Instant::now())?;
        }
        Ok(ssl)
    }
}
