//! tpm-psk in both roles, with its permanent key in a TPM or in memory.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::process::{Process, log};
use mcbn_tests_support::swtpm::Swtpm;
use mcbn_tests_support::workload::workload;
use serde_json::Value;

use crate::ours;
use crate::tpm::{KEY, Suite, Terms, line};

/// What the sessions go over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    pub const ALL: [Self; 2] = [Self::Tcp, Self::Udp];

    /// As flags have it.
    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// One end of ours: a permanent key in its place. One program at a time can use one that is in a TPM.
pub struct End {
    tpm: Option<Swtpm>,
    /// The key's file, whichever it is.
    file: PathBuf,
    _folder: Folder,
}

impl End {
    /// The right key, imported into a TPM of its own.
    pub fn in_a_tpm() -> Self {
        let folder = Folder::new();
        let secret = folder.file("secret", line(KEY));
        let file = folder.path().join("key.pem");
        let tpm = Swtpm::start();
        let mut command = workload("tpm-psk");
        command
            .args(["key", "import", &format!("--tcti={}", tpm.tcti())])
            .arg(flag("--secret=file:", &secret))
            .arg(flag("--out=", &file));
        Process::start(command).end().expect_code(0);
        Self {
            tpm: Some(tpm),
            file,
            _folder: folder,
        }
    }

    /// The right key, in a file that is read once.
    pub fn in_memory() -> Self {
        Self::in_memory_with(KEY)
    }

    /// The same with a key of the test's choice.
    pub fn in_memory_with(key: &[u8]) -> Self {
        let folder = Folder::new();
        Self {
            tpm: None,
            file: folder.file("secret", line(key)),
            _folder: folder,
        }
    }

    /// # Panics
    ///
    /// Where the key is in memory.
    pub fn tpm(&mut self) -> &mut Swtpm {
        self.tpm.as_mut().expect("the key is in a TPM")
    }

    /// Starts a server on a port of its own, with what these terms say beside the key.
    pub fn server(&self, transport: Transport, terms: &Terms, more: &[&str]) -> Running {
        let mut command = self.command("server", transport, terms);
        command.arg("--listen=127.0.0.1:0").args(more);
        Running::start(command)
    }

    /// Starts a client with a local port.
    pub fn tunnel(
        &self,
        transport: Transport,
        server: SocketAddr,
        terms: &Terms,
        more: &[&str],
    ) -> Running {
        let mut command = self.command("client", transport, terms);
        command
            .arg(format!("--server={server}"))
            .arg("--listen=127.0.0.1:0")
            .args(more);
        Running::start(command)
    }

    /// Starts a client that does one thing.
    pub fn client(
        &self,
        transport: Transport,
        server: SocketAddr,
        terms: &Terms,
        mode: &[&str],
    ) -> Process {
        let mut command = self.command("client", transport, terms);
        command
            .arg(format!("--server={server}"))
            // What it tells of its TPM is of no use here.
            .arg("--log-level=warn")
            .args(mode);
        Process::start(command)
    }

    fn command(&self, role: &str, transport: Transport, terms: &Terms) -> Command {
        let mut command = workload("tpm-psk");
        command
            .arg(format!("--role={role}"))
            .arg(format!("--transport={}", transport.name()))
            .arg(format!("--layout={}", terms.layout.name()))
            .arg(format!("--identity={}", terms.identity));
        match &self.tpm {
            Some(tpm) => command
                .arg(flag("--tpm-key=file:", &self.file))
                .arg(format!("--tcti={}", tpm.tcti())),
            None => command.arg(flag("--secret=file:", &self.file)),
        };
        if terms.suite == Suite::Aes128Ccm8 {
            command.arg("--ccm8");
        }
        command
    }
}

fn flag(name: &str, path: &Path) -> String {
    format!("{name}{}", path.display())
}

/// One of ours that runs, and listens.
pub struct Running {
    pub process: Process,
    pub address: SocketAddr,
    admin: SocketAddr,
}

impl Running {
    fn start(mut command: Command) -> Self {
        command.args(["--log-level=debug", "--admin=127.0.0.1:0"]);
        let process = Process::start(command);
        let admin = process.wait_for_message("admin port listening");
        let admin = admin["address"].as_str().and_then(|text| text.parse().ok());
        Self {
            admin: admin.expect("the event names the address"),
            address: ours::listening(&process),
            process,
        }
    }

    /// Waits until so many handshakes have failed, and gives the last one's event.
    pub fn failed(&self, number: usize) -> Failed {
        self.nth("handshake failed", number)
    }

    /// Waits until so many local connections got no session with the server, and gives the last one's event.
    pub fn not_tunnelled(&self, number: usize) -> Failed {
        self.nth("cannot tunnel", number)
    }

    fn nth(&self, message: &str, number: usize) -> Failed {
        let event = self.process.wait(|seen| {
            let mut events = log(&seen.stderr).filter(|event| event["message"] == message);
            events.nth(number - 1)
        });
        Failed(event)
    }

    /// What `/readyz` says.
    pub fn readiness(&self) -> String {
        let answer = self.ask("/readyz");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
        body.to_owned()
    }

    /// Waits until `/readyz` says this. Meanwhile `each_time` is done over and over.
    pub fn until_readiness_is(&self, wanted: &str, mut each_time: impl FnMut()) {
        self.until(|running| running.readiness() == wanted, &mut each_time);
    }

    /// A number among the metrics, zero where there is none yet; `name` is without the prefix and with the labels.
    pub fn metric(&self, name: &str) -> u64 {
        let name = format!("mcbn_{name} ");
        let metrics = self.ask("/metrics");
        let mut lines = metrics.lines();
        let number = lines.find_map(|line| line.strip_prefix(&name));
        number.map_or(0, |number| number.parse().expect("a count"))
    }

    /// Waits until a metric is this. Meanwhile `each_time` is done over and over.
    pub fn until_metric_is(&self, name: &str, wanted: u64, mut each_time: impl FnMut()) {
        self.until(|running| running.metric(name) == wanted, &mut each_time);
    }

    fn until(&self, is_there: impl Fn(&Self) -> bool, each_time: &mut dyn FnMut()) {
        let started = Instant::now();
        while !is_there(self) {
            assert!(started.elapsed() < DEADLINE, "{}", self.process.seen());
            each_time();
        }
    }

    fn ask(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.admin).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("not zero");
        let request = format!("GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it is open");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an end in order");
        answer
    }
}

/// An event that says what went wrong.
#[derive(Debug)]
pub struct Failed(Value);

impl Failed {
    /// The word for metrics.
    pub fn reason(&self) -> &str {
        self.text("reason")
    }

    /// The sentence for people.
    pub fn error(&self) -> &str {
        self.text("error")
    }

    /// What to do next.
    pub fn hint(&self) -> &str {
        self.text("hint")
    }

    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }
}
