//! A network of people on this machine: their keepers, their manifest, and the issuer whom they trust.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::confidential_space::Issuer;
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::port;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::workload::mcbn;

use crate::Variables;

/// A workload that the manifest names, the digest of its image, and what its operator may set.
pub struct Role<'a> {
    pub name: &'a str,
    pub image: &'a str,
    pub variables: Variables,
}

/// What the people agree on, beside the workloads.
pub struct Agreement<'a> {
    pub people: &'a [&'a str],
    pub rule: Rule,
    /// In seconds.
    pub lease: u32,
    /// Where the keepers are. None: on addresses of loopback.
    pub host: Option<Ipv4Addr>,
}

/// Whose consent it takes, and what they give.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// That of all, who give shares.
    All,
    /// That of so many, who give shares.
    Shamir(usize),
    /// That of so many, who sign and keep their shares.
    Signed(usize),
}

/// People whose manifest is written, and whose keepers may run.
pub struct Network {
    folder: Folder,
    issuer: Issuer,
    people: Vec<Person>,
}

/// One participant: a folder with a share, a key and a ledger, and a keeper.
pub struct Person {
    pub name: String,
    folder: PathBuf,
    address: std::net::SocketAddr,
    pin: String,
    keeper: Option<Process>,
}

impl Network {
    /// Draws shares and keys and writes the manifest. No keeper runs yet.
    pub fn found(agreement: &Agreement<'_>, roles: &[Role<'_>]) -> Self {
        let folder = Folder::new();
        let people: Vec<Person> = agreement
            .people
            .iter()
            .map(|name| Person::new(name, folder.path(), agreement.host))
            .collect();
        let folder_of_shares = folder.path().join("split");
        let lines = match agreement.rule {
            Rule::All => {
                people.iter().for_each(Person::draw_share);
                String::new()
            }
            Rule::Shamir(threshold) => {
                split_shares(threshold, "shamir-v1", &people, &folder_of_shares)
            }
            Rule::Signed(threshold) => {
                split_shares(threshold, "bls-prf-v1", &people, &folder_of_shares)
            }
        };
        let text = manifest(agreement, &lines, &people, roles);
        folder.file("manifest.toml", text);
        Self {
            folder,
            issuer: Issuer::start(),
            people,
        }
    }

    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The manifest's file.
    pub fn manifest(&self) -> PathBuf {
        self.folder.path().join("manifest.toml")
    }

    /// Starts the keeper of this person, with these flags beside the usual ones.
    pub fn start_keeper(&mut self, name: &str, flags: &[&str]) {
        let manifest = self.manifest();
        let issuer = self.issuer.url();
        let person = self.person_mut(name);
        let mut command = person.command("run");
        command
            .arg("--manifest")
            .arg(manifest)
            .args(["--participant", &person.name])
            .args(["--listen", &person.address.to_string()])
            .args(["--insecure-issuer", &issuer])
            .arg("--share")
            .arg(person.at("file:", "share"))
            .arg("--key")
            .arg(person.folder.join("key"))
            .args(flags);
        let keeper = Process::start(command);
        keeper.wait_for_message("listening");
        person.keeper = Some(keeper);
    }

    /// Kills the keeper of this person, as a power cut would.
    pub fn kill_keeper(&mut self, name: &str) {
        self.person_mut(name).keeper = None;
    }

    pub fn person(&self, name: &str) -> &Person {
        let person = self.people.iter().find(|person| person.name == name);
        person.expect("one of those who founded the network")
    }

    fn person_mut(&mut self, name: &str) -> &mut Person {
        let person = self.people.iter_mut().find(|person| person.name == name);
        person.expect("one of those who founded the network")
    }

    pub fn people(&self) -> &[Person] {
        &self.people
    }
}

impl Person {
    fn new(name: &str, parent: &Path, host: Option<Ipv4Addr>) -> Self {
        let folder = parent.join(name);
        std::fs::create_dir(&folder).expect("a new folder");
        let mut command = mcbn();
        command
            .args(["keeper", "key", "--out"])
            .arg(folder.join("key"));
        let pin = done(command).stdout().trim().to_owned();
        Self {
            name: name.to_owned(),
            folder,
            address: host.map_or_else(port::reserved, port::free_on),
            pin,
            keeper: None,
        }
    }

    fn draw_share(&self) {
        let mut command = mcbn();
        command
            .args(["share", "new", "--out"])
            .arg(self.folder.join("share"));
        done(command);
    }

    fn at(&self, scheme: &str, file: &str) -> std::ffi::OsString {
        let mut place = std::ffi::OsString::from(scheme);
        place.push(self.folder.join(file));
        place
    }

    fn command(&self, words: &str) -> Command {
        let mut command = mcbn();
        command
            .arg("keeper")
            .args(words.split_whitespace())
            .arg("--ledger")
            .arg(self.folder.join("ledger"));
        command
    }

    /// What `mcbn keeper WORDS …` says on this person's ledger.
    pub fn keeper(&self, words: &str, arguments: &[&str]) -> String {
        let mut command = self.command(words);
        command.args(arguments);
        done(command).stdout()
    }

    /// Looks until a request waits for this person, and gives its name.
    pub fn wait_for_request(&self) -> String {
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            let list = self.keeper("list", &[]);
            if let Some(request) = list.lines().find_map(|line| line.strip_prefix("request ")) {
                return request.to_owned();
            }
            // A person does not look more often either.
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("nobody asks {}", self.name);
    }

    /// The running keeper.
    pub fn running(&self) -> &Process {
        self.keeper.as_ref().expect("it was started")
    }
}

/// Gives each person a share, and the lines that the manifest needs then.
fn split_shares(threshold: usize, derivation: &str, people: &[Person], out: &Path) -> String {
    let mut command = mcbn();
    command
        .args(["share", "split", "--threshold", &threshold.to_string()])
        .args(["--derivation", derivation])
        .arg("--out-dir")
        .arg(out)
        .args(people.iter().map(|person| &person.name));
    let lines = done(command).stdout();
    for person in people {
        std::fs::rename(out.join(&person.name), person.folder.join("share"))
            .expect("one share for each person");
    }
    lines
}

fn done(command: Command) -> Ended {
    let ended = Process::start(command).end();
    ended.expect_code(0);
    ended
}

fn manifest(
    agreement: &Agreement<'_>,
    lines: &str,
    people: &[Person],
    roles: &[Role<'_>],
) -> String {
    let rule = match agreement.rule {
        Rule::All => "\"unanimous\"".to_owned(),
        Rule::Shamir(threshold) | Rule::Signed(threshold) => {
            format!("{{ threshold = {threshold} }}")
        }
    };
    let mut text = format!(
        "version = 1\nnetwork = \"demo\"\nrule = {rule}\n{lines}lease = {}\n",
        agreement.lease
    );
    for person in people {
        let Person {
            name, address, pin, ..
        } = person;
        let entry = format!(
            "\n[[participant]]\nname = \"{name}\"\nkeeper = \"{address}\"\npin = \"{pin}\"\n"
        );
        text.push_str(&entry);
    }
    for Role {
        name,
        image,
        variables,
    } in roles
    {
        let variables: Vec<String> = variables
            .iter()
            .map(|(name, value)| format!("{name} = \"{value}\""))
            .collect();
        let entry = format!(
            "\n[[workload]]\nname = \"{name}\"\nimages = [\"{image}\"]\nenv-override = {{ {} }}\n",
            variables.join(", ")
        );
        text.push_str(&entry);
    }
    text + "\n[attestation]\nsupport = [\"STABLE\"]\nhardware = [\"GCP_AMD_SEV_SNP\", \"GCP_INTEL_TDX\"]\n"
}
