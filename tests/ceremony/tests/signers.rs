//! What any two of three sign, as its participants do it: `mcbn threshold sign`, with the real server.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use mcbn_tests_ceremony::tool::done;
use mcbn_tests_ceremony::{Enclave, House, Key, PURPOSE};
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::workload::mcbn;
use mcbn_threshold::Signature;
use serde_json::{Value, json};

const MESSAGE: &[u8] = b"a release";

/// Each person's folder has the key in `key` and the share in `share`; the message stands beside the manifest.
struct Table {
    house: House,
    key: Key,
    address: SocketAddr,
}

/// Nobody answers there.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

impl Table {
    fn new() -> (Self, Enclave) {
        let mut table = Self::without_a_server();
        let enclave = table.house.start();
        table.address = enclave.address;
        (table, enclave)
    }

    fn without_a_server() -> Self {
        Self::of("bls-prf-v1")
    }

    fn of(derivation: &str) -> Self {
        let (house, key) = House::to_sign_by_tool(derivation);
        fs::write(house.path("message"), MESSAGE).unwrap();
        Self {
            house,
            key,
            address: NOWHERE,
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.house.path(file)
    }

    /// As each of them that asks the server begins.
    fn command(&self, word: &str, name: &str) -> Command {
        let mut command = mcbn();
        command
            .args(["threshold", "sign", word, "--participant", name])
            .arg("--manifest")
            .arg(self.path("manifest.toml"))
            .arg("--key")
            .arg(self.path(name).join("key"))
            .args(["--server", &self.address.to_string()])
            .args(["--insecure-issuer", &self.house.issuer_url()]);
        command
    }

    fn announce(&self, name: &str) -> String {
        let mut command = self.command("announce", name);
        self.about(&mut command);
        done(command).stdout().trim_end().to_owned()
    }

    /// The message and the purpose, as the person has them.
    fn about(&self, command: &mut Command) {
        command.arg("--message").arg(self.path("message"));
        command.args(["--purpose", PURPOSE]);
    }

    fn approve(&self, name: &str, request: &str) -> Command {
        let mut command = self.approve_with(name, request, &format!("{name}/share"));
        self.about(&mut command);
        command
    }

    fn approve_with(&self, name: &str, request: &str, share: &str) -> Command {
        let mut command = self.command("approve", name);
        command.args(["--request", request]);
        command.arg("--share").arg(self.path(share));
        command
    }

    /// What programs are told of this request.
    fn request(&self, name: &str, request: &str) -> Value {
        let mut command = self.command("status", name);
        command.args(["--json", "--request", request]);
        serde_json::from_slice(&done(command).stdout).unwrap()
    }

    fn is_signed(&self, message: &[u8], hex: &str) -> bool {
        let digits = hex.trim_end();
        assert_eq!(digits.len(), 192, "{hex}");
        let bytes = (0..96).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap());
        let bytes: Vec<u8> = bytes.collect();
        let signature = Signature::from_bytes(bytes[..].try_into().unwrap()).unwrap();
        self.key.group.key().verify(message, &signature).is_ok()
    }

    fn verify(&self, of: [&str; 2], signature: &str) -> Ended {
        fs::write(self.path("signature"), signature).unwrap();
        let mut command = mcbn();
        command
            .args(["threshold", "sign", "verify"])
            .arg("--manifest")
            .arg(self.path("manifest.toml"))
            .args(of)
            .arg("--signature")
            .arg(self.path("signature"))
            .current_dir(self.path("."));
        Process::start(command).end()
    }
}

#[track_caller]
fn refused(command: Command, code: i32, error: &str) {
    let ended = Process::start(command).end();
    ended.expect_code(code);
    assert!(ended.stderr().contains(error), "{ended}");
    assert_eq!(ended.stdout(), "");
}

#[test]
fn two_of_three_sign_and_the_signature_verifies_without_a_server() {
    let (table, enclave) = Table::new();
    let request = table.announce("alice");
    // The same, whoever announces it.
    assert_eq!(table.announce("bob"), request);

    let mut look = table.command("status", "carol");
    look.args(["--timeout", "30s"]);
    let shown = done(look).stdout();
    for line in [
        &format!("request       {request}\n"),
        "announced by  alice\n",
        &format!("purpose       {PURPOSE}\n"),
        "message       \"a release\" (9 bytes)\n",
        "approved by   nobody; it takes 2\n",
        "signature     none yet\n",
    ] {
        assert!(shown.contains(line), "{shown}");
    }

    let approved = done(table.approve("alice", &request));
    assert_eq!(approved.stdout(), "");
    let told = "mcbn: bob, carol did not approve yet; it takes 1 of them\n";
    assert!(approved.stderr().ends_with(told), "{approved}");
    assert_eq!(
        table.request("carol", &request)["approved_by"],
        json!(["alice"])
    );

    let signature = done(table.approve("bob", &request)).stdout();
    assert!(table.is_signed(MESSAGE, &signature));
    // Whoever was first comes back for it, and the third may have it.
    for name in ["alice", "carol"] {
        assert_eq!(done(table.approve(name, &request)).stdout(), signature);
    }
    let open = table.request("carol", &request);
    assert_eq!(open["signature"], signature.trim_end());
    assert_eq!(open["approved_by"], json!(["alice", "bob"]));

    drop(enclave);
    let verified = table.verify(["--message", "message"], &signature);
    verified.expect_code(0);
    assert_eq!(verified.stdout(), format!("{}\n", table.key.group.key()));
    fs::write(table.path("other"), "another release").unwrap();
    let verified = table.verify(["--message", "other"], &signature);
    verified.expect_code(77);
    assert_eq!(
        verified.stderr(),
        "mcbn: error: the signature is not the group's under this message\n"
    );
    let changed = signature.replacen(&signature[..4], "ffff", 1);
    table
        .verify(["--message", "message"], &changed)
        .expect_code(77);
    table
        .verify(["--message", "message"], "none")
        .expect_code(77);
}

#[test]
fn one_who_waits_and_was_interrupted_is_given_the_signature() {
    let (table, _enclave) = Table::new();
    let request = table.announce("alice");
    let waiting = || {
        let mut command = table.approve("alice", &request);
        command.arg("--wait");
        let waiting = Process::start(command);
        waiting.wait_for_stderr("bob, carol did not approve yet; it takes 1 of them");
        waiting
    };
    // As a power cut would.
    drop(waiting());
    let alice = waiting();
    let signature = done(table.approve("carol", &request)).stdout();
    let ended = alice.end();
    ended.expect_code(0);
    assert_eq!(ended.stdout(), signature);
    assert!(table.is_signed(MESSAGE, &signature));
}

#[test]
fn a_request_about_something_else_than_one_has_is_refused_and_nothing_is_sent() {
    let (table, _enclave) = Table::new();
    let request = table.announce("alice");
    fs::write(table.path("other"), "a release.").unwrap();
    let bob = |of: &[&str], purpose: &str| {
        let mut command = table.approve_with("bob", &request, "bob/share");
        command.args(of).args(["--purpose", purpose]);
        command.current_dir(table.path("."));
        command
    };
    let other_message = "the request is about another message than the one that is given here";
    refused(bob(&["--message", "other"], PURPOSE), 77, other_message);
    // Of the message's bytes: it would be signed otherwise.
    let hash = table.request("bob", &request)["message"]["sha256"].clone();
    let hash = hash.as_str().unwrap();
    refused(bob(&["--sha256", hash], PURPOSE), 77, other_message);
    refused(
        bob(&["--message", "message"], "to sign whatever comes"),
        77,
        "the request is for another purpose than the one that is given here",
    );
    assert_eq!(table.request("bob", &request)["approved_by"], json!([]));
}

#[test]
fn a_share_that_is_not_ones_own_is_refused_before_anything_is_sent() {
    // Nobody answers: whoever asked would wait.
    let table = Table::without_a_server();
    let request = "A".repeat(43);
    let approve = |share: &str| {
        let mut command = table.approve_with("alice", &request, share);
        table.about(&mut command);
        command
    };
    let error = "mcbn: error: the share is not this participant's in that group\n";
    refused(approve("bob/share"), 77, error);
    refused(
        approve("message"),
        77,
        "other users of this machine can open the file",
    );
    fs::set_permissions(table.path("message"), fs::Permissions::from_mode(0o400)).unwrap();
    refused(approve("message"), 77, error);
}

#[test]
fn an_approval_without_a_share_is_refused_where_shares_are_kept() {
    let (table, _enclave) = Table::new();
    let request = table.announce("alice");
    let mut command = table.command("approve", "alice");
    command.args(["--request", &request]);
    table.about(&mut command);
    let error = "mcbn: error: --share is missing: this server has no shares\n";
    refused(command, 64, error);
    assert_eq!(table.request("bob", &request)["approved_by"], json!([]));
}

#[test]
fn where_shares_are_revealed_approvals_alone_are_taken() {
    let mut table = Table::of("bls-reveal-v1");
    let shares = ["alice", "carol"].map(|name| {
        let path = table.path(name).join("share");
        format!("--share={name}=file:{}", path.display())
    });
    let flags = ["--reveal-shares=attested", &shares[0], &shares[1]];
    let enclave = table.house.start_on(table.house.profile(), &flags);
    table.address = enclave.address;
    let request = table.announce("alice");
    let error = "mcbn: error: --share is given, and this server has the shares itself\n";
    refused(table.approve("alice", &request), 64, error);
    assert_eq!(table.request("bob", &request)["approved_by"], json!([]));
    let approve = |name: &str| {
        let mut command = table.command("approve", name);
        command.args(["--request", &request]);
        table.about(&mut command);
        done(command).stdout()
    };
    assert_eq!(approve("alice"), "");
    assert!(table.is_signed(MESSAGE, &approve("bob")));
}

#[test]
fn a_request_that_is_not_open_is_refused() {
    let (table, _enclave) = Table::new();
    let request = "A".repeat(43);
    let error = "the server refuses: not-open\nmcbn: hint: it has expired, ";
    refused(table.approve("alice", &request), 77, error);
    let mut look = table.command("status", "alice");
    look.args(["--request", &request]);
    refused(look, 77, error);
    let mut look = table.command("status", "alice");
    look.args(["--request", "A"]);
    refused(look, 64, "--request");
    let look = table.command("status", "alice");
    assert_eq!(done(look).stdout(), "no request is open\n");
}

#[test]
fn a_request_that_is_gone_is_not_waited_for() {
    let mut table = Table::without_a_server();
    table.address = mcbn_tests_support::port::reserved();
    let listen = format!("--listen={}", table.address);
    let start = || table.house.start_on(table.house.profile(), &[&listen]);
    let first = start();
    let request = table.announce("alice");
    let mut command = table.approve("alice", &request);
    command.arg("--wait");
    let alice = Process::start(command);
    alice.wait_for_stderr("did not approve yet");
    // The next start knows nothing of it.
    drop(first);
    let _second = start();
    let ended = alice.end();
    ended.expect_code(69);
    let error = "mcbn: error: the request is gone, and is not signed: it waited for bob, carol\n";
    assert!(ended.stderr().contains(error), "{ended}");
}

#[test]
fn waiting_has_an_end() {
    let (table, _enclave) = Table::new();
    let request = table.announce("alice");
    let mut command = table.approve("alice", &request);
    command.args(["--wait", "--timeout", "3s"]);
    let error = "mcbn: error: the others, or the server, took too long\n";
    refused(command, 69, error);
    let nowhere = Table {
        address: NOWHERE,
        ..table
    };
    let mut command = nowhere.command("status", "alice");
    command.args(["--timeout", "1s"]);
    refused(command, 69, error);
}

#[test]
fn a_hash_is_signed_in_place_of_what_is_too_long() {
    let (table, _enclave) = Table::new();
    fs::write(table.path("long"), [0; 4097]).unwrap();
    let mut command = table.command("announce", "alice");
    command.arg("--message").arg(table.path("long"));
    command.args(["--purpose", PURPOSE]);
    refused(
        command,
        64,
        "mcbn: error: a message of more than 4096 bytes is signed by its hash\n\
         mcbn: hint: sha256sum prints what --sha256 takes in place of --message\n",
    );
    let hash = "0f".repeat(32);
    let about = |mut command: Command| {
        command.args(["--sha256", &hash, "--purpose", PURPOSE]);
        command
    };
    let announced = done(about(table.command("announce", "alice"))).stdout();
    let request = announced.trim_end();
    let open = table.request("bob", request);
    assert_eq!(open["message"], json!({ "sha256": hash }));
    let approve = |name: &str| {
        let share = format!("{name}/share");
        done(about(table.approve_with(name, request, &share))).stdout()
    };
    assert_eq!(approve("bob"), "");
    let signature = approve("carol");
    table.verify(["--sha256", &hash], &signature).expect_code(0);
    let other = "0e".repeat(32);
    table
        .verify(["--sha256", &other], &signature)
        .expect_code(77);
}

#[test]
fn one_message_must_be_given_and_no_more() {
    let table = Table::without_a_server();
    let mut command = table.command("announce", "alice");
    command.args(["--purpose", PURPOSE]);
    refused(command, 64, "--message and --sha256: one of them is needed");
    let mut command = table.command("announce", "alice");
    table.about(&mut command);
    command.args(["--sha256", &"00".repeat(32)]);
    refused(command, 64, "--message and --sha256: one of them is enough");
}

#[test]
fn programs_read_all_of_it_as_json() {
    let (table, _enclave) = Table::new();
    let mut command = table.command("announce", "alice");
    table.about(&mut command);
    command.arg("--json");
    let announced: Value = serde_json::from_slice(&done(command).stdout).unwrap();
    let request = announced["request"].as_str().unwrap().to_owned();
    fs::write(table.path("message"), b"\x1b[2Janother\n").unwrap();
    table.announce("bob");

    let mut command = table.command("status", "carol");
    command.arg("--json");
    let listed = done(command).stdout();
    let listed: Vec<Value> = listed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(listed.len(), 2);
    let bobs = listed
        .iter()
        .find(|open| open["announced_by"] == "bob")
        .unwrap();
    assert_eq!(bobs["message"]["bytes"], "1b5b324a616e6f746865720a");
    // A terminal does nothing of it.
    let shown = done(table.command("status", "carol")).stdout();
    assert!(
        shown.contains(r#""\x1b[2Janother\n" (12 bytes)"#),
        "{shown}"
    );
    assert!(
        shown
            .bytes()
            .all(|byte| matches!(byte, b'\n' | b' '..=b'~'))
    );

    fs::write(table.path("message"), MESSAGE).unwrap();
    let approve = |name: &str| {
        let mut command = table.approve(name, &request);
        command.args(["--json", "--wait"]);
        Process::start(command)
    };
    let alice = approve("alice");
    alice.wait_for_stderr("{\"event\":\"waiting\"");
    let bob = approve("bob").end();
    let alice = alice.end();
    let told: Vec<Value> = alice
        .stderr()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(told[0]["event"], "other-issuer");
    assert_eq!(
        told[1],
        json!({ "event": "waiting", "to": "approve", "for": ["bob", "carol"], "needed": 1 })
    );
    for ended in [alice, bob] {
        ended.expect_code(0);
        let mut open: Value = serde_json::from_slice(&ended.stdout).unwrap();
        let signature = open["signature"].take();
        assert!(table.is_signed(MESSAGE, signature.as_str().unwrap()));
        assert!(open["seconds"].take().as_u64().unwrap() <= 24 * 60 * 60);
        assert_eq!(
            open,
            json!({
                "request": request,
                "announced_by": "alice",
                "purpose": PURPOSE,
                "message": {
                    "bytes": "612072656c65617365",
                    "sha256": "e9edfb8e46f891370bda2772760ae14bc1572a2ce9263368cd5282dac3241eb8",
                },
                "seconds": null,
                "threshold": 2,
                "approved_by": ["alice", "bob"],
                "signature": null,
            })
        );
    }
}
