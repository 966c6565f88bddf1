//! tpm-psk's image, with a TPM that is passed in as a host would pass its own: a socket of one in software.

use std::net::SocketAddr;
use std::path::PathBuf;

use mcbn_tests_image::{Container, give, listening};
use mcbn_tests_interop::exchange;
use mcbn_tests_interop::stream::Stream;
use mcbn_tests_interop::tpm::{Dtls, Suite, Terms, Tls};
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::shares::WRONG_KEY;
use mcbn_tests_support::swtpm::Swtpm;
use mcbn_tests_support::workload::workload;

const IMAGE: &str = "tpm-psk";

/// The permanent key: in the TPM at the image's end, in memory at the others'.
const KEY: &[u8; 32] = b"the quick brown fox jumps over a";

/// Where a container finds the TPM, and the folder with what it takes to use the key.
const TPM: &str = "/tpm";
const KEYS: &str = "/keys";

/// What a host has that passes its TPM in.
struct Host {
    tpm: Swtpm,
    /// The container sees it: the key's file, which is of use with this TPM alone, and the key's authorization value.
    keys: Folder,
    /// It does not see this: the permanent key itself, and another one.
    outside: Folder,
}

impl Host {
    fn new() -> Self {
        let (tpm, keys, outside) = (Swtpm::start(), Folder::new(), Folder::new());
        let digits: String = KEY.iter().map(|byte| format!("{byte:02x}")).collect();
        let secret = outside.file("secret", digits);
        outside.file("wrong", WRONG_KEY);
        keys.file("auth", "correct horse\n");
        let mut import = workload(IMAGE);
        import
            .args(["key", "import", "--out=key.pem", "--key-auth=file:auth"])
            .arg(format!("--secret=file:{}", secret.display()))
            .arg(format!("--tcti={}", tpm.tcti()))
            .current_dir(keys.path());
        Process::start(import).end().expect_code(0);
        for name in ["", "auth", "key.pem"] {
            give(&keys.path().join(name));
        }
        // Whoever may write to it may connect.
        give(&tpm.socket());
        Self { tpm, keys, outside }
    }

    /// The image, whose key is in the TPM.
    fn start(&self, variables: &[(&str, &str)]) -> Container {
        let key = [
            ("MCBN_TPM_KEY", "file:/keys/key.pem"),
            ("MCBN_KEY_AUTH", "file:/keys/auth"),
            ("MCBN_TCTI", "swtpm:path=/tpm"),
        ];
        Container::start_in(
            Folder::new(),
            IMAGE,
            &[&key, variables].concat(),
            &[(&self.tpm.socket(), TPM), (self.keys.path(), KEYS)],
        )
    }

    fn serve(&self, transport: &str) -> (Container, SocketAddr) {
        let server = self.start(&[
            ("MCBN_ROLE", "server"),
            ("MCBN_TRANSPORT", transport),
            ("MCBN_LISTEN", "127.0.0.1:0"),
        ]);
        let address = listening(&server);
        server.expect_confined();
        (server, address)
    }

    /// The program beside the container, whose key is in memory.
    fn beside(&self, secret: &str, arguments: &[&str]) -> Process {
        let secret: PathBuf = self.outside.path().join(secret);
        let mut command = workload(IMAGE);
        command
            .arg(format!("--secret=file:{}", secret.display()))
            .args(arguments);
        Process::start(command)
    }

    fn ask(&self, secret: &str, to: SocketAddr, arguments: &[&str]) -> Ended {
        let to = format!("--server={to}");
        let client = ["--role=client", &to];
        self.beside(secret, &[&client, arguments].concat()).end()
    }
}

#[test]
fn it_answers_over_tcp_whoever_has_the_key() {
    let host = Host::new();
    let (server, address) = host.serve("tcp");
    let answered = host.ask("secret", address, &["--get=/"]);
    answered.expect_code(0);
    assert_eq!(answered.stdout(), "ok\n");
    let refused = host.ask("wrong", address, &["--get=/"]);
    assert_ne!(refused.code, Some(0), "{refused}");

    let terms = Terms {
        key: KEY,
        ..Terms::with(Suite::EcdheChaCha20Poly1305)
    };
    exchange::is_answered_ok(Stream::Stdio(Tls::Python.connect(address, &terms)));
    server.stop();
}

#[test]
fn it_answers_over_udp_whoever_has_the_key() {
    let host = Host::new();
    let (server, address) = host.serve("udp");
    let udp = "--transport=udp";
    let answered = host.ask("secret", address, &[udp, "--send=a datagram"]);
    answered.expect_code(0);
    assert_eq!(answered.stdout(), "a datagram");

    let terms = Terms {
        key: KEY,
        ..Terms::with(Suite::Aes128GcmSha256)
    };
    let mut foreign = Dtls::GnuTls.connect(address, &terms);
    foreign.write(b"a line\n");
    foreign.wait_for_stdout("a line\n");
    server.stop();
}

#[test]
fn it_reaches_a_server_that_has_the_key() {
    let host = Host::new();
    for (transport, asked, answer) in [
        ("tcp", ("MCBN_GET", "/"), "ok\n"),
        ("udp", ("MCBN_SEND", "a datagram"), "a datagram"),
    ] {
        let over = format!("--transport={transport}");
        let server = host.beside("secret", &["--role=server", "--listen=127.0.0.1:0", &over]);
        let listening = server.wait_for_message("listening");
        let address = listening["address"].as_str().expect("an address");
        let client = host.start(&[
            ("MCBN_ROLE", "client"),
            ("MCBN_TRANSPORT", transport),
            ("MCBN_SERVER", address),
            asked,
        ]);
        let (process, _folder) = client.into_process();
        let ended = process.end();
        ended.expect_code(0);
        assert_eq!(ended.stdout(), answer);
    }
}

/// As on Confidential Space, whose containers see no device of a TPM.
#[test]
fn without_a_tpm_it_says_so_and_ends() {
    let host = Host::new();
    let container = Container::start_in(
        Folder::new(),
        IMAGE,
        &[
            ("MCBN_ROLE", "server"),
            ("MCBN_TPM_KEY", "file:/keys/key.pem"),
            ("MCBN_KEY_AUTH", "file:/keys/auth"),
        ],
        &[(host.keys.path(), KEYS)],
    );
    let (process, _folder) = container.into_process();
    let ended = process.end();
    ended.expect_code(69);
    assert!(
        ended.stderr().contains("the TPM cannot be reached"),
        "{ended}"
    );
}
