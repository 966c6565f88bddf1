//! Whom tpm-psk refuses, in both roles, and why: its log or its exit code says so, and nothing is served or sent.

use std::net::SocketAddr;
use std::time::Duration;

use mcbn_tests_interop::certificate::Certificate;
use mcbn_tests_interop::openssl::s_server;
use mcbn_tests_interop::tpm::{Dtls, Suite, Terms, Tls, WRONG_KEY, failure};
use mcbn_tests_interop::tpm_psk::Transport::{self, Tcp, Udp};
use mcbn_tests_interop::tpm_psk::{End, Failed, Running};
use mcbn_tests_interop::{Served, Version, dtls};
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::process::Process;

const REFUSED: i32 = 77;

const CHACHA20: Terms = Terms::with(Suite::EcdheChaCha20Poly1305);
const GCM: Terms = Terms::with(Suite::Aes128GcmSha256);

/// The deadline of handshakes that nothing else ends.
const SOON: Duration = Duration::from_secs(2);
const SOON_FLAG: &str = "--handshake-timeout=2s";

const SAME: &str = "both ends need the same permanent key, layout and identity";
const TLS12: &str =
    "both ends need TLS 1.2: in TLS 1.3 the randoms are there too late for a key of the session";

/// What one end may have that the other has not.
fn strangers(right: Terms) -> [Terms; 3] {
    [
        Terms {
            key: WRONG_KEY,
            ..right
        },
        Terms {
            layout: right.layout.other(),
            ..right
        },
        Terms {
            identity: "Client2",
            ..right
        },
    ]
}

// Our server.

/// A server of ours over TLS and the service that it guards.
struct Guarded {
    ours: End,
    service: Plain,
}

impl Guarded {
    fn new() -> Self {
        Self {
            ours: End::in_a_tpm(),
            service: Plain::echoing(),
        }
    }

    fn start(&self) -> Running {
        let forward = format!("--forward={}", self.service.address());
        self.ours.server(Tcp, &CHACHA20, &[&forward])
    }
}

/// The client gets nothing, and knows that it failed.
fn gets_nothing(mut client: Process) {
    client.write(b"a secret\n");
    failure(&client);
    let ended = client.end();
    ended.expect_code(1);
    assert_eq!(ended.stdout(), "", "{ended}");
}

/// Whoever is right still gets through.
fn serves(server: &Running, transport: Transport) {
    let mut client = match transport {
        Tcp => Tls::GnuTls.connect(server.address, &CHACHA20),
        Udp => Dtls::GnuTls.connect(server.address, &GCM),
    };
    client.write(b"still there?\n");
    client.wait_for_stdout("still there?\n");
}

#[test]
fn a_client_with_another_key_layout_or_identity_over_tls_is_refused() {
    let guarded = Guarded::new();
    let server = guarded.start();
    let mut failed = 0;
    for suite in Suite::OVER_TLS {
        for stranger in strangers(Terms::with(suite)) {
            for client in Tls::ALL {
                gets_nothing(client.connect(server.address, &stranger));
                failed += 1;
                let why = server.failed(failed);
                assert_eq!((why.reason(), why.hint()), ("wrong_key", SAME), "{why:?}");
            }
        }
    }
    assert_eq!(guarded.service.connections(), 0);
    serves(&server, Tcp);
    // An unknown identity is no quicker: the TPM was asked for it too.
    assert_eq!(server.metric("tpm_keys_total{outcome=\"made\"}"), 18 + 1);
}

/// They are served at one time, since each takes until its deadline.
#[test]
fn a_client_with_another_key_layout_or_identity_over_dtls_is_refused() {
    let ours = End::in_a_tpm();
    let server = ours.server(Udp, &GCM, &[SOON_FLAG]);
    let strangers = strangers(Terms {
        handshake_timeout: SOON,
        ..GCM
    });
    let clients: Vec<Process> = strangers
        .iter()
        .flat_map(|stranger| Dtls::ALL.map(|client| client.connect(server.address, stranger)))
        .collect();
    for failed in 1..=clients.len() {
        let why = server.failed(failed);
        assert_eq!(why.reason(), "wrong_key", "{why:?}");
    }
    clients.into_iter().for_each(gets_nothing);
    serves(&server, Udp);
}

#[test]
fn a_client_with_tls13_only_is_refused() {
    let guarded = Guarded::new();
    let server = guarded.start();
    let newer = Terms {
        version: Version::Tls13,
        ..CHACHA20
    };
    for (number, client) in (1..).zip(Tls::ALL) {
        gets_nothing(client.connect(server.address, &newer));
        let why = server.failed(number);
        assert_eq!((why.reason(), why.hint()), ("version", TLS12), "{why:?}");
    }
    assert_eq!(guarded.service.connections(), 0);
    assert_eq!(server.metric("tpm_keys_total{outcome=\"made\"}"), 0);
    serves(&server, Tcp);
}

/// The key is right, and the client believes that the handshake is done.
fn lacks_the_extended_master_secret(client: &Process, why: &Failed) {
    assert_eq!(why.reason(), "no_extended_master_secret", "{why:?}");
    let seen = client.seen();
    assert!(seen.stdout.is_empty(), "{seen}");
}

#[test]
fn a_client_without_the_extended_master_secret_over_tls_is_refused() {
    let guarded = Guarded::new();
    let server = guarded.start();
    let mut failed = 0;
    for suite in Suite::OVER_TLS {
        for client in Tls::ALL {
            let without = Terms {
                extended_master_secret: false,
                ..Terms::with(suite)
            };
            let mut connected = client.connect(server.address, &without);
            connected.write(b"a secret\n");
            failed += 1;
            let why = server.failed(failed);
            client.established(&connected, &without);
            lacks_the_extended_master_secret(&connected, &why);
        }
    }
    assert_eq!(guarded.service.connections(), 0);
    serves(&server, Tcp);
}

#[test]
fn a_client_without_the_extended_master_secret_over_dtls_is_refused() {
    let ours = End::in_a_tpm();
    let server = ours.server(Udp, &GCM, &[]);
    for (number, client) in (1..).zip(Dtls::ALL) {
        let without = Terms {
            extended_master_secret: false,
            ..GCM
        };
        let mut connected = client.connect(server.address, &without);
        connected.write(b"a secret\n");
        let why = server.failed(number);
        lacks_the_extended_master_secret(&connected, &why);
    }
    serves(&server, Udp);
}

// Our client.

/// It sends nothing, writes nothing to standard output, and says why.
#[track_caller]
fn says(client: Process, server: SocketAddr, reason: &str, hint: Option<&str>) {
    let ended = client.end();
    ended.expect_code(REFUSED);
    assert_eq!(ended.stdout(), "", "{ended}");
    let error = format!("tpm-psk: error: cannot connect: {server}: {reason}\n");
    let hint = hint.map(|hint| format!("tpm-psk: hint: {hint}\n"));
    assert_eq!(ended.stderr(), error + &hint.unwrap_or_default());
}

fn gets(ours: &End, server: &Served, terms: &Terms) -> Process {
    ours.client(Tcp, server.address, terms, &["--get=/"])
}

fn sends(ours: &End, server: &Served, terms: &Terms) -> Process {
    let mode = ["--send=a secret", SOON_FLAG];
    ours.client(Udp, server.address, terms, &mode)
}

const UNKNOWN_IDENTITY: &str = "the peer refused with alert 115, unknown_psk_identity";

#[test]
fn a_server_with_another_key_layout_or_identity_over_tls_is_refused() {
    let ours = End::in_a_tpm();
    for suite in Suite::OVER_TLS {
        for stranger in strangers(Terms::with(suite)) {
            for server in Tls::ALL {
                let served = server.serve_http(&stranger);
                let client = gets(&ours, &served, &CHACHA20);
                let reason = match server {
                    Tls::Python if stranger.identity != CHACHA20.identity => UNKNOWN_IDENTITY,
                    _ => "the peer refused with alert 20, bad_record_mac",
                };
                says(client, served.address, reason, Some(SAME));
            }
        }
    }
}

#[test]
fn a_server_with_another_key_layout_or_identity_over_dtls_is_refused() {
    let ours = End::in_a_tpm();
    for stranger in strangers(GCM) {
        for server in Dtls::ALL {
            let served = server.serve(&stranger);
            let client = sends(&ours, &served, &GCM);
            let reason = match server {
                Dtls::OpenSsl if stranger.identity != GCM.identity => UNKNOWN_IDENTITY,
                _ => {
                    "the peer did not show in time that it knows the key: it has another one, or knows no such identity"
                }
            };
            says(client, served.address, reason, Some(SAME));
        }
    }
}

#[test]
fn a_server_with_tls13_only_is_refused() {
    let ours = End::in_a_tpm();
    let newer = Terms {
        version: Version::Tls13,
        ..CHACHA20
    };
    for server in Tls::ALL {
        let served = server.serve_http(&newer);
        let client = gets(&ours, &served, &CHACHA20);
        let reason = "the peer refused with alert 70, protocol_version";
        says(client, served.address, reason, Some(TLS12));
    }
}

const NO_EXTENDED_MASTER_SECRET: &str = "the peer does not do extended master secrets";

#[test]
fn a_server_without_the_extended_master_secret_over_tls_is_refused() {
    let ours = End::in_a_tpm();
    for suite in Suite::OVER_TLS {
        for server in Tls::ALL {
            let without = Terms {
                extended_master_secret: false,
                ..Terms::with(suite)
            };
            let served = server.serve_http(&without);
            let client = gets(&ours, &served, &CHACHA20);
            says(client, served.address, NO_EXTENDED_MASTER_SECRET, None);
        }
    }
}

#[test]
fn a_server_without_the_extended_master_secret_over_dtls_is_refused() {
    let ours = End::in_a_tpm();
    for server in Dtls::ALL {
        let without = Terms {
            extended_master_secret: false,
            ..GCM
        };
        let served = server.serve(&without);
        let client = sends(&ours, &served, &GCM);
        says(client, served.address, NO_EXTENDED_MASTER_SECRET, None);
    }
}

const HANDSHAKE_FAILURE: &str = "the peer refused with alert 40, handshake_failure";

#[test]
fn a_server_with_a_certificate_over_tls_is_refused() {
    let ours = End::in_a_tpm();
    let certificate = Certificate::new();
    let flags = certificate.flags();
    let mut arguments: Vec<&str> = flags.iter().map(String::as_str).collect();
    arguments.push("-www");
    let served = s_server(Version::Tls12, &arguments);
    let client = gets(&ours, &served, &CHACHA20);
    says(client, served.address, HANDSHAKE_FAILURE, None);
}

#[test]
fn a_server_with_a_certificate_over_dtls_is_refused() {
    let ours = End::in_a_tpm();
    let certificate = Certificate::new();
    let served = dtls::s_server_with(&certificate);
    let client = sends(&ours, &served, &GCM);
    says(client, served.address, HANDSHAKE_FAILURE, None);
}

// Ours among themselves.

#[test]
fn another_key_identity_or_layout_of_our_client_is_refused_alike() {
    for transport in Transport::ALL {
        let ours = End::in_a_tpm();
        let server = ours.server(transport, &CHACHA20, &[SOON_FLAG]);
        let (wrong, right) = (End::in_memory_with(WRONG_KEY), End::in_memory());
        let [_, other_layout, other_identity] = strangers(CHACHA20);
        let clients = [
            (wrong, CHACHA20),
            (right, other_identity),
            (End::in_memory(), other_layout),
        ];
        let told = [1, 2, 3].map(|number| {
            let (client, terms) = &clients[number - 1];
            let mode = match transport {
                Tcp => "--get=/",
                Udp => "--send=a secret",
            };
            let client = client.client(transport, server.address, terms, &[mode, SOON_FLAG]);
            let ended = client.end();
            ended.expect_code(REFUSED);
            assert_eq!(ended.stdout(), "", "{ended}");
            assert!(ended.stderr().contains(SAME), "{ended}");
            let why = server.failed(number);
            (ended.stderr(), why.reason().to_owned())
        });
        assert_eq!(told[0].1, "wrong_key");
        assert_eq!(told[0], told[1]);
        assert_eq!(told[0], told[2]);
    }
}
