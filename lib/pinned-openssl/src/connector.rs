//! The connector.

use mcbn_manifest::Pin;
use mcbn_pinned::{Connector, HTTP_1_1, NoStream, PinnedPeer, PinnedStream, Plain};
use mcbn_tls::TlsStream;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslOptions, SslRef, SslVerifyMode, SslVersion};
use openssl::x509::{X509StoreContextRef, X509VerifyResult};

use crate::error::{fault, no_stream, setup};
use crate::handshake::{Handshake, pin_of};

/// Connects to servers by their pins.
#[derive(Clone)]
pub struct OpenSsl {
    ctx: SslContext,
}

/// `SSL_OP_CLEANSE_PLAINTEXT`, which the crate does not name: OpenSSL wipes its copy of what was read.
const CLEANSE_PLAINTEXT: SslOptions = SslOptions::from_bits_retain(1 << 1);

impl Connector for OpenSsl {
    type Tls<S: Plain> = TlsStream<S, PinnedPeer>;

    fn new() -> Result<Self, mcbn_pinned::Setup> {
        let context = mcbn_tls::context(SslMethod::tls_client(), SslVersion::TLS1_3);
        let mut ctx = context.map_err(mcbn_pinned::Setup::because)?;
        // In the form of the extension ([RFC 7301 §3.1]): a length, then the name.
        //
        // [RFC 7301 §3.1]: https://www.rfc-editor.org/rfc/rfc7301#section-3.1
        let mut protocols = vec![HTTP_1_1.len() as u8];
        protocols.extend_from_slice(HTTP_1_1.as_bytes());
        ctx.set_alpn_protos(&protocols)
            .map_err(setup("set the protocol"))?;
        ctx.set_options(CLEANSE_PLAINTEXT);
        // No chain is followed: what stands beside the server's own certificate is not looked at.
        ctx.set_verify_depth(0);
        Ok(Self { ctx: ctx.build() })
    }

    async fn connect<S: Plain>(
        &self,
        stream: S,
        pin: &Pin,
    ) -> Result<PinnedStream<Self::Tls<S>>, NoStream> {
        let pin = *pin;
        let ssl = Ssl::new(&self.ctx).map_err(setup("make a connection"));
        let mut ssl = ssl.map_err(NoStream::Local)?;
        ssl.set_connect_state();
        ssl.set_verify_callback(SslVerifyMode::PEER, move |_, chain| verify(chain, &pin));
        let judge = |ssl: &SslRef| PinnedPeer::of(&Handshake(ssl), &pin).map_err(fault);
        let tls = TlsStream::handshake(ssl, stream, judge).await;
        let tls = tls.map_err(no_stream)?;
        let peer = tls.peer().clone();
        Ok(PinnedStream::new(tls, peer))
    }
}

/// Called by OpenSSL for whatever it finds wrong with the chain, and at its end: each time the server's key alone
/// decides. A panic must not cross into C, so nothing here can.
fn verify(chain: &mut X509StoreContextRef, pin: &Pin) -> bool {
    // The server's own certificate comes first.
    let own = chain.chain().and_then(|chain| chain.get(0));
    let has_the_key = own.and_then(pin_of).is_some_and(|found| found == *pin);
    if !has_the_key {
        chain.set_error(X509VerifyResult::APPLICATION_VERIFICATION);
    }
    has_the_key
}
