//! Whom the server lets in, decided inside the handshake.

use mcbn_manifest::Pin;
use mcbn_tls13::{Judge, Shown, public_key};
use rustls::{CertificateError, Error};
use rustls_pki_types::CertificateDer;
use std::collections::BTreeSet;

/// Lets in the holders of these keys. A certificate's names, dates and issuer do not matter: whoever could forge them
/// could not use the key.
#[derive(Debug)]
pub struct Admission {
    pins: BTreeSet<Pin>,
}

impl Admission {
    pub fn of(pins: BTreeSet<Pin>) -> Admission {
        Admission { pins }
    }

    /// The one key that a client shows, if it is one of ours.
    pub fn admits(&self, certificates: &[CertificateDer<'_>]) -> Result<Pin, Error> {
        // A second one could be taken for the client's by another reader.
        let [certificate] = certificates else {
            return Err(CertificateError::BadEncoding.into());
        };
        let pin = Pin::of_key(&public_key(certificate)?);
        match self.pins.contains(&pin) {
            true => Ok(pin),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }
}

impl Judge for Admission {
    fn judge(&self, shown: Shown<'_>) -> Result<(), Error> {
        let mut all = vec![shown.certificate.clone()];
        all.extend_from_slice(shown.others);
        self.admits(&all).map(drop)
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
