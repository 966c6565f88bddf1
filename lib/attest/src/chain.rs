//! From a token's certificates to a pinned root ([RFC 5280 §6.1]).
//!
//! A PKI token brings exactly leaf, intermediate and root. The root must be the pinned one, byte for byte, and valid
//! now. The rest is webpki's: signatures, validity, who may issue, path length (the root's own apart, which its owner
//! keeps), name constraints, unknown critical extensions. Nothing is found revoked: that would take asking somebody.
//!
//! Extended key usages are not judged: there is none for attestation tokens, and the pinned root issues for nothing
//! else. Whoever pins a root that does, takes each of its leaves for an issuer of tokens.
//!
//! [RFC 5280 §6.1]: https://www.rfc-editor.org/rfc/rfc5280#section-6.1

use crate::error::TokenFault;
use base64ct::{Base64, Encoding};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use std::fmt::{self, Display};
use webpki::ring as algorithms;
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter};

/// The certificate in which every chain must end.
#[derive(Clone, Debug)]
pub struct Root {
    certificate: CertificateDer<'static>,
    anchor: TrustAnchor<'static>,
}

/// What may sign a certificate.
const SIGNATURES: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P384_SHA384,
];

impl Root {
    /// # Errors
    ///
    /// Not exactly one certificate, or not that of a certificate authority.
    pub fn from_pem(pem: &[u8]) -> Result<Root, NotARoot> {
        let mut certificates = CertificateDer::pem_slice_iter(pem);
        let certificate = match (certificates.next(), certificates.next()) {
            (Some(Ok(certificate)), None) => certificate,
            _ => return Err(NotARoot::NotOne),
        };
        let anchor = webpki::anchor_from_trusted_cert(&certificate);
        let anchor = anchor.map_err(|_| NotARoot::Malformed)?.to_owned();
        let root = Root {
            certificate,
            anchor,
        };
        // Its own time is not known yet, and a certificate tells whether it is an authority's only in its time.
        match root.check(UnixTime::since_unix_epoch(Default::default())) {
            Err(webpki::Error::CertNotValidYet { not_before, .. }) => root.check(not_before),
            other => other,
        }
        .map_err(|_| NotARoot::NotAnAuthority)?;
        Ok(root)
    }

    /// Whether it is an authority's certificate, in its time. webpki asks this of all certificates but its anchors, so
    /// it is shown this one as a leaf: an authority's is refused for that alone, after its time was found right.
    fn check(&self, now: UnixTime) -> Result<(), webpki::Error> {
        let leaf = EndEntityCert::try_from(&self.certificate)?;
        let anchors = std::slice::from_ref(&self.anchor);
        match leaf.verify_for_usage(SIGNATURES, anchors, &[], now, AnyUsage, None, None) {
            Err(webpki::Error::CaUsedAsEndEntity) => Ok(()),
            Err(other) => Err(other),
            Ok(_) => Err(webpki::Error::EndEntityUsedAsCa),
        }
    }

    /// Whether these bytes are signed by the leaf of a chain that ends here.
    pub(crate) fn verify(
        &self,
        chain: &[String],
        now: UnixTime,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), TokenFault> {
        let [leaf, intermediate, root] = chain else {
            return Err(ChainFault::Length.into());
        };
        if decode(root)? != self.certificate {
            return Err(ChainFault::OtherRoot.into());
        }
        self.check(now).map_err(ChainFault::Root)?;
        let leaf = decode(leaf)?;
        let leaf = EndEntityCert::try_from(&leaf).map_err(ChainFault::Path)?;
        let intermediates = [decode(intermediate)?];
        let anchors = std::slice::from_ref(&self.anchor);
        let path = leaf
            .verify_for_usage(
                SIGNATURES,
                anchors,
                &intermediates,
                now,
                AnyUsage,
                None,
                None,
            )
            .map_err(ChainFault::Path)?;
        // The root signs no leaf itself, whatever stands between.
        if path.intermediate_certificates().count() != 1 {
            return Err(ChainFault::Length.into());
        }
        leaf.verify_signature(algorithms::RSA_PKCS1_2048_8192_SHA256, signed, signature)
            .map_err(|error| match error {
                webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
                    ChainFault::Key.into()
                }
                _ => TokenFault::Signature,
            })
    }
}

/// With padding, unlike the token's parts ([RFC 7515 §4.1.6](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.6)).
fn decode(certificate: &str) -> Result<CertificateDer<'static>, ChainFault> {
    let der = Base64::decode_vec(certificate);
    der.map(CertificateDer::from)
        .map_err(|_| ChainFault::Base64)
}

/// Well-formed extended key usages, or none.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, mut usages: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        usages.try_for_each(|usage| usage.map(drop))
    }
}

/// Not a root to pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotARoot {
    /// No certificate, or more than one.
    NotOne,
    Malformed,
    NotAnAuthority,
}

impl Display for NotARoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOne => "the root is not exactly one certificate in PEM",
            Self::Malformed => "the root is not a well-formed certificate",
            Self::NotAnAuthority => "the root is not the certificate of an authority",
        })
    }
}

impl std::error::Error for NotARoot {}

/// What is wrong with a token's certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChainFault {
    /// Not leaf, intermediate and root.
    Length,
    /// One is not base64.
    Base64,
    /// They end in another root than the pinned one.
    OtherRoot,
    /// The pinned root is not valid now: its owner must publish another.
    Root(webpki::Error),
    /// The leaf is not issued, through the intermediate, by the root; or one of them is not valid now.
    Path(webpki::Error),
    /// The leaf's key is not an RSA key of an allowed size.
    Key,
}

impl From<ChainFault> for TokenFault {
    fn from(fault: ChainFault) -> Self {
        TokenFault::Chain(fault)
    }
}

impl Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("not a leaf, an intermediate and a root"),
            Self::Base64 => f.write_str("not base64"),
            Self::OtherRoot => f.write_str("another root than the pinned one"),
            Self::Root(error) => write!(f, "the pinned root: {}", words(error)),
            Self::Path(error) => f.write_str(words(error)),
            Self::Key => f.write_str("the leaf's key is not an RSA key"),
        }
    }
}

/// Those that happen; the others are ways to be malformed.
fn words(error: &webpki::Error) -> &'static str {
    use webpki::Error::*;
    match error {
        CertExpired { .. } => "expired",
        CertNotValidYet { .. } => "not valid yet",
        UnknownIssuer => "not issued by the one after it",
        InvalidSignatureForPublicKey => "not signed by the one after it",
        CaUsedAsEndEntity => "the leaf is an authority's certificate",
        EndEntityUsedAsCa => "issued by a certificate that is not an authority's",
        PathLenConstraintViolated => "a longer path than an authority allows",
        NameConstraintViolation => "a name that an authority must not issue for",
        UnsupportedCriticalExtension => "an unknown critical extension",
        UnsupportedSignatureAlgorithmContext(_)
        | UnsupportedSignatureAlgorithmForPublicKeyContext(_) => "a signature that is not allowed",
        _ => "malformed",
    }
}
