//! A house of three: alice has a keeper, bob's share is a secret of Secret Manager, and a key of Cloud KMS opens carol's.
//!
//! Their shares are those of `mcbn share`, file by file. Bob and carol have projects, pools and providers of their own, whose
//! conditions name the image and the manifest.

#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use base64ct::{Base64UrlUnpadded, Encoding};
use mcbn_tests_demo::visitor::service;
use mcbn_tests_demo::{Host, Programs, Running, Variables, hears};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::confidential_space::{
    Image, Instance, Issuer, Machine, Overrides, Profile,
};
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::google_cloud::{Cloud, Condition, Protection, Provider, Role};
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::port;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::workload::mcbn;

/// In seconds: the shortest that a manifest may name.
pub const LEASE: u32 = 10;

/// Of the one image that all programs here are.
pub const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

pub const SECRET: &str = "projects/100200300/secrets/mcbn-share";
pub const KEY: &str = "projects/carols-house/locations/europe-west3/keyRings/mcbn/cryptoKeys/share";

const BOBS: &str =
    "projects/100200300/locations/global/workloadIdentityPools/mcbn/providers/attested";
const CAROLS: &str =
    "projects/400500600/locations/global/workloadIdentityPools/mcbn/providers/attested";

/// Their machines' issuer, their cloud, and alice's keeper.
pub struct House {
    pub cloud: Cloud,
    pub bob: Bob,
    pub carol: Carol,
    issuer: Issuer,
    folder: Folder,
    /// Of `MCBN_MANIFEST`.
    manifest: String,
    /// As `mcbn manifest check` shows it.
    digest: String,
    service: Plain,
    alice: Option<Process>,
}

/// What they agreed on.
pub struct Plan {
    /// All of them are needed for `hkdf-v1`, and two for the others.
    pub derivation: &'static str,
    /// Which part the image may play.
    pub workload: &'static str,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            derivation: "hkdf-v1",
            workload: "psk-server",
        }
    }
}

pub struct Bob {
    pub provider: Provider,
    /// With its version.
    pub secret: String,
}

pub struct Carol {
    pub provider: Provider,
}

impl House {
    pub fn new() -> Self {
        Self::of(Plan::default())
    }

    pub fn of(plan: Plan) -> Self {
        let folder = Folder::new();
        let issuer = Issuer::start();
        let cloud = Cloud::start(&issuer);
        let iam = cloud.iam();
        iam.add_project("bobs-house", "100200300");
        iam.add_project("carols-house", "400500600");

        let rule = rule(plan.derivation, &folder);
        let signing_keys = NAMES.map(|name| {
            let file = format!("{name}.key");
            let made = done(mcbn_with(&["threshold", "key", "--out"], &folder, &file));
            made.stdout().trim().to_owned()
        });
        let share = |name| std::fs::read(folder.path().join(name)).expect("it was just made");
        let secret = cloud.secrets().add_version(SECRET, &share("bob"));
        cloud.kms().add_symmetric_key(KEY, Protection::Software);
        let label = b"mcbn share of carol in house";
        let ciphertext = cloud.kms().encrypt(KEY, &share("carol"), label);

        let pin = done(mcbn_with(&["keeper", "key", "--out"], &folder, "key"));
        let address = port::reserved();
        let [alice, bob, carol] = signing_keys;
        let participants = [
            format!(
                "keeper = \"{address}\"\npin = \"{}\"\nsigning-key = \"{alice}\"",
                pin.stdout().trim()
            ),
            format!(
                "share = \"gcp-secret:{secret}\"\nidentity = \"{BOBS}\"\nsigning-key = \"{bob}\""
            ),
            format!(
                "share = \"gcp-kms:{KEY}\"\nciphertext = \"{}\"\nidentity = \"{CAROLS}\"\nsigning-key = \"{carol}\"",
                Base64UrlUnpadded::encode_string(&ciphertext)
            ),
        ];
        let text = manifest(&rule, &participants, plan.workload, &cloud);
        let file = folder.file("manifest.toml", &text);
        let mut alice = mcbn();
        alice
            .args(["keeper", "run", "--participant", "alice", "--manifest"])
            .arg(&file)
            .args(["--listen", &address.to_string()])
            .args(["--insecure-issuer", &issuer.url()])
            .arg(format!(
                "--share=file:{}",
                folder.path().join("alice").display()
            ))
            .arg("--key")
            .arg(folder.path().join("key"))
            .arg("--ledger")
            .arg(folder.path().join("ledger"));
        let alice = Process::start(alice);
        alice.wait_for_message("listening");

        let manifest = format!("text:{}", Base64UrlUnpadded::encode_string(text.as_bytes()));
        let checked = done(mcbn_with(&["manifest", "check"], &folder, "manifest.toml"));
        let shown = checked.stdout();
        let digest = shown.lines().find_map(|line| line.strip_prefix("digest"));
        let digest = digest.expect("it is shown").trim().to_owned();
        let condition = agreed(DIGEST, &digest);
        let bob = Bob {
            provider: cloud.sts().set_provider_for_itself(BOBS, condition.clone()),
            secret,
        };
        let carol = Carol {
            provider: cloud.sts().set_provider_for_itself(CAROLS, condition),
        };
        iam.bind(&bob.provider.image(DIGEST), SECRET, Role::SecretAccessor);
        iam.bind(&carol.provider.image(DIGEST), KEY, Role::Decrypter);
        Self {
            cloud,
            bob,
            carol,
            issuer,
            folder,
            manifest,
            digest,
            service: service(),
            alice: Some(alice),
        }
    }

    /// Her keeper is killed.
    pub fn alice_leaves(&mut self) {
        self.alice = None;
    }

    /// Bob and carol take back what their clouds allow.
    pub fn bob_withdraws(&self) {
        let image = self.bob.provider.image(DIGEST);
        self.cloud
            .iam()
            .unbind(&image, SECRET, Role::SecretAccessor);
    }

    pub fn carol_withdraws(&self) {
        let image = self.carol.provider.image(DIGEST);
        self.cloud.iam().unbind(&image, KEY, Role::Decrypter);
    }

    /// From now on, bob lets only this image and manifest have his share.
    pub fn bob_demands(&self, digest: &str, manifest: &str) {
        let condition = agreed(digest, manifest);
        self.cloud.sts().set_provider_for_itself(BOBS, condition);
    }

    /// What `MCBN_MANIFEST` is for a manifest that ends otherwise.
    pub fn manifest_with(&self, end: &str) -> String {
        let file = self.folder.path().join("manifest.toml");
        let text = std::fs::read_to_string(file).expect("it is there") + end;
        format!("text:{}", Base64UrlUnpadded::encode_string(text.as_bytes()))
    }

    /// Of the manifest.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The text of a share's file.
    pub fn share(&self, whose: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(whose)).expect("it is there")
    }

    pub fn share_file(&self, whose: &str) -> String {
        self.folder.path().join(whose).display().to_string()
    }

    /// For `SSL_CERT_FILE`.
    pub fn file_without_certificates(&self) -> String {
        let file = self.folder.file("no-certificates.pem", "");
        file.display().to_string()
    }

    /// Starts a workload on a machine of its own, with these variables beside the manifest.
    pub fn start(&self, name: &str, more: &[(&str, String)]) -> Running {
        let operators: Variables = [("MCBN_MANIFEST".to_owned(), self.manifest.clone())].into();
        let profile = Profile {
            instance: Instance::named(name),
            image: Image::with_digest(name, DIGEST, "sha256:0"),
            env_override: Overrides::Set(operators.clone()),
            ..Profile::production()
        };
        let root = self.cloud.root_pem().display().to_string();
        let mut variables = operators;
        variables.insert("SSL_CERT_FILE".to_owned(), root);
        variables.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        Programs.start(name, Machine::start(&self.issuer, profile), &variables)
    }

    /// A psk-server that may not be ready yet.
    pub fn starting_server(&self, more: &[(&str, String)]) -> Running {
        let mut variables = vec![
            ("MCBN_LISTEN", "127.0.0.1:0".to_owned()),
            ("MCBN_ADMIN", "127.0.0.1:0".to_owned()),
            ("MCBN_FORWARD", self.service.address().to_string()),
        ];
        variables.extend(more.to_vec());
        self.start("psk-server", &variables)
    }

    pub fn server(&self) -> Server {
        let running = self.starting_server(&[]);
        let server = Server {
            admin: address(&running.process, "admin port listening"),
            address: address(&running.process, "listening"),
            running,
        };
        server.becomes_ready(true);
        server
    }

    /// A local port whose connections come out at the service.
    pub fn client(&self, server: &Server) -> (SocketAddr, Running) {
        let running = self.start(
            "psk-client",
            &[
                ("MCBN_LISTEN", "127.0.0.1:0".to_owned()),
                ("MCBN_SERVER", server.address.to_string()),
            ],
        );
        (address(&running.process, "listening"), running)
    }
}

impl Default for House {
    fn default() -> Self {
        Self::new()
    }
}

/// A ready psk-server.
pub struct Server {
    pub running: Running,
    admin: SocketAddr,
    address: SocketAddr,
}

impl Server {
    pub fn hears(&self, message: &str, participant: &str) {
        hears(&self.running.process, message, participant);
    }

    pub fn is_ready(&self) -> bool {
        get(self.admin, "/readyz").starts_with("HTTP/1.1 200 ")
    }

    /// Until it is ready, or is not.
    pub fn becomes_ready(&self, ready: bool) {
        let start = Instant::now();
        while self.is_ready() != ready {
            assert!(start.elapsed() < DEADLINE, "it never becomes so");
            // As whoever watches it does.
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn metric(&self, name: &str) -> u32 {
        let metrics = get(self.admin, "/metrics");
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {metrics}"));
        line.trim().parse().expect("a number")
    }
}

/// What a provider of the house demands of a token.
fn agreed(digest: &str, manifest: &str) -> Condition {
    let (digest, manifest) = (digest.to_owned(), manifest.to_owned());
    Condition::that(move |claims| {
        let container = &claims["submods"]["container"];
        claims["swname"] == "CONFIDENTIAL_SPACE"
            && claims["dbgstat"] == "disabled-since-boot"
            && container["image_digest"] == digest.as_str()
            && claims["eat_nonce"] == manifest.as_str()
    })
}

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// Makes the shares, and gives the manifest's lines about them.
fn rule(derivation: &str, folder: &Folder) -> String {
    if derivation == "hkdf-v1" {
        for name in NAMES {
            done(mcbn_with(&["share", "new", "--out"], folder, name));
        }
        return "rule = \"unanimous\"\n".to_owned();
    }
    // What is made to sign with can be revealed as well. A ceremony would make it so that nobody ever had the key.
    let split = derivation.replace("bls-reveal-v1", "bls-prf-v1");
    let words = ["share", "split", "--threshold", "2", "--derivation", &split];
    let mut command = mcbn_with(&[&words[..], &["--out-dir"]].concat(), folder, "split");
    command.args(NAMES);
    let lines = done(command).stdout().replace(&split, derivation);
    for name in NAMES {
        let file = folder.path().join("split").join(name);
        std::fs::rename(file, folder.path().join(name)).expect("one share for each");
    }
    format!("rule = {{ threshold = 2 }}\n{lines}")
}

fn manifest(rule: &str, participants: &[String; 3], workload: &str, cloud: &Cloud) -> String {
    let mut text = format!("version = 1\nnetwork = \"house\"\n{rule}lease = {LEASE}\n");
    for (name, lines) in NAMES.iter().zip(participants) {
        text += &format!("\n[[participant]]\nname = \"{name}\"\n{lines}\n");
    }
    text + &format!(
        r#"
[[workload]]
name = "{workload}"
images = ["{DIGEST}"]

[attestation]
support = ["STABLE"]
hardware = ["GCP_AMD_SEV_SNP", "GCP_INTEL_TDX"]

[google-cloud]
kms = "{}"
secret-manager = "{}"
sts = "{}"
"#,
        cloud.kms().endpoint(),
        cloud.secrets().endpoint(),
        cloud.sts().endpoint(),
    )
}

/// Where a program says that it listens.
pub fn address(process: &Process, message: &str) -> SocketAddr {
    let event = process.wait_for_message(message);
    let address = event["address"].as_str().expect("a text");
    address.parse().expect("an address")
}

/// The whole answer of an HTTP server.
pub fn get(from: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(from).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

fn mcbn_with(words: &[&str], folder: &Folder, file: &str) -> Command {
    let mut command = mcbn();
    command.args(words).arg(folder.path().join(file));
    command
}

fn done(command: Command) -> Ended {
    let ended = Process::start(command).end();
    ended.expect_code(0);
    ended
}
