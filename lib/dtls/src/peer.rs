//! The proof that a handshake was authenticated by the key.

use mcbn_tls::PeerFault;
use openssl::ssl::{SslRef, SslVersion};

/// The peer knows the key. Made only from a finished handshake that the key authenticated, never otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthenticatedPeer {
    cipher_suite: &'static str,
}

impl AuthenticatedPeer {
    /// The cipher suite by its IANA name, such as `TLS_PSK_WITH_AES_128_GCM_SHA256`.
    pub fn cipher_suite(&self) -> &'static str {
        self.cipher_suite
    }

    /// Asks a finished handshake what authenticated it. The settings allow nothing else; this does not lean on them.
    pub(crate) fn of(ssl: &SslRef) -> Result<Self, PeerFault> {
        if ssl.version2() != Some(SslVersion::DTLS1_2) {
            return Err(PeerFault::Version);
        }
        let cipher_suite = ssl
            .current_cipher()
            .and_then(|cipher| cipher.standard_name())
            .ok_or(PeerFault::Protocol)?;
        let by_key = ["TLS_PSK_", "TLS_ECDHE_PSK_"]
            .iter()
            .any(|prefix| cipher_suite.starts_with(prefix));
        if !by_key || ssl.session_reused() || ssl.peer_certificate().is_some() {
            return Err(PeerFault::Certificate);
        }
        if ssl.extms_support() != Some(true) {
            return Err(PeerFault::NoExtendedMasterSecret);
        }
        Ok(Self { cipher_suite })
    }
}
