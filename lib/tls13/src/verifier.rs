//! Who may be at the other end, asked inside the handshake.

use crate::provider;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::fmt::Debug;
use std::sync::Arc;

/// Says who may be at the other end. That whoever it is has the key that they show is rustls' to check, and comes after.
pub trait Judge: Debug + Send + Sync {
    /// # Errors
    ///
    /// The handshake ends with it, and with the alert that rustls has for it.
    fn judge(&self, shown: Shown<'_>) -> Result<(), Error>;
}

/// What a peer shows.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub peer: End,
    /// The one whose key signs the handshake.
    pub certificate: &'a CertificateDer<'a>,
    pub others: &'a [CertificateDer<'a>],
    pub now: UnixTime,
}

/// Which end the peer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Client,
    Server,
}

/// What rustls asks, at either end.
#[derive(Debug)]
pub struct Verifier<J> {
    judge: J,
    algorithms: WebPkiSupportedAlgorithms,
    /// Only where a crate above says so: every other end speaks TLS 1.3 alone.
    tls12: bool,
}

impl<J> Verifier<J> {
    pub fn new(judge: J) -> Verifier<J> {
        Verifier {
            judge,
            algorithms: provider().signature_verification_algorithms,
            tls12: false,
        }
    }

    /// For an end that speaks TLS 1.2.
    pub fn with_tls12(self) -> Verifier<J> {
        Verifier {
            tls12: true,
            ..self
        }
    }

    fn signed(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn signed_in_tls12(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.tls12 {
            true => verify_tls12_signature(message, certificate, signed, &self.algorithms),
            // It is not spoken: nothing should come to this.
            false => Err(PeerIncompatible::Tls12NotOffered.into()),
        }
    }
}

impl<J: Judge + ?Sized> Judge for Arc<J> {
    fn judge(&self, shown: Shown<'_>) -> Result<(), Error> {
        (**self).judge(shown)
    }
}

impl<J: Judge> ServerCertVerifier for Verifier<J> {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge.judge(Shown {
            peer: End::Server,
            certificate,
            others,
            now,
        })?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed_in_tls12(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl<J: Judge> ClientCertVerifier for Verifier<J> {
    /// None: a client is not chosen by its issuer.
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
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge.judge(Shown {
            peer: End::Client,
            certificate,
            others,
            now,
        })?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed_in_tls12(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, certificate, signed)
    }

    /// Those of chains as well: peers may hold their own chain to this list.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
