//! What the tests of threshold-generate share: the program on a simulated machine, and participants who ask it as theirs do.

#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mcbn_attest::{Issuer, Jwks, Leeway, UnixTime, Verifier};
use mcbn_attested::client::{Client, Connection, Demands, Failure, Method, PathAndQuery};
use mcbn_attested::{Identity, Purpose};
use mcbn_ceremony::Terms;
use mcbn_ceremony::approval::SigningKey;
use mcbn_ceremony::generation::{Expected, Joining, Opened, Receipt};
use mcbn_ceremony::message::path::generation as path;
use mcbn_ceremony::message::{
    Announcement, AskApprove, AskConfirm, AskShare, GivenReceipt, GivenShare, Refusal, Standing,
};
use mcbn_manifest::{Address, Manifest};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::confidential_space::{self as simulator, Image, Machine, Profile};
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::process::Process;
use mcbn_tests_support::workload::workload;
use mcbn_threshold::Index;
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use ring::rand::{SecureRandom, SystemRandom};
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde::{Deserialize, Serialize};

pub const WORKLOAD: &str = "threshold-generate";
const NAMES: [&str; 3] = ["alice", "bob", "carol"];
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
}

impl Person {
    fn new(name: &'static str, number: usize) -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("random numbers");
        Self::with(name, number, &key)
    }

    fn with(name: &'static str, number: usize, key: &KeyPair) -> Self {
        let number = u8::try_from(number).expect("few");
        Self {
            name,
            index: Index::new(number).expect("from one"),
            key: key.serialize_der(),
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

/// Three people, any two of whom are to sign, with an issuer whom they trust.
pub struct House {
    pub people: Vec<Person>,
    pub manifest: Manifest,
    /// Of the image that may make the key.
    digest: String,
    issuer: simulator::Issuer,
    folder: Folder,
}

impl Default for House {
    fn default() -> Self {
        Self::new()
    }
}

impl House {
    /// For the program: its digest is what the simulator says.
    pub fn new() -> Self {
        Self::of_image(Image::named(WORKLOAD).digest)
    }

    /// For an image with this digest.
    pub fn of_image(digest: String) -> Self {
        let people = NAMES.into_iter().zip(1..);
        let people = people.map(|(name, n)| Person::new(name, n)).collect();
        Self::of(people, digest, Folder::new())
    }

    /// Each with a key that `make` puts in the file `key` of this person's folder, and whose public half it gives.
    pub fn with_keys(make: impl Fn(&Path) -> String) -> Self {
        let folder = Folder::new();
        let people = NAMES.into_iter().zip(1..).map(|(name, number)| {
            let own = folder.path().join(name);
            std::fs::create_dir(&own).expect("a new folder");
            let printed = make(&own);
            let pem = std::fs::read_to_string(own.join("key")).expect("it was made");
            let key = KeyPair::from_pem(&pem).expect("a key");
            let person = Person::with(name, number, &key);
            let public = mcbn_manifest::SigningKey(person.signing_key().public().to_bytes());
            assert_eq!(printed, public.to_string());
            person
        });
        let people = people.collect();
        Self::of(people, Image::named(WORKLOAD).digest, folder)
    }

    fn of(people: Vec<Person>, digest: String, folder: Folder) -> Self {
        let mut text =
            "version = 1\nnetwork = \"house\"\nrule = { threshold = 2 }\nlease = 300\n".to_owned();
        for person in &people {
            let (name, key) = (person.name, person.signing_key().public());
            let pin = key.pin();
            let key = mcbn_manifest::SigningKey(key.to_bytes());
            text += &format!(
                "[[participant]]\nname = \"{name}\"\nkeeper = \"{name}.example:7400\"\npin = \"{pin}\"\nsigning-key = \"{key}\"\n"
            );
        }
        text += &format!(
            "[[workload]]\nname = \"{WORKLOAD}\"\nimages = [\"{digest}\"]\nenv-override = {{ MCBN_PURPOSE = \"{PURPOSE}\" }}\n\
             [attestation]\nsupport = [\"STABLE\"]\nhardware = [\"GCP_AMD_SEV_SNP\"]\n"
        );
        folder.file("manifest.toml", &text);
        Self {
            people,
            manifest: Manifest::parse(text.as_bytes()).expect("a manifest"),
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
            image: Image::with_digest(WORKLOAD, &self.digest, "sha256:0"),
            env_override: simulator::Overrides::Set([variable].into()),
            ..Profile::production()
        }
    }

    pub fn start(&self) -> Enclave {
        self.start_on(self.profile(), &[])
    }

    /// With nothing on it yet.
    pub fn machine(&self, profile: Profile) -> Machine {
        Machine::start(&self.issuer, profile)
    }

    /// On this machine, with more flags.
    pub fn start_on(&self, profile: Profile, flags: &[&str]) -> Enclave {
        let machine = self.machine(profile);
        let mut command = workload(WORKLOAD);
        let manifest = self.folder.path().join("manifest.toml");
        command
            .arg(format!("--manifest=file:{}", manifest.display()))
            .arg(format!("--purpose={PURPOSE}"))
            .arg("--token-socket")
            .arg(machine.socket())
            .args(flags);
        if !flags.iter().any(|flag| flag.starts_with("--listen")) {
            command.arg("--listen=127.0.0.1:0");
        }
        let process = Process::start(command);
        let listening = process.wait_for_message("listening");
        let address = listening["address"].as_str().expect("an address");
        Enclave {
            address: address.parse().expect("an address"),
            process,
            machine,
        }
    }

    fn demands(&self) -> Demands {
        let issuer = Issuer::insecure(self.issuer.name()).expect("it is on loopback");
        let keys = Jwks::parse(self.issuer.jwks().as_bytes()).expect("the issuer's key set");
        Demands {
            verifier: Verifier::offline(issuer, keys, Leeway::MAX),
            manifest: self.manifest.clone(),
            purpose: Purpose::named(WORKLOAD),
            workload: WORKLOAD.parse().expect("a name"),
            clock: Arc::new(UnixTime::now),
        }
    }

    /// What each of the people expects.
    pub fn expected(&self, person: &Person) -> Expected {
        Expected {
            terms: Terms::agreed(&self.manifest, WORKLOAD).expect("all is said"),
            purpose: PURPOSE.parse().expect("a purpose"),
            index: person.index,
        }
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
            client,
            address,
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

/// One participant's connection.
pub struct Visit<'a> {
    house: &'a House,
    person: &'a Person,
    client: Client,
    address: Address,
    connection: Connection,
}

/// What an answer says: what was asked for, or why not.
pub type Said<M> = Result<M, Refusal>;

impl Visit<'_> {
    /// What was vouched for.
    pub async fn ask<M>(&mut self, path: &'static str, body: Vec<u8>) -> Result<Said<M>, Failure>
    where
        M: for<'de> Deserialize<'de>,
    {
        let path = PathAndQuery::from_static(path);
        let asked = self
            .connection
            .request(Method::POST, path.clone(), body.clone());
        let answer = match asked.await {
            // A connection on which nothing is asked for half a minute ends, and a slow machine may take as long.
            Err(Failure::Broken(_) | Failure::Ended) => {
                self.connection = self.client.connect(&self.address).await?;
                self.connection.request(Method::POST, path, body).await?
            }
            other => other?,
        };
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

    pub async fn joining(&mut self) -> Joining {
        let announcement: Announcement = self.fetch(path::ANNOUNCEMENT).await.expect("it is open");
        let announced = announcement.announced().expect("it is valid");
        let expected = self.house.expected(self.person);
        let own = self.person.signing_key();
        let random = SystemRandom::new();
        let joining = Joining::new(&expected, announced, &own, |bytes| random.fill(bytes));
        joining.expect("it is what was agreed")
    }

    pub async fn standing(&mut self) -> Standing {
        self.fetch(path::STANDING).await.expect("it is always told")
    }

    pub fn approval(&self, joining: &Joining) -> AskApprove {
        AskApprove {
            participant: self.person.index,
            encryption_key: joining.encryption_key(),
            approval: joining.approve(&self.person.signing_key()),
        }
    }

    pub async fn approve(&mut self, joining: &Joining) -> Said<Standing> {
        let ask = self.approval(joining);
        self.say(path::APPROVE, &ask).await
    }

    pub async fn given(&mut self) -> Said<GivenShare> {
        let participant = self.person.index;
        self.say(path::SHARE, &AskShare { participant }).await
    }

    pub async fn open(&mut self, joining: &Joining) -> Opened {
        let given = self.given().await.expect("the key is made");
        let count = joining.announced().terms.participants().count();
        let group = given.group(count).expect("it is proven");
        joining.open(group, &given.sealed).expect("its own share")
    }

    pub async fn confirm(&mut self, opened: &Opened) -> Said<Standing> {
        let ask = AskConfirm {
            participant: self.person.index,
            confirmation: opened.confirm(&self.person.signing_key()),
        };
        self.say(path::CONFIRM, &ask).await
    }

    pub async fn receipt(&mut self) -> Said<Receipt> {
        let given: GivenReceipt = self.fetch(path::RECEIPT).await?;
        Ok(given.receipt().expect("it proves itself"))
    }
}
