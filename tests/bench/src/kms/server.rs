//! kms-mtls as a server, and as the client whose tunnel leads to it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use mcbn_tests_kms::{Own, Scene};
use mcbn_tests_support::process::Process;

use super::client::{Client, in_memory};
use super::{SIGNERS, Turn, alone};
use crate::client::Tunnel;
use crate::failure::Failure;
use crate::machine::Processors;
use crate::plan::Plan;
use crate::server::proxy;
use crate::service::Service;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    KmsMtls,
    /// No handshakes: signatures alone.
    CallsAlone,
    /// Which signs for each connection, whoever comes again.
    NeverResuming,
    /// The plainest proxy over rustls, with its key in memory.
    KeyInMemory,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::KmsMtls => "kms-mtls",
            Self::CallsAlone => "the calls alone",
            Self::NeverResuming => "kms-mtls, never resuming",
            Self::KeyInMemory => "rustls, key in memory",
        }
    }
}

/// What every server is started from.
pub struct Bench {
    processors: Processors,
    kms_mtls: PathBuf,
    scene: Scene,
    server: Own,
    client: Own,
    openssl: Client,
    /// A certificate and its key.
    in_memory: [PathBuf; 2],
}

impl Bench {
    pub fn new(processors: Processors, kms_mtls: PathBuf) -> Result<Self, Failure> {
        let scene = Scene::new();
        let set_up = || {
            let (key, certificate) = in_memory(&scene.ca)?;
            let key = key.private_key_to_pem_pkcs8()?;
            let files = [("memory.pem", certificate), ("memory.key", key)];
            let files = files.map(|(name, content)| scene.folder.file(name, content));
            io::Result::Ok((Client::new(&scene.ca)?, files))
        };
        let (openssl, in_memory) = set_up().map_err(Failure::machine("set up TLS"))?;
        Ok(Self {
            processors,
            kms_mtls,
            server: scene.p256("server"),
            client: scene.p256("client"),
            openssl,
            in_memory,
            scene,
        })
    }

    /// From now on a signature takes so long.
    pub fn sign_in(&self, each: Duration) {
        self.scene.cloud.kms().set_signers(SIGNERS, each);
    }

    /// How many were asked for so far.
    pub fn signatures(&self) -> u64 {
        self.scene.signatures()
    }

    /// Starts a server and the service behind it.
    pub fn start(&self, kind: Kind) -> Result<Running<'_>, Failure> {
        let service = Service::start(self.processors.of_client())
            .map_err(Failure::machine("start the service"))?;
        let (process, address) = match kind {
            Kind::KeyInMemory => proxy(self.proxy(&service)?),
            _ => listening(self.kms_mtls(kind, &service)),
        };
        Ok(Running {
            bench: self,
            kind,
            address,
            _process: process,
            _service: service,
        })
    }

    fn kms_mtls(&self, kind: Kind, service: &Service) -> Command {
        let mut command = self.processors.server(&self.kms_mtls);
        self.end(&mut command, &self.server, kind);
        command
            .args(["--role=server", "--max-connections-per-peer=100000"])
            .arg(format!("--forward={}", service.address()));
        command
    }

    fn proxy(&self, service: &Service) -> Result<Command, Failure> {
        let mut command = self.processors.own_server()?;
        command
            .arg("--tls-proxy")
            .arg(service.address().to_string())
            .arg(self.scene.folder.path().join("ca.pem"))
            .args(&self.in_memory);
        Ok(command)
    }

    /// A server, and a client on the client's processors that tunnels to it.
    pub fn tunnel(&self, kind: Kind) -> Result<Through<'_>, Failure> {
        let server = self.start(kind)?;
        let mut command = self.processors.client(&self.kms_mtls);
        self.end(&mut command, &self.client, kind);
        command
            .args(["--role=client", "--peer-name=localhost"])
            .arg(format!("--server={}", server.address));
        let (process, address) = listening(command);
        Ok(Through {
            server,
            address,
            _process: process,
        })
    }

    fn end(&self, command: &mut Command, own: &Own, kind: Kind) {
        self.scene.locate(command);
        self.scene.equip(command, own);
        command.args(["--listen=127.0.0.1:0", "--max-connections=100000"]);
        if kind == Kind::NeverResuming {
            command.arg("--resumption-lifetime=0");
        }
    }

    /// The same calls by this program, in a process that runs where a server would.
    pub fn calls_alone(&self, callers: usize, plan: &Plan) -> Result<Turn, Failure> {
        let mut command = self.processors.own_server()?;
        self.scene.locate(&mut command);
        command
            .arg("--calls-alone")
            .arg(self.scene.cloud.kms().endpoint())
            .args([&self.server.version, &self.scene.credentials])
            .arg(callers.to_string())
            .args([plan.warm_up, plan.window].map(|time| time.as_millis().to_string()));
        let ended = Process::start(command).end();
        ended.expect_code(0);
        alone::turn(&ended.stdout())
    }
}

fn listening(command: Command) -> (Process, SocketAddr) {
    let process = Process::start(command);
    let line = process.wait_for_message("listening");
    let address = line["address"].as_str().expect("an address");
    let address = address.parse().expect("an address");
    (process, address)
}

/// A server. It ends when it is dropped.
pub struct Running<'a> {
    bench: &'a Bench,
    kind: Kind,
    address: SocketAddr,
    _process: Process,
    _service: Service,
}

impl Running<'_> {
    /// A full handshake and the first answer.
    pub fn handshake(&self) -> Result<(), Failure> {
        let tunnel = self.bench.openssl.connect(self.address);
        tunnel
            .and_then(first_answer)
            .map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> Failure {
        Failure::Server(self.kind.name(), error)
    }
}

/// A client's local port, and the server that it leads to.
pub struct Through<'a> {
    server: Running<'a>,
    address: SocketAddr,
    _process: Process,
}

impl Through<'_> {
    /// A connection and the first answer.
    pub fn connect(&self) -> Result<(), Failure> {
        let tunnel = Tunnel::plain(self.address);
        tunnel
            .and_then(first_answer)
            .map_err(|error| self.server.failed(error))
    }
}

fn first_answer(mut tunnel: Tunnel) -> io::Result<()> {
    tunnel.ask(b"x\n", &mut [0; 2])?;
    tunnel.close();
    Ok(())
}
