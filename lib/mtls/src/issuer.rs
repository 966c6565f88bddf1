//! Who signs our certificates. It plays no part in trust.

use std::fmt;

use openssl::ec::PointConversionForm;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;
use openssl::x509::X509;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, IsCa,
    KeyIdMethod, KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::CertificateDer;
use yasna::Tag;

/// Who signs our certificates.
pub enum Issuer {
    /// The key itself.
    Own,
    /// A CA that is made for this run, and forgotten once it has signed.
    OfThisRun,
    /// A CA that the operator gives.
    Operators(Box<Ca>),
    /// Somebody else did already: this chain, the leaf first.
    Outside(Vec<CertificateDer<'static>>),
}

impl Issuer {
    /// An operator's CA: its certificate and its key, in PEM.
    pub fn operators(certificate: &[u8], key: &[u8]) -> Result<Self, NotAnIssuer> {
        Ok(Self::Operators(Box::new(Ca::new(certificate, key)?)))
    }

    /// A chain that an outside CA gave for our request, in PEM, the leaf first.
    pub fn outside(chain: &[u8]) -> Result<Self, NotAnIssuer> {
        let chain = certificates(chain)?;
        Ok(Self::Outside(chain))
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "Own",
            Self::OfThisRun => "OfThisRun",
            Self::Operators(_) => "Operators(..)",
            Self::Outside(_) => "Outside(..)",
        })
    }
}

/// What stands in a file of PEM certificates; at least one.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, NotAnIssuer> {
    let stack = X509::stack_from_pem(pem).map_err(|_| NotAnIssuer::NoCertificate)?;
    let der = stack.iter().map(|certificate| certificate.to_der());
    let der: Result<Vec<_>, _> = der.map(|der| der.map(CertificateDer::from)).collect();
    match der {
        Ok(der) if !der.is_empty() => Ok(der),
        _ => Err(NotAnIssuer::NoCertificate),
    }
}

/// A certificate authority of the operator's.
pub struct Ca {
    params: CertificateParams,
    key: CaKey,
    certificate: CertificateDer<'static>,
}

impl Ca {
    fn new(certificate: &[u8], key: &[u8]) -> Result<Self, NotAnIssuer> {
        let certificate = X509::from_pem(certificate).map_err(|_| NotAnIssuer::NoCertificate)?;
        let key = CaKey::from_pem(key)?;
        let of_this_key = certificate
            .public_key()
            .is_ok_and(|public| public.public_eq(&key.private));
        if !of_this_key {
            return Err(NotAnIssuer::OtherKey);
        }
        let name = certificate.subject_name().to_der().ok();
        let mut params = CertificateParams::default();
        params.distinguished_name = name
            .and_then(|der| distinguished_name(&der))
            .ok_or(NotAnIssuer::Name)?;
        if let Some(id) = certificate.subject_key_id() {
            params.key_identifier_method = KeyIdMethod::PreSpecified(id.as_slice().to_vec());
        }
        let certificate = certificate
            .to_der()
            .map_err(|_| NotAnIssuer::NoCertificate)?;
        Ok(Self {
            params,
            key,
            certificate: certificate.into(),
        })
    }

    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    pub(crate) fn issuer(&self) -> rcgen::Issuer<'_, &CaKey> {
        rcgen::Issuer::from_params(&self.params, &self.key)
    }
}

/// The name as it stands in the certificate, with each string in its own type: chains are compared byte by byte.
fn distinguished_name(der: &[u8]) -> Option<DistinguishedName> {
    let attributes = yasna::parse_der(der, |name| {
        name.collect_sequence_of(|relative| {
            relative.collect_set_of(|attribute| {
                attribute.read_sequence(|parts| {
                    let kind = parts.next().read_oid()?;
                    Ok((kind, parts.next().read_tagged_der()?))
                })
            })
        })
    });
    const UTF8: Tag = yasna::tags::TAG_UTF8STRING;
    const PRINTABLE: Tag = yasna::tags::TAG_PRINTABLESTRING;
    const IA5: Tag = yasna::tags::TAG_IA5STRING;
    let mut name = DistinguishedName::new();
    for relative in attributes.ok()? {
        // rcgen has no names of several values.
        let [(kind, value)] = &relative[..] else {
            return None;
        };
        let text = String::from_utf8(value.value().to_vec()).ok()?;
        let value = match value.tag() {
            UTF8 => DnValue::Utf8String(text),
            PRINTABLE => DnValue::PrintableString(text.try_into().ok()?),
            IA5 => DnValue::Ia5String(text.try_into().ok()?),
            _ => return None,
        };
        let kind = DnType::from_oid(kind.components());
        if name.get(&kind).is_some() {
            // It would replace the other one.
            return None;
        }
        name.push(kind, value);
    }
    Some(name)
}

/// A CA's key of any kind that is in use.
pub(crate) struct CaKey {
    private: PKey<Private>,
    public: Vec<u8>,
    algorithm: &'static rcgen::SignatureAlgorithm,
}

impl CaKey {
    fn from_pem(pem: &[u8]) -> Result<Self, NotAnIssuer> {
        // An empty pass phrase: OpenSSL would ask for one at the terminal.
        let private =
            PKey::private_key_from_pem_passphrase(pem, b"").map_err(|_| NotAnIssuer::NoKey)?;
        let read = || -> Result<_, ErrorStack> {
            Ok(match private.id() {
                Id::RSA => Some((
                    private.rsa()?.public_key_to_der_pkcs1()?,
                    &rcgen::PKCS_RSA_SHA256,
                )),
                Id::ED25519 => Some((private.raw_public_key()?, &rcgen::PKCS_ED25519)),
                Id::EC => {
                    let key = private.ec_key()?;
                    let algorithm = match key.group().curve_name() {
                        Some(Nid::X9_62_PRIME256V1) => &rcgen::PKCS_ECDSA_P256_SHA256,
                        Some(Nid::SECP384R1) => &rcgen::PKCS_ECDSA_P384_SHA384,
                        _ => return Ok(None),
                    };
                    let mut ctx = openssl::bn::BigNumContext::new()?;
                    let form = PointConversionForm::UNCOMPRESSED;
                    let point = key.public_key().to_bytes(key.group(), form, &mut ctx)?;
                    Some((point, algorithm))
                }
                _ => None,
            })
        };
        let read = read().map_err(|_| NotAnIssuer::NoKey)?;
        let (public, algorithm) = read.ok_or(NotAnIssuer::KindOfKey)?;
        Ok(Self {
            private,
            public,
            algorithm,
        })
    }
}

impl rcgen::PublicKeyData for CaKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}

impl rcgen::SigningKey for CaKey {
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature = || -> Result<Vec<u8>, ErrorStack> {
            let mut signer = if self.algorithm == &rcgen::PKCS_ED25519 {
                Signer::new_without_digest(&self.private)?
            } else if self.algorithm == &rcgen::PKCS_ECDSA_P384_SHA384 {
                Signer::new(MessageDigest::sha384(), &self.private)?
            } else {
                Signer::new(MessageDigest::sha256(), &self.private)?
            };
            signer.sign_oneshot_to_vec(text)
        };
        signature().map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// A CA that nobody can use again: its key is dropped with this.
pub(crate) fn of_this_run(
    mut params: CertificateParams,
) -> Result<(rcgen::Issuer<'static, KeyPair>, CertificateDer<'static>), rcgen::Error> {
    let key = KeyPair::generate()?;
    params.subject_alt_names = Vec::new();
    params.extended_key_usages = Vec::new();
    params.custom_extensions = Vec::<CustomExtension>::new();
    params.use_authority_key_identifier_extension = false;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "made for one run");
    let certificate = params.self_signed(&key)?.der().clone();
    Ok((rcgen::Issuer::new(params, key), certificate))
}

/// Why these files are no issuer: the operator's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAnIssuer {
    NoCertificate,
    NoKey,
    /// Not RSA, P-256, P-384 or Ed25519.
    KindOfKey,
    /// The certificate and the key do not belong together.
    OtherKey,
    /// The certificate's subject has a form that cannot be written as it is.
    Name,
}

impl fmt::Display for NotAnIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCertificate => "no certificate in PEM",
            Self::NoKey => "no private key in PEM without a pass phrase",
            Self::KindOfKey => "a key that is not RSA, P-256, P-384 or Ed25519",
            Self::OtherKey => "the certificate is not of this key",
            Self::Name => "the CA's name has parts of several values or strings of an old type",
        })
    }
}

impl std::error::Error for NotAnIssuer {}
