//! What the tests of threshold-generate and threshold-sign share: the program on a simulated machine, and participants
//! who ask it as theirs do.

#![forbid(unsafe_code)]

mod generate;
pub mod sign;
pub mod timed;
pub mod tool;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use mcbn_attest::{Issuer, Jwks, Leeway, UnixTime, Verifier};
use mcbn_attested::client::{Client, Connection, Demands, Failure, Method, PathAndQuery};
use mcbn_attested::{Identity, Purpose};
use mcbn_ceremony::Terms;
use mcbn_ceremony::approval::SigningKey;
use mcbn_ceremony::message::{Code, Refusal};
use mcbn_ceremony::signing::Signers;
use mcbn_manifest::Manifest;
use mcbn_share::text;
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::confidential_space::{self as simulator, Image, Machine, Profile};
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::port::reserved;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::workload::{mcbn, workload};
use mcbn_threshold::{Group, Index, KeyShare, Threshold};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use ring::rand::{SecureRandom, SystemRandom};
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde::{Deserialize, Serialize};

pub const GENERATE: &str = "threshold-generate";
pub const SIGN: &str = "threshold-sign";
const NAMES: [&str; 10] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy",
];
pub const PURPOSE: &str = "to sign releases";

/// What stands before the seed of an Ed25519 key that is alone.
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A participant: a name and a key, for TLS and for approvals.
pub struct Person {
    pub name: &'static str,
    pub index: Index,
    key: Vec<u8>,
    /// Where their keeper answers, and the pin of its key.
    keeper: (String, String),
}

impl Person {
    fn new(name: &'static str, number: usize) -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("random numbers");
        Self::with(name, number, &key)
    }

    fn with(name: &'static str, number: usize, key: &KeyPair) -> Self {
        let number = u8::try_from(number).expect("few");
        let der = key.serialize_der();
        let own = SigningKey::from_pkcs8(&der).expect("an Ed25519 key");
        Self {
            name,
            index: Index::new(number).expect("from one"),
            // Nobody asks there.
            keeper: (
                format!("{name}.example:7400"),
                own.public().pin().to_string(),
            ),
            key: der,
        }
    }

    /// Somebody whom no manifest names.
    pub fn stranger() -> Self {
        Self::new("mallory", 1)
    }

    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_pkcs8(&self.key).expect("an Ed25519 key")
    }

    fn identity(&self) -> Identity {
        let der = PrivatePkcs8KeyDer::from(&*self.key);
        Identity::from_pkcs8(&der).expect("an Ed25519 key")
    }

    /// A certificate and its key in PEM, for a client of others.
    pub fn pem(&self) -> String {
        // RFC 8410 §7. OpenSSL takes no key that has its public half beside it, as ours have.
        let seed = &self.key[PKCS8_HEAD.len()..][..32];
        let der = PrivatePkcs8KeyDer::from([&PKCS8_HEAD, seed].concat());
        let key = KeyPair::try_from(&der).expect("an Ed25519 key");
        let parameters = CertificateParams::new([format!("{}.invalid", self.name)]);
        let signed = parameters.and_then(|parameters| parameters.self_signed(&key));
        signed.expect("the key is whole").pem() + &key.serialize_pem()
    }
}

fn people(count: usize) -> Vec<Person> {
    let people = NAMES.into_iter().zip(1..).take(count);
    people.map(|(name, n)| Person::new(name, n)).collect()
}

/// A group's key, and each person's share of it.
pub struct Key {
    pub group: Group,
    pub shares: Vec<KeyShare>,
}

impl Key {
    fn dealt() -> Self {
        let random = SystemRandom::new();
        let threshold = Threshold::new(2).expect("two");
        let dealt = mcbn_threshold::generate(threshold, 3, |bytes| random.fill(bytes));
        let dealt = dealt.expect("random numbers");
        Self {
            group: dealt.group,
            shares: dealt.shares,
        }
    }

    /// As a manifest has it.
    fn lines(&self, derivation: &str) -> String {
        let commitments = self.group.commitments().iter();
        let commitments: Vec<String> = commitments.map(|key| format!("\"{key}\"")).collect();
        let commitments = commitments.join(", ");
        format!("derivation = \"{derivation}\"\ncommitments = [{commitments}]\n")
    }
}

/// People, most often three, any two of whom are to sign, with an issuer whom they trust.
pub struct House {
    pub people: Vec<Person>,
    pub manifest: Manifest,
    /// Where they have a key.
    signers: Option<Signers>,
    workload: &'static str,
    /// Of the image that may play this role.
    digest: String,
    issuer: simulator::Issuer,
    folder: Folder,
}

impl House {
    /// For the program threshold-generate: its digest is what the simulator says.
    pub fn to_generate() -> Self {
        Self::to_generate_with(Image::named(GENERATE).digest)
    }

    /// For an image of it with this digest.
    pub fn to_generate_with(digest: String) -> Self {
        Self::of(people(3), 2, GENERATE, digest, "", Folder::new())
    }

    /// The same for ten people, any seven of whom are to sign.
    pub fn to_generate_for_ten() -> Self {
        let digest = Image::named(GENERATE).digest;
        Self::of(people(10), 7, GENERATE, digest, "", Folder::new())
    }

    /// For the program threshold-sign, with a key that the people have.
    pub fn to_sign() -> (Self, Key) {
        Self::to_sign_with(Image::named(SIGN).digest)
    }

    /// For an image of it with this digest.
    pub fn to_sign_with(digest: String) -> (Self, Key) {
        let key = Key::dealt();
        let lines = key.lines("bls-prf-v1");
        let house = Self::of(people(3), 2, SIGN, digest, &lines, Folder::new());
        (house, key)
    }

    /// For the program threshold-sign, to which the people reveal their shares: Alice's keeper can, and each person's is
    /// in the file of their name.
    pub fn to_sign_with_revealed_shares() -> (Self, Key) {
        let key = Key::dealt();
        let folder = Folder::new();
        let mut people = people(3);
        for (person, share) in people.iter().zip(&key.shares) {
            folder.file(person.name, text::signing_share_hex(&share.secret()));
        }
        let mut make = mcbn();
        make.args(["keeper", "key", "--out"])
            .arg(folder.path().join("keeper-key"));
        let made = Process::start(make).end();
        made.expect_code(0);
        people[0].keeper = (reserved().to_string(), made.stdout().trim().to_owned());
        let lines = key.lines("bls-reveal-v1");
        let house = Self::of(people, 2, SIGN, Image::named(SIGN).digest, &lines, folder);
        (house, key)
    }

    /// Alice's.
    pub fn keeper(&self) -> Process {
        std::fs::create_dir(self.path("books")).expect("a new folder");
        let mut command = self.keeper_command("run");
        command
            .args([
                "--participant",
                "alice",
                "--listen",
                &self.people[0].keeper.0,
            ])
            .args(["--insecure-issuer", &self.issuer_url()])
            .arg("--manifest")
            .arg(self.path("manifest.toml"))
            .arg("--key")
            .arg(self.path("keeper-key"))
            .arg(format!("--share=file:{}", self.path("alice").display()));
        let process = Process::start(command);
        process.wait_for_message("listening");
        process
    }

    /// Any command with its ledger.
    pub fn keeper_command(&self, words: &str) -> Command {
        let mut command = mcbn();
        command
            .arg("keeper")
            .args(words.split(' '))
            .arg("--ledger")
            .arg(self.path("books/ledger"));
        command
    }

    /// `lines` are of the key that there is.
    fn of(
        people: Vec<Person>,
        threshold: u8,
        workload: &'static str,
        digest: String,
        lines: &str,
        folder: Folder,
    ) -> Self {
        let mut text = format!(
            "version = 1\nnetwork = \"house\"\nrule = {{ threshold = {threshold} }}\nlease = 10\n{lines}"
        );
        for person in &people {
            let (name, key) = (person.name, person.signing_key().public());
            let (keeper, pin) = &person.keeper;
            let key = mcbn_manifest::SigningKey(key.to_bytes());
            text += &format!(
                "[[participant]]\nname = \"{name}\"\nkeeper = \"{keeper}\"\npin = \"{pin}\"\nsigning-key = \"{key}\"\n"
            );
        }
        text += &format!(
            "[[workload]]\nname = \"{workload}\"\nimages = [\"{digest}\"]\nenv-override = {{ MCBN_PURPOSE = \"{PURPOSE}\" }}\n\
             [attestation]\nsupport = [\"STABLE\"]\nhardware = [\"GCP_AMD_SEV_SNP\"]\n"
        );
        folder.file("manifest.toml", &text);
        let manifest = Manifest::parse(text.as_bytes()).expect("a manifest");
        Self {
            people,
            signers: Signers::agreed(&manifest, workload).ok(),
            manifest,
            workload,
            digest,
            issuer: simulator::Issuer::start(),
            folder,
        }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub fn issuer_url(&self) -> String {
        self.issuer.url()
    }

    /// As the manifest demands it.
    pub fn profile(&self) -> Profile {
        let variable = ("MCBN_PURPOSE".to_owned(), PURPOSE.to_owned());
        Profile {
            image: Image::with_digest(self.workload, &self.digest, "sha256:0"),
            env_override: simulator::Overrides::Set([variable].into()),
            ..Profile::production()
        }
    }

    pub fn start(&self) -> Enclave {
        self.start_on(self.profile(), &[])
    }

    /// The same, but for an operator who can look into it.
    pub fn debug_profile(&self) -> Profile {
        let debug = Profile::debug();
        Profile {
            debug_status: debug.debug_status,
            support: debug.support,
            ..self.profile()
        }
    }

    /// With nothing on it yet.
    pub fn machine(&self, profile: Profile) -> Machine {
        Machine::start(&self.issuer, profile)
    }

    /// On this machine, with more flags.
    pub fn start_on(&self, profile: Profile, flags: &[&str]) -> Enclave {
        self.start_for(DEADLINE, profile, flags)
    }

    /// For so long at most.
    pub fn start_for(&self, deadline: Duration, profile: Profile, flags: &[&str]) -> Enclave {
        let machine = self.machine(profile);
        let process = Process::start_for(self.command(&machine, flags), deadline);
        let listening = process.wait_for_message("listening");
        let address = listening["address"].as_str().expect("an address");
        Enclave {
            address: address.parse().expect("an address"),
            process,
            machine,
        }
    }

    /// How it ends with these flags, without ever listening.
    pub fn refused_start(&self, flags: &[&str]) -> Ended {
        let machine = self.machine(self.profile());
        Process::start(self.command(&machine, flags)).end()
    }

    fn command(&self, machine: &Machine, flags: &[&str]) -> Command {
        let mut command = workload(self.workload);
        command
            .arg(format!(
                "--manifest=file:{}",
                self.path("manifest.toml").display()
            ))
            .arg("--token-socket")
            .arg(machine.socket())
            .args(flags);
        if self.workload == GENERATE {
            command.arg(format!("--purpose={PURPOSE}"));
        }
        if !flags.iter().any(|flag| flag.starts_with("--listen")) {
            command.arg("--listen=127.0.0.1:0");
        }
        command
    }

    fn demands(&self) -> Demands {
        let issuer = Issuer::insecure(self.issuer.name()).expect("it is on loopback");
        let keys = Jwks::parse(self.issuer.jwks().as_bytes()).expect("the issuer's key set");
        Demands {
            verifier: Verifier::offline(issuer, keys, Leeway::MAX),
            manifest: self.manifest.clone(),
            purpose: Purpose::named(self.workload),
            workload: self.workload.parse().expect("a name"),
            clock: Arc::new(UnixTime::now),
        }
    }

    fn terms(&self) -> Terms {
        Terms::agreed(&self.manifest, self.workload).expect("all is said")
    }

    /// One of each of the people.
    pub async fn visits<'a>(&'a self, enclave: &Enclave) -> Vec<Visit<'a>> {
        self.visits_at(enclave.address).await
    }

    pub async fn visits_at(&self, address: SocketAddr) -> Vec<Visit<'_>> {
        let mut visits = Vec::new();
        for person in &self.people {
            let visit = self.visit_at(person, address).await;
            visits.push(visit.expect("they are let in"));
        }
        visits
    }

    pub async fn visit<'a>(
        &'a self,
        person: &'a Person,
        enclave: &Enclave,
    ) -> Result<Visit<'a>, Failure> {
        self.visit_at(person, enclave.address).await
    }

    pub async fn visit_at<'a>(
        &'a self,
        person: &'a Person,
        address: SocketAddr,
    ) -> Result<Visit<'a>, Failure> {
        let identity = person.identity();
        let client = Client::new(identity, self.demands(), SystemRandom::new(), DEADLINE);
        let address = address.to_string().parse().expect("an address");
        let client = client.expect("a key");
        let connection = client.connect(&address).await?;
        Ok(Visit {
            house: self,
            person,
            connection,
        })
    }
}

/// The program, on its machine.
pub struct Enclave {
    pub address: SocketAddr,
    pub process: Process,
    pub machine: Machine,
}

impl Enclave {
    /// What the admin port says, where it was started with `--admin`.
    pub fn says(&self, path: &str) -> String {
        let message = self.process.wait_for_message("admin port listening");
        let address = message["address"].as_str().expect("an address");
        let mut stream = TcpStream::connect(address).expect("it listens");
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }
}

/// One participant's connection.
pub struct Visit<'a> {
    house: &'a House,
    person: &'a Person,
    connection: Connection,
}

/// What an answer says: what was asked for, or why not.
pub type Said<M> = Result<M, Refusal>;

/// Why it is not granted, and the number of who is at fault.
///
/// # Panics
///
/// Where it is granted.
pub fn refused<M>(said: Said<M>) -> (Code, Option<u8>) {
    match said {
        Ok(_) => panic!("it is granted"),
        Err(refusal) => (
            refusal.refused,
            refusal.participant.map(|index| index.get()),
        ),
    }
}

impl Visit<'_> {
    /// What was vouched for.
    pub async fn ask<M>(&mut self, path: &'static str, body: Vec<u8>) -> Result<Said<M>, Failure>
    where
        M: for<'de> Deserialize<'de>,
    {
        let path = PathAndQuery::from_static(path);
        let asked = self.connection.request(Method::POST, path, body);
        let answer = asked.await?;
        let body = answer.body();
        Ok(match answer.status().is_success() {
            true => Ok(mcbn_body::read(body).expect("the message")),
            false => {
                let refusal: Refusal = mcbn_body::read(body).expect("a refusal");
                assert_eq!(answer.status(), refusal.refused.status());
                Err(refusal)
            }
        })
    }

    /// The same, of a server that is trusted by then.
    pub async fn say<M>(&mut self, path: &'static str, ask: &impl Serialize) -> Said<M>
    where
        M: for<'de> Deserialize<'de>,
    {
        let said = self.ask(path, mcbn_body::write(ask)).await;
        said.expect("it is vouched for")
    }

    async fn fetch<M>(&mut self, path: &'static str) -> Said<M>
    where
        M: for<'de> Deserialize<'de>,
    {
        let said = self.ask(path, Vec::new()).await;
        said.expect("it is vouched for")
    }
}
