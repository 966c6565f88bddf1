//! What both roles ask of OpenSSL.

use openssl::ssl::{
    SslContextBuilder, SslMethod, SslMode, SslOptions, SslSessionCacheMode, SslVersion,
};

use crate::error::Setup;
use crate::ffi;

/// Which protocol versions are allowed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Versions {
    #[default]
    Tls13,
    /// TLS 1.3 and, for peers that lack it, TLS 1.2 with `ECDHE_PSK`.
    Tls12And13,
}

/// TLS 1.3 suites: an external key is bound to one hash, and this one to SHA-256 ([RFC 8446 §4.2.11]).
///
/// [RFC 8446 §4.2.11]: https://www.rfc-editor.org/rfc/rfc8446#section-4.2.11
const TLS13_SUITES: &str = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";

/// TLS 1.2 suites: a key and an ephemeral exchange, never one without the other ([RFC 5489], [RFC 7905]). OpenSSL
/// has no ECDHE_PSK suite with AES-GCM.
///
/// [RFC 5489]: https://www.rfc-editor.org/rfc/rfc5489
/// [RFC 7905]: https://www.rfc-editor.org/rfc/rfc7905
const TLS12_SUITES: &str =
    "ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES128-CBC-SHA256:ECDHE-PSK-AES256-CBC-SHA384";

/// Groups in order of preference: hybrid post-quantum first. A client sends shares for the two with a star, so that
/// neither kind of server needs a second round trip.
const GROUPS: &str = "*X25519MLKEM768:*X25519:P-256";

/// The same for a library without ML-KEM.
const GROUPS_CLASSIC: &str = "X25519:P-256";

/// Bytes that one read from the network may bring: four full records.
const READ_BUFFER: usize = 4 * (16 * 1024 + 5 + 256);

/// A context with everything that is the same for a client and a server.
pub(crate) fn builder(method: SslMethod, versions: Versions) -> Result<SslContextBuilder, Setup> {
    let mut ctx = SslContextBuilder::new(method).map_err(Setup::step("make a context"))?;
    let lowest = match versions {
        Versions::Tls13 => SslVersion::TLS1_3,
        Versions::Tls12And13 => SslVersion::TLS1_2,
    };
    ctx.set_min_proto_version(Some(lowest))
        .and_then(|()| ctx.set_max_proto_version(Some(SslVersion::TLS1_3)))
        .map_err(Setup::step("set the protocol versions"))?;
    ctx.set_security_level(2);
    ctx.set_ciphersuites(TLS13_SUITES)
        .and_then(|()| ctx.set_cipher_list(TLS12_SUITES))
        .map_err(Setup::step("set the cipher suites"))?;
    ctx.set_groups_list(GROUPS)
        .or_else(|_| ctx.set_groups_list(GROUPS_CLASSIC))
        .map_err(Setup::step("set the groups"))?;
    ctx.set_options(
        SslOptions::NO_TICKET
            | SslOptions::NO_COMPRESSION
            | SslOptions::NO_RENEGOTIATION
            | SslOptions::CIPHER_SERVER_PREFERENCE,
    );
    ctx.set_session_cache_mode(SslSessionCacheMode::OFF | SslSessionCacheMode::NO_INTERNAL);
    // Idle connections keep no record buffers, and busy ones read several records at once.
    ctx.set_mode(SslMode::RELEASE_BUFFERS | SslMode::ACCEPT_MOVING_WRITE_BUFFER);
    ctx.set_read_ahead(true);
    ffi::set_read_buffer_len(&ctx, READ_BUFFER);
    #[cfg(feature = "keylog")]
    crate::keylog::install(&mut ctx);
    Ok(ctx)
}
