//! Golden transcripts of the command line: what is typed, what each stream says, how it ends.
//!
//! They stand in `testdata/<program>/<scenario>.txt`. To write them anew after a change that is meant, set
//! [`UPDATE`]; `git diff` then shows what the change means to people.

#![forbid(unsafe_code)]

pub mod scene;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::workload;

/// `UPDATE_TRANSCRIPTS=1 cargo test -p mcbn-tests-cli`, or
/// `./bazelw run --test_env=UPDATE_TRANSCRIPTS=1 //tests/cli:cli_<file>_test`.
pub const UPDATE: &str = "UPDATE_TRANSCRIPTS";

/// One scenario of one program, told from its first command to its last exit code.
pub struct Transcript {
    program: String,
    scenario: &'static str,
    folder: Folder,
    text: String,
}

impl Transcript {
    pub fn new(program: &str, scenario: &'static str) -> Self {
        Self {
            program: program.into(),
            scenario,
            folder: Folder::new(),
            text: String::new(),
        }
    }

    /// The folder in which commands run: files in it need no path.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Runs the program with these variables and arguments, to its end.
    pub fn run(&mut self, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let ended = self.start(variables, arguments).end();
        self.tell(variables, arguments, &ended);
        ended
    }

    /// The same, for a program that is to be told something before it ends. Nothing is written down.
    pub fn start(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Process {
        let mut command = workload::workload(&self.program);
        command
            .current_dir(self.folder.path())
            .envs(variables.iter().copied())
            .args(arguments);
        Process::start(command)
    }

    /// Starts a line of shell in which `$program` is the program. Nothing is written down.
    pub fn start_shell(&self, line: &str) -> Process {
        let program = workload::workload(&self.program);
        let mut command = peer("sh");
        command
            .current_dir(self.folder.path())
            .env("program", program.get_program())
            .args(["-c", line]);
        Process::start(command)
    }

    /// Writes down what was typed and how it ended.
    pub fn tell(&mut self, variables: &[(&str, &str)], arguments: &[&str], ended: &Ended) {
        let mut line = String::new();
        for (name, value) in variables {
            let _ = write!(line, "{name}={} ", quoted(value));
        }
        line.push_str(&self.program);
        for argument in arguments {
            let _ = write!(line, " {}", quoted(argument));
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let _ = writeln!(self.text, "$ {line}");
        for (mark, stream) in [("1", ended.stdout()), ("2", ended.stderr())] {
            for line in stream.lines() {
                let separator = if line.is_empty() { "" } else { " " };
                let _ = writeln!(self.text, "{mark}|{separator}{line}");
            }
        }
        let code = ended.code.expect("no signal ends it");
        let _ = writeln!(self.text, "exit {code}");
    }

    /// Compares it with the file, or writes the file.
    #[track_caller]
    pub fn check(self) {
        let name = format!("{}/{}.txt", self.program, self.scenario);
        if std::env::var(UPDATE).is_ok_and(|value| !value.is_empty()) {
            let path = source().join("testdata").join(&name);
            let folder = path.parent().expect("it has a folder");
            std::fs::create_dir_all(folder).expect("the source tree can be written to");
            std::fs::write(path, self.text).expect("the source tree can be written to");
            return;
        }
        let golden = std::fs::read_to_string(testdata().join(&name)).unwrap_or_default();
        assert!(
            golden == self.text,
            "testdata/{name} differs; if the change is meant, write it anew with {UPDATE}=1\n{}",
            difference(&golden, &self.text)
        );
    }
}

/// The folder of the transcripts.
pub fn testdata() -> PathBuf {
    let bazel = Path::new("tests/cli/testdata");
    match bazel.is_dir() {
        true => bazel.into(),
        false => source().join("testdata"),
    }
}

/// This crate's folder in the source tree.
fn source() -> PathBuf {
    if let Some(workspace) = std::env::var_os("BUILD_WORKSPACE_DIRECTORY") {
        return Path::new(&workspace).join("tests/cli");
    }
    let cargo = std::env::var_os("CARGO_MANIFEST_DIR");
    cargo
        .expect("cargo or `bazelw run` says where the source is")
        .into()
}

/// The lines that one has and the other has not, in order.
fn difference(golden: &str, now: &str) -> String {
    let mut text = String::new();
    for line in golden
        .lines()
        .filter(|line| !now.lines().any(|other| other == *line))
    {
        let _ = writeln!(text, "- {line}");
    }
    for line in now
        .lines()
        .filter(|line| !golden.lines().any(|other| other == *line))
    {
        let _ = writeln!(text, "+ {line}");
    }
    text
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=:/.,[]".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.escape_debug()),
    }
}
