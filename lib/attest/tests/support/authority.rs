//! Certificates of every sort, good and bad.

use std::sync::LazyLock;

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use openssl::x509::{X509, X509NameBuilder};

use super::{KEY, NOW};

pub const DAY: u64 = 24 * 3600;

/// What a certificate says.
pub struct Certificate<'a> {
    pub name: &'a str,
    pub key: &'a PKey<Private>,
    pub issuer: &'a str,
    pub issuer_key: &'a PKey<Private>,
    pub from: u64,
    pub to: u64,
    pub authority: Option<BasicConstraints>,
    pub usages: Option<ExtendedKeyUsage>,
}

pub fn authority() -> Option<BasicConstraints> {
    let mut constraints = BasicConstraints::new();
    constraints.critical().ca();
    Some(constraints)
}

/// An authority that may issue leaves only.
pub fn last_authority() -> Option<BasicConstraints> {
    let mut constraints = BasicConstraints::new();
    constraints.critical().ca().pathlen(0);
    Some(constraints)
}

impl Certificate<'_> {
    pub fn issue(self) -> X509 {
        let name = |text: &str| {
            let mut name = X509NameBuilder::new().unwrap();
            name.append_entry_by_nid(Nid::COMMONNAME, text).unwrap();
            name.build()
        };
        let time = |seconds: u64| Asn1Time::from_unix(seconds.try_into().unwrap()).unwrap();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        let serial = BigNum::from_u32(u32::from(self.name.as_bytes()[0])).unwrap();
        builder
            .set_serial_number(&Asn1Integer::from_bn(&serial).unwrap())
            .unwrap();
        builder.set_subject_name(&name(self.name)).unwrap();
        builder.set_issuer_name(&name(self.issuer)).unwrap();
        builder.set_not_before(&time(self.from)).unwrap();
        builder.set_not_after(&time(self.to)).unwrap();
        builder.set_pubkey(self.key).unwrap();
        if let Some(constraints) = self.authority {
            builder
                .append_extension(constraints.build().unwrap())
                .unwrap();
            let usage = KeyUsage::new().critical().key_cert_sign().build();
            builder.append_extension(usage.unwrap()).unwrap();
        }
        if let Some(usages) = self.usages {
            builder.append_extension(usages.build().unwrap()).unwrap();
        }
        builder
            .sign(self.issuer_key, MessageDigest::sha256())
            .unwrap();
        builder.build()
    }
}

/// A root, an intermediate and the issuer's key as leaf, all valid, and what may be made with their keys.
pub struct Authority {
    pub root_key: PKey<Private>,
    pub middle_key: PKey<Private>,
    pub root: X509,
    pub middle: X509,
    pub leaf: X509,
}

pub static AUTHORITY: LazyLock<Authority> = LazyLock::new(Authority::new);

impl Authority {
    pub fn new() -> Authority {
        let rsa = |bits| PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap();
        let (root_key, middle_key) = (rsa(2048), rsa(2048));
        let mut this = Authority {
            root: X509::builder().unwrap().build(),
            middle: X509::builder().unwrap().build(),
            leaf: X509::builder().unwrap().build(),
            root_key,
            middle_key,
        };
        this.root = this.root_certificate().issue();
        this.middle = this.middle_certificate().issue();
        this.leaf = this.leaf_certificate(&KEY.pkey()).issue();
        this
    }

    pub fn root_certificate(&self) -> Certificate<'_> {
        Certificate {
            name: "root",
            key: &self.root_key,
            issuer: "root",
            issuer_key: &self.root_key,
            from: NOW - 1000 * DAY,
            to: NOW + 1000 * DAY,
            authority: authority(),
            usages: None,
        }
    }

    pub fn middle_certificate(&self) -> Certificate<'_> {
        Certificate {
            name: "middle",
            key: &self.middle_key,
            from: NOW - 100 * DAY,
            to: NOW + 100 * DAY,
            authority: last_authority(),
            ..self.root_certificate()
        }
    }

    pub fn leaf_certificate<'a>(&'a self, key: &'a PKey<Private>) -> Certificate<'a> {
        Certificate {
            name: "leaf",
            key,
            issuer: "middle",
            issuer_key: &self.middle_key,
            from: NOW - DAY,
            to: NOW + DAY,
            authority: None,
            usages: None,
        }
    }

    pub fn chain(&self) -> [&X509; 3] {
        [&self.leaf, &self.middle, &self.root]
    }
}
