//! `mcbn threshold generate`: takes part until there is a share that counts.

use super::access::{AccessConfig, JSON, KEY, SERVER, within};
use super::agreed::{Agreed, AgreedConfig, PURPOSE, WORKLOAD};
use super::folder::{Folder, NotKept, RECEIPT, SHARE};
use super::member::{MANIFEST, NotAgreedOn, PARTICIPANT};
use super::notice::{Notice, What};
use super::session::{NotSaid, PAUSE, Session};
use super::{error, print};
use crate::share;
use crate::trust::{INSECURE_ISSUER, JWKS, PKI_ROOT};
use mcbn_ceremony::approval::SigningKey;
use mcbn_ceremony::generation::{Differs, Joining, NotFinished, NotJoined, NotTheShare};
use mcbn_ceremony::message::path::generation as path;
use mcbn_ceremony::message::{
    Announcement, AskApprove, AskConfirm, AskShare, Code, GivenReceipt, GivenShare, Phase, Standing,
};
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::suite::Command;
use mcbn_runtime::units::Period;
use mcbn_threshold::Group;
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use std::fmt::{self, Display};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::sleep;

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

struct Config {
    agreed: AgreedConfig,
    access: AccessConfig,
    folder: PathBuf,
    timeout: Duration,
}

impl Config {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let agreed = AgreedConfig::read(given);
        let access = AccessConfig::read(given);
        let folder = given.one(&OUT_DIR);
        let timeout = given.one::<Period>(&TIMEOUT);
        Ok(Self {
            agreed: agreed?,
            access: access?,
            folder: folder?,
            timeout: timeout?.get(),
        })
    }
}

fn generate(config: Config) -> Result<(), Error> {
    let agreed = config.agreed.agreed()?;
    let own = config.access.key(&agreed.member)?;
    let folder = Folder::open(config.folder).map_err(Error::Folder)?;
    let json = config.access.json;
    let mut session = config.access.session(WORKLOAD, &agreed.member, &own)?;
    let taking_part = take_part(&agreed, &own.key, &folder, &mut session);
    let group = within(config.timeout, taking_part)?;
    show(&group, &folder, json)
}

async fn take_part(
    agreed: &Agreed,
    own: &SigningKey,
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
    let terms = &joining.announced().terms;
    session.tell(&Notice::Approves {
        participant: agreed.member.name.as_str(),
        participants: terms.participants().count(),
        threshold: terms.threshold().get(),
    });
    session.say::<Standing>(path::APPROVE, &approval).await?;
    wait(agreed, session, Phase::Approving, What::Approve).await?;

    let given: GivenShare = session.say(path::SHARE, &AskShare { participant }).await?;
    let group = given.group(joining.announced().terms.participants().count());
    let group = group.map_err(|_| NotSaid::NotAMessage)?;
    let opened = joining.open(group, &given.sealed).map_err(Error::Share)?;
    // It is kept before anybody counts on it.
    let about = about(agreed, opened.group().group());
    folder
        .keep_share(&opened.unconfirmed_share(), &about)
        .map_err(Error::Folder)?;
    let confirmation = AskConfirm {
        participant,
        confirmation: opened.confirm(own),
    };
    session
        .say::<Standing>(path::CONFIRM, &confirmation)
        .await?;
    session.tell(&Notice::Confirmed);
    wait(agreed, session, Phase::Confirming, What::Confirm).await?;

    let given: GivenReceipt = session.fetch(path::RECEIPT).await?;
    let written = mcbn_body::write(&given);
    let receipt = given.receipt().map_err(|_| NotSaid::NotAMessage)?;
    let finished = opened.finish(&receipt).map_err(Error::Receipt)?;
    folder.finish(&written).map_err(Error::Folder)?;
    Ok(finished.group().group().clone())
}

/// What a share's file says of it to people.
fn about(agreed: &Agreed, group: &Group) -> Vec<String> {
    let (name, index) = (&agreed.member.name, agreed.member.index);
    vec![
        format!(
            "{name}'s share, {index} of {}, of a BLS12-381 key; any {} sign",
            group.count(),
            group.threshold().get()
        ),
        format!("purpose: {}", agreed.expected.purpose),
        format!("key: {}", group.key()),
    ]
}

/// Until this phase is over.
async fn wait(
    agreed: &Agreed,
    session: &mut Session,
    phase: Phase,
    what: What,
) -> Result<(), Error> {
    loop {
        let standing: Standing = session.fetch(path::STANDING).await?;
        let names = agreed.member.names(standing.missing);
        match standing.phase {
            Phase::Abandoned => return Err(Error::Abandoned(names.join(", "))),
            now if now != phase => return Ok(()),
            _ => {}
        }
        session.tell(&Notice::Waiting {
            what,
            names,
            needed: None,
        });
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

fn show(group: &Group, folder: &Folder, json: bool) -> Result<(), Error> {
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
    Ok(print(&text)?)
}

/// There is no share that counts.
#[derive(Debug)]
pub enum Error {
    TakingPart(error::Error),
    Folder(NotKept),
    Random,
    /// The server announces something else than was agreed.
    Differs(Differs),
    Share(NotTheShare),
    Receipt(NotFinished),
    /// These did not do their part in time.
    Abandoned(String),
}

impl From<error::Error> for Error {
    fn from(error: error::Error) -> Self {
        Self::TakingPart(error)
    }
}

impl From<NotAgreedOn> for Error {
    fn from(error: NotAgreedOn) -> Self {
        Self::TakingPart(error.into())
    }
}

impl From<NotSaid> for Error {
    fn from(error: NotSaid) -> Self {
        Self::TakingPart(error.into())
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakingPart(error) => error.fmt(f),
            Self::Folder(error) => error.fmt(f),
            Self::Random => f.write_str("the system gives no random bytes"),
            Self::Differs(_) => f.write_str("the server announces something else than was agreed"),
            Self::Share(_) => f.write_str("the share is refused"),
            Self::Receipt(_) => f.write_str("the receipt is refused"),
            Self::Abandoned(names) => write!(f, "no key was made: it waited for {names}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::TakingPart(error) => error.source(),
            Self::Folder(error) => error.source(),
            Self::Differs(error) => Some(error),
            Self::Share(error) => Some(error),
            Self::Receipt(error) => Some(error),
            Self::Random | Self::Abandoned(_) => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::TakingPart(error) => error.exit(),
            Self::Folder(error) => error.exit(),
            Self::Random => Exit::Platform,
            Self::Differs(_) | Self::Share(_) | Self::Receipt(_) => Exit::Refused,
            Self::Abandoned(_) => Exit::Unavailable,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::TakingPart(error::Error::Said(NotSaid::Refused(refusal)))
                if refusal.refused == Code::Changed =>
            {
                Some(
                    "something else was approved for this participant before: only a new start of the server helps".into(),
                )
            }
            Self::TakingPart(error::Error::Slow) => Some(
                "started again in the same folder it goes on; with the receipt of another participant, mcbn threshold finish ends it".into(),
            ),
            Self::TakingPart(error) => error.hint(),
            Self::Folder(error) => error.hint(),
            Self::Abandoned(_) => Some("what is in the folder counts for nothing".into()),
            _ => None,
        }
    }
}
