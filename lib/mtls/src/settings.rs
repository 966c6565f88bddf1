//! The settings of certificates, which are the same for every program that has them.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_runtime::units::Period;
use rustls_pki_types::ServerName;

use crate::{Checks, Issuer, NotAnIssuer, Subject};

pub const NAME: Setting = Setting::value(
    "name",
    "HOST|ADDR",
    "a name or an address that our certificate carries, for peers that check it",
)
.repeat()
.operator();

pub const VALIDITY: Setting = Setting::value(
    "validity",
    "TIME",
    "how long a certificate of ours is good; a new one is made at half of that",
)
.default("720h")
.operator();

pub const SELF_SIGNED: Setting = Setting::switch(
    "self-signed",
    "let the key itself sign our certificate, in place of a CA that is made for this run",
)
.operator();

pub const CA_CERTIFICATE: Setting = Setting::value(
    "ca-certificate",
    "PATH",
    "let this CA, in PEM, sign our certificate; it plays no part in whom we trust",
)
.operator();

pub const CA_KEY: Setting = Setting::value(
    "ca-key",
    "PATH",
    "the private key of --ca-certificate, in PEM",
)
.operator();

pub const CERTIFICATE: Setting = Setting::value(
    "certificate",
    "PATH",
    "show this chain, in PEM, that an outside CA made of our --csr",
)
.operator();

pub const PEER_CA: Setting = Setting::value(
    "peer-ca",
    "PATH",
    "refuse peers as well whose chain does not end at one of these CAs, in PEM",
)
.operator();

pub const PEER_NAME: Setting = Setting::value(
    "peer-name",
    "HOST|ADDR",
    "refuse peers as well whose certificate does not carry this name",
)
.operator();

/// All that the settings say about certificates.
#[derive(Debug)]
pub struct CertificateConfig {
    pub subject: Subject,
    pub issuer: Issuer,
    pub validity: Duration,
    pub checks: Checks,
}

impl CertificateConfig {
    /// Also reads the files.
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let subject = subject(given);
        let validity = given.one::<Period>(&VALIDITY).map(Period::get);
        let issuer = read_issuer(given);
        let checks = read_checks(given);
        Ok(Self {
            subject: subject?,
            issuer: issuer?,
            validity: validity?,
            checks: checks?,
        })
    }
}

/// What our certificate says, or a request for one.
pub fn subject(given: &mut Given) -> Result<Subject, Reported> {
    let names = given.all::<Name>(&NAME)?;
    Ok(Subject::new(names.into_iter().map(|name| name.0).collect()))
}

fn read_issuer(given: &mut Given) -> Result<Issuer, Reported> {
    let own = given.on(&SELF_SIGNED);
    let ca = given.optional::<PathBuf>(&CA_CERTIFICATE);
    let key = given.optional::<PathBuf>(&CA_KEY);
    let chain = given.optional::<PathBuf>(&CERTIFICATE);
    match (own, ca?, key?, chain?) {
        (false, None, None, None) => Ok(Issuer::OfThisRun),
        (true, None, None, None) => Ok(Issuer::Own),
        (false, Some(ca), Some(key), None) => {
            let ca = file(given, &CA_CERTIFICATE, &ca);
            let key = file(given, &CA_KEY, &key);
            let issuer = Issuer::operators(&ca?, &key?);
            issuer.map_err(|error| given.refuse(&[&CA_CERTIFICATE, &CA_KEY], error))
        }
        (false, None, None, Some(chain)) => {
            let chain = file(given, &CERTIFICATE, &chain)?;
            Issuer::outside(&chain).map_err(|error| given.refuse(&[&CERTIFICATE], error))
        }
        (false, Some(_), None, None) | (false, None, Some(_), None) => Err(given.refuse(
            &[&CA_CERTIFICATE, &CA_KEY],
            "neither is of use without the other",
        )),
        _ => Err(given.refuse(
            &[&SELF_SIGNED, &CA_CERTIFICATE, &CA_KEY, &CERTIFICATE],
            "there is one issuer at a time",
        )),
    }
}

fn read_checks(given: &mut Given) -> Result<Checks, Reported> {
    let roots = given.optional::<PathBuf>(&PEER_CA);
    let name = given.optional::<Name>(&PEER_NAME);
    let mut checks = Checks::default();
    if let Some(path) = roots? {
        let pem = file(given, &PEER_CA, &path)?;
        let with_roots = checks.with_roots(&pem);
        checks = with_roots.map_err(|error: NotAnIssuer| given.refuse(&[&PEER_CA], error))?;
    }
    if let Some(name) = name? {
        checks = checks.with_name(name.0);
    }
    Ok(checks)
}

fn file(
    given: &mut Given,
    setting: &Setting,
    path: &Path,
) -> Result<zeroize::Zeroizing<Vec<u8>>, Reported> {
    let text = fs::read(path).map(zeroize::Zeroizing::new);
    text.map_err(|error| given.refuse(&[setting], format_args!("cannot read the file: {error}")))
}

/// A DNS name or an address.
struct Name(ServerName<'static>);

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let name = ServerName::try_from(text.to_owned());
        name.map(Self).map_err(|_| NotAName)
    }
}

struct NotAName;

impl fmt::Display for NotAName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a DNS name and not an address")
    }
}
