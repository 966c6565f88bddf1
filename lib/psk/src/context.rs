//! What both roles ask of OpenSSL.

use mcbn_tls::Setup;
use openssl::ssl::{SslContextBuilder, SslMethod, SslVersion};

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

/// Where a context's keys come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keys {
    /// There is one, for every handshake.
    Fixed,
    /// Each session has its own.
    OfSessions,
}

/// A context with everything that is the same for a client and a server.
pub(crate) fn builder(method: SslMethod, versions: Versions) -> Result<SslContextBuilder, Setup> {
    let lowest = match versions {
        Versions::Tls13 => SslVersion::TLS1_3,
        Versions::Tls12And13 => SslVersion::TLS1_2,
    };
    let mut ctx = mcbn_tls::context(method, lowest)?;
    ctx.set_ciphersuites(TLS13_SUITES)
        .and_then(|()| ctx.set_cipher_list(TLS12_SUITES))
        .map_err(Setup::step("set the cipher suites"))?;
    #[cfg(feature = "keylog")]
    crate::keylog::install(&mut ctx);
    Ok(ctx)
}

/// The same for keys that depend on both randoms: TLS 1.2, and no other version ever.
pub(crate) fn of_session_keys(method: SslMethod) -> Result<SslContextBuilder, Setup> {
    let mut ctx = builder(method, Versions::Tls12And13)?;
    ctx.set_max_proto_version(Some(SslVersion::TLS1_2))
        .map_err(Setup::step("set the protocol versions"))?;
    Ok(ctx)
}
