//! What is asked of a handshake that is done.

use mcbn_binding::{EXPORTER_LABEL, Exporter};
use rustls::server::ParsedCertificate;
use rustls::{CommonState, ConnectionCommon, Error, HandshakeKind, ProtocolVersion};
use rustls_pki_types::CertificateDer;

/// Whether it was done in TLS 1.3 and from its start, so that both ends have signed it. For one that was resumed rustls
/// gives the certificate of the first one.
pub fn is_full(connection: &CommonState) -> bool {
    let kind = connection.handshake_kind();
    let full = matches!(
        kind,
        Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest)
    );
    full && connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)
}

/// What a token must be bound to. None before the handshake is done.
pub fn exporter<D>(connection: &ConnectionCommon<D>) -> Option<Exporter> {
    let label = EXPORTER_LABEL.as_bytes();
    // In TLS 1.3 no context and an empty one are the same.
    let exported = connection.export_keying_material([0; 32], label, None);
    exported.map(Exporter).ok()
}

/// A certificate's SubjectPublicKeyInfo, in DER.
///
/// # Errors
///
/// These bytes are no certificate.
pub fn public_key(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    Ok(parsed.subject_public_key_info().to_vec())
}
