//! What webpki finds wrong with a certificate, as rustls says it.

use std::sync::Arc;

use rustls::{CertificateError, Error, OtherError};

/// In rustls' words, which decide the alert.
pub fn refused(error: webpki::Error) -> Error {
    use webpki::Error as Found;
    Error::InvalidCertificate(match error {
        Found::BadDer | Found::BadDerTime | Found::TrailingData(_) => CertificateError::BadEncoding,
        Found::CertNotValidYet { .. } => CertificateError::NotValidYet,
        Found::CertExpired { .. } => CertificateError::Expired,
        Found::CertNotValidForName(_) => CertificateError::NotValidForName,
        Found::UnknownIssuer => CertificateError::UnknownIssuer,
        Found::UnsupportedCriticalExtension => CertificateError::UnhandledCriticalExtension,
        Found::RequiredEkuNotFoundContext(_) => CertificateError::InvalidPurpose,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    })
}

/// Whatever is wrong with a chain, a CA of the right name with another key included: it ends at no CA that is trusted.
pub fn no_chain(error: webpki::Error) -> Error {
    match refused(error) {
        Error::InvalidCertificate(CertificateError::Other(_)) => {
            CertificateError::UnknownIssuer.into()
        }
        other => other,
    }
}
