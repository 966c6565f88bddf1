//! tpm-psk as a server, and the TPM that it has to itself.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::process::Process;
use mcbn_tests_support::shares::TPM_KEY;
use mcbn_tests_support::swtpm::Swtpm;
use mcbn_tpm::{Order, Parent};

use super::Turn;
use super::alone::turn;
use super::chip;
use super::client::{Client, answer, permanent_key};
use crate::client::{PATIENCE, Tunnel};
use crate::datagrams;
use crate::failure::Failure;
use crate::machine::Processors;
use crate::plan::Plan;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    InTpm,
    /// No handshakes: keys alone.
    TpmAlone,
    InMemory,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::InTpm => "tpm-psk",
            Self::TpmAlone => "the TPM alone",
            Self::InMemory => "tpm-psk, key in memory",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    Tcp,
    Udp,
}

/// How fast the TPM is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speed {
    Software,
    Chip,
}

/// For one command of a TPM in software.
pub const LIMIT: Duration = Duration::from_secs(20);

pub fn failed(error: impl fmt::Display) -> Failure {
    let error = io::Error::other(error.to_string());
    Failure::Server(Kind::TpmAlone.name(), error)
}

/// What every server is started from.
pub struct Bench {
    processors: Processors,
    tpm_psk: PathBuf,
    streams: Client,
    datagrams: datagrams::Client,
}

impl Bench {
    pub fn new(processors: Processors, tpm_psk: PathBuf) -> Result<Self, Failure> {
        let datagrams = datagrams::Client::new(answer);
        Ok(Self {
            processors,
            tpm_psk,
            streams: Client::new().map_err(Failure::machine("set up TLS"))?,
            datagrams: datagrams.map_err(Failure::machine("set up DTLS"))?,
        })
    }

    /// Starts a server, with a TPM where its key is to be in one.
    pub fn start(
        &self,
        kind: Kind,
        speed: Speed,
        transport: Transport,
    ) -> Result<Running<'_>, Failure> {
        let folder = Folder::new();
        let mut command = self.processors.server(&self.tpm_psk);
        let tpm = match kind {
            Kind::InTpm | Kind::TpmAlone => {
                let keyed = Keyed::new(speed, &folder)?;
                command.arg(format!("--tpm-key=file:{}", keyed.key.display()));
                command.arg(format!("--tcti={}", keyed.tcti));
                Some(keyed)
            }
            Kind::InMemory => {
                let secret = folder.file("secret", TPM_KEY);
                command.arg(format!("--secret=file:{}", secret.display()));
                None
            }
        };
        let transport_flag = match transport {
            Transport::Tcp => "--transport=tcp",
            Transport::Udp => "--transport=udp",
        };
        command.args([
            "--role=server",
            transport_flag,
            "--listen=127.0.0.1:0",
            "--admin=127.0.0.1:0",
            "--max-connections=100000",
            "--max-connections-per-peer=100000",
        ]);
        let process = Process::start(command);
        let address = |message: &str| -> SocketAddr {
            let line = process.wait_for_message(message);
            let address = line["address"].as_str().expect("an address");
            address.parse().expect("an address")
        };
        let (admin, address) = (address("admin port listening"), address("listening"));
        Ok(Running {
            bench: self,
            kind,
            transport,
            process,
            address,
            admin,
            _tpm: tpm,
            _folder: folder,
        })
    }

    /// The TPM asked by this program, in a process that runs where a server would.
    pub fn tpm_alone(&self, speed: Speed, plan: &Plan) -> Result<Turn, Failure> {
        let folder = Folder::new();
        let keyed = Keyed::new(speed, &folder)?;
        let mut command = self.processors.own_server()?;
        command.arg("--tpm-alone").arg(&keyed.tcti).arg(&keyed.key);
        command.args([plan.warm_up, plan.window].map(|time| time.as_millis().to_string()));
        let ended = Process::start(command).end();
        ended.expect_code(0);
        turn(&ended.stdout())
    }
}

/// A new TPM that has the permanent key, how it is reached, and the key's file.
struct Keyed {
    tcti: String,
    key: PathBuf,
    _tpm: Swtpm,
    _socket: Folder,
}

impl Keyed {
    fn new(speed: Speed, folder: &Folder) -> Result<Self, Failure> {
        let tpm = Swtpm::start();
        let order = Order {
            tcti: tpm.tcti().parse().map_err(failed)?,
            parent: "owner".parse::<Parent>().map_err(failed)?,
            parent_auth: None,
            key_auth: None,
            pcrs: None,
            limit: LIMIT,
        };
        let key = order.import(&permanent_key()).map_err(failed)?;
        let key = folder.file("key.pem", key.to_pem());
        let socket = Folder::for_a_socket(chip::SOCKET);
        let tcti = match speed {
            Speed::Software => tpm.tcti(),
            Speed::Chip => {
                let slow = chip::slow_down(tpm.socket(), socket.path()).map_err(failed)?;
                format!("swtpm:path={}", slow.display())
            }
        };
        Ok(Self {
            tcti,
            key,
            _tpm: tpm,
            _socket: socket,
        })
    }
}

/// A server and its TPM. Both end when it is dropped.
pub struct Running<'a> {
    bench: &'a Bench,
    kind: Kind,
    pub transport: Transport,
    process: Process,
    pub address: SocketAddr,
    admin: SocketAddr,
    _tpm: Option<Keyed>,
    _folder: Folder,
}

impl Running<'_> {
    pub fn connect_stream(&self) -> Result<Tunnel, Failure> {
        let tunnel = self.bench.streams.connect(self.address);
        tunnel.map_err(|error| self.failed(error))
    }

    pub fn connect_datagrams(&self, socket: &UdpSocket) -> Result<datagrams::Peer, Failure> {
        let peer = self.bench.datagrams.connect(socket);
        peer.map_err(|error| self.failed(error))
    }

    /// How many seconds the TPM has been at work for it so far. None where it has none.
    pub fn busy(&self) -> Result<Option<f64>, Failure> {
        let metrics = metrics(self.admin).map_err(|error| self.failed(error))?;
        match (self.kind, sum("mcbn_tpm_seconds", &metrics)) {
            (Kind::InMemory, None) => Ok(None),
            (Kind::InTpm, Some(seconds)) => Ok(Some(seconds)),
            _ => Err(self.failed(io::Error::other("its metrics are not what its key needs"))),
        }
    }

    pub fn failed(&self, error: io::Error) -> Failure {
        Failure::Server(self.kind.name(), error)
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

fn metrics(admin: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&admin, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Of all that a histogram has seen.
fn sum(histogram: &str, metrics: &str) -> Option<f64> {
    let line = format!("{histogram}_sum ");
    let value = metrics.lines().find_map(|text| text.strip_prefix(&line))?;
    value.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_read_by_the_name_of_its_histogram() {
        let metrics = "mcbn_tpm_wait_seconds_sum 9\nmcbn_tpm_seconds_sum 1.25\r\n";
        assert_eq!(sum("mcbn_tpm_seconds", metrics), Some(1.25));
        assert_eq!(sum("mcbn_tpm", metrics), None);
    }
}
