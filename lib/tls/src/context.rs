//! What every context has, whatever authenticates its peers.

use openssl::ssl::{
    SslContextBuilder, SslMethod, SslMode, SslOptions, SslSessionCacheMode, SslVersion,
};

use crate::error::Setup;
use crate::ffi;

/// Groups in order of preference: hybrid post-quantum first. A client sends shares for the two with a star, so that
/// neither kind of server needs a second round trip.
const GROUPS: &str = "*X25519MLKEM768:*X25519:P-256";

/// The same for a library without ML-KEM.
const GROUPS_CLASSIC: &str = "X25519:P-256";

/// Bytes that one read from the network may bring: four full records.
const READ_BUFFER: usize = 4 * (16 * 1024 + 5 + 256);

/// A context for TLS 1.3, and for older versions down to `lowest`, with OpenSSL's choice of cipher suites. It has no
/// keys, no certificates, and trusts nobody.
pub fn context(method: SslMethod, lowest: SslVersion) -> Result<SslContextBuilder, Setup> {
    let mut ctx = SslContextBuilder::new(method).map_err(Setup::step("make a context"))?;
    ctx.set_min_proto_version(Some(lowest))
        .and_then(|()| ctx.set_max_proto_version(Some(SslVersion::TLS1_3)))
        .map_err(Setup::step("set the protocol versions"))?;
    ctx.set_security_level(2);
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
    Ok(ctx)
}
