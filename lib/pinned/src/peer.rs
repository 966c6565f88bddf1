//! The proof that a server has the pinned key.

use mcbn_consent::message::{EXPORTER_LABEL, Exporter};
use mcbn_manifest::Pin;
use mcbn_tls::PeerFault;
use openssl::ssl::{SslRef, SslVersion};
use openssl::x509::X509Ref;
use sha2::{Digest, Sha256};

/// The server has shown that it has the key with this pin. Made only from a finished handshake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PinnedPeer {
    pin: Pin,
    exporter: Exporter,
}

impl PinnedPeer {
    pub fn pin(&self) -> &Pin {
        &self.pin
    }

    /// What both ends of this connection can compute, and nobody else: its channel binding.
    pub fn exporter(&self) -> &Exporter {
        &self.exporter
    }

    /// Asks a finished handshake whose key signed it.
    pub(crate) fn of(ssl: &SslRef, pin: &Pin) -> Result<Self, PeerFault> {
        if ssl.version2() != Some(SslVersion::TLS1_3) {
            return Err(PeerFault::Version);
        }
        // A resumed handshake is signed by nobody.
        let certificate = ssl.peer_certificate().filter(|_| !ssl.session_reused());
        if certificate.as_deref().and_then(pin_of).as_ref() != Some(pin) {
            return Err(PeerFault::Certificate);
        }
        let mut exporter = [0; 32];
        ssl.export_keying_material(&mut exporter, EXPORTER_LABEL, Some(&[]))
            .map_err(|_| PeerFault::Protocol)?;
        Ok(Self {
            pin: *pin,
            exporter: Exporter(exporter),
        })
    }
}

/// The pin of a certificate's key.
pub(crate) fn pin_of(certificate: &X509Ref) -> Option<Pin> {
    let key = certificate.public_key().ok()?;
    let spki = key.public_key_to_der().ok()?;
    Some(Pin(Sha256::digest(&spki).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::pkey::PKey;
    use openssl::ssl::{Ssl, SslContextBuilder, SslMethod, SslStream, SslVerifyMode};
    use openssl::x509::X509;
    use rcgen::{CertificateParams, KeyPair, PublicKeyData};
    use std::os::unix::net::UnixStream;

    /// What is said of a handshake that nothing else has judged, by a judge who expects this pin.
    fn judged(version: SslVersion, expected: impl FnOnce(Pin) -> Pin) -> Result<(), PeerFault> {
        let key = KeyPair::generate().unwrap();
        let pin = expected(Pin(Sha256::digest(key.subject_public_key_info()).into()));
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        let context = |method| {
            let mut ctx = SslContextBuilder::new(method).unwrap();
            ctx.set_min_proto_version(Some(version)).unwrap();
            ctx.set_max_proto_version(Some(version)).unwrap();
            ctx.set_verify(SslVerifyMode::NONE);
            ctx
        };
        let mut server = context(SslMethod::tls_server());
        let private = PKey::private_key_from_pem(key.serialize_pem().as_bytes());
        server.set_private_key(&private.unwrap()).unwrap();
        let certificate = X509::from_der(certificate.der()).unwrap();
        server.set_certificate(&certificate).unwrap();
        let (near, far) = UnixStream::pair().unwrap();
        let far = SslStream::new(Ssl::new(&server.build()).unwrap(), far);
        let accepting = std::thread::spawn(move || far.unwrap().accept().unwrap());
        let client = context(SslMethod::tls_client()).build();
        let mut near = SslStream::new(Ssl::new(&client).unwrap(), near).unwrap();
        near.connect().unwrap();
        accepting.join().unwrap();
        PinnedPeer::of(near.ssl(), &pin).map(|peer| assert_eq!(peer.pin, pin))
    }

    #[test]
    fn a_handshake_with_the_pinned_key_is_accepted() {
        assert_eq!(judged(SslVersion::TLS1_3, |pin| pin), Ok(()));
    }

    #[test]
    fn a_handshake_with_another_key_is_refused() {
        for byte in [0, 31] {
            let refused = judged(SslVersion::TLS1_3, |mut pin| {
                pin.0[byte] ^= 1;
                pin
            });
            assert_eq!(refused, Err(PeerFault::Certificate));
        }
    }

    #[test]
    fn an_older_version_is_refused_even_with_the_pinned_key() {
        let refused = judged(SslVersion::TLS1_2, |pin| pin);
        assert_eq!(refused, Err(PeerFault::Version));
    }
}
