//! Whose attestation tokens a participant takes, and where the keys to verify them come from.

use mcbn_attest::{
    Https, Issuer, Jwks, Leeway, NotAJwks, NotARoot, NotAnIssuer, Root, TokenKind, Verifier,
};
use mcbn_manifest::Manifest;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::settings::{Given, Reported, Setting};
use std::error::Error;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub const INSECURE_ISSUER: Setting = Setting::value(
    "insecure-issuer",
    "URL",
    "take the tokens of this issuer, in place of Google's: whoever runs it can pass for any machine, and have what \
     is meant for one",
);

pub const JWKS: Setting = Setting::value(
    "jwks",
    "FILE",
    "a copy of the issuer's keys, for tokens of the kind oidc; they are not fetched then",
);

pub const PKI_ROOT: Setting = Setting::value(
    "pki-root",
    "FILE",
    "the issuer's root certificate in PEM, for tokens of the kind pki",
);

/// What was said of it.
pub struct Trust {
    issuer: Option<OtherIssuer>,
    jwks: Option<PathBuf>,
    pki_root: Option<PathBuf>,
}

impl Trust {
    pub fn read(given: &mut Given) -> Result<Trust, Reported> {
        let issuer = given.optional(&INSECURE_ISSUER);
        let jwks = given.optional(&JWKS);
        let pki_root = given.optional(&PKI_ROOT);
        if let (Ok(Some(_)), Ok(Some(_))) = (&jwks, &pki_root) {
            given.refuse(&[&JWKS, &PKI_ROOT], "a manifest takes tokens of one kind");
        }
        Ok(Trust {
            issuer: issuer?,
            jwks: jwks?,
            pki_root: pki_root?,
        })
    }

    /// Where it is not Google: for people to see.
    pub fn other_issuer(&self) -> Option<&str> {
        self.issuer
            .as_ref()
            .map(|OtherIssuer(issuer)| issuer.as_str())
    }

    /// Of the kind of tokens that the manifest takes.
    pub fn verifier(&self, manifest: &Manifest) -> Result<Verifier, NoVerifier> {
        let issuer = match &self.issuer {
            Some(OtherIssuer(issuer)) => issuer.clone(),
            None => Issuer::google(),
        };
        Ok(
            match (manifest.policy().token, &self.jwks, &self.pki_root) {
                (TokenKind::Oidc, None, None) => {
                    Verifier::discovering(issuer, Box::new(Https::new()), Leeway::MAX)
                }
                (TokenKind::Oidc, Some(jwks), None) => {
                    let keys = read(jwks).map_err(NoVerifier::JwksUnreadable)?;
                    let keys = Jwks::parse(&keys).map_err(NoVerifier::Jwks)?;
                    Verifier::offline(issuer, keys, Leeway::MAX)
                }
                (TokenKind::Pki, None, Some(root)) => {
                    let root = read(root).map_err(NoVerifier::RootUnreadable)?;
                    let root = Root::from_pem(&root).map_err(NoVerifier::Root)?;
                    Verifier::pinned(issuer, root, Leeway::MAX)
                }
                (TokenKind::Pki, None, None) => return Err(NoVerifier::NoRoot),
                (kind, ..) => return Err(NoVerifier::OtherKind(kind)),
            },
        )
    }
}

/// Of no file for a verifier is more needed.
const LONGEST: u64 = 1024 * 1024;

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Another issuer than Google.
struct OtherIssuer(Issuer);

impl FromStr for OtherIssuer {
    type Err = NotAnIssuer;

    fn from_str(url: &str) -> Result<OtherIssuer, NotAnIssuer> {
        Issuer::insecure(url).map(OtherIssuer)
    }
}

/// No token can be verified. Whoever named or wrote the files is at fault.
#[derive(Debug)]
pub enum NoVerifier {
    JwksUnreadable(io::Error),
    Jwks(NotAJwks),
    RootUnreadable(io::Error),
    Root(NotARoot),
    NoRoot,
    OtherKind(TokenKind),
}

impl Display for NoVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoVerifier::JwksUnreadable(_) => "cannot read the file of --jwks",
            NoVerifier::Jwks(_) => "the file of --jwks holds no key set",
            NoVerifier::RootUnreadable(_) => "cannot read the file of --pki-root",
            NoVerifier::Root(_) => "the file of --pki-root holds no root certificate",
            NoVerifier::NoRoot => {
                "the manifest takes tokens of the kind pki, and no --pki-root is given"
            }
            NoVerifier::OtherKind(TokenKind::Oidc) => {
                "--pki-root is given, and the manifest takes tokens of the kind oidc"
            }
            NoVerifier::OtherKind(TokenKind::Pki) => {
                "--jwks is given, and the manifest takes tokens of the kind pki"
            }
        })
    }
}

impl Error for NoVerifier {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NoVerifier::Jwks(error) => Some(error),
            NoVerifier::Root(error) => Some(error),
            NoVerifier::JwksUnreadable(error) | NoVerifier::RootUnreadable(error) => Some(error),
            NoVerifier::NoRoot | NoVerifier::OtherKind(_) => None,
        }
    }
}

impl Failure for NoVerifier {
    fn exit(&self) -> Exit {
        match self {
            NoVerifier::JwksUnreadable(_) | NoVerifier::RootUnreadable(_) => Exit::Io,
            NoVerifier::Jwks(_)
            | NoVerifier::Root(_)
            | NoVerifier::NoRoot
            | NoVerifier::OtherKind(_) => Exit::Usage,
        }
    }
}
