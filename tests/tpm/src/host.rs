//! A machine with a TPM, on which tpm2-tools and tpm-psk are typed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::swtpm::Swtpm;
use mcbn_tests_support::workload::workload;
use mcbn_tpm::KeyFile;

use crate::raw;

/// The attributes of the primary key under which ours are wrapped, as tpm2-tools write them.
pub const STANDARD: &str =
    "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt";

/// Which TPM tpm-psk uses.
const TCTI: &str = "MCBN_TCTI";

/// A TPM, and the folder in which commands run: files in it need no path.
pub struct Host {
    pub tpm: Swtpm,
    pub folder: Folder,
}

impl Host {
    #[expect(clippy::new_without_default, reason = "it starts a program")]
    pub fn new() -> Self {
        Self::with(Swtpm::start())
    }

    pub fn with(tpm: Swtpm) -> Self {
        Self {
            tpm,
            folder: Folder::new(),
        }
    }

    /// Runs one of tpm2-tools, which must succeed: `tool("getcap handles-transient")`. What it leaves loaded is flushed.
    #[track_caller]
    pub fn tool(&self, words: &str) -> Ended {
        let ended = self.tool_by(&self.tpm.tcti(), words);
        ended.expect_code(0);
        raw::flush_objects(&self.tpm);
        ended
    }

    /// The same by another way to the TPM, whatever comes of it.
    pub fn tool_by(&self, tcti: &str, words: &str) -> Ended {
        let mut words = words.split(' ');
        let tool = words.next().expect("a split gives something");
        let mut command = peer(&format!("tpm2_{tool}"));
        command
            .env("TPM2TOOLS_TCTI", tcti)
            // What they say on failure is said once.
            .env("TSS2_LOG", "all+none")
            .current_dir(self.folder.path())
            .args(words);
        Process::start(command).end()
    }

    /// Runs tpm-psk to its end. It is told of the TPM.
    pub fn run(&self, words: &str) -> Ended {
        self.start(words).end()
    }

    /// Runs tpm-psk, which must succeed, and gives what it prints.
    #[track_caller]
    pub fn says(&self, words: &str) -> String {
        let ended = self.run(words);
        ended.expect_code(0);
        assert_eq!(ended.stderr(), "", "it has nothing to complain about");
        ended.stdout()
    }

    /// Runs tpm-psk, which must end with this code, and gives its first line, without the program's name.
    #[track_caller]
    pub fn refuses(&self, words: &str, code: i32) -> String {
        let ended = self.run(words);
        ended.expect_code(code);
        error_of(&ended)
    }

    pub fn start(&self, words: &str) -> Process {
        self.start_by(&self.tpm.tcti(), words)
    }

    /// The same by another way to the TPM.
    pub fn start_by(&self, tcti: &str, words: &str) -> Process {
        let mut command = self.ours(tcti);
        command.args(words.split(' '));
        Process::start(command)
    }

    /// Starts tpm-psk where there is no TPM.
    pub fn start_without_tpm(&self, words: &str) -> Process {
        let mut command = self.ours("");
        command.env_remove(TCTI).args(words.split(' '));
        Process::start(command)
    }

    /// Runs a line of shell in which `$ours` is tpm-psk.
    pub fn shell(&self, line: &str) -> Ended {
        let mut command = peer("sh");
        command
            .current_dir(self.folder.path())
            .env(TCTI, self.tpm.tcti())
            .env("ours", workload("tpm-psk").get_program())
            .args(["-c", line]);
        Process::start(command).end()
    }

    fn ours(&self, tcti: &str) -> Command {
        let mut command = workload("tpm-psk");
        command.env(TCTI, tcti).current_dir(self.folder.path());
        command
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A key's file, as this project reads it.
    #[track_caller]
    pub fn key(&self, name: &str) -> KeyFile {
        KeyFile::from_pem(&self.read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// What tpm2-tools compute of these bytes with a key that is theirs to use, given as flags.
    pub fn tools_hmac(&self, key: &str, data: &[u8]) -> Vec<u8> {
        let name = "data";
        let _ = fs::remove_file(self.path(name));
        self.folder.file(name, data);
        self.tool(&format!("hmac {key} -o result {name}"));
        self.read("result")
    }
}

/// The first line that it wrote for people, without its name.
#[track_caller]
pub fn error_of(ended: &Ended) -> String {
    assert_eq!(ended.stdout(), "", "standard output is for data: {ended}");
    let stderr = ended.stderr();
    let mut lines = stderr.lines();
    let error = lines.find_map(|line| line.strip_prefix("tpm-psk: error: "));
    error.unwrap_or_else(|| panic!("{ended}")).to_owned()
}
