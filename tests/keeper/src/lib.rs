//! What the tests of a keeper share: the program with its files, and a workload that asks it.
//!
//! Tokens come from a simulated Confidential Space, and the workload's side is `lib/consent`, as in the images.

#![forbid(unsafe_code)]

pub mod releases;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use mcbn_consent::ask::Granted;
use mcbn_consent::client::{Client, Failure};
use mcbn_consent::connect::{Channel, Connect, NoChannel};
use mcbn_consent::message::Lease;
use mcbn_launcher::{Launcher, TokenType};
use mcbn_manifest::{self as manifest, Manifest};
use mcbn_pinned::{Connector, PinnedStream};
use mcbn_pinned_openssl::OpenSsl;
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::confidential_space::{Image, Issuer, Machine, Profile};
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::workload::mcbn;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Alice's, from the published sample.
pub const SHARE: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";

/// A participant's files, the issuer whom they trust, and the manifest.
pub struct House {
    pub folder: Folder,
    pub issuer: Issuer,
    pub manifest: Manifest,
}

/// What differs from house to house.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    pub rule: &'a str,
    pub share: &'a str,
    pub lease: u32,
    /// More lines for `[attestation]`.
    pub attestation: &'a str,
}

impl Default for Plan<'_> {
    fn default() -> Self {
        Self {
            rule: r#""unanimous""#,
            share: SHARE,
            lease: 300,
            attestation: "",
        }
    }
}

impl House {
    pub fn new() -> Self {
        Self::planned(Plan::default())
    }

    pub fn planned(plan: Plan<'_>) -> Self {
        let folder = Folder::new();
        folder.file("share", plan.share);
        std::fs::create_dir(folder.path().join("books")).expect("a new folder in a new folder");
        let mut key = mcbn();
        key.args(["keeper", "key", "--out"])
            .arg(folder.path().join("key"));
        let pin = Process::start(key).end().stdout().trim().to_owned();
        let image = Image::named("psk-server").digest;
        let Plan {
            rule,
            lease,
            attestation,
            ..
        } = plan;
        let text = format!(
            r#"
version = 1
network = "house"
rule = {rule}
lease = {lease}

[[participant]]
name = "alice"
keeper = "alice.example:7400"
pin = "{pin}"

[[participant]]
name = "bob"
keeper = "bob.example:7400"
pin = "K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA"

[[workload]]
name = "psk-server"
images = ["{image}"]

[attestation]
support = ["STABLE"]
hardware = ["GCP_AMD_SEV_SNP", "GCP_INTEL_TDX"]
{attestation}
"#
        );
        folder.file("manifest.toml", &text);
        let manifest = Manifest::parse(text.as_bytes());
        Self {
            folder,
            issuer: Issuer::start(),
            manifest: manifest.unwrap_or_else(|mistakes| panic!("{text}\n{mistakes}")),
        }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// `mcbn keeper run`, with a share, a key, a manifest, a ledger and a free port.
    pub fn keeper(&self) -> Command {
        let mut command = self.command("run");
        let mut share = OsString::from("file:");
        share.push(self.path("share"));
        command
            .args(["--participant", "alice", "--listen", "127.0.0.1:0"])
            .args(["--insecure-issuer", &self.issuer.url()])
            .arg("--manifest")
            .arg(self.path("manifest.toml"))
            .arg("--key")
            .arg(self.path("key"))
            .arg("--share")
            .arg(share);
        command
    }

    /// Any other command with the ledger.
    pub fn command(&self, words: &str) -> Command {
        let mut command = mcbn();
        command
            .arg("keeper")
            .args(words.split(' '))
            .arg("--ledger")
            .arg(self.books().join("ledger"));
        command
    }

    /// The folder that holds the ledger and nothing else.
    pub fn books(&self) -> PathBuf {
        self.path("books")
    }

    /// What a person's command says, which must be done.
    pub fn says(&self, words: &str) -> String {
        let ended = Process::start(self.command(words)).end();
        assert_eq!(ended.code, Some(0), "{words}: {ended}");
        ended.stdout()
    }

    /// What a command says that must fail so.
    pub fn refuses(&self, words: &str, code: i32) -> String {
        let ended = Process::start(self.command(words)).end();
        assert_eq!(ended.code, Some(code), "{words}: {ended}");
        assert_eq!(ended.stdout(), "");
        ended.stderr()
    }

    /// The third word of each line of the log: what kind of entry it is.
    pub fn log(&self) -> Vec<String> {
        let kind = |line: &str| line.split(' ').nth(2).expect("a kind").to_owned();
        self.says("log").lines().map(kind).collect()
    }

    pub fn start(&self) -> Keeper {
        self.start_with(|_| {})
    }

    pub fn start_with(&self, change: impl FnOnce(&mut Command)) -> Keeper {
        let mut command = self.keeper();
        change(&mut command);
        Keeper::start(command)
    }

    pub fn machine(&self, profile: Profile) -> Machine {
        Machine::start(&self.issuer, profile)
    }

    /// A workload that runs on this machine.
    pub fn workload(&self, keeper: &Keeper, machine: &Machine) -> Workload {
        Workload {
            client: Client {
                connect: To {
                    address: keeper.address,
                    connector: OpenSsl::new().expect("OpenSSL"),
                },
                tokens: Launcher::at(machine.socket(), DEADLINE),
                token_type: TokenType::Oidc,
                manifest: self.manifest.digest(),
            },
            keeper: the_one(&self.manifest).clone(),
        }
    }
}

/// The keeper of the first participant.
pub fn the_one(manifest: &Manifest) -> &manifest::Keeper {
    let keeper = manifest.participants()[0].keeper();
    keeper.expect("every participant of the house has one")
}

impl Default for House {
    fn default() -> Self {
        Self::new()
    }
}

/// A keeper that answers.
pub struct Keeper {
    pub process: Process,
    pub address: SocketAddr,
}

impl Keeper {
    pub fn start(command: Command) -> Self {
        let process = Process::start(command);
        let listening = process.wait_for_message("listening");
        let address = listening["address"].as_str().expect("an address");
        Self {
            address: address.parse().expect("an address"),
            process,
        }
    }

    /// Ends it as a service manager does.
    pub fn end(self) -> Ended {
        self.process.signal(rustix::process::Signal::TERM);
        self.process.end()
    }

    /// Processor time so far, of all threads.
    pub fn processor_seconds(&self) -> f64 {
        mcbn_tests_support::process::processor_time(self.process.pid()).expect("it runs")
    }

    /// The resident memory, in bytes.
    pub fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.pid());
        let status = std::fs::read_to_string(path).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kibibytes: u64 = kibibytes.expect("a size").parse().expect("a number");
        kibibytes * 1024
    }
}

/// Asks one keeper.
pub struct Workload {
    pub client: Client<To, Launcher>,
    pub keeper: manifest::Keeper,
}

impl Workload {
    pub async fn release(&self) -> Result<Granted<Lease>, Failure> {
        let asked = self.client.release(&self.keeper);
        timeout(DEADLINE, asked).await.expect("an answer in time")
    }

    pub async fn renew(&self, lease: &Lease) -> Result<std::time::Duration, Failure> {
        let asked = self.client.renew(&self.keeper, lease);
        timeout(DEADLINE, asked).await.expect("an answer in time")
    }

    /// Code and reasons of a refusal, in one line.
    pub async fn refused(&self) -> String {
        match self.release().await {
            Err(failure) => refusal(failure),
            Ok(granted) => panic!("it was granted: {granted:?}"),
        }
    }

    pub async fn not_renewed(&self, lease: &Lease) -> String {
        match self.renew(lease).await {
            Err(failure) => refusal(failure),
            Ok(length) => panic!("it was renewed for {length:?}"),
        }
    }
}

/// Code and reasons of a refusal, in one line.
pub fn refusal(failure: Failure) -> String {
    match failure {
        Failure::Refused { refusal, .. } => {
            let mut line = refusal.refused.to_string();
            for reason in refusal.reasons {
                line.push(' ');
                line.push_str(reason.as_str());
            }
            line
        }
        other => panic!("no refusal: {other:?}"),
    }
}

/// The keeper, wherever the manifest says that it is.
#[derive(Clone)]
pub struct To {
    pub address: SocketAddr,
    pub connector: OpenSsl,
}

impl Connect for To {
    type Stream = PinnedStream<<OpenSsl as Connector>::Tls<TcpStream>>;

    async fn connect(&self, keeper: &manifest::Keeper) -> Result<Channel<Self::Stream>, NoChannel> {
        let tcp = TcpStream::connect(self.address).await;
        let tcp = tcp.map_err(|error| NoChannel {
            reason: "connect",
            source: error.into(),
        })?;
        // As the images do.
        tcp.set_nodelay(true).expect("it is a TCP socket");
        let stream = self.connector.connect(tcp, &keeper.pin).await;
        let stream = stream.map_err(|error| NoChannel {
            reason: "handshake",
            source: error.into(),
        })?;
        Ok(Channel {
            exporter: *stream.peer().exporter(),
            stream,
        })
    }
}
