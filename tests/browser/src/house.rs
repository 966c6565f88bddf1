//! A keeper whose page is open, and machines that ask it for its share.

use std::fs;
use std::time::Duration;

use mcbn_consent::ask::Granted;
use mcbn_consent::client::{Client, Failure};
use mcbn_consent::message::Lease;
use mcbn_launcher::{Launcher, TokenType};
use mcbn_manifest::{Keeper, Manifest};
use mcbn_pinned::Keepers;
use mcbn_pinned_openssl::OpenSsl;
use mcbn_tests_demo::network::{Agreement, Network, Role, Rule};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::confidential_space::{Image, Instance, Machine, Profile};
use mcbn_tests_support::folder::Folder;
use tokio::runtime::Runtime;

/// Alice's keeper, who wants to be asked.
pub struct House {
    network: Network,
    manifest: Manifest,
    runtime: Runtime,
    _folder: Folder,
}

/// A machine, and what asks on it.
pub struct Guest<'h> {
    house: &'h House,
    client: Client<Keepers<OpenSsl>, Launcher>,
    _machine: Machine,
}

impl House {
    pub fn open() -> Self {
        let agreement = Agreement {
            people: &["alice"],
            rule: Rule::All,
            lease: 300,
            host: None,
        };
        let image = Image::named("psk-server").digest;
        let role = Role {
            name: "psk-server",
            image: &image,
            variables: Default::default(),
        };
        let mut network = Network::found(&agreement, &[role]);
        // A keeper that still fetches keys says that it is busy.
        let folder = Folder::new();
        let jwks = folder.file("jwks.json", network.issuer().jwks());
        let jwks = jwks.to_str().expect("a plain name");
        network.start_keeper("alice", &["--ask", "--page", "127.0.0.1:0", "--jwks", jwks]);
        let manifest = fs::read(network.manifest()).expect("it was written");
        Self {
            network,
            manifest: Manifest::parse(&manifest).expect("it is one"),
            _folder: folder,
            runtime: Runtime::new().expect("threads can be started"),
        }
    }

    /// The page's address, as the command prints it.
    pub fn page(&self) -> String {
        self.keeper("page", &[]).trim().to_owned()
    }

    /// Where the page is, without what opens it.
    pub fn origin(&self) -> String {
        let page = self.page();
        let (origin, _) = page.split_once("/enter").expect("the address of a door");
        origin.to_owned()
    }

    /// What `mcbn keeper WORDS …` says on the keeper's ledger.
    pub fn keeper(&self, words: &str, arguments: &[&str]) -> String {
        self.network.person("alice").keeper(words, arguments)
    }

    /// The kinds of the ledger's entries, after the one that says that the keeper has started.
    pub fn kinds(&self) -> Vec<String> {
        let log = self.keeper("log", &[]);
        let kinds = log.lines().skip(1).map(|line| line.split(' ').nth(2));
        kinds.map(|kind| kind.expect("a kind").to_owned()).collect()
    }

    pub fn keeper_has_written(&self) -> String {
        self.network.person("alice").running().seen().to_string()
    }

    /// A machine of this name that meets every demand.
    pub fn guest(&self, name: &str) -> Guest<'_> {
        let profile = Profile {
            instance: Instance::named(name),
            ..Profile::production()
        };
        self.guest_like(profile)
    }

    pub fn guest_like(&self, profile: Profile) -> Guest<'_> {
        let machine = Machine::start(self.network.issuer(), profile);
        let keepers = Keepers::of(self.manifest.participants(), None);
        let client = Client {
            connect: keepers.expect("addresses need no resolver"),
            tokens: Launcher::at(machine.socket(), DEADLINE),
            token_type: TokenType::Oidc,
            manifest: self.manifest.digest(),
        };
        Guest {
            house: self,
            client,
            _machine: machine,
        }
    }
}

impl Guest<'_> {
    fn alice(&self) -> &Keeper {
        let [alice] = self.house.manifest.participants() else {
            panic!("she lives alone");
        };
        alice.keeper().expect("she has one")
    }

    /// Asks for the share.
    pub fn ask(&self) -> Result<Granted<Lease>, Failure> {
        self.house
            .runtime
            .block_on(self.client.release(self.alice()))
    }

    /// Asks for more time.
    pub fn renew(&self, lease: &Lease) -> Result<Duration, Failure> {
        self.house
            .runtime
            .block_on(self.client.renew(self.alice(), lease))
    }

    /// Asks, and is told to wait for a person.
    pub fn knock(&self) {
        let answer = self.ask().map(drop).map_err(|failure| failure.reason());
        assert_eq!(answer, Err("pending"));
    }
}
