//! Holds the ceremony's servers and messages to the document that says what they are, `lib/ceremony/openapi.yaml`, with
//! readers of such documents by others: schemathesis, which asks a server whatever the document allows and forbids, and
//! the validator of JSON Schema that comes with it.
//!
//! They are Python packages. Bazel fetches those that `requirements.txt` names; under cargo they are the
//! machine's own.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;
use serde::Serialize;
use serde_json::Value;

/// The document.
pub fn document() -> PathBuf {
    match std::env::var_os("DOCUMENT") {
        Some(path) => std::path::absolute(path).expect("there is a working folder"),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lib/ceremony/openapi.yaml"),
    }
}

fn python(script: &str) -> Command {
    let mut command = peer("python3");
    if let Some(packages) = std::env::var_os("PACKAGES") {
        let packages = std::path::absolute(packages).expect("there is a working folder");
        command.env("PYTHONPATH", packages);
    }
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["-c", script]).arg(document());
    command
}

/// What a participant could ask with now: by the operation's id, a body.
#[derive(Default)]
pub struct Bodies(BTreeMap<&'static str, Value>);

impl Bodies {
    pub fn with(mut self, operation: &'static str, body: &impl Serialize) -> Self {
        let body = serde_json::to_value(body).expect("texts and numbers");
        self.0.insert(operation, body);
        self
    }
}

/// What a server answered: by operation and status, how often.
#[derive(Debug)]
pub struct Seen(BTreeMap<(String, u16), usize>);

impl Seen {
    pub fn count(&self, operation: &str, status: u16) -> usize {
        let seen = self.0.get(&(operation.to_owned(), status));
        seen.copied().unwrap_or_default()
    }

    pub fn total(&self) -> usize {
        self.0.values().sum()
    }
}

/// Asks a server whatever the document says of the operations with this tag, with the certificate and key of this file.
///
/// # Panics
///
/// Where an answer is not as it is written.
pub fn fuzz(tag: &str, address: SocketAddr, certificate: &Path, bodies: &Bodies) -> Seen {
    let mut command = python(include_str!("../testdata/fuzz.py"));
    command.arg(tag).arg(address.to_string()).arg(certificate);
    let mut process = Process::start(command);
    process.write(&mcbn_body::write(&bodies.0));
    let ended = process.end();
    ended.expect_code(0);
    let printed = ended.stdout();
    println!("{printed}");
    let seen = printed.lines().filter_map(|line| {
        let mut words = line.strip_prefix("seen ")?.split(' ');
        let mut next = || words.next().expect("operation, status and count");
        let (operation, status, count) = (next(), next(), next());
        let status = status.parse().expect("a status");
        Some(((operation.into(), status), count.parse().expect("a count")))
    });
    Seen(seen.collect())
}

/// Messages, and the names of what they should be: that of a schema, or a status whose refusal it is.
#[derive(Default)]
pub struct Messages(String);

impl Messages {
    pub fn add(&mut self, name: &str, message: &impl Serialize) {
        let text = String::from_utf8(mcbn_body::write(message)).expect("JSON is UTF-8");
        self.0 += &format!("{name}\t{text}\n");
    }

    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.0.lines();
        lines.map(|line| line.split_once('\t').expect("name and message"))
    }

    /// What the document says to each.
    pub fn judge(&self) -> Vec<String> {
        let mut process = Process::start(python(include_str!("../testdata/conform.py")));
        process.write(self.0.as_bytes());
        let ended = process.end();
        ended.expect_code(0);
        ended.stdout().lines().map(str::to_owned).collect()
    }
}

/// Bodies that the document allows, with the names of their schemas: some tens of each with which an operation asks.
pub fn allowed() -> Vec<(String, String)> {
    let ended = Process::start(python(include_str!("../testdata/bodies.py"))).end();
    ended.expect_code(0);
    let printed = ended.stdout();
    let lines = printed.lines();
    let lines = lines.map(|line| line.split_once('\t').expect("name and body"));
    lines
        .map(|(name, body)| (name.into(), body.into()))
        .collect()
}
