//! The servers, and what stands in for one where there is none.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::process::Process;
use mcbn_tests_support::shares::{IDENTITY, KEY, Shares};

use crate::client::{Client, GROUP, SUITE, Tunnel};
use crate::failure::Failure;
use crate::machine::Processors;
use crate::service::Service;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    PskServer,
    Stunnel,
    /// Gives back each line in reverse, one connection at a time, and forwards nothing.
    OpensslEcho,
    /// Sends a file without an end, one connection at a time, and forwards nothing.
    OpensslFile,
    /// Forwards without TLS.
    PlainProxy,
    /// The service itself.
    Direct,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::PskServer => "psk-server",
            Self::Stunnel => "stunnel",
            Self::OpensslEcho | Self::OpensslFile => "openssl s_server",
            Self::PlainProxy => "plain proxy",
            Self::Direct => "direct",
        }
    }
}

/// What every server is started from.
pub struct Bench {
    pub processors: Processors,
    pub psk_server: PathBuf,
    pub client: Client,
    shares: Shares,
    folder: Folder,
}

impl Bench {
    pub fn new(processors: Processors, psk_server: PathBuf) -> Result<Self, Failure> {
        Ok(Self {
            processors,
            psk_server,
            client: Client::new().map_err(Failure::machine("set up TLS"))?,
            shares: Shares::published(),
            folder: Folder::new(),
        })
    }

    /// Starts a server and the service behind it.
    pub fn start(&self, kind: Kind) -> Result<Running<'_>, Failure> {
        let service = Service::start(self.processors.of_client())
            .map_err(Failure::machine("start the service"))?;
        let to = service.address();
        let (process, address) = match kind {
            Kind::PskServer => self.psk_server(to),
            Kind::Stunnel => self.stunnel(to)?,
            Kind::OpensslEcho => self.openssl("-rev"),
            // Paths are below the working folder, which is the root: `/dev/zero`.
            Kind::OpensslFile => self.openssl("-WWW"),
            Kind::PlainProxy => self.plain_proxy(to)?,
            Kind::Direct => (None, to),
        };
        Ok(Running {
            bench: self,
            kind,
            process,
            address,
            service,
        })
    }

    fn psk_server(&self, to: SocketAddr) -> (Option<Process>, SocketAddr) {
        let mut command = self.processors.server(&self.psk_server);
        command.args(self.shares.flags()).args([
            "--listen=127.0.0.1:0".into(),
            format!("--forward={to}"),
            "--max-connections=100000".into(),
            "--max-connections-per-peer=100000".into(),
        ]);
        let process = Process::start(command);
        let address = process.wait_for_log(|line| {
            let listening =
                line["message"] == "listening" || line["fields"]["message"] == "listening";
            let address = line["address"]
                .as_str()
                .or(line["fields"]["address"].as_str())?;
            listening.then(|| address.parse().ok())?
        });
        (Some(process), address)
    }

    fn stunnel(&self, to: SocketAddr) -> Result<(Option<Process>, SocketAddr), Failure> {
        let accept = free_port().map_err(Failure::machine("find a free port"))?;
        let name = format!("stunnel-{}", accept.port());
        let secrets = self
            .folder
            .file(&format!("{name}.secrets"), format!("{IDENTITY}:{KEY}\n"));
        // Its log is quiet, as psk-server's is; it hands out no tickets, as psk-server does not.
        let config = format!(
            "foreground = yes\n\
             debug = warning\n\
             [tunnel]\n\
             accept = {accept}\n\
             connect = {to}\n\
             sslVersion = TLSv1.3\n\
             ciphersuites = {SUITE}\n\
             ciphers = PSK\n\
             curves = {GROUP}\n\
             sessionResume = no\n\
             socket = l:TCP_NODELAY=1\n\
             socket = r:TCP_NODELAY=1\n\
             PSKsecrets = {}\n",
            secrets.display()
        );
        let mut command = self.processors.server("stunnel");
        command.arg(self.folder.file(&format!("{name}.conf"), config));
        let process = Process::start(command);
        until_it_listens(&process, accept)
            .map_err(|error| Failure::Server(Kind::Stunnel.name(), error))?;
        Ok((Some(process), accept))
    }

    fn openssl(&self, mode: &str) -> (Option<Process>, SocketAddr) {
        let mut command = self.processors.server("openssl");
        command
            .args(["s_server", "-accept", "127.0.0.1:0", "-tls1_3", "-nocert"])
            .args(["-psk_identity", IDENTITY, "-psk", KEY])
            .args([
                "-ciphersuites",
                SUITE,
                "-groups",
                GROUP,
                "-num_tickets",
                "0",
                mode,
            ])
            .current_dir("/");
        let process = Process::start(command);
        let address = process.wait(|seen| {
            let text = String::from_utf8_lossy(&seen.stdout);
            let (_, rest) = text.split_once("ACCEPT ")?;
            rest.split_once('\n')?.0.parse().ok()
        });
        (Some(process), address)
    }

    fn plain_proxy(&self, to: SocketAddr) -> Result<(Option<Process>, SocketAddr), Failure> {
        let mut command = self.processors.own_server()?;
        command.arg(format!("--plain-proxy={to}"));
        let (process, address) = proxy(command);
        Ok((Some(process), address))
    }
}

/// A server and the service behind it. Both end when it is dropped.
pub struct Running<'a> {
    bench: &'a Bench,
    pub kind: Kind,
    process: Option<Process>,
    address: SocketAddr,
    pub service: Service,
}

impl Running<'_> {
    pub fn connect(&self) -> Result<Tunnel, Failure> {
        match self.kind {
            Kind::PlainProxy | Kind::Direct => Tunnel::plain(self.address),
            _ => self.bench.client.connect(self.address),
        }
        .map_err(|error| self.failed(error))
    }

    pub fn failed(&self, error: io::Error) -> Failure {
        Failure::Server(self.kind.name(), error)
    }

    /// The server's process, where there is one.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }
}

/// A proxy of this program, which prints where it listens.
pub fn proxy(command: Command) -> (Process, SocketAddr) {
    let process = Process::start(command);
    let address = process.wait(|seen| {
        let text = String::from_utf8_lossy(&seen.stdout);
        text.split_once('\n')?.0.parse().ok()
    });
    (process, address)
}

fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// stunnel says when it is ready only in a log that also names every connection.
fn until_it_listens(process: &Process, address: SocketAddr) -> io::Result<()> {
    let started = Instant::now();
    loop {
        match TcpStream::connect(address) {
            Ok(_) => return Ok(()),
            Err(error) if process.seen().is_over() || started.elapsed() > DEADLINE => {
                return Err(io::Error::other(format!(
                    "{error}; it wrote: {}",
                    process.seen()
                )));
            }
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
}
