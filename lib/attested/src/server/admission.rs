//! Whom the server lets in, decided inside the handshake.

use crate::handshake::{Signatures, pin_of, provider, tls12};
use mcbn_manifest::Pin;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::collections::BTreeSet;

/// Lets in the holders of these keys. A certificate's names, dates and issuer do not matter: whoever could forge them
/// could not use the key.
#[derive(Debug)]
pub struct Admission {
    pins: BTreeSet<Pin>,
    signatures: Signatures,
}

impl Admission {
    pub fn of(pins: BTreeSet<Pin>) -> Admission {
        Admission {
            pins,
            signatures: Signatures::of(&provider()),
        }
    }

    /// The one key that a client shows, if it is one of ours.
    pub fn admits(&self, certificates: &[CertificateDer<'_>]) -> Result<Pin, Error> {
        // A second one could be taken for the client's by another reader.
        let [certificate] = certificates else {
            return Err(CertificateError::BadEncoding.into());
        };
        let pin = pin_of(certificate)?;
        match self.pins.contains(&pin) {
            true => Ok(pin),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }
}

impl ClientCertVerifier for Admission {
    /// None: there is no issuer to choose by.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        true
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let mut all = vec![certificate.clone()];
        all.extend_from_slice(others);
        self.admits(&all)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.verify(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;

    fn certificate() -> (Pin, CertificateDer<'static>) {
        let identity = Identity::ephemeral().unwrap();
        let pin = identity.pin();
        (pin, identity.into_parts().unwrap().0.remove(0))
    }

    #[test]
    fn a_participant_is_admitted() {
        let (pin, certificate) = certificate();
        let admission = Admission::of([pin].into());
        assert_eq!(admission.admits(&[certificate]), Ok(pin));
    }

    #[test]
    fn a_stranger_is_refused() {
        let (pin, _) = certificate();
        let (_, strange) = certificate();
        let admission = Admission::of([pin].into());
        let refused = CertificateError::ApplicationVerificationFailure;
        assert_eq!(admission.admits(&[strange]), Err(refused.into()));
    }

    #[test]
    fn any_number_of_certificates_but_one_is_refused() {
        let (pin, own) = certificate();
        let (_, other) = certificate();
        let admission = Admission::of([pin].into());
        for all in [vec![], vec![own.clone(), own.clone()], vec![own, other]] {
            assert!(admission.admits(&all).is_err(), "{}", all.len());
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let (pin, certificate) = certificate();
        let admission = Admission::of([pin].into());
        let cut = CertificateDer::from(certificate[..certificate.len() - 1].to_vec());
        for bytes in [cut, CertificateDer::from(vec![])] {
            assert!(admission.admits(&[bytes]).is_err());
        }
    }
}
