//! The settings of the permanent key, and the key.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use mcbn_consent::lease::Consent;
use mcbn_consent::settings::{self as shares, ShareConfig};
use mcbn_pinned::gather;
use mcbn_pinned_openssl::OpenSsl;
use mcbn_place::{Held, Inheritance, Place, Whose};
use mcbn_psk::{Identity, KeySource, NoKey, Randoms};
use mcbn_runtime::admin::Admin;
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_runtime::units::{Count, Period};
use mcbn_secret::{HmacKey, Psk};
use mcbn_tpm::key::{Name, NotAHandle};
use mcbn_tpm::{
    AuthValue, KeyFile, KeyInMemory, KeyInTpm, KeyPlace, Layout, Metrics, PersistentHandle, Tcti,
};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::{Error, NoPermanentKey};

pub const TPM_KEY: Setting = Setting::value(
    "tpm-key",
    "file:PATH|0x81NNNNNN",
    "the permanent key, where a TPM has it: the file that key create, key import or tpm2_encodeobject wrote (PEM, TSS2 \
     PRIVATE KEY), or the handle of a key that the TPM keeps; without it, --secret, --share or --manifest",
)
.operator();

pub const KEY_AUTH: Setting = Setting::value(
    "key-auth",
    "file:PATH|fd:N",
    "where the authorization value of the permanent key in the TPM is, its password: one line of 1 to 32 bytes; never the \
     value itself",
)
.operator();

pub const PARENT_AUTH: Setting = Setting::value(
    "parent-auth",
    "file:PATH|fd:N",
    "where the authorization value of the key's parent is, one line; where a hierarchy makes the parent, the hierarchy's, \
     such as the owner's",
)
.operator();

pub const TCTI: Setting = Setting::value(
    "tcti",
    "device:PATH|swtpm:...|tabrmd:...",
    "the way to the TPM: device:PATH, the kernel's; swtpm:path=PATH or swtpm:host=ADDR,port=N, one in software; \
     tabrmd:bus_type=system, the resource manager on D-Bus. A TPM without a resource manager (swtpm, device:/dev/tpm0) is \
     taken as this program's own: what others left loaded in it is flushed",
)
.default("device:/dev/tpmrm0")
.operator();

pub const TPM_TIMEOUT: Setting = Setting::value(
    "tpm-timeout",
    "TIME",
    "how long the TPM may take for one command; after that it counts as lost, and a server or a client looks for it until \
     it is back",
)
.default("30s")
.operator();

pub const TPM_QUEUE: Setting = Setting::value(
    "tpm-queue",
    "N",
    "sessions that may wait for the TPM at one time, each with a thread, 256 at most; more of them wait in order for one of \
     these places, until --handshake-timeout ends",
)
.default("32")
.operator();

pub const SECRET: Setting = Setting::value(
    "secret",
    "file:PATH|fd:N",
    "where the permanent key is, outside of every TPM: 64 hex digits or 43 base64url characters; never the key itself",
)
.operator();

pub const LAYOUT: Setting = Setting::value(
    "layout",
    "LABEL",
    "what a session's key is made of, alike at both ends: random32, the client's and the server's random whole, or random28, \
     each without its first 4 bytes",
)
.default("random32")
.operator();

/// Rows that mean something to a key in a TPM only.
const OF_TPM: [&Setting; 5] = [&KEY_AUTH, &PARENT_AUTH, &TCTI, &TPM_TIMEOUT, &TPM_QUEUE];

/// Rows that mean something to a key of shares only.
const OF_SHARES: [&Setting; 7] = [
    &shares::SHARE,
    &shares::MANIFEST,
    &shares::DERIVATION,
    &shares::THRESHOLD,
    &shares::MANIFEST_DIGEST,
    &shares::CONSENT_TIMEOUT,
    &shares::TOKEN_SOCKET,
];

/// All that the settings say about the permanent key.
#[derive(Debug)]
pub struct KeyConfig {
    origin: Origin,
    layout: Layout,
}

#[derive(Debug)]
enum Origin {
    Tpm(Box<TpmConfig>),
    Outside(Outside),
}

#[derive(Debug)]
struct TpmConfig {
    key: Named,
    auths: Auths,
    tcti: Tcti,
    limit: Duration,
    queue: Queue,
}

/// How many sessions wait for the TPM at one time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Queue(usize);

/// Which key.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Named {
    File(PathBuf),
    Persistent(PersistentHandle),
}

impl KeyConfig {
    /// Also reads the manifest, and takes the inherited descriptors, so this comes before the program opens anything
    /// itself.
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let layout = given.one(&LAYOUT);
        let mut inheritance = Inheritance::new();
        let in_tpm = given.is_given(&TPM_KEY);
        let origin = if in_tpm {
            for row in OF_SHARES.into_iter().chain([&SECRET]) {
                if given.is_given(row) {
                    given.refuse(&[row, &TPM_KEY], "the permanent key has one origin");
                }
            }
            TpmConfig::read(given, &mut inheritance).map(|config| Origin::Tpm(Box::new(config)))
        } else {
            for row in OF_TPM {
                if given.is_given(row) {
                    given.refuse(&[row], "there is no --tpm-key that it could apply to");
                }
            }
            Outside::read(given, &mut inheritance, &[&TPM_KEY]).map(Origin::Outside)
        };
        Ok(Self {
            origin: origin?,
            layout: layout?,
        })
    }

    /// What is read from standard input, which then has nothing else to give, and the row that says so.
    pub fn of_standard_input(&self) -> Option<(&'static Setting, String)> {
        match &self.origin {
            Origin::Tpm(config) => config.auths.of_standard_input(),
            Origin::Outside(outside) => outside.of_standard_input(),
        }
    }

    /// Brings the permanent key to where it is used, for as long as there is consent. Waits while a pipe's writer is at
    /// work, while a person is to approve, and while the TPM loads the key; holds up nothing else.
    pub async fn make(
        self,
        identity: &Identity,
        dns_server: Option<SocketAddr>,
        admin: &Admin,
    ) -> Result<(PermanentKey, Consent), Error> {
        let layout = self.layout;
        match self.origin {
            Origin::Tpm(config) => {
                let admin = admin.clone();
                let opened = spawn_blocking(move || config.open(layout, &admin)).await;
                let key = unpanicked(opened)?;
                // Whoever can open the key in its TPM has consented: nobody else is asked.
                Ok((PermanentKey::InTpm(key), Consent::unconditional()))
            }
            Origin::Outside(outside) => {
                let (key, consent) = outside.gather(identity, dns_server, admin).await?;
                Ok((
                    PermanentKey::InMemory(KeyInMemory::new(key, layout)),
                    consent,
                ))
            }
        }
    }
}

impl TpmConfig {
    fn read(given: &mut Given, inheritance: &mut Inheritance) -> Result<Self, Reported> {
        let key = given.one(&TPM_KEY);
        let auths = Auths::read(given, inheritance);
        let tcti = given.one(&TCTI);
        let limit = given.one::<Period>(&TPM_TIMEOUT).map(Period::get);
        let queue = given.one(&TPM_QUEUE);
        Ok(Self {
            key: key?,
            auths: auths?,
            tcti: tcti?,
            limit: limit?,
            queue: queue?,
        })
    }

    fn open(self, layout: Layout, admin: &Admin) -> Result<KeyInTpm, Error> {
        let (key_auth, parent_auth) = self.auths.values()?;
        let config = mcbn_tpm::KeyConfig {
            key: match self.key {
                Named::File(path) => KeyPlace::File(Box::new(read_key_file(&path)?)),
                Named::Persistent(handle) => KeyPlace::Persistent(handle),
            },
            tcti: self.tcti,
            key_auth,
            parent_auth,
            limit: self.limit,
        };
        let metrics = Metrics::default();
        admin.register(|registry| metrics.register(registry));
        let condition = admin.condition("tpm");
        KeyInTpm::open(config, layout, self.queue.0, metrics, move |reachable| {
            condition.set(reachable);
        })
        .map_err(Error::Tpm)
    }
}

/// A file that the program's own words describe; no key is longer.
const LONGEST: u64 = 16 * 1024;

pub fn read_key_file(path: &std::path::Path) -> Result<KeyFile, Error> {
    let no_file = |error| Error::KeyFile(path.to_owned(), error);
    let mut text = Vec::new();
    let file = fs::File::open(path).map_err(no_file)?;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, LONGEST), &mut text)
        .map_err(no_file)?;
    KeyFile::from_pem(&text).map_err(|error| Error::NotAKey(path.to_owned(), error))
}

/// The authorization values, by their places.
#[derive(Debug)]
pub struct Auths {
    key: Option<Held>,
    parent: Option<Held>,
}

impl Auths {
    pub fn read(given: &mut Given, inheritance: &mut Inheritance) -> Result<Self, Reported> {
        let key = claim(
            given,
            inheritance,
            &KEY_AUTH,
            "authorization value",
            "the key",
        );
        let parent = claim(
            given,
            inheritance,
            &PARENT_AUTH,
            "authorization value",
            "the parent",
        );
        Ok(Self {
            key: key?,
            parent: parent?,
        })
    }

    fn of_standard_input(&self) -> Option<(&'static Setting, String)> {
        let rows = [(&KEY_AUTH, &self.key), (&PARENT_AUTH, &self.parent)];
        rows.into_iter()
            .find_map(|(row, held)| of_standard_input(row, held.as_ref()?))
    }

    /// Blocks until a pipe's writer is done.
    pub fn values(&self) -> Result<(Option<AuthValue>, Option<AuthValue>), Error> {
        let value = |held: &Option<Held>| match held {
            None => Ok(None),
            Some(held) => {
                let text = held.read().map_err(Error::Unreadable)?;
                // For the TPM, and wiped with the text.
                AuthValue::from_line(text.expose_secret())
                    .map(Some)
                    .map_err(|error| Error::NotAnAuthValue(held.whose().clone(), error))
            }
        };
        Ok((value(&self.key)?, value(&self.parent)?))
    }
}

/// A permanent key that comes from elsewhere: the key itself, or what the participants' shares make.
#[derive(Debug)]
pub enum Outside {
    Secret(Held),
    Shares(Box<ShareConfig>),
}

impl Outside {
    /// `others` are the rows that could name another origin.
    pub fn read(
        given: &mut Given,
        inheritance: &mut Inheritance,
        others: &[&Setting],
    ) -> Result<Self, Reported> {
        let is_secret = given.is_given(&SECRET);
        let is_shares = given.is_given(&shares::SHARE) | given.is_given(&shares::MANIFEST);
        match (is_secret, is_shares) {
            (true, _) => {
                for row in OF_SHARES {
                    if given.is_given(row) {
                        given.refuse(&[row, &SECRET], "the permanent key has one origin");
                    }
                }
                let held = claim(given, inheritance, &SECRET, "permanent key", "this end")?;
                Ok(Self::Secret(held.expect("it is given")))
            }
            (false, true) => {
                ShareConfig::read(given, inheritance).map(|config| Self::Shares(Box::new(config)))
            }
            (false, false) => {
                for row in OF_SHARES {
                    if given.is_given(row) {
                        given.refuse(&[row], "there is no --share that it could apply to");
                    }
                }
                let mut rows = others.to_vec();
                rows.extend([&SECRET, &shares::SHARE, &shares::MANIFEST]);
                Err(given.refuse(&rows, "one of them is needed"))
            }
        }
    }

    fn of_standard_input(&self) -> Option<(&'static Setting, String)> {
        match self {
            Self::Secret(held) => of_standard_input(&SECRET, held),
            Self::Shares(config) => config.of_standard_input(),
        }
    }

    /// Reads the key, or the shares that make it.
    pub async fn gather(
        self,
        identity: &Identity,
        dns_server: Option<SocketAddr>,
        admin: &Admin,
    ) -> Result<(HmacKey, Consent), Error> {
        match self {
            Self::Secret(held) => {
                let key = unpanicked(spawn_blocking(move || read_secret(&held)).await)?;
                Ok((key, Consent::unconditional()))
            }
            Self::Shares(config) => {
                let gathered = gather::<OpenSsl>(&config, dns_server, admin).await;
                let (combined, consent) = gathered.map_err(Error::Shares)?;
                let key = combined.tpm_psk_key(identity.as_str().as_bytes());
                let key = key.expect("an identity is shorter than a context may be");
                Ok((key, consent))
            }
        }
    }
}

fn of_standard_input(row: &'static Setting, held: &Held) -> Option<(&'static Setting, String)> {
    held.is_standard_input()
        .then(|| (row, held.whose().to_string()))
}

fn read_secret(held: &Held) -> Result<HmacKey, Error> {
    let text = held.read().map_err(Error::Unreadable)?;
    // The key of every session is made with it.
    mcbn_share::text::hmac_key(text.expose_secret())
        .map_err(|error| Error::NoSecret(NoPermanentKey(error)))
}

fn claim(
    given: &mut Given,
    inheritance: &mut Inheritance,
    setting: &Setting,
    what: &'static str,
    whose: &'static str,
) -> Result<Option<Held>, Reported> {
    let Some(place) = given.optional::<Place>(setting)? else {
        return Ok(None);
    };
    place
        .claim(Whose::new(what, whose), inheritance)
        .map(Some)
        .map_err(|fault| {
            if let Some(hint) = fault.hint() {
                given.hint(hint);
            }
            given.refuse_because(&[setting], &fault)
        })
}

/// It cannot be cancelled once it runs: this is a panic on its way.
fn unpanicked<T>(joined: Result<T, tokio::task::JoinError>) -> T {
    joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Wherever it is.
pub enum PermanentKey {
    InTpm(KeyInTpm),
    InMemory(KeyInMemory),
}

impl PermanentKey {
    /// What its TPM calls it.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Self::InTpm(key) => Some(key.name()),
            Self::InMemory(_) => None,
        }
    }

    fn source(&self) -> &dyn KeySource {
        match self {
            Self::InTpm(key) => key,
            Self::InMemory(key) => key,
        }
    }
}

impl KeySource for PermanentKey {
    fn write_key(
        &self,
        randoms: &Randoms,
        until: Option<Instant>,
        out: &mut [u8; Psk::LENGTH],
    ) -> Result<(), NoKey> {
        self.source().write_key(randoms, until, out)
    }

    fn seats(&self) -> Option<std::sync::Arc<Semaphore>> {
        self.source().seats()
    }

    fn advice(&self) -> &'static str {
        self.source().advice()
    }
}

impl Queue {
    /// Each has a thread.
    const MOST: usize = 256;
}

impl FromStr for Queue {
    type Err = NotAQueue;

    fn from_str(text: &str) -> Result<Self, NotAQueue> {
        match text.parse::<Count>().map(|count| count.get().get()) {
            Ok(count) if count <= Self::MOST => Ok(Self(count)),
            _ => Err(NotAQueue),
        }
    }
}

/// The text is no number of sessions that may wait.
#[derive(Debug)]
struct NotAQueue;

impl std::fmt::Display for NotAQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not a number from 1 to {}", Queue::MOST)
    }
}

impl FromStr for Named {
    type Err = NotNamed;

    fn from_str(text: &str) -> Result<Self, NotNamed> {
        match text.strip_prefix("file:") {
            Some("") => Err(NotNamed),
            Some(path) => Ok(Self::File(path.into())),
            None => text
                .parse()
                .map(Self::Persistent)
                .map_err(|NotAHandle| NotNamed),
        }
    }
}

/// The text names no key.
#[derive(Debug)]
struct NotNamed;

impl std::fmt::Display for NotNamed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("neither file:PATH nor a persistent handle, from 0x81000000 to 0x81ffffff")
    }
}
