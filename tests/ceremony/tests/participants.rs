//! A key for three, as its participants make it: `mcbn threshold`, with the real server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mcbn_share::text;
use mcbn_tests_ceremony::tool::done;
use mcbn_tests_ceremony::{House, PURPOSE};
use mcbn_tests_support::process::Process;
use mcbn_tests_support::workload::mcbn;
use mcbn_threshold::{Group, Index, KeyShare, PublicKey};
use serde_json::{Value, json};

/// Each person's folder has the key in `key`; what is made goes to `made`.
struct Table {
    house: House,
}

impl Table {
    fn new() -> Self {
        let house = House::to_generate_by_tool();
        Self { house }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.house.path(name)
    }

    fn command(&self, words: &str, name: &str) -> Command {
        let mut command = mcbn();
        command
            .arg("threshold")
            .arg(words)
            .arg("--manifest")
            .arg(self.house.path("manifest.toml"))
            .args(["--participant", name, "--purpose", PURPOSE]);
        command
    }

    fn generate(&self, name: &str, address: &str) -> Command {
        let mut command = self.asking("generate", name, address);
        command.arg("--out-dir").arg(self.folder(name).join("made"));
        command
    }

    fn asking(&self, words: &str, name: &str, address: &str) -> Command {
        let mut command = self.command(words, name);
        command
            .arg("--key")
            .arg(self.folder(name).join("key"))
            .args(["--server", address])
            .args(["--insecure-issuer", &self.house.issuer_url()]);
        command
    }

    fn status(&self, name: &str, address: &str) -> String {
        done(self.asking("status", name, address)).stdout()
    }

    fn start(&self, name: &str, address: &str) -> Process {
        Process::start(self.generate(name, address))
    }

    fn share(&self, name: &str) -> PathBuf {
        self.folder(name).join("made/share")
    }
}

/// From what is printed for the manifest.
fn group(printed: &str) -> Group {
    let commitments = printed.lines().filter_map(|line| {
        let line = line.strip_prefix("    \"")?;
        Some(line.strip_suffix("\",").unwrap().parse().unwrap())
    });
    Group::new(commitments.collect::<Vec<PublicKey>>(), 3).unwrap()
}

fn key_share(path: &Path, number: u8) -> KeyShare {
    let text = fs::read(path).unwrap();
    let secret = text::signing_share(text::below_comments(&text)).unwrap();
    KeyShare::new(Index::new(number).unwrap(), &secret).unwrap()
}

#[test]
fn three_make_a_key_and_hold_the_receipt() {
    let table = Table::new();
    let enclave = table.house.start();
    let address = enclave.address.to_string();
    let names = ["alice", "bob", "carol"];
    let all = names.map(|name| table.start(name, &address));
    let printed = all.map(|process| {
        let ended = process.end();
        ended.expect_code(0);
        ended.stdout()
    });
    assert!(printed[0] == printed[1] && printed[1] == printed[2]);
    enclave.process.end().expect_code(0);
    let group = group(&printed[0]);
    for (name, number) in names.iter().zip(1..) {
        assert_eq!(group.check(&key_share(&table.share(name), number)), Ok(()));
        let mut left: Vec<_> = fs::read_dir(table.folder(name).join("made"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["receipt.json", "share"]);
        let mut verify = table.command("verify", name);
        verify
            .arg("--receipt")
            .arg(table.folder("carol").join("made/receipt.json"))
            .arg("--share")
            .arg(table.share(name));
        assert_eq!(done(verify).stdout(), printed[0]);
    }
    // It says itself what it is.
    let about = format!(
        "# alice's share, 1 of 3, of a BLS12-381 key; any 2 sign\n# purpose: {PURPOSE}\n# key: {}\n",
        group.key()
    );
    let written = fs::read_to_string(table.share("alice")).unwrap();
    assert!(written.starts_with(&about), "{}", &written[..about.len()]);
    // Another's share is not one's own.
    let mut verify = table.command("verify", "alice");
    verify
        .arg("--receipt")
        .arg(table.folder("alice").join("made/receipt.json"))
        .arg("--share")
        .arg(table.share("bob"));
    let ended = Process::start(verify).end();
    ended.expect_code(77);
    assert_eq!(
        ended.stderr(),
        "mcbn: error: the share is not this participant's in that group\n"
    );
    // The folder has its key.
    let ended = table.start("alice", &address).end();
    ended.expect_code(64);
    assert!(ended.stderr().contains("has a share already"), "{ended}");
}

#[test]
fn programs_are_told_of_the_others_as_json() {
    let table = Table::new();
    let enclave = table.house.start();
    let address = enclave.address.to_string();
    let mut alice = table.generate("alice", &address);
    alice.arg("--json");
    let alice = Process::start(alice);
    alice.wait_for_stderr("\"waiting\"");
    let others = ["bob", "carol"].map(|name| table.start(name, &address));
    let alice = alice.end();
    alice.expect_code(0);
    for other in others {
        other.end().expect_code(0);
    }
    let told = alice.stderr();
    let told = told.lines().map(|line| serde_json::from_str(line).unwrap());
    let told: Vec<Value> = told.collect();
    let events: Vec<&str> = told
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(events[..3], ["other-issuer", "approves", "waiting"]);
    assert!(events.contains(&"confirmed"), "{events:?}");
    assert_eq!(
        told[2],
        json!({ "event": "waiting", "to": "approve", "for": ["bob", "carol"] })
    );
    let made: Value = serde_json::from_slice(&alice.stdout).unwrap();
    assert_eq!(made["threshold"], 2);
}

#[test]
fn a_participant_who_was_interrupted_goes_on() {
    let table = Table::new();
    let enclave = table.house.start();
    let address = enclave.address.to_string();
    let alice = table.start("alice", &address);
    alice.wait_for_stderr("bob, carol did not approve yet");
    // As a power cut would.
    drop(alice);
    let all = ["bob", "alice", "carol"].map(|name| table.start(name, &address));
    for process in all {
        process.end().expect_code(0);
    }
    enclave.process.end().expect_code(0);
}

#[test]
fn who_looks_sees_for_whom_it_waits_and_has_approved_nothing() {
    let table = Table::new();
    let enclave = table.house.start();
    let address = enclave.address.to_string();
    for _ in ["first", "again"] {
        let shown = table.status("bob", &address);
        assert_eq!(shown, "not approved yet: alice, bob, carol\n");
    }
    let alice = table.start("alice", &address);
    alice.wait_for_stderr("bob, carol did not approve yet");
    let mut json = table.asking("status", "bob", &address);
    json.arg("--json");
    let shown: Value = serde_json::from_str(&done(json).stdout()).unwrap();
    assert_eq!(
        shown,
        json!({ "phase": "approving", "missing": ["bob", "carol"] })
    );
    // Of something else than was agreed nothing is shown.
    let mut other = mcbn();
    other
        .args(["threshold", "status", "--participant", "bob"])
        .args(["--purpose", "to sign whatever comes"])
        .arg("--manifest")
        .arg(table.house.path("manifest.toml"))
        .arg("--key")
        .arg(table.folder("bob").join("key"))
        .args(["--server", &address])
        .args(["--insecure-issuer", &table.house.issuer_url()]);
    let ended = Process::start(other).end();
    ended.expect_code(77);
    assert_eq!(ended.stdout(), "");
}

#[test]
fn a_server_that_is_not_there_yet_is_waited_for() {
    let table = Table::new();
    let address = format!("127.0.0.1:{}", mcbn_tests_support::port::reserved().port());
    let alice = table.start("alice", &address);
    alice.wait_for_stderr("it is tried again");
    let enclave = table
        .house
        .start_on(table.house.profile(), &[&format!("--listen={address}")]);
    let all = ["bob", "carol"].map(|name| table.start(name, &address));
    for process in all.into_iter().chain([alice]) {
        process.end().expect_code(0);
    }
    enclave.process.end().expect_code(0);
}

#[test]
fn a_receipt_of_another_participant_ends_it() {
    let table = Table::new();
    let enclave = table
        .house
        .start_on(table.house.profile(), &["--deadline=1h"]);
    let address = enclave.address.to_string();
    let all = ["alice", "bob", "carol"].map(|name| table.start(name, &address));
    for process in all {
        process.end().expect_code(0);
    }
    // As it stands where the server has died before Alice had the receipt.
    let made = table.folder("alice").join("made");
    fs::rename(made.join("share"), made.join("unconfirmed-share")).unwrap();
    fs::remove_file(made.join("receipt.json")).unwrap();
    let bobs = table.folder("bob").join("made/receipt.json");
    let mut finish = table.command("finish", "alice");
    finish
        .arg("--receipt")
        .arg(&bobs)
        .arg("--out-dir")
        .arg(&made);
    group(&done(finish).stdout());
    assert!(made.join("share").is_file());
    assert_eq!(
        fs::read(made.join("receipt.json")).unwrap(),
        fs::read(&bobs).unwrap()
    );
    // One that was changed is none.
    let text = fs::read_to_string(&bobs).unwrap();
    let at = text.find("confirmations\":[\"").unwrap() + 17;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
    fs::write(made.join("changed"), changed).unwrap();
    let mut verify = table.command("verify", "alice");
    verify.arg("--receipt").arg(made.join("changed"));
    let ended = Process::start(verify).end();
    ended.expect_code(77);
    assert_eq!(
        ended.stderr(),
        "mcbn: error: the file holds no receipt that all participants have confirmed\n"
    );
}

#[test]
fn one_who_stays_away_is_named_to_the_others() {
    let table = Table::new();
    let enclave = table
        .house
        .start_on(table.house.profile(), &["--deadline=3s"]);
    let address = enclave.address.to_string();
    let alice = table.start("alice", &address);
    alice.wait_for_stderr("bob, carol did not approve yet");
    let mut bob = table.generate("bob", &address);
    bob.args(["--timeout", "5s"]);
    let bob = Process::start(bob).end();
    assert_eq!(bob.code, Some(69), "{bob}");
    enclave.process.end().expect_code(69);
    assert!(!table.share("bob").exists());
}

#[test]
fn a_key_that_the_manifest_does_not_name_is_refused() {
    let table = Table::new();
    let mut command = table.command("generate", "alice");
    command
        .arg("--key")
        .arg(table.folder("bob").join("key"))
        .arg("--out-dir")
        .arg(table.folder("alice").join("made"))
        .args(["--server", "127.0.0.1:9"]);
    let ended = Process::start(command).end();
    ended.expect_code(64);
    assert_eq!(
        ended.stderr(),
        "mcbn: error: the manifest names another signing key for this participant\n"
    );
    assert!(!table.folder("alice").join("made").exists());
}

#[test]
fn another_purpose_than_was_agreed_is_refused() {
    let table = Table::new();
    let enclave = table.house.start();
    let mut command = mcbn();
    command
        .args(["threshold", "generate", "--participant", "alice"])
        .args(["--purpose", "to sign whatever comes"])
        .arg("--manifest")
        .arg(table.house.path("manifest.toml"))
        .arg("--key")
        .arg(table.folder("alice").join("key"))
        .arg("--out-dir")
        .arg(table.folder("alice").join("made"))
        .args(["--server", &enclave.address.to_string()])
        .args(["--insecure-issuer", &table.house.issuer_url()]);
    let ended = Process::start(command).end();
    ended.expect_code(77);
    let error = "mcbn: error: the server announces something else than was agreed: ";
    assert!(ended.stderr().contains(error), "{ended}");
}
