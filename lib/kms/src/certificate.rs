//! Certificates: what ours must be like, and what of a peer's is looked at beside its chain.

use std::time::Duration;

use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, ObjectIdentifier, OctetStringRef, UtcTime};
use der::{Choice, Decode, Sequence};
use mcbn_tls13::End;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::error::{NotACertificate, Unfit};

/// Our certificate and those between it and its CA, the leaf first.
#[derive(Clone, Debug)]
pub struct Chain(Vec<CertificateDer<'static>>);

impl Chain {
    /// Of PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Chain, NotACertificate> {
        let chain = certificates(pem)?;
        for certificate in &chain {
            Leaf::read(certificate)?;
        }
        Ok(Chain(chain))
    }

    /// Of the key with this SubjectPublicKeyInfo, for this end, now: what a peer would refuse is seen before there is one.
    pub(crate) fn fits(&self, spki: &[u8], own: End, now: UnixTime) -> Result<(), Unfit> {
        let leaf = Leaf::read(&self.0[0]).map_err(Unfit::Unreadable)?;
        let shown = webpki::EndEntityCert::try_from(&self.0[0]);
        let shown = shown.map_err(|_| Unfit::Unreadable(NotACertificate::Malformed))?;
        if shown.subject_public_key_info().as_ref() != spki {
            return Err(Unfit::OtherKey);
        }
        leaf.is_for(own, now)
    }

    pub(crate) fn certificates(&self) -> Vec<CertificateDer<'static>> {
        self.0.clone()
    }
}

/// What stands in PEM; at least one.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, NotACertificate> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(NotACertificate::NotPem),
    }
}

/// What webpki does not say of a certificate ([RFC 5280 §4.1]).
///
/// [RFC 5280 §4.1]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1
pub(crate) struct Leaf {
    begins: u64,
    ends: u64,
    /// Whether it may sign handshakes, where it says what it may.
    signs: bool,
    for_clients: bool,
    for_servers: bool,
}

impl Leaf {
    pub(crate) fn read(der: &CertificateDer<'_>) -> Result<Leaf, NotACertificate> {
        let read = Certificate::from_der(der).and_then(|certificate| Leaf::of(&certificate.tbs));
        read.map_err(|_| NotACertificate::Malformed)
    }

    fn of(tbs: &Tbs<'_>) -> der::Result<Leaf> {
        let mut leaf = Leaf {
            begins: tbs.validity.not_before.seconds(),
            ends: tbs.validity.not_after.seconds(),
            signs: true,
            for_clients: false,
            for_servers: false,
        };
        for extension in tbs.extensions.iter().flatten() {
            let value = extension.value.as_bytes();
            match extension.id {
                KEY_USAGE => {
                    let bits = BitStringRef::from_der(value)?;
                    let first = bits.raw_bytes().first().copied();
                    leaf.signs = first.is_some_and(|bits| bits & DIGITAL_SIGNATURE != 0);
                }
                EXTENDED_KEY_USAGE => {
                    let purposes = Vec::<ObjectIdentifier>::from_der(value)?;
                    leaf.for_clients = purposes.contains(&CLIENT_AUTH);
                    leaf.for_servers = purposes.contains(&SERVER_AUTH);
                }
                _ => {}
            }
        }
        Ok(leaf)
    }

    /// Good now, and for this end of a connection.
    pub(crate) fn is_for(&self, end: End, now: UnixTime) -> Result<(), Unfit> {
        if now.as_secs() < self.begins {
            return Err(Unfit::NotYetValid);
        }
        if now.as_secs() > self.ends {
            return Err(Unfit::Expired);
        }
        let is_for_this = match end {
            End::Client => self.for_clients,
            End::Server => self.for_servers,
        };
        match self.signs && is_for_this {
            true => Ok(()),
            false => Err(Unfit::Usage(end)),
        }
    }

    pub(crate) fn ends(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(self.ends))
    }
}

const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// Bit 0 of KeyUsage ([RFC 5280 §4.2.1.3]).
///
/// [RFC 5280 §4.2.1.3]: https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.3
const DIGITAL_SIGNATURE: u8 = 0x80;

#[derive(Sequence)]
struct Certificate<'a> {
    tbs: Tbs<'a>,
    _algorithm: AnyRef<'a>,
    _signature: BitStringRef<'a>,
}

#[derive(Sequence)]
struct Tbs<'a> {
    #[asn1(
        context_specific = "0",
        tag_mode = "EXPLICIT",
        default = "Default::default"
    )]
    _version: u8,
    _serial: AnyRef<'a>,
    _algorithm: AnyRef<'a>,
    _issuer: AnyRef<'a>,
    validity: Validity,
    _subject: AnyRef<'a>,
    _key: AnyRef<'a>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    _issuer_id: Option<BitStringRef<'a>>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    _subject_id: Option<BitStringRef<'a>>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<Extension<'a>>>,
}

#[derive(Sequence)]
struct Validity {
    not_before: Time,
    not_after: Time,
}

#[derive(Choice)]
enum Time {
    #[asn1(type = "UTCTime")]
    Utc(UtcTime),
    #[asn1(type = "GeneralizedTime")]
    General(GeneralizedTime),
}

#[derive(Sequence)]
struct Extension<'a> {
    id: ObjectIdentifier,
    #[asn1(default = "Default::default")]
    _critical: bool,
    value: &'a OctetStringRef,
}

impl Time {
    fn seconds(&self) -> u64 {
        match self {
            Time::Utc(time) => time.to_unix_duration().as_secs(),
            Time::General(time) => time.to_unix_duration().as_secs(),
        }
    }
}
