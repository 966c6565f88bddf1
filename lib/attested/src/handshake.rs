//! What both ends ask of a handshake.

use mcbn_binding::{EXPORTER_LABEL, Exporter};
use mcbn_manifest::Pin;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CommonState, ConnectionCommon, DigitallySignedStruct, Error, HandshakeKind, PeerIncompatible,
    ProtocolVersion, SignatureScheme,
};
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The one protocol that is spoken on a connection.
pub const HTTP_1_1: &[u8] = b"http/1.1";

/// Named wherever it is used: a program that links a second one has no default.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The check that a peer signed the handshake with the key in its certificate: rustls' own.
#[derive(Clone, Copy, Debug)]
pub struct Signatures(WebPkiSupportedAlgorithms);

impl Signatures {
    pub fn of(provider: &CryptoProvider) -> Signatures {
        Signatures(provider.signature_verification_algorithms)
    }

    pub fn verify(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    pub fn schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// What is said of TLS 1.2, which is not spoken: nothing should come to this.
pub fn tls12() -> Result<HandshakeSignatureValid, Error> {
    Err(PeerIncompatible::Tls12NotOffered.into())
}

/// The pin of a certificate's key.
pub fn pin_of(certificate: &CertificateDer<'_>) -> Result<Pin, Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    let spki = parsed.subject_public_key_info();
    Ok(Pin(Sha256::digest(spki).into()))
}

/// Whether a handshake was done in TLS 1.3 and from its start, so that both ends have signed it.
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
