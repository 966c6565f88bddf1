//! Peers of tpm-psk by others: programs whose pre-shared key is made anew in each handshake, from both sides' randoms.
//!
//! Their sides of a connection hold the permanent key itself, in memory. Each makes the key of a session with a library of
//! its own and talks TLS or DTLS with that library: Python's `ssl`, GnuTLS, OpenSSL. `tests/tpm_foreign.rs` shows that they
//! agree with the published keys and with each other, and refuse what they should.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;
use mcbn_tests_support::shares::IDENTITY;

use crate::{Served, Version, scripts};

/// The permanent key of the published sample. It is a text, and tpm-psk takes none that looks like one.
const PUBLISHED_KEY: &[u8] = b"change this password to a secret";

/// The permanent key of all that runs.
pub const KEY: &[u8] = &key(1);

/// One that nobody has.
pub const WRONG_KEY: &[u8] = &key(2);

/// One of several, whose bytes are all different.
const fn key(number: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut i = 0;
    while i < bytes.len() {
        bytes[i] = (7 * i as u8) ^ number;
        i += 1;
    }
    bytes
}

/// Which bytes of the randoms go into a session's key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// All.
    Random32,
    /// All but the first four of each.
    Random28,
}

impl Layout {
    pub const ALL: [Self; 2] = [Self::Random32, Self::Random28];

    /// As flags have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random32 => "random32",
            Self::Random28 => "random28",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Random32 => Self::Random28,
            Self::Random28 => Self::Random32,
        }
    }
}

/// The one cipher suite that a peer is held to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Suite {
    /// Over TLS and DTLS.
    EcdheChaCha20Poly1305,
    /// Over TLS.
    EcdheAes128CbcSha256,
    /// Over TLS.
    EcdheAes256CbcSha384,
    /// Over DTLS.
    Aes128GcmSha256,
    /// Over DTLS, where it is asked for.
    Aes128Ccm8,
}

impl Suite {
    pub const OVER_TLS: [Self; 3] = [
        Self::EcdheChaCha20Poly1305,
        Self::EcdheAes128CbcSha256,
        Self::EcdheAes256CbcSha384,
    ];
    pub const OVER_DTLS: [Self; 3] = [
        Self::EcdheChaCha20Poly1305,
        Self::Aes128GcmSha256,
        Self::Aes128Ccm8,
    ];

    fn openssl(self) -> &'static str {
        match self {
            Self::EcdheChaCha20Poly1305 => "ECDHE-PSK-CHACHA20-POLY1305",
            Self::EcdheAes128CbcSha256 => "ECDHE-PSK-AES128-CBC-SHA256",
            Self::EcdheAes256CbcSha384 => "ECDHE-PSK-AES256-CBC-SHA384",
            Self::Aes128GcmSha256 => "PSK-AES128-GCM-SHA256",
            Self::Aes128Ccm8 => "PSK-AES128-CCM8",
        }
    }

    /// OpenSSL's list that has it alone.
    fn list(self) -> String {
        match self {
            // To OpenSSL its short tags are worth 64 bits, less than any other level allows.
            Self::Aes128Ccm8 => format!("{}:@SECLEVEL=0", self.openssl()),
            _ => self.openssl().to_owned(),
        }
    }

    /// Key exchange, cipher and MAC, as a priority string has them.
    fn priority(self) -> &'static str {
        match self {
            Self::EcdheChaCha20Poly1305 => "+ECDHE-PSK:+CHACHA20-POLY1305:+AEAD",
            Self::EcdheAes128CbcSha256 => "+ECDHE-PSK:+AES-128-CBC:+SHA256",
            Self::EcdheAes256CbcSha384 => "+ECDHE-PSK:+AES-256-CBC:+SHA384",
            Self::Aes128GcmSha256 => "+PSK:+AES-128-GCM:+AEAD",
            Self::Aes128Ccm8 => "+PSK:+AES-128-CCM-8:+AEAD",
        }
    }

    fn iana(self) -> &'static str {
        match self {
            Self::EcdheChaCha20Poly1305 => "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
            Self::EcdheAes128CbcSha256 => "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256",
            Self::EcdheAes256CbcSha384 => "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384",
            Self::Aes128GcmSha256 => "TLS_PSK_WITH_AES_128_GCM_SHA256",
            Self::Aes128Ccm8 => "TLS_PSK_WITH_AES_128_CCM_8",
        }
    }
}

/// What one side knows, and what it takes.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub identity: &'static str,
    pub key: &'static [u8],
    pub layout: Layout,
    pub suite: Suite,
    /// With TLS 1.3, which asks a client for its key before there is a server's random, a peer computes on with zeros in
    /// its place. Python's client does not know its own random either: only GnuTLS's has the key that a careless server
    /// makes.
    pub version: Version,
    /// Whether it offers, or accepts, the extended master secret ([RFC 7627]).
    ///
    /// [RFC 7627]: https://www.rfc-editor.org/rfc/rfc7627
    pub extended_master_secret: bool,
    /// How long it waits for the end of a handshake. DTLS ends in no other way where the keys differ.
    pub handshake_timeout: Duration,
}

impl Terms {
    /// The right ones.
    pub const fn with(suite: Suite) -> Self {
        Self {
            identity: IDENTITY,
            key: KEY,
            layout: Layout::Random32,
            suite,
            version: Version::Tls12,
            extended_master_secret: true,
            handshake_timeout: Duration::from_secs(30),
        }
    }
}

/// TLS by others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    Python,
    GnuTls,
}

impl Tls {
    pub const ALL: [Self; 2] = [Self::Python, Self::GnuTls];

    /// Connects: what is written to it goes to the server, what the server sends it writes, and either side may end first.
    pub fn connect(self, to: SocketAddr, terms: &Terms) -> Process {
        self.library()
            .run("tls", &["client", &to.to_string()], terms)
    }

    /// Answers each client that ends its sending direction with all that it sent, in reverse.
    pub fn serve(self, terms: &Terms) -> Served {
        served(self.library().run("tls", &["server", "reverse"], terms))
    }

    /// Answers `GET /` with [`Self::page`].
    pub fn serve_http(self, terms: &Terms) -> Served {
        served(self.library().run("tls", &["server", "http"], terms))
    }

    pub fn page(self) -> &'static str {
        match self {
            Self::Python => "a page of python",
            Self::GnuTls => "a page of gnutls",
        }
    }

    /// Waits until it has done a handshake on these terms.
    pub fn established(self, process: &Process, terms: &Terms) {
        self.library().established(process, terms);
    }

    fn library(self) -> Library {
        match self {
            Self::Python => Library::Python,
            Self::GnuTls => Library::GnuTls,
        }
    }
}

/// DTLS by others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dtls {
    GnuTls,
    /// Its server serves one client and ends.
    OpenSsl,
}

impl Dtls {
    pub const ALL: [Self; 2] = [Self::GnuTls, Self::OpenSsl];

    /// Connects: each line that is written to it goes out as a datagram, and it writes the one that comes back before it
    /// reads on.
    pub fn connect(self, to: SocketAddr, terms: &Terms) -> Process {
        self.library()
            .run("dtls", &["client", &to.to_string()], terms)
    }

    /// Gives each datagram back. A cookie is asked for first.
    pub fn serve(self, terms: &Terms) -> Served {
        served(self.library().run("dtls", &["server", "echo"], terms))
    }

    /// Waits until it has done a handshake on these terms.
    pub fn established(self, process: &Process, terms: &Terms) {
        self.library().established(process, terms);
    }

    fn library(self) -> Library {
        match self {
            Self::GnuTls => Library::GnuTls,
            Self::OpenSsl => Library::OpenSsl,
        }
    }
}

/// Waits until a peer has failed, in a handshake or after it, and gives the reason in its own words.
pub fn failure(process: &Process) -> String {
    process.wait(|seen| {
        let text = String::from_utf8_lossy(&seen.stderr);
        let (_, reason) = text.split_once("failed: ")?;
        Some(reason.split_once('\n')?.0.to_owned())
    })
}

/// What a peer computes and talks with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Library {
    Python,
    GnuTls,
    OpenSsl,
}

impl Library {
    pub const ALL: [Self; 3] = [Self::Python, Self::GnuTls, Self::OpenSsl];

    /// The session's key that it makes of the published permanent key and these randoms, all in hexadecimal digits.
    pub fn derive(self, layout: Layout, client_random: &str, server_random: &str) -> String {
        let transport = match self {
            Self::Python | Self::GnuTls => "tls",
            Self::OpenSsl => "dtls",
        };
        let mut command = self.command();
        command
            .args([transport, "derive"])
            .arg(format!("--layout={}", layout.name()));
        let mut process = with_key(command, PUBLISHED_KEY);
        process.write(format!("{client_random} {server_random}\n").as_bytes());
        let ended = process.end();
        ended.expect_code(0);
        ended.stdout().trim_end().to_owned()
    }

    fn run(self, transport: &str, role: &[&str], terms: &Terms) -> Process {
        let suite = match self {
            Self::Python | Self::OpenSsl => terms.suite.list(),
            Self::GnuTls => terms.suite.priority().to_owned(),
        };
        let mut command = self.command();
        command
            .arg(transport)
            .args(role)
            .arg(format!("--layout={}", terms.layout.name()))
            .arg(format!("--suite={suite}"))
            .arg(format!("--identity={}", terms.identity))
            .arg(format!("--timeout={}", terms.handshake_timeout.as_millis()));
        if terms.version == Version::Tls13 {
            command.arg("--tls13");
        }
        if !terms.extended_master_secret {
            command.arg("--no-extended-master-secret");
        }
        with_key(command, terms.key)
    }

    fn command(self) -> Command {
        let script = match self {
            Self::Python => include_str!("../testdata/tpm_python.py"),
            Self::GnuTls => include_str!("../testdata/tpm_gnutls.py"),
            Self::OpenSsl => include_str!("../testdata/tpm_openssl.py"),
        };
        let mut command = peer("python3");
        command.args(["-c", script]);
        command
    }

    fn established(self, process: &Process, terms: &Terms) {
        let suite = match self {
            Self::Python | Self::OpenSsl => terms.suite.openssl(),
            Self::GnuTls => terms.suite.iana(),
        };
        let with = match terms.extended_master_secret {
            true => "with",
            false => "without",
        };
        process.wait_for_stderr(format!(
            "established {suite} {with} extended master secret\n"
        ));
    }
}

fn with_key(command: Command, key: &[u8]) -> Process {
    let mut process = Process::start(command);
    process.write(line(key).as_bytes());
    process
}

/// A permanent key as a line of hexadecimal digits.
pub(crate) fn line(key: &[u8]) -> String {
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    digits + "\n"
}

fn served(process: Process) -> Served {
    Served {
        address: scripts::listening(&process),
        process,
        folder: None,
    }
}
