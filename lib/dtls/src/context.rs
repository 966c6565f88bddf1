//! What both roles ask of OpenSSL.

use mcbn_psk::Asking;
use mcbn_tls::Setup;
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslSessionCacheMode,
    SslVersion,
};

use crate::ffi;
use crate::mtu::Mtu;

/// Which cipher suites are allowed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Suites {
    /// `TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256`, and for peers that lack it `TLS_PSK_WITH_AES_128_GCM_SHA256`,
    /// whose traffic a key that leaks later opens.
    #[default]
    Strong,
    /// Also `TLS_PSK_WITH_AES_128_CCM_8` ([RFC 6655]), which small devices have: a forged record passes once in 2^64.
    ///
    /// [RFC 6655]: https://www.rfc-editor.org/rfc/rfc6655
    AndCcm8,
}

impl Suites {
    const fn list(self) -> &'static str {
        match self {
            Self::Strong => "ECDHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256",
            Self::AndCcm8 => {
                "ECDHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256:PSK-AES128-CCM8:@SECLEVEL=0"
            }
        }
    }
}

/// A context with everything that is the same for a client and a server. None of its suites has certificates.
pub(crate) fn builder(method: SslMethod, suites: Suites) -> Result<SslContextBuilder, Setup> {
    let mut ctx = SslContextBuilder::new(method).map_err(Setup::step("make a context"))?;
    ctx.set_min_proto_version(Some(SslVersion::DTLS1_2))
        .and_then(|()| ctx.set_max_proto_version(Some(SslVersion::DTLS1_2)))
        .map_err(Setup::step("set the protocol versions"))?;
    ctx.set_security_level(2);
    ctx.set_cipher_list(suites.list())
        .map_err(Setup::step("set the cipher suites"))?;
    ctx.set_groups_list("X25519:P-256")
        .map_err(Setup::step("set the groups"))?;
    ctx.set_options(
        SslOptions::NO_TICKET
            | SslOptions::NO_COMPRESSION
            | SslOptions::NO_RENEGOTIATION
            | SslOptions::CIPHER_SERVER_PREFERENCE
            | SslOptions::NO_QUERY_MTU,
    );
    ctx.set_session_cache_mode(SslSessionCacheMode::OFF | SslSessionCacheMode::NO_INTERNAL);
    // Idle sessions keep no record buffers.
    ctx.set_mode(SslMode::RELEASE_BUFFERS);
    Ok(ctx)
}

/// The start of one session.
pub(crate) fn ssl(ctx: &SslContext, mtu: Mtu) -> Result<Ssl, Setup> {
    let mut ssl = Ssl::new(ctx).map_err(Setup::step("make a session"))?;
    ssl.set_mtu(mtu.datagram())
        .map_err(Setup::step("set the path's MTU"))?;
    ffi::set_timer(&mut ssl);
    Asking::prepare(&mut ssl, None)?;
    Ok(ssl)
}
