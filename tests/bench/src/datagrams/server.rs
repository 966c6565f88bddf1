//! The servers of datagrams.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;

use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::port::on_free_port;
use mcbn_tests_support::process::{Process, contains};
use mcbn_tests_support::shares::{DTLS_KEY, IDENTITY, Shares};

use super::client::{self, Client, Peer, SUITE};
use super::service::Service;
use crate::client::answer_with;
use crate::failure::Failure;
use crate::machine::Processors;
use crate::measure::throughput::Direction;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    DtlsServer,
    /// One peer after another. No echo: what it gets goes to its standard output, and its standard input to the peer.
    Openssl,
    /// One peer after another.
    GnuTls,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::DtlsServer => "dtls-server",
            Self::Openssl => "openssl s_server",
            Self::GnuTls => "gnutls-serv",
        }
    }
}

/// What a server does with datagrams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Gives each back.
    Echo,
    /// Passes them on to a service, or from it.
    Pass(Direction),
}

pub struct Bench {
    pub processors: Processors,
    pub dtls_server: PathBuf,
    client: Client,
    shares: Shares,
    folder: Folder,
}

impl Bench {
    pub fn new(processors: Processors, dtls_server: PathBuf) -> Result<Self, Failure> {
        let folder = Folder::new();
        folder.file("passwords", format!("{IDENTITY}:{DTLS_KEY}\n"));
        let client = Client::new(|context| answer_with(context, IDENTITY, DTLS_KEY));
        Ok(Self {
            processors,
            dtls_server,
            client: client.map_err(Failure::machine("set up DTLS"))?,
            shares: Shares::published(),
            folder,
        })
    }

    pub fn start(&self, kind: Kind, role: Role) -> Result<Running<'_>, Failure> {
        let failed = Failure::machine("start a service");
        let (process, address, service) = match kind {
            Kind::DtlsServer => self.dtls_server(role),
            Kind::Openssl => self.openssl(role),
            Kind::GnuTls => Ok(self.gnutls()),
        }
        .map_err(failed)?;
        Ok(Running {
            bench: self,
            kind,
            process,
            address,
            service,
        })
    }

    fn dtls_server(&self, role: Role) -> io::Result<Started> {
        let mut command = self.processors.server(&self.dtls_server);
        command.args(self.shares.flags()).args([
            "--listen=127.0.0.1:0",
            "--max-connections=100000",
            "--max-connections-per-peer=100000",
        ]);
        let service = match role {
            Role::Echo => None,
            Role::Pass(direction) => {
                let (service, to) = Service::udp(direction)?;
                command.arg(format!("--forward={to}"));
                Some(service)
            }
        };
        let process = Process::start(command);
        let listening = process.wait_for_message("listening");
        let address = listening["address"].as_str().expect("an address");
        Ok((process, address.parse().expect("an address"), service))
    }

    fn openssl(&self, role: Role) -> io::Result<Started> {
        let direction = match role {
            // It keeps still.
            Role::Echo => Direction::Up,
            Role::Pass(direction) => direction,
        };
        let (service, stdin, stdout) = Service::standard_streams(direction)?;
        // Its output is elsewhere, so what it says of its port is not heard: a client asks until it answers.
        let address = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = self.processors.server("openssl");
        command
            .args(["s_server", "-dtls1_2", "-listen", "-nocert", "-quiet"])
            .args(["-accept", &address.to_string()])
            .args(["-psk_identity", IDENTITY, "-psk", DTLS_KEY])
            .args(["-cipher", SUITE]);
        let process = Process::start_between(command, stdin, stdout);
        Ok((process, address, Some(service)))
    }

    fn gnutls(&self) -> Started {
        let (process, address) = on_free_port(
            |address| {
                let mut command = self.processors.server("gnutls-serv");
                command
                    .args(["--udp", "--echo", "--quiet"])
                    .args(["--port", &address.port().to_string()])
                    .args(["--priority", PRIORITY])
                    .arg("--pskpasswd")
                    .arg(self.folder.path().join("passwords"));
                Process::start(command)
            },
            |seen| contains(&seen.stdout, b"done") || contains(&seen.stderr, b"done"),
        );
        (process, address, None)
    }
}

type Started = (Process, SocketAddr, Option<Service>);

const PRIORITY: &str = "NONE:+VERS-DTLS1.2:+PSK:+AES-128-GCM:+AEAD:+COMP-NULL:+SIGN-ALL:+GROUP-ALL";

/// A server, which ends when it is dropped.
pub struct Running<'a> {
    bench: &'a Bench,
    pub kind: Kind,
    process: Process,
    address: SocketAddr,
    pub service: Option<Service>,
}

impl Running<'_> {
    pub fn socket(&self) -> Result<UdpSocket, Failure> {
        client::socket(self.address).map_err(|error| self.failed(error))
    }

    pub fn connect(&self, socket: &UdpSocket) -> Result<Peer, Failure> {
        let peer = self.bench.client.connect(socket);
        peer.map_err(|error| self.failed(error))
    }

    pub fn failed(&self, error: io::Error) -> Failure {
        Failure::Server(self.kind.name(), error)
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}
