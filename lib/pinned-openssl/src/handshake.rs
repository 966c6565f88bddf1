//! What OpenSSL says of a finished handshake.

use mcbn_consent::message::{EXPORTER_LABEL, Exporter};
use mcbn_manifest::Pin;
use mcbn_pinned::Finished;
use openssl::ssl::{SslRef, SslVersion};
use openssl::x509::X509Ref;

pub struct Handshake<'a>(pub &'a SslRef);

impl Finished for Handshake<'_> {
    fn is_tls13(&self) -> bool {
        self.0.version2() == Some(SslVersion::TLS1_3)
    }

    fn is_full(&self) -> bool {
        !self.0.session_reused()
    }

    fn server_key(&self) -> Option<Vec<u8>> {
        spki(&*self.0.peer_certificate()?)
    }

    fn exporter(&self) -> Option<Exporter> {
        let mut exporter = [0; 32];
        self.0
            .export_keying_material(&mut exporter, EXPORTER_LABEL, Some(&[]))
            .ok()?;
        Some(Exporter(exporter))
    }
}

/// The pin of a certificate's key.
pub fn pin_of(certificate: &X509Ref) -> Option<Pin> {
    spki(certificate).map(|spki| Pin::of_key(&spki))
}

fn spki(certificate: &X509Ref) -> Option<Vec<u8>> {
    let key = certificate.public_key().ok()?;
    key.public_key_to_der().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcbn_pinned::{PinnedPeer, Unproven};
    use openssl::pkey::PKey;
    use openssl::ssl::{Ssl, SslContextBuilder, SslMethod, SslStream, SslVerifyMode};
    use openssl::x509::X509;
    use rcgen::{CertificateParams, KeyPair, PublicKeyData};
    use std::os::unix::net::UnixStream;

    /// What is said of a handshake that nothing else has judged, by a judge who expects this pin.
    fn judged(version: SslVersion, expected: impl FnOnce(Pin) -> Pin) -> Result<(), Unproven> {
        let key = KeyPair::generate().unwrap();
        let pin = expected(Pin::of_key(&key.subject_public_key_info()));
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
        PinnedPeer::of(&Handshake(near.ssl()), &pin).map(|peer| assert_eq!(peer.pin(), &pin))
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
            assert_eq!(refused, Err(Unproven::Key));
        }
    }

    #[test]
    fn an_older_version_is_refused_even_with_the_pinned_key() {
        let refused = judged(SslVersion::TLS1_2, |pin| pin);
        assert_eq!(refused, Err(Unproven::Version));
    }
}
