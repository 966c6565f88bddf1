//! Mutual TLS with certificates: the scenarios of every ordinary TLS stack, and detrsa-mtls in both roles with what a
//! stack needs to meet it: the exported key, a certificate that an outside CA made of its request, and that CA, by which
//! both sides check chain and name beside the key. kms-mtls is in [`crate::kms`].

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::shares::Shares;
use mcbn_tests_support::workload::workload;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustix::process::Signal;

use crate::stream::Stream;
use crate::{Served, Version, exchange, ours, reversed};

/// The least that is allowed: what is tested here does not depend on it, and it is quick.
const BITS: &str = "--bits=2048";

/// A workload of ours in both roles.
pub trait Ours {
    /// The one version that it speaks.
    fn version(&self) -> Version {
        Version::Tls13
    }

    /// What a stack has: `certificate.pem` and its `key.pem`, `ca.pem`, at which the other side's chain ends, and
    /// `spki.der`, the public key that the other side shows.
    fn folder(&self) -> &Path;

    /// A server that checks all that it can.
    fn checking_server(&self, more: &[&str]) -> Server;

    /// A client that does.
    fn checking_client(&self, server: SocketAddr, mode: &[&str]) -> Process;
}

/// detrsa-mtls, and the files of one test.
pub struct Material {
    shares: Shares,
}

impl Material {
    /// `key.pem`, `spki.der`, `certificate.pem`, `ca.pem`, `ca-key.pem`.
    #[expect(clippy::new_without_default, reason = "it makes files on disk")]
    pub fn new() -> Self {
        let material = Self {
            shares: Shares::published(),
        };
        material.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/O=Frank/CN=CA",
            "-days",
            "2",
            "-keyout",
            "ca-key.pem",
            "-out",
            "ca.pem",
        ]);
        for more in [
            &["--insecure-export-private-key=key.pem"][..],
            &["--csr=request.pem", "--name=localhost", "--name=127.0.0.1"],
        ] {
            material.export(more).expect_code(0);
        }
        material.openssl(&[
            "x509",
            "-req",
            "-in",
            "request.pem",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca-key.pem",
            "-copy_extensions",
            "copy",
            "-days",
            "2",
            "-out",
            "certificate.pem",
        ]);
        material.openssl(&[
            "pkey", "-in", "key.pem", "-pubout", "-outform", "der", "-out", "spki.der",
        ]);
        material
    }

    pub fn file(&self, name: &str, content: &str) {
        self.shares.folder().file(name, content);
    }

    /// Runs `openssl` in the folder.
    pub fn openssl(&self, arguments: &[&str]) {
        let mut command = peer("openssl");
        command.current_dir(self.folder()).args(arguments);
        Process::start(command).end().expect_code(0);
    }

    /// `other-key.pem`, and `other.pem`, a certificate of it that the same CA has signed.
    pub fn other_key(&self) {
        self.openssl(&[
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-keyout",
            "other-key.pem",
            "-addext",
            "keyUsage=digitalSignature",
            "-addext",
            "extendedKeyUsage=serverAuth,clientAuth",
            "-out",
            "other-request.pem",
        ]);
        self.openssl(&[
            "x509",
            "-req",
            "-in",
            "other-request.pem",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca-key.pem",
            "-copy_extensions",
            "copy",
            "-days",
            "2",
            "-out",
            "other.pem",
        ]);
    }

    /// A certificate of our key, `<name>.pem`, that is as it should be but for this.
    pub fn spoilt(&self, name: &str, spoil: impl FnOnce(&mut CertificateParams)) {
        let key = fs::read_to_string(self.folder().join("key.pem")).expect("it was exported");
        let key = KeyPair::from_pem(&key).expect("PKCS#8");
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        spoil(&mut params);
        let certificate = params.self_signed(&key).expect("an RSA key signs");
        self.shares
            .folder()
            .file(&format!("{name}.pem"), certificate.pem());
    }

    /// Has detrsa-mtls write what these arguments ask for.
    pub fn export(&self, arguments: &[&str]) -> Ended {
        let mut command = self.ours();
        command.args(arguments);
        Process::start(command).end()
    }

    /// detrsa-mtls with the shares, in the folder.
    fn ours(&self) -> Command {
        let mut command = workload("detrsa-mtls");
        command
            .current_dir(self.folder())
            .args(self.shares.flags())
            .arg(BITS);
        command
    }

    /// With a certificate of the same CA, for peers that check chain and name; and checking theirs.
    fn checking(&self) -> Command {
        let mut command = self.ours();
        command.args([
            "--ca-certificate=ca.pem",
            "--ca-key=ca-key.pem",
            "--name=localhost",
            "--name=127.0.0.1",
            "--peer-ca=ca.pem",
            "--peer-name=localhost",
        ]);
        command
    }

    /// A server that looks at the key, and no issuer.
    pub fn server(&self, more: &[&str]) -> Server {
        Server::start(self.ours(), more)
    }

    pub fn client(&self, server: SocketAddr, mode: &[&str]) -> Process {
        start_client(self.ours(), server, mode)
    }
}

impl Ours for Material {
    fn folder(&self) -> &Path {
        self.shares.folder().path()
    }

    fn checking_server(&self, more: &[&str]) -> Server {
        Server::start(self.checking(), more)
    }

    fn checking_client(&self, server: SocketAddr, mode: &[&str]) -> Process {
        start_client(self.checking(), server, mode)
    }
}

pub(crate) fn start_client(mut command: Command, server: SocketAddr, mode: &[&str]) -> Process {
    command
        .args(["--role=client", &format!("--server={server}")])
        .args(mode);
    Process::start(command)
}

/// A running server.
pub struct Server {
    process: Process,
    address: SocketAddr,
}

impl Server {
    pub(crate) fn start(mut command: Command, more: &[&str]) -> Self {
        command
            .args(["--role=server", "--listen=127.0.0.1:0", "--log-level=debug"])
            .args(more);
        let process = Process::start(command);
        let address = ours::listening(&process);
        Self { process, address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has refused a handshake, and gives the reason that it logs.
    pub fn refusal(&self) -> String {
        let event = self.process.wait_for_message("handshake failed");
        event["reason"].as_str().expect("a word").to_owned()
    }

    /// Ends it by SIGTERM, which must succeed.
    pub fn drain(self) -> Ended {
        self.process.signal(Signal::TERM);
        let ended = self.process.end();
        ended.expect_code(0);
        ended
    }
}

/// A TLS stack of others. Its folder is that of [`Ours`].
pub trait Stack {
    /// Whether its client can end its sending direction and go on reading.
    const HALF_CLOSE: bool = true;

    /// What its HTTP server's page holds.
    const PAGE: &str;

    /// Connects, with a stream to write to and to read from.
    fn connect(to: SocketAddr, version: Version, folder: &Path) -> Stream;

    /// Answers `GET /` with [`Self::PAGE`].
    fn serve_http(version: Version, folder: &Path) -> Served;

    /// Answers as [`Self::answer`] says.
    fn serve(version: Version, folder: &Path) -> Served;

    /// What its server answers to these lines of text.
    fn answer(sent: &[u8]) -> Vec<u8> {
        reversed(sent)
    }
}

/// The tests of one stack with one workload, which the expression starts from.
#[macro_export]
macro_rules! mtls_scenarios {
    ($stack:ty, $ours:expr) => {
        #[test]
        fn its_client_is_answered_ok() {
            $crate::mtls::its_client_is_answered_ok::<$stack>(&$ours);
        }

        #[test]
        fn its_client_reaches_the_service_behind_our_server() {
            $crate::mtls::its_client_reaches_the_service_behind_our_server::<$stack>(&$ours);
        }

        #[test]
        fn our_client_gets_a_page_from_its_server() {
            $crate::mtls::our_client_gets_a_page_from_its_server::<$stack>(&$ours);
        }

        #[test]
        fn our_client_tunnels_to_its_server() {
            $crate::mtls::our_client_tunnels_to_its_server::<$stack>(&$ours);
        }
    };
}

pub fn its_client_is_answered_ok<S: Stack>(ours: &impl Ours) {
    let server = ours.checking_server(&[]);
    exchange::is_answered_ok(connect::<S>(&server, ours));
    server.drain();
}

pub fn its_client_reaches_the_service_behind_our_server<S: Stack>(ours: &impl Ours) {
    let mut server = None;
    exchange::reaches_a_service(S::HALF_CLOSE, |service| {
        let server = server.insert(ours.checking_server(&[&format!("--forward={service}")]));
        connect::<S>(server, ours)
    });
}

pub fn our_client_gets_a_page_from_its_server<S: Stack>(ours: &impl Ours) {
    let server = S::serve_http(ours.version(), ours.folder());
    let client = ours.checking_client(server.address, &["--get=/"]);
    exchange::gets_a_page(client, S::PAGE);
}

pub fn our_client_tunnels_to_its_server<S: Stack>(ours: &impl Ours) {
    let server = S::serve(ours.version(), ours.folder());
    let tunnel = ours.checking_client(server.address, &["--listen=127.0.0.1:0"]);
    let address = ours::listening(&tunnel);
    exchange::tunnels(Stream::through(tunnel, address, None), &server, S::answer);
}

fn connect<S: Stack>(server: &Server, ours: &impl Ours) -> Stream {
    S::connect(server.address(), ours.version(), ours.folder())
}
