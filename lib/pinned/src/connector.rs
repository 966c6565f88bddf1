//! The handshake.

use mcbn_manifest::Pin;
use mcbn_tls::{Setup, TlsStream};
use openssl::ssl::{Ssl, SslContext, SslMethod, SslOptions, SslVerifyMode, SslVersion};
use openssl::x509::{X509StoreContextRef, X509VerifyResult};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::NoStream;
use crate::peer::{self, PinnedPeer};

/// A connection to the server with the pinned key.
pub type PinnedStream<S> = TlsStream<S, PinnedPeer>;

/// Connects to servers by their pins.
#[derive(Clone)]
pub struct Connector {
    ctx: SslContext,
}

/// The one protocol that is spoken, in the form of the extension ([RFC 7301 §3.1]).
///
/// [RFC 7301 §3.1]: https://www.rfc-editor.org/rfc/rfc7301#section-3.1
const HTTP_1_1: &[u8] = b"\x08http/1.1";

/// `SSL_OP_CLEANSE_PLAINTEXT`, which the crate does not name: OpenSSL wipes its copy of what was read. Shares come this
/// way.
const CLEANSE_PLAINTEXT: SslOptions = SslOptions::from_bits_retain(1 << 1);

impl Connector {
    pub fn new() -> Result<Self, Setup> {
        let mut ctx = mcbn_tls::context(SslMethod::tls_client(), SslVersion::TLS1_3)?;
        ctx.set_alpn_protos(HTTP_1_1)
            .map_err(Setup::step("set the protocol"))?;
        ctx.set_options(CLEANSE_PLAINTEXT);
        // No chain is followed: what stands beside the server's own certificate is not looked at.
        ctx.set_verify_depth(0);
        Ok(Self { ctx: ctx.build() })
    }

    /// Does the handshake. Ends when the server lets it end: the caller sets the deadline.
    pub async fn connect<S>(&self, stream: S, pin: &Pin) -> Result<PinnedStream<S>, NoStream>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let pin = *pin;
        let mut ssl = Ssl::new(&self.ctx).map_err(Setup::step("make a connection"))?;
        ssl.set_connect_state();
        ssl.set_verify_callback(SslVerifyMode::PEER, move |_, chain| verify(chain, &pin));
        let judge = |ssl: &_| PinnedPeer::of(ssl, &pin);
        TlsStream::handshake(ssl, stream, judge)
            .await
            .map_err(NoStream::from)
    }
}

/// Called by OpenSSL for whatever it finds wrong with the chain, and at its end: each time the server's key alone
/// decides. A panic must not cross into C, so nothing here can.
fn verify(chain: &mut X509StoreContextRef, pin: &Pin) -> bool {
    // The server's own certificate comes first.
    let own = chain.chain().and_then(|chain| chain.get(0));
    let has_the_key = own
        .and_then(peer::pin_of)
        .is_some_and(|found| found == *pin);
    if !has_the_key {
        chain.set_error(X509VerifyResult::APPLICATION_VERIFICATION);
    }
    has_the_key
}
