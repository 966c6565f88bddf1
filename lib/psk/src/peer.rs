//! The proof that a handshake was authenticated by the key.

use openssl::ssl::{SslRef, SslVersion};

use crate::error::PeerFault;

/// The peer knows the key. Made only from a finished handshake that the key authenticated, never otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthenticatedPeer {
    protocol: Protocol,
    cipher_suite: &'static str,
}

/// A protocol version.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    Tls12,
    Tls13,
}

impl AuthenticatedPeer {
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The cipher suite by its IANA name, such as `TLS_AES_128_GCM_SHA256`.
    pub fn cipher_suite(&self) -> &'static str {
        self.cipher_suite
    }

    /// Asks a finished handshake what authenticated it.
    ///
    /// A completed TLS 1.3 handshake proves nothing alone: a server with a certificate completes one as well, and
    /// the key is then never used.
    pub(crate) fn of(ssl: &SslRef) -> Result<Self, PeerFault> {
        if ssl.peer_certificate().is_some() {
            return Err(PeerFault::Certificate);
        }
        let cipher_suite = ssl
            .current_cipher()
            .and_then(|cipher| cipher.standard_name())
            .ok_or(PeerFault::Protocol)?;
        let protocol = match ssl.version2() {
            // An external key counts as a resumption ([RFC 8446 §2.2]): the server selected it and both sides
            // have verified a MAC under it. Tickets are off, so that it can be no other resumption.
            Some(SslVersion::TLS1_3) if ssl.session_reused() => Protocol::Tls13,
            Some(SslVersion::TLS1_3) => return Err(PeerFault::Certificate),
            Some(SslVersion::TLS1_2)
                if cipher_suite.starts_with("TLS_ECDHE_PSK_") && !ssl.session_reused() =>
            {
                if ssl.extms_support() != Some(true) {
                    return Err(PeerFault::NoExtendedMasterSecret);
                }
                Protocol::Tls12
            }
            Some(SslVersion::TLS1_2) => return Err(PeerFault::Certificate),
            _ => return Err(PeerFault::Version),
        };
        Ok(Self {
            protocol,
            cipher_suite,
        })
    }
}
