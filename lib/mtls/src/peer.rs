//! Whether a peer is one of us.

use std::fmt;
use std::sync::Arc;

use mcbn_mutual::{OtherKey, PeerFault, no_chain, refused};
use mcbn_tls13::{End, Judge, Shown, provider};
use openssl::asn1::Asn1Time;
use openssl::x509::{X509, X509ExtendedKeyUsage, X509KeyUsage};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::{
    CertificateError, CommonState, Error, HandshakeKind, OtherError, ProtocolVersion, RootCertStore,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use subtle::ConstantTimeEq;
use webpki::{EndEntityCert, KeyUsage};

use crate::issuer::{NotAnIssuer, certificates};
use crate::key::Key;

/// What a peer's certificate is held to beside the key, its times and its usages. Nothing unless it is asked for.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    roots: Option<Arc<RootCertStore>>,
    name: Option<ServerName<'static>>,
}

impl Checks {
    /// Its chain ends at one of these CAs, in PEM.
    pub fn with_roots(self, pem: &[u8]) -> Result<Self, NotAnIssuer> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots
                .add(certificate)
                .map_err(|_| NotAnIssuer::NoCertificate)?;
        }
        Ok(Self {
            roots: Some(Arc::new(roots)),
            ..self
        })
    }

    /// It names the peer so.
    pub fn with_name(self, name: ServerName<'static>) -> Self {
        Self {
            name: Some(name),
            ..self
        }
    }

    pub(crate) fn name(&self) -> Option<&ServerName<'static>> {
        self.name.as_ref()
    }
}

/// The peer has shown our key. Made only from a finished TLS 1.3 handshake in which it did, never otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthenticatedPeer {
    certificate: CertificateDer<'static>,
}

impl AuthenticatedPeer {
    /// What the peer showed.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Asks a finished handshake. rustls has checked that the peer signed it with the key in this certificate.
    pub(crate) fn of(connection: &CommonState, spki: &[u8]) -> Result<Self, PeerFault> {
        if connection.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
            return Err(PeerFault::Version);
        }
        // A resumed handshake shows no certificate; rustls would give that of the first one.
        match connection.handshake_kind() {
            Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest) => {}
            _ => return Err(PeerFault::Protocol),
        }
        let certificate = connection.peer_certificates().and_then(<[_]>::first);
        let certificate = certificate.ok_or(PeerFault::NoCertificate)?;
        let leaf = EndEntityCert::try_from(certificate).map_err(|_| PeerFault::Certificate)?;
        if !shows(&leaf, spki) {
            return Err(PeerFault::OtherKey);
        }
        Ok(Self {
            certificate: certificate.clone().into_owned(),
        })
    }
}

/// Whether the certificate's SubjectPublicKeyInfo is this one, byte for byte. Only lengths show in the time: they are no
/// secret, and neither are the keys.
fn shows(leaf: &EndEntityCert<'_>, spki: &[u8]) -> bool {
    leaf.subject_public_key_info().as_ref().ct_eq(spki).into()
}

/// Compares keys inside the handshake.
pub(crate) struct OurKey {
    spki: Vec<u8>,
    checks: Checks,
    algorithms: WebPkiSupportedAlgorithms,
}

impl OurKey {
    pub(crate) fn new(key: &Key, checks: Checks) -> Self {
        Self {
            spki: key.spki().to_vec(),
            checks,
            algorithms: provider().signature_verification_algorithms,
        }
    }
}

impl Judge for OurKey {
    fn judge(&self, shown: Shown<'_>) -> Result<(), Error> {
        let Shown {
            peer,
            certificate,
            others,
            now,
        } = shown;
        let leaf = EndEntityCert::try_from(certificate).map_err(refused)?;
        // First of all: nothing else of a stranger's certificate is looked at.
        if !shows(&leaf, &self.spki) {
            return Err(CertificateError::Other(OtherError(Arc::new(OtherKey))).into());
        }
        times_and_usages(certificate, peer, now)?;
        if let Some(roots) = &self.checks.roots {
            let usage = match peer {
                End::Client => KeyUsage::client_auth(),
                End::Server => KeyUsage::server_auth(),
            };
            leaf.verify_for_usage(
                self.algorithms.all,
                &roots.roots,
                others,
                now,
                usage,
                None,
                None,
            )
            .map_err(no_chain)?;
        }
        if let Some(name) = &self.checks.name {
            leaf.verify_is_valid_for_subject_name(name)
                .map_err(refused)?;
        }
        Ok(())
    }
}

/// webpki looks at these in a chain only, and at key usage not at all.
fn times_and_usages(
    certificate: &CertificateDer<'_>,
    peer: End,
    now: UnixTime,
) -> Result<(), CertificateError> {
    let bad = |_| CertificateError::BadEncoding;
    let certificate = X509::from_der(certificate).map_err(bad)?;
    let seconds = i64::try_from(now.as_secs()).map_err(|_| CertificateError::BadEncoding)?;
    let now = Asn1Time::from_unix(seconds).map_err(bad)?;
    if certificate.not_before() > now {
        return Err(CertificateError::NotValidYet);
    }
    if certificate.not_after() < now {
        return Err(CertificateError::Expired);
    }
    let signs = certificate
        .key_usage()
        .is_some_and(|usage| usage.contains(X509KeyUsage::DIGITAL_SIGNATURE));
    let wanted = match peer {
        End::Client => X509ExtendedKeyUsage::SSL_CLIENT,
        End::Server => X509ExtendedKeyUsage::SSL_SERVER,
    };
    let is_for_this = certificate
        .extended_key_usage()
        .is_some_and(|usage| usage.contains(wanted));
    match signs && is_for_this {
        true => Ok(()),
        false => Err(CertificateError::InvalidPurpose),
    }
}

impl fmt::Debug for OurKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OurKey")
            .field("checks", &self.checks)
            .finish_non_exhaustive()
    }
}
