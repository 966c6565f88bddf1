//! A CA for keys of which only the public half is here.

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use openssl::x509::{X509, X509Name, X509NameBuilder};

pub struct Ca {
    key: PKey<Private>,
    name: X509Name,
    certificate: X509,
}

fn in_days(days: u32) -> Asn1Time {
    Asn1Time::days_from_now(days).expect("a time")
}

impl Ca {
    #[expect(clippy::new_without_default, reason = "it makes a key")]
    pub fn new() -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("P-256");
        let key = EcKey::generate(&group).and_then(PKey::from_ec_key);
        let key = key.expect("OpenSSL makes keys");
        let mut name = X509NameBuilder::new().expect("a name");
        name.append_entry_by_nid(Nid::COMMONNAME, "CA of a test")
            .expect("a name");
        let name = name.build();
        let certificate = (|| {
            let mut builder = X509::builder()?;
            builder.set_version(2)?;
            builder.set_subject_name(&name)?;
            builder.set_issuer_name(&name)?;
            builder.set_pubkey(&key)?;
            builder.set_not_before(&in_days(0))?;
            builder.set_not_after(&in_days(2))?;
            builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
            builder.append_extension(KeyUsage::new().critical().key_cert_sign().build()?)?;
            builder.sign(&key, MessageDigest::sha256())?;
            Ok::<_, openssl::error::ErrorStack>(builder.build())
        })();
        Self {
            key,
            name,
            certificate: certificate.expect("OpenSSL makes certificates"),
        }
    }

    pub fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().expect("PEM")
    }

    /// A certificate for localhost, as either end.
    pub fn issue(&self, public_key_pem: &str) -> Vec<u8> {
        let certificate = (|| {
            let public = PKey::public_key_from_pem(public_key_pem.as_bytes())?;
            let mut builder = X509::builder()?;
            builder.set_version(2)?;
            let serial = BigNum::from_u32(2)?.to_asn1_integer()?;
            builder.set_serial_number(&serial)?;
            builder.set_issuer_name(&self.name)?;
            builder.set_pubkey(&public)?;
            builder.set_not_before(&in_days(0))?;
            builder.set_not_after(&in_days(1))?;
            builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
            let mut uses = ExtendedKeyUsage::new();
            builder.append_extension(uses.client_auth().server_auth().build()?)?;
            let mut names = SubjectAlternativeName::new();
            let names = names.dns("localhost").ip("127.0.0.1");
            let names = names.build(&builder.x509v3_context(Some(&self.certificate), None))?;
            builder.append_extension(names)?;
            builder.sign(&self.key, MessageDigest::sha256())?;
            builder.build().to_pem()
        })();
        certificate.expect("OpenSSL makes certificates")
    }
}
