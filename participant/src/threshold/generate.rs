//! `mcbn threshold generate`: takes part until there is a share that counts.

use super::folder::{Folder, NotKept, RECEIPT, SHARE};
use super::session::{NotSaid, PAUSE, Session};
use super::{
    Agreed, AgreedConfig, MANIFEST, NotAgreedOn, NotOwnKey, PARTICIPANT, PURPOSE, WORKLOAD,
};
use crate::share;
use crate::trust::{INSECURE_ISSUER, JWKS, NoVerifier, PKI_ROOT, Trust};
use mcbn_attest::UnixTime;
use mcbn_attested::client::{Client, Demands};
use mcbn_attested::{Identity, Purpose};
use mcbn_ceremony::generation::{Differs, Joining, NotFinished, NotJoined, NotTheShare};
use mcbn_ceremony::message::path::generation as path;
use mcbn_ceremony::message::{
    Announcement, AskApprove, AskConfirm, AskShare, Code, GivenReceipt, GivenShare, Phase, Standing,
};
use mcbn_manifest::Address;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::suite::Command;
use mcbn_runtime::units::Period;
use mcbn_threshold::Group;
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde::Serialize;
use std::error;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

pub const GENERATE: Command = Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, Config::read, generate),
};

static PROGRAM: Program = Program::tool(
    crate::NAME,
    crate::VERSION,
    "Takes part in making a key that nobody has: compares what the server announces with what was agreed, approves, opens \
     its own share, confirms it, and waits until all others have. Started again in the same folder it goes on. Prints the \
     group's key, as a manifest has it.",
    &[
        MANIFEST,
        PARTICIPANT,
        PURPOSE,
        KEY,
        SERVER,
        OUT_DIR,
        TIMEOUT,
        INSECURE_ISSUER,
        JWKS,
        PKI_ROOT,
        JSON,
    ],
)
.under("threshold generate", crate::BESIDE);

const KEY: Setting = Setting::value(
    "key",
    "FILE",
    "the participant's signing key, whose public half the manifest has; mcbn threshold key makes it",
)
.required();

const SERVER: Setting = Setting::value(
    "server",
    "HOST:PORT",
    "where threshold-generate answers: nothing it says is believed without an attestation token",
)
.required();

const OUT_DIR: Setting = Setting::value(
    "out-dir",
    "DIR",
    "the folder for the share and the receipt, one for each key; it is made where there is none",
)
.required();

const TIMEOUT: Setting = Setting::value(
    "timeout",
    "TIME",
    "how long to wait for the others and for the server",
)
.default("24h");

const JSON: Setting = Setting::switch("json", "print one JSON object, for programs");

struct Config {
    agreed: AgreedConfig,
    key: PathBuf,
    server: Address,
    folder: PathBuf,
    timeout: Duration,
    trust: Trust,
    json: bool,
}

impl Config {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let agreed = AgreedConfig::read(given);
        let key = given.one(&KEY);
        let server = given.one(&SERVER);
        let folder = given.one(&OUT_DIR);
        let timeout = given.one::<Period>(&TIMEOUT);
        let trust = Trust::read(given);
        let json = given.on(&JSON);
        Ok(Self {
            agreed: agreed?,
            key: key?,
            server: server?,
            folder: folder?,
            timeout: timeout?.get(),
            trust: trust?,
            json,
        })
    }
}

/// What tokens of the server are for.
const PURPOSE_OF_TOKENS: Purpose = Purpose::named(WORKLOAD);

/// For one step of a conversation, a token of the server's included.
const PATIENCE: Duration = Duration::from_secs(60);

fn generate(config: Config) -> Result<(), Error> {
    let agreed = config.agreed.agreed().map_err(Error::Agreed)?;
    let own = agreed.key(&config.key).map_err(Error::Key)?;
    let folder = Folder::open(config.folder).map_err(Error::Folder)?;
    let der = Zeroizing::new(own.pair.serialize_der());
    let identity = Identity::from_pkcs8(&PrivatePkcs8KeyDer::from(&**der));
    let demands = Demands {
        verifier: config
            .trust
            .verifier(&agreed.manifest)
            .map_err(Error::Verifier)?,
        manifest: agreed.manifest.clone(),
        purpose: PURPOSE_OF_TOKENS,
        workload: WORKLOAD.parse().expect("a name"),
        clock: Arc::new(UnixTime::now),
    };
    let identity = identity.expect("an Ed25519 key, as was checked");
    let client = Client::new(identity, demands, SystemRandom::new(), PATIENCE);
    let mut session = Session::new(client.expect("an Ed25519 key"), config.server);
    if let Some(issuer) = config.trust.other_issuer() {
        session.tell(format_args!(
            "{issuer} vouches for machines, in place of Google"
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let taking_part = take_part(&agreed, &own.key, &folder, &mut session);
    let group = runtime.block_on(async {
        let made = timeout(config.timeout, taking_part).await;
        made.unwrap_or(Err(Error::Slow))
    })?;
    print(&group, &folder, config.json)
}

async fn take_part(
    agreed: &Agreed,
    own: &mcbn_ceremony::approval::SigningKey,
    folder: &Folder,
    session: &mut Session,
) -> Result<Group, Error> {
    let announcement: Announcement = session.fetch(path::ANNOUNCEMENT).await?;
    let announced = announcement.announced().map_err(|_| NotSaid::NotAMessage)?;
    let kept = folder.opening_key(announced.id).map_err(Error::Folder)?;
    let joining = match kept {
        Some(key) => {
            Joining::again(&agreed.expected, announced, own, key).map_err(Error::Differs)?
        }
        None => {
            let random = SystemRandom::new();
            let fresh = |bytes: &mut [u8]| random.fill(bytes);
            let joining = Joining::new(&agreed.expected, announced, own, fresh);
            let joining = joining.map_err(|error: NotJoined<Unspecified>| match error {
                NotJoined::Differs(differs) => Error::Differs(differs),
                NotJoined::Random(_) => Error::Random,
            })?;
            let id = joining.announced().id;
            let kept = folder.keep_opening_key(id, joining.opening_key());
            kept.map_err(Error::Folder)?;
            joining
        }
    };
    let participant = joining.index();
    let approval = AskApprove {
        participant,
        encryption_key: joining.encryption_key(),
        approval: joining.approve(own),
    };
    session.tell(format_args!(
        "{} approves a key of {} participants, any {} of whom sign",
        agreed.participant,
        joining.announced().terms.participants().count(),
        joining.announced().terms.threshold().get(),
    ));
    session.say::<Standing>(path::APPROVE, &approval).await?;
    wait(agreed, session, Phase::Approving, "approve").await?;

    let given: GivenShare = session.say(path::SHARE, &AskShare { participant }).await?;
    let group = given.group(joining.announced().terms.participants().count());
    let group = group.map_err(|_| NotSaid::NotAMessage)?;
    let opened = joining.open(group, &given.sealed).map_err(Error::Share)?;
    // It is kept before anybody counts on it.
    folder
        .keep_share(&opened.unconfirmed_share())
        .map_err(Error::Folder)?;
    let confirmation = AskConfirm {
        participant,
        confirmation: opened.confirm(own),
    };
    session
        .say::<Standing>(path::CONFIRM, &confirmation)
        .await?;
    session.tell("the share is what was promised, and confirmed");
    wait(agreed, session, Phase::Confirming, "confirm").await?;

    let given: GivenReceipt = session.fetch(path::RECEIPT).await?;
    let written = mcbn_body::write(&given);
    let receipt = given.receipt().map_err(|_| NotSaid::NotAMessage)?;
    let finished = opened.finish(&receipt).map_err(Error::Receipt)?;
    folder.finish(&written).map_err(Error::Folder)?;
    Ok(finished.group().group().clone())
}

/// Until this phase is over.
async fn wait(
    agreed: &Agreed,
    session: &mut Session,
    phase: Phase,
    what: &str,
) -> Result<(), Error> {
    loop {
        let standing: Standing = session.fetch(path::STANDING).await?;
        match standing.phase {
            Phase::Abandoned => return Err(Error::Abandoned(agreed.names(&standing.missing))),
            now if now != phase => return Ok(()),
            _ => {}
        }
        let names = agreed.names(&standing.missing);
        session.tell(format_args!("{names} did not {what} yet"));
        sleep(PAUSE).await;
    }
}

/// What is made, for programs.
#[derive(Serialize)]
struct Made {
    group_key: String,
    commitments: Vec<String>,
    threshold: usize,
    participants: u8,
    share: PathBuf,
    receipt: PathBuf,
}

fn print(group: &Group, folder: &Folder, json: bool) -> Result<(), Error> {
    let text = match json {
        false => share::lines(group),
        true => {
            let made = Made {
                group_key: group.key().to_string(),
                commitments: group
                    .commitments()
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                threshold: group.threshold().get(),
                participants: group.count(),
                share: folder.path(SHARE),
                receipt: folder.path(RECEIPT),
            };
            serde_json::to_string(&made).expect("texts and numbers") + "\n"
        }
    };
    write(&text)
}

pub fn write(text: &str) -> Result<(), Error> {
    let printed = io::stdout().lock().write_all(text.as_bytes());
    printed.map_err(Error::Print)
}

/// There is no share that counts.
#[derive(Debug)]
pub enum Error {
    Agreed(NotAgreedOn),
    Key(NotOwnKey),
    Folder(NotKept),
    Verifier(NoVerifier),
    Runtime(io::Error),
    Random,
    Said(NotSaid),
    /// The server announces something else than was agreed.
    Differs(Differs),
    Share(NotTheShare),
    Receipt(NotFinished),
    /// These did not do their part in time.
    Abandoned(String),
    Slow,
    Print(io::Error),
}

impl From<NotSaid> for Error {
    fn from(error: NotSaid) -> Self {
        Self::Said(error)
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agreed(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::Folder(error) => error.fmt(f),
            Self::Verifier(error) => error.fmt(f),
            Self::Runtime(_) => f.write_str("cannot start"),
            Self::Random => f.write_str("the system gives no random bytes"),
            Self::Said(error) => error.fmt(f),
            Self::Differs(_) => f.write_str("the server announces something else than was agreed"),
            Self::Share(_) => f.write_str("the share is refused"),
            Self::Receipt(_) => f.write_str("the receipt is refused"),
            Self::Abandoned(names) => write!(f, "no key was made: it waited for {names}"),
            Self::Slow => f.write_str("the others, or the server, took too long"),
            Self::Print(_) => f.write_str("cannot write to standard output"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Agreed(error) => error.source(),
            Self::Key(error) => error.source(),
            Self::Folder(error) => error.source(),
            Self::Verifier(error) => error.source(),
            Self::Said(NotSaid::Failed(error)) => error.source(),
            Self::Differs(error) => Some(error),
            Self::Share(error) => Some(error),
            Self::Receipt(error) => Some(error),
            Self::Runtime(error) | Self::Print(error) => Some(error),
            Self::Random | Self::Said(_) | Self::Abandoned(_) | Self::Slow => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Agreed(error) => error.exit(),
            Self::Key(NotOwnKey::File(error)) => error.exit(),
            Self::Key(NotOwnKey::Other) => Exit::Usage,
            Self::Folder(error) => error.exit(),
            Self::Verifier(error) => error.exit(),
            Self::Runtime(_) | Self::Random => Exit::Platform,
            Self::Said(_) | Self::Differs(_) | Self::Share(_) | Self::Receipt(_) => Exit::Refused,
            Self::Abandoned(_) | Self::Slow => Exit::Unavailable,
            Self::Print(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agreed(error) => error.hint(),
            Self::Key(NotOwnKey::File(error)) => error.hint().map(str::to_owned),
            Self::Folder(error) => error.hint(),
            Self::Said(NotSaid::Refused(refusal)) if refusal.refused == Code::Changed => Some(
                "something else was approved for this participant before: only a new start of the server helps".into(),
            ),
            Self::Abandoned(_) => Some("what is in the folder counts for nothing".into()),
            Self::Slow => Some(
                "started again in the same folder it goes on; with the receipt of another participant, mcbn threshold finish ends it".into(),
            ),
            _ => None,
        }
    }
}
