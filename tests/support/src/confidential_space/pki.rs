//! The certificates of PKI tokens: a root that participants pin, an intermediate, and a leaf whose key signs.

use base64ct::{Base64, Encoding};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKeyRef, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509NameBuilder, X509Ref};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::key::SigningKey;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// One chain.
pub(super) struct Pki {
    root: X509,
    leaf_key: SigningKey,
    x5c: Vec<String>,
    expired_x5c: Vec<String>,
}

impl Pki {
    pub(super) fn generate() -> Self {
        // The real root is that long.
        let root_key = SigningKey::of_bits(4096);
        let [intermediate_key, leaf_key] = std::array::from_fn(|_| SigningKey::generate());
        let now = SystemTime::now();
        let root = Certificate {
            name: "Confidential Space Root CA",
            role: Role::Root,
            from: now - 365 * DAY,
            to: now + 3650 * DAY,
        }
        .issue(root_key.private(), None);
        let intermediate = Certificate {
            name: "Confidential Space Intermediate CA",
            role: Role::Intermediate,
            from: now - 30 * DAY,
            to: now + 335 * DAY,
        }
        .issue(
            intermediate_key.private(),
            Some((&root, root_key.private())),
        );
        let leaf = |from, to| {
            Certificate {
                name: "Confidential Space Leaf Cert",
                role: Role::Leaf,
                from,
                to,
            }
            .issue(
                leaf_key.private(),
                Some((&intermediate, intermediate_key.private())),
            )
        };
        let x5c = |leaf: X509| -> Vec<String> {
            [&leaf, &intermediate, &root]
                .map(|certificate| encoded(certificate))
                .into()
        };
        Self {
            x5c: x5c(leaf(now - DAY, now + 29 * DAY)),
            expired_x5c: x5c(leaf(now - 29 * DAY, now - DAY)),
            root,
            leaf_key,
        }
    }

    pub(super) fn key(&self) -> &SigningKey {
        &self.leaf_key
    }

    pub(super) fn root_pem(&self) -> String {
        let pem = self.root.to_pem().expect("a certificate has an encoding");
        String::from_utf8(pem).expect("PEM is ASCII")
    }

    /// The header's `x5c`, leaf first ([RFC 7515 §4.1.6]).
    ///
    /// [RFC 7515 §4.1.6]: https://www.rfc-editor.org/rfc/rfc7515#section-4.1.6
    pub(super) fn x5c(&self) -> &[String] {
        &self.x5c
    }

    /// The same, with a certificate for the leaf's key that ended before the scenario began.
    pub(super) fn expired_x5c(&self) -> &[String] {
        &self.expired_x5c
    }
}

fn encoded(certificate: &X509Ref) -> String {
    Base64::encode_string(&certificate.to_der().expect("a certificate has an encoding"))
}

enum Role {
    Root,
    Intermediate,
    Leaf,
}

struct Certificate {
    name: &'static str,
    role: Role,
    from: SystemTime,
    to: SystemTime,
}

impl Certificate {
    /// Makes it for a key, issued by another certificate, or by itself.
    fn issue(&self, key: &PKeyRef<Private>, issuer: Option<(&X509Ref, &PKeyRef<Private>)>) -> X509 {
        self.try_issue(key, issuer)
            .expect("OpenSSL encodes a certificate of fixed form")
    }

    fn try_issue(
        &self,
        key: &PKeyRef<Private>,
        issuer: Option<(&X509Ref, &PKeyRef<Private>)>,
    ) -> Result<X509, openssl::error::ErrorStack> {
        let mut name = X509NameBuilder::new()?;
        name.append_entry_by_text("C", "US")?;
        name.append_entry_by_text("O", "Simulator of Confidential Space")?;
        name.append_entry_by_text("CN", self.name)?;
        let name = name.build();

        let mut serial = BigNum::new()?;
        serial.rand(127, MsbOption::MAYBE_ZERO, false)?;

        let mut builder = X509::builder()?;
        builder.set_version(2)?; // X.509 v3
        builder.set_serial_number(&*serial.to_asn1_integer()?)?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(issuer.map_or(&name, |(issuer, _)| issuer.subject_name()))?;
        builder.set_not_before(&*at(self.from)?)?;
        builder.set_not_after(&*at(self.to)?)?;
        builder.set_pubkey(key)?;

        let mut constraints = BasicConstraints::new();
        constraints.critical();
        let mut usage = KeyUsage::new();
        usage.critical();
        match self.role {
            Role::Root => (constraints.ca(), usage.key_cert_sign().crl_sign()),
            Role::Intermediate => (
                constraints.ca().pathlen(0),
                usage.key_cert_sign().crl_sign(),
            ),
            Role::Leaf => (&mut constraints, usage.digital_signature()),
        };
        builder.append_extension(constraints.build()?)?;
        builder.append_extension(usage.build()?)?;
        let context = builder.x509v3_context(issuer.map(|(issuer, _)| issuer), None);
        let subject_key = SubjectKeyIdentifier::new().build(&context)?;
        let authority_key = match issuer {
            Some(_) => Some(AuthorityKeyIdentifier::new().keyid(true).build(&context)?),
            None => None,
        };
        builder.append_extension(subject_key)?;
        if let Some(extension) = authority_key {
            builder.append_extension(extension)?;
        }

        builder.sign(issuer.map_or(key, |(_, key)| key), MessageDigest::sha256())?;
        Ok(builder.build())
    }
}

fn at(time: SystemTime) -> Result<Asn1Time, openssl::error::ErrorStack> {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970")
        .as_secs();
    Asn1Time::from_unix(
        seconds
            .try_into()
            .expect("the clock is before the year 292277026596"),
    )
}
