//! The client that loads kms-mtls, with a key in memory and a certificate of the same CA.

use std::io;
use std::net::SocketAddr;

use mcbn_tests_kms::Ca;
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslContext, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::X509;

use crate::client::{GROUP, SUITE, Tunnel, handshake};

pub struct Client {
    context: SslContext,
}

/// A key of P-256 that is in no KMS, and its certificate in PEM.
pub fn in_memory(ca: &Ca) -> io::Result<(PKey<Private>, Vec<u8>)> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
    let public = String::from_utf8(key.public_key_to_pem()?).map_err(io::Error::other)?;
    let certificate = ca.issue(&public);
    Ok((key, certificate))
}

impl Client {
    pub fn new(ca: &Ca) -> io::Result<Self> {
        let (key, certificate) = in_memory(ca)?;
        let certificate = X509::from_pem(&certificate)?;
        let mut context = SslContext::builder(SslMethod::tls_client())?;
        context.set_min_proto_version(Some(SslVersion::TLS1_3))?;
        context.set_ciphersuites(SUITE)?;
        context.set_groups_list(GROUP)?;
        context.set_verify(SslVerifyMode::PEER);
        context
            .cert_store_mut()
            .add_cert(X509::from_pem(&ca.pem())?)?;
        context.set_certificate(&certificate)?;
        context.set_private_key(&key)?;
        Ok(Self {
            context: context.build(),
        })
    }

    /// A full handshake, of which this side is done before the server is.
    pub fn connect(&self, to: SocketAddr) -> io::Result<Tunnel> {
        let stream = handshake(&self.context, to, "TLSv1.3", SUITE)?;
        match stream.ssl().session_reused() {
            true => Err(io::Error::other("the handshake was not signed")),
            false => Ok(Tunnel::Tls(stream)),
        }
    }
}
