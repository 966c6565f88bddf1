//! A house of three: alice has a keeper, bob's share is a secret of Secret Manager, and a key of Cloud KMS opens carol's.
//!
//! Their shares are those of `mcbn share`, file by file. Bob and carol have projects, pools and providers of their own, whose
//! conditions name the images and the manifest.

#![forbid(unsafe_code)]

mod ends;

use std::process::Command;

use base64ct::{Base64UrlUnpadded, Encoding};
use mcbn_tests_demo::visitor::service;
use mcbn_tests_demo::{Host, Programs, Running, Variables};
use mcbn_tests_support::confidential_space::{
    Image, Instance, Issuer, Machine, Overrides, Profile,
};
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::google_cloud::{
    Cloud, Condition, NAME, Protection, Provider, Role, Service,
};
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::port;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::workload::mcbn;

pub use ends::{End, Server, address, echo, get};

/// In seconds: the shortest that a manifest may name.
pub const LEASE: u32 = 10;

/// Of the one image that all plain programs are.
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
    host: Box<dyn Host>,
    images: Vec<(&'static str, String)>,
}

/// What they agreed on.
pub struct Plan {
    /// All of them are needed for `hkdf-v1`, and two for the others.
    pub derivation: &'static str,
    /// Which part each image may play, and its digest.
    pub images: Vec<(&'static str, String)>,
    /// What runs them.
    pub host: Box<dyn Host>,
    /// Whether the cloud is called [`NAME`], which the host must know then.
    pub has_name: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            derivation: "hkdf-v1",
            images: vec![("psk-server", DIGEST.to_owned())],
            host: Box::new(Programs),
            has_name: false,
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
        let text = manifest(&rule, &participants, &plan, &cloud);
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
        let images = plan.images;
        let digests = images.iter().map(|(_, digest)| digest.clone()).collect();
        let condition = agreed(digests, &digest);
        let bob = Bob {
            provider: cloud.sts().set_provider_for_itself(BOBS, condition.clone()),
            secret,
        };
        let carol = Carol {
            provider: cloud.sts().set_provider_for_itself(CAROLS, condition),
        };
        for (_, image) in &images {
            iam.bind(&bob.provider.image(image), SECRET, Role::SecretAccessor);
            iam.bind(&carol.provider.image(image), KEY, Role::Decrypter);
        }
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
            host: plan.host,
            images,
        }
    }

    /// Her keeper is killed.
    pub fn alice_leaves(&mut self) {
        self.alice = None;
    }

    /// Bob and carol take back what their clouds allow.
    pub fn bob_withdraws(&self) {
        self.unbind(&self.bob.provider, SECRET, Role::SecretAccessor);
    }

    pub fn carol_withdraws(&self) {
        self.unbind(&self.carol.provider, KEY, Role::Decrypter);
    }

    fn unbind(&self, provider: &Provider, resource: &str, role: Role) {
        for (_, image) in &self.images {
            self.cloud
                .iam()
                .unbind(&provider.image(image), resource, role);
        }
    }

    /// From now on, bob lets only this image and manifest have his share.
    pub fn bob_demands(&self, digest: &str, manifest: &str) {
        let condition = agreed(vec![digest.to_owned()], manifest);
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
            image: Image::with_digest(name, self.image(name), "sha256:0"),
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
        let machine = Machine::start(&self.issuer, profile);
        self.host.start(name, machine, &variables)
    }

    /// The digest of what this program is in.
    fn image(&self, name: &str) -> &str {
        let own = self.images.iter().find(|(image, _)| *image == name);
        own.map_or(DIGEST, |(_, digest)| digest)
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
}

impl Default for House {
    fn default() -> Self {
        Self::new()
    }
}

/// What a provider of the house demands of a token.
fn agreed(digests: Vec<String>, manifest: &str) -> Condition {
    let manifest = manifest.to_owned();
    Condition::that(move |claims| {
        let container = &claims["submods"]["container"];
        claims["swname"] == "CONFIDENTIAL_SPACE"
            && claims["dbgstat"] == "disabled-since-boot"
            && digests
                .iter()
                .any(|digest| container["image_digest"] == digest.as_str())
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

fn manifest(rule: &str, participants: &[String; 3], plan: &Plan, cloud: &Cloud) -> String {
    let mut text = format!("version = 1\nnetwork = \"house\"\n{rule}lease = {LEASE}\n");
    for (name, lines) in NAMES.iter().zip(participants) {
        text += &format!("\n[[participant]]\nname = \"{name}\"\n{lines}\n");
    }
    for (name, digest) in &plan.images {
        text += &format!("\n[[workload]]\nname = \"{name}\"\nimages = [\"{digest}\"]\n");
    }
    let endpoint = |service: &Service| match plan.has_name {
        true => service.endpoint().replace("127.0.0.1", NAME),
        false => service.endpoint().to_owned(),
    };
    text + &format!(
        r#"
[attestation]
support = ["STABLE"]
hardware = ["GCP_AMD_SEV_SNP", "GCP_INTEL_TDX"]

[google-cloud]
kms = "{}"
secret-manager = "{}"
sts = "{}"
"#,
        endpoint(cloud.kms()),
        endpoint(cloud.secrets()),
        endpoint(cloud.sts()),
    )
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
