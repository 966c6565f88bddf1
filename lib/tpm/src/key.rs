//! The permanent key as a file: PEM `TSS2 PRIVATE KEY`, in the form that OpenSSL's TPM engines and tpm2-tools share
//! ([draft-woodhouse-cert-best-practice, Appendix A], OID 2.23.133.10.1.3).
//!
//! What is in it can be used in one TPM only, the one that wrapped it.
//!
//! [draft-woodhouse-cert-best-practice, Appendix A]: https://www.ietf.org/archive/id/draft-woodhouse-cert-best-practice-01.html

mod policy;
mod public;

use std::fmt;

use der::asn1::{Any, ObjectIdentifier, OctetString};
use der::pem::LineEnding;
use der::{DecodePem, DecodeValue, EncodePem, EncodeValue, FixedTag, Sequence};

pub use policy::{NotPcrs, Pcrs, Policy};
pub use public::{Name, NotForThis, Public};

/// `id-loadablekey` of the TCG.
const LOADABLE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.10.1.3");

/// A keyed-hash object under its parent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyFile {
    /// Whether whoever made the file said that the key needs no authorization value. tpm2-tools says it the other way
    /// round, so that it is shown and decides nothing.
    pub empty_auth: bool,
    /// What has to hold for the key's use, beside its authorization value.
    pub policy: Option<Policy>,
    pub parent: Parent,
    pub public: Public,
    private: Vec<u8>,
}

/// Under which key of the TPM a key is wrapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parent {
    /// The primary key that a hierarchy makes of the standard template (P-256).
    Primary(Hierarchy),
    /// A key that stays in the TPM.
    Persistent(PersistentHandle),
}

/// Of what a primary key is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hierarchy {
    Owner,
    Endorsement,
    Platform,
    /// Another seed after each reset: what hangs on it is gone then.
    Null,
}

/// `0x81000000` to `0x81ffffff`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PersistentHandle(u32);

impl Hierarchy {
    const ALL: [(Self, u32, &'static str); 4] = [
        (Self::Owner, 0x4000_0001, "owner"),
        (Self::Endorsement, 0x4000_000b, "endorsement"),
        (Self::Platform, 0x4000_000c, "platform"),
        (Self::Null, 0x4000_0007, "null"),
    ];

    fn row(self) -> (u32, &'static str) {
        let mut all = Self::ALL.iter();
        let (_, handle, name) = all
            .find(|(known, ..)| *known == self)
            .expect("it is in the table");
        (*handle, name)
    }
}

impl PersistentHandle {
    /// None for a number that no persistent object has.
    pub fn new(number: u32) -> Option<Self> {
        (number >> 24 == 0x81).then_some(Self(number))
    }

    pub fn number(self) -> u32 {
        self.0
    }
}

impl Parent {
    fn of(number: u32) -> Option<Self> {
        let mut hierarchies = Hierarchy::ALL.iter();
        let hierarchy = hierarchies.find(|(_, handle, _)| *handle == number);
        match hierarchy {
            Some((hierarchy, ..)) => Some(Self::Primary(*hierarchy)),
            None => PersistentHandle::new(number).map(Self::Persistent),
        }
    }

    fn number(self) -> u32 {
        match self {
            Self::Primary(hierarchy) => hierarchy.row().0,
            Self::Persistent(handle) => handle.0,
        }
    }
}

impl KeyFile {
    /// A key that a TPM has made just now. `private` is a TPM2B_PRIVATE without its size.
    pub(crate) fn new(
        empty_auth: bool,
        policy: Option<Policy>,
        parent: Parent,
        public: Public,
        private: Vec<u8>,
    ) -> Self {
        Self {
            empty_auth,
            policy,
            parent,
            public,
            private,
        }
    }

    pub fn from_pem(text: &[u8]) -> Result<Self, NotAKey> {
        let encoded = Encoded::from_pem(text).map_err(|error| match error.kind() {
            der::ErrorKind::Pem(_) => NotAKey::Pem,
            _ => NotAKey::Der,
        })?;
        if encoded.kind != LOADABLE {
            return Err(NotAKey::Kind);
        }
        if encoded.secret.is_some() || encoded.auth_policy.is_some() {
            return Err(NotAKey::Unsupported);
        }
        if encoded.rsa_parent.is_some_and(|flag| flag.0) {
            return Err(NotAKey::RsaParent);
        }
        let public = sized(encoded.public.as_bytes()).ok_or(NotAKey::Size)?;
        let private = sized(encoded.private.as_bytes()).ok_or(NotAKey::Size)?;
        let public = Public::from_bytes(public).map_err(NotAKey::Public)?;
        let policy = match encoded.policy {
            Some(steps) => Some(policy::decode(&steps).ok_or(NotAKey::Policy)?),
            None => None,
        };
        // Neither opens a key that has no policy and is not opened by its authorization value.
        let is_opened = policy.is_some() || public.is_opened_by_auth();
        if policy.is_some() != public.has_policy() || !is_opened {
            return Err(NotAKey::Policy);
        }
        Ok(Self {
            empty_auth: encoded.empty_auth.is_some_and(|flag| flag.0),
            policy,
            parent: Parent::of(encoded.parent).ok_or(NotAKey::Parent)?,
            public,
            private: private.to_vec(),
        })
    }

    pub fn to_pem(&self) -> String {
        let octets = |bytes: &[u8]| {
            let size = u16::try_from(bytes.len()).expect("it came with two bytes of size");
            OctetString::new([&size.to_be_bytes(), bytes].concat()).expect("it is short")
        };
        let encoded = Encoded {
            kind: LOADABLE,
            empty_auth: Some(Flag(self.empty_auth)),
            policy: self.policy.as_ref().map(policy::encode),
            secret: None,
            auth_policy: None,
            description: None,
            rsa_parent: None,
            parent: self.parent.number(),
            public: octets(self.public.bytes()),
            private: octets(&self.private),
        };
        encoded
            .to_pem(LineEnding::LF)
            .expect("every field is short and well formed")
    }

    /// A TPM2B_PRIVATE without its size: only the TPM that wrapped it can read it.
    pub(crate) fn private(&self) -> &[u8] {
        &self.private
    }
}

/// What stands after a TPM2B's size, which must be its own.
fn sized(bytes: &[u8]) -> Option<&[u8]> {
    let (size, rest) = bytes.split_first_chunk()?;
    (usize::from(u16::from_be_bytes(*size)) == rest.len()).then_some(rest)
}

/// > TPMKey ::= SEQUENCE { type OBJECT IDENTIFIER, emptyAuth [0] EXPLICIT BOOLEAN OPTIONAL,
/// > policy [1] EXPLICIT SEQUENCE OF TPMPolicy OPTIONAL, secret [2] EXPLICIT OCTET STRING OPTIONAL,
/// > authPolicy [3] EXPLICIT SEQUENCE OF TPMAuthPolicy OPTIONAL, description [4] EXPLICIT UTF8String OPTIONAL,
/// > rsaParent [5] EXPLICIT BOOLEAN OPTIONAL, parent INTEGER, pubkey OCTET STRING, privkey OCTET STRING }
#[derive(Sequence)]
struct Encoded {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    empty_auth: Option<Flag>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    policy: Option<Vec<policy::Step>>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    secret: Option<OctetString>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    auth_policy: Option<Any>,
    #[asn1(context_specific = "4", tag_mode = "EXPLICIT", optional = "true")]
    description: Option<String>,
    #[asn1(context_specific = "5", tag_mode = "EXPLICIT", optional = "true")]
    rsa_parent: Option<Flag>,
    parent: u32,
    public: OctetString,
    private: OctetString,
}

impl der::pem::PemLabel for Encoded {
    const PEM_LABEL: &'static str = "TSS2 PRIVATE KEY";
}

/// A BOOLEAN that is true for any byte but zero: tpm2-tools writes 1, where DER has 255.
struct Flag(bool);

impl FixedTag for Flag {
    const TAG: der::Tag = der::Tag::Boolean;
}

impl<'a> DecodeValue<'a> for Flag {
    type Error = der::Error;

    fn decode_value<R: der::Reader<'a>>(reader: &mut R, header: der::Header) -> der::Result<Self> {
        if header.length() != der::Length::ONE {
            return Err(reader.error(Self::TAG.length_error()));
        }
        Ok(Self(reader.read_byte()? != 0))
    }
}

impl EncodeValue for Flag {
    fn value_len(&self) -> der::Result<der::Length> {
        Ok(der::Length::ONE)
    }

    fn encode_value(&self, writer: &mut impl der::Writer) -> der::Result<()> {
        writer.write_byte(if self.0 { 0xff } else { 0 })
    }
}

impl fmt::Display for Hierarchy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().1)
    }
}

impl fmt::Display for PersistentHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

impl fmt::Display for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary(hierarchy) => hierarchy.fmt(f),
            Self::Persistent(handle) => handle.fmt(f),
        }
    }
}

/// `owner`, `endorsement`, `platform`, `null`, or a handle as `0x81000001`.
impl std::str::FromStr for Parent {
    type Err = NotAParent;

    fn from_str(text: &str) -> Result<Self, NotAParent> {
        let mut hierarchies = Hierarchy::ALL.iter();
        match hierarchies.find(|(.., name)| *name == text) {
            Some((hierarchy, ..)) => Ok(Self::Primary(*hierarchy)),
            None => text.parse().map(Self::Persistent).map_err(|_| NotAParent),
        }
    }
}

impl std::str::FromStr for PersistentHandle {
    type Err = NotAHandle;

    fn from_str(text: &str) -> Result<Self, NotAHandle> {
        let digits = text.strip_prefix("0x").ok_or(NotAHandle)?;
        // `from_str_radix` takes a sign.
        if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAHandle);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| NotAHandle)?;
        Self::new(number).ok_or(NotAHandle)
    }
}

/// The text names no parent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAParent;

impl fmt::Display for NotAParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("none of owner, endorsement, platform and null, and no persistent handle")
    }
}

impl std::error::Error for NotAParent {}

/// The text is no persistent handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAHandle;

impl fmt::Display for NotAHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a persistent handle, from 0x81000000 to 0x81ffffff")
    }
}

impl std::error::Error for NotAHandle {}

/// Why a file is no key for this program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAKey {
    /// It is not PEM of this label.
    Pem,
    /// The bytes in it are not the structure.
    Der,
    /// It is importable or sealed data.
    Kind,
    /// A field that only other kinds have, or a choice of policies.
    Unsupported,
    RsaParent,
    /// A part has another size than it says.
    Size,
    Parent,
    Policy,
    Public(NotForThis),
}

impl fmt::Display for NotAKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pem => "it is not a PEM file with a TSS2 PRIVATE KEY",
            Self::Der => "what the PEM holds is not a TSS2 key",
            Self::Kind => "it is not a loadable key (OID 2.23.133.10.1.3)",
            Self::Unsupported => "it has a secret or alternative policies, which are not supported",
            Self::RsaParent => "its parent is an RSA primary key, and only P-256 is supported",
            Self::Size => "a part of it has another size than it says",
            Self::Parent => "its parent is neither a hierarchy nor a persistent handle",
            Self::Policy => {
                "its policy is not one of PCRs, and perhaps an authorization value, or does not belong to its public part"
            }
            Self::Public(why) => return why.fmt(f),
        })
    }
}

impl std::error::Error for NotAKey {}

#[cfg(test)]
mod tests;
