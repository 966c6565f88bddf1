//! kms-mtls in both roles, with a key in the double of Cloud KMS and a certificate for it, and what a stack needs to meet
//! it: a key and a certificate of its own, of the same CA.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use mcbn_tests_kms::{Ca, Own, REFUSED, Scene};
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::google_cloud::Algorithm;
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::process::Process;
use rcgen::KeyPair;

use crate::mtls::{Ours, Server, Stack, start_client};
use crate::{Version, ours};

/// A cloud with one key for our end.
pub struct Kms {
    pub scene: Scene,
    own: Own,
    version: Version,
}

impl Kms {
    pub fn tls13(algorithm: Algorithm) -> Self {
        Self::new(algorithm, Version::Tls13)
    }

    pub fn tls12(algorithm: Algorithm) -> Self {
        Self::new(algorithm, Version::Tls12)
    }

    fn new(algorithm: Algorithm, version: Version) -> Self {
        let scene = Scene::new();
        let own = scene.own("own", algorithm);
        let kms = Self {
            scene,
            own,
            version,
        };
        kms.equip(&kms.scene.folder, &kms.scene.ca);
        kms
    }

    /// A folder as a stack's is, but that its certificate is of another CA.
    pub fn stranger(&self) -> Folder {
        let folder = Folder::new();
        folder.file("ca.pem", self.scene.ca.pem());
        self.equip(&folder, &Ca::new());
        folder
    }

    /// A new key, what this CA says of it, and our public key.
    fn equip(&self, folder: &Folder, ca: &Ca) {
        let key = KeyPair::generate().expect("ring makes keys");
        folder.file("key.pem", key.serialize_pem());
        folder.file("certificate.pem", ca.issue(&key.public_key_pem()));
        let spki = self.scene.cloud.kms().public_key_pem(&self.own.version);
        folder.file("spki.pem", spki);
        let mut command = peer("openssl");
        command
            .current_dir(folder.path())
            .args(["pkey", "-pubin", "-in", "spki.pem"])
            .args(["-outform", "der", "-out", "spki.der"]);
        Process::start(command).end().expect_code(0);
    }

    fn command(&self) -> Command {
        let version = match self.version {
            Version::Tls12 => "--tls-version=1.2",
            Version::Tls13 => "--tls-version=1.3",
        };
        self.scene.end(&self.own, &[version])
    }
}

impl Ours for Kms {
    fn version(&self) -> Version {
        self.version
    }

    fn folder(&self) -> &Path {
        self.scene.folder.path()
    }

    fn checking_server(&self, more: &[&str]) -> Server {
        Server::start(self.command(), more)
    }

    fn checking_client(&self, server: SocketAddr, mode: &[&str]) -> Process {
        let mut command = self.command();
        command.arg("--peer-name=localhost");
        start_client(command, server, mode)
    }
}

/// The tests of one stack with one key: every scenario of mutual TLS, and whom we refuse.
#[macro_export]
macro_rules! kms_scenarios {
    ($stack:ty, $kms:expr) => {
        $crate::mtls_scenarios!($stack, $kms);

        #[test]
        fn its_client_of_another_ca_is_refused() {
            $crate::kms::its_client_of_another_ca_is_refused::<$stack>(&$kms);
        }

        #[test]
        fn its_server_of_another_ca_is_refused() {
            $crate::kms::its_server_of_another_ca_is_refused::<$stack>(&$kms);
        }
    };
}

pub fn its_client_of_another_ca_is_refused<S: Stack>(kms: &Kms) {
    let service = Plain::echoing();
    let server = kms.checking_server(&[&format!("--forward={}", service.address())]);
    let stranger = kms.stranger();
    let mut client = S::connect(server.address(), kms.version(), stranger.path());
    client.write(b"a line\n");
    assert_eq!(server.refusal(), "chain");
    assert_eq!(client.read_to_end(), b"");
    assert_eq!(service.connections(), 0);
}

pub fn its_server_of_another_ca_is_refused<S: Stack>(kms: &Kms) {
    let stranger = kms.stranger();
    let before = kms.scene.signatures();
    let server = S::serve_http(kms.version(), stranger.path());
    let client = kms.checking_client(server.address, &["--get=/"]);
    let ended = client.end();
    ended.expect_code(REFUSED);
    assert_eq!(ended.stdout(), "");
    // That of the start, and none for the stranger.
    assert_eq!(kms.scene.signatures() - before, 1);
}

/// Connections of one client of ours, one after the other, to a server of theirs cost one signature.
pub fn our_client_resumes_at_its_server<S: Stack>(kms: &Kms) {
    let server = S::serve(kms.version(), kms.folder());
    let tunnel = kms.checking_client(server.address, &["--listen=127.0.0.1:0"]);
    let address = ours::listening(&tunnel);
    let before = kms.scene.signatures();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).expect("the tunnel listens");
        stream.write_all(b"a line\n").expect("it is open");
        stream.shutdown(Shutdown::Write).expect("it is connected");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        assert_eq!(answer, S::answer(b"a line\n"));
    }
    assert_eq!(kms.scene.signatures() - before, 1);
}

/// What `openssl s_client` says of its session, which it takes from a file or writes to one, whichever the flag says.
pub fn s_client_says(kms: &Kms, server: &Server, flags: &[&str]) -> String {
    let mut command =
        crate::openssl::s_client_certified(server.address(), kms.version(), kms.folder());
    command.arg("-ign_eof").args(flags);
    let mut client = Process::start(command);
    client.write(b"GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n");
    let ended = client.end();
    ended.expect_code(0);
    let said = ended.stdout();
    assert!(said.contains("\r\n\r\nok\n"), "{said}");
    said
}
