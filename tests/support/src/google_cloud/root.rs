//! The certificate authority of one run, and the certificate that the services show.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder, X509Ref};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::NAME;
use crate::folder::Folder;

pub(super) struct Root {
    pem: PathBuf,
    acceptor: TlsAcceptor,
}

impl Root {
    /// Makes it, and writes its certificate into the folder.
    pub(super) fn generate(folder: &Folder) -> Self {
        let (root, certificate, key) = generate().expect("OpenSSL makes keys and certificates");
        let pem = root.to_pem().expect("a certificate has an encoding");
        let der = certificate.to_der().expect("a certificate has an encoding");
        let key = key
            .private_key_to_pkcs8()
            .expect("a private key has an encoding");
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring's suites serve both versions")
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(der)],
                PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key)),
            )
            .expect("the key is the certificate's");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            pem: folder.file("google-cloud-root.pem", pem),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    pub(super) fn pem(&self) -> &Path {
        &self.pem
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

fn generate() -> Result<(X509, X509, PKey<Private>), ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = || PKey::from_ec_key(EcKey::generate(&group)?);
    let (root_key, server_key) = (key()?, key()?);
    let root = issue("Root of a double of Google Cloud", &root_key, None)?;
    let server = issue("127.0.0.1", &server_key, Some((&root, &root_key)))?;
    Ok((root, server, server_key))
}

/// A certificate of the authority by itself, or of the services by the authority.
fn issue(
    name: &str,
    key: &PKeyRef<Private>,
    issuer: Option<(&X509Ref, &PKeyRef<Private>)>,
) -> Result<X509, ErrorStack> {
    let mut subject = X509NameBuilder::new()?;
    subject.append_entry_by_text("CN", name)?;
    let subject = subject.build();
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;

    let mut builder = X509::builder()?;
    builder.set_version(2)?; // X.509 v3
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(issuer.map_or(&subject, |(issuer, _)| issuer.subject_name()))?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(1)?)?;
    builder.set_pubkey(key)?;
    if issuer.is_some() {
        builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
        let names = SubjectAlternativeName::new()
            .ip("127.0.0.1")
            .dns("localhost")
            .dns(NAME)
            .build(&builder.x509v3_context(None, None))?;
        builder.append_extension(names)?;
    } else {
        builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
        builder.append_extension(KeyUsage::new().critical().key_cert_sign().build()?)?;
    }
    builder.sign(issuer.map_or(key, |(_, key)| key), MessageDigest::sha256())?;
    Ok(builder.build())
}
