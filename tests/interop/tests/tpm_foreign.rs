//! The peers of tpm-psk by others, among themselves: they make the published keys, reach each other on every term that
//! they have, and refuse whoever makes another key.

use std::time::Duration;

use mcbn_tests_interop::stream::Stream;
use mcbn_tests_interop::tpm::{Dtls, Layout, Library, Suite, Terms, Tls, WRONG_KEY, failure};
use mcbn_tests_interop::{Served, Version, exchange, reversed};
use mcbn_tests_support::process::Process;
use mcbn_tests_support::session_keys::published;

const CHACHA20: Terms = Terms::with(Suite::EcdheChaCha20Poly1305);

/// The timeout of handshakes that must fail.
const SHORT: Duration = Duration::from_secs(2);

#[test]
fn each_makes_the_published_keys() {
    for library in Library::ALL {
        for published in published() {
            let mut layouts = Layout::ALL.into_iter();
            let layout = layouts.find(|layout| layout.name() == published.layout);
            let layout = layout.expect("every published layout is a peer's");
            let [client, server] = [published.client_random, published.server_random].map(hex);
            let made = library.derive(layout, &client, &server);
            assert_eq!(made, hex(published.key), "{library:?}");
        }
    }
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A client and a server, each with a library of its own.
const OVER_TLS: [(Tls, Tls); 2] = [(Tls::Python, Tls::GnuTls), (Tls::GnuTls, Tls::Python)];
const OVER_DTLS: [(Dtls, Dtls); 2] = [(Dtls::GnuTls, Dtls::OpenSsl), (Dtls::OpenSsl, Dtls::GnuTls)];

/// Many bytes go through, both ways.
fn is_reached((client, server): (Tls, Tls), terms: &Terms) {
    let served = server.serve(terms);
    let connected = client.connect(served.address, terms);
    client.established(&connected, terms);
    server.established(&served.process, terms);
    exchange::tunnels(Stream::Stdio(connected), &served, reversed);
}

/// Each line that is sent comes back.
fn is_echoed((client, server): (Dtls, Dtls), terms: &Terms) {
    let served = server.serve(terms);
    let connected = client.connect(served.address, terms);
    client.established(&connected, terms);
    server.established(&served.process, terms);
    exchange::lines_come_back(connected);
}

#[test]
fn over_tls_each_reaches_the_other_with_every_layout_and_suite() {
    for pair in OVER_TLS {
        for suite in Suite::OVER_TLS {
            for layout in Layout::ALL {
                let terms = Terms {
                    layout,
                    ..Terms::with(suite)
                };
                is_reached(pair, &terms);
            }
        }
    }
}

#[test]
fn over_dtls_each_reaches_the_other_with_every_layout_and_suite() {
    for pair in OVER_DTLS {
        for suite in Suite::OVER_DTLS {
            for layout in Layout::ALL {
                let terms = Terms {
                    layout,
                    ..Terms::with(suite)
                };
                is_echoed(pair, &terms);
            }
        }
    }
}

#[test]
fn several_clients_are_served_at_once() {
    for (client, server) in OVER_TLS {
        let served = server.serve(&CHACHA20);
        let mut first = client.connect(served.address, &CHACHA20);
        client.established(&first, &CHACHA20);
        let mut second = Stream::Stdio(client.connect(served.address, &CHACHA20));
        second.write(b"abc");
        second.finish_writing();
        assert_eq!(second.read_to_end(), b"cba");
        first.write(b"xyz");
        let ended = first.end();
        ended.expect_code(0);
        assert_eq!(ended.stdout(), "zyx");
    }
    let terms = Terms::with(Suite::Aes128GcmSha256);
    let served = Dtls::GnuTls.serve(&terms);
    let mut clients = Dtls::ALL.map(|client| {
        let connected = client.connect(served.address, &terms);
        client.established(&connected, &terms);
        connected
    });
    for client in &mut clients {
        client.write(b"still here\n");
        client.wait_for_stdout("still here\n");
    }
}

#[test]
fn each_gives_its_page() {
    for (client, server) in OVER_TLS {
        let served = server.serve_http(&CHACHA20);
        let mut connected = Stream::Stdio(client.connect(served.address, &CHACHA20));
        connected.write(b"GET / HTTP/1.1\r\n\r\n");
        let page = String::from_utf8(connected.read_to_end()).unwrap();
        assert!(page.contains(server.page()), "{page}");
    }
}

#[test]
fn each_can_do_without_the_extended_master_secret() {
    let without = |suite| Terms {
        extended_master_secret: false,
        ..Terms::with(suite)
    };
    for pair in OVER_TLS {
        for suite in Suite::OVER_TLS {
            is_reached(pair, &without(suite));
        }
    }
    for pair in OVER_DTLS {
        for suite in Suite::OVER_DTLS {
            is_echoed(pair, &without(suite));
        }
    }
}

/// What a client may have that its server has not.
fn strangers(suite: Suite) -> [Terms; 3] {
    let right = Terms {
        handshake_timeout: SHORT,
        ..Terms::with(suite)
    };
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

/// Neither side gets anything, and both know that they failed.
fn has_failed(mut client: Process, served: &Served) {
    client.write(b"a secret\n");
    let (theirs, ours) = (failure(&served.process), failure(&client));
    let ended = client.end();
    ended.expect_code(1);
    assert_eq!(ended.stdout(), "", "{theirs}, {ours}");
    let all = [ended.all(), served.process.seen().to_string()].concat();
    assert!(!all.contains("established"), "{all}");
}

#[test]
fn another_key_layout_or_identity_is_refused_over_tls() {
    for (client, server) in OVER_TLS {
        for suite in Suite::OVER_TLS {
            for stranger in strangers(suite) {
                let served = server.serve(&Terms::with(suite));
                has_failed(client.connect(served.address, &stranger), &served);
            }
        }
    }
}

#[test]
fn another_key_layout_or_identity_is_refused_over_dtls() {
    for (client, server) in OVER_DTLS {
        for stranger in strangers(Suite::Aes128GcmSha256) {
            let served = server.serve(&Terms {
                handshake_timeout: SHORT,
                ..Terms::with(stranger.suite)
            });
            has_failed(client.connect(served.address, &stranger), &served);
        }
    }
}

#[test]
fn whoever_has_tls13_only_is_refused() {
    let newer = Terms {
        version: Version::Tls13,
        ..CHACHA20
    };
    for (client, server) in OVER_TLS {
        for (clients, servers) in [(newer, CHACHA20), (CHACHA20, newer)] {
            let served = server.serve(&servers);
            has_failed(client.connect(served.address, &clients), &served);
        }
    }
}

/// Why TLS 1.3 must be refused: two careless ends agree there, on a key in which the server has no part.
#[test]
fn over_tls13_the_key_is_made_without_the_servers_random() {
    let careless = Terms {
        version: Version::Tls13,
        ..CHACHA20
    };
    let served = Tls::Python.serve(&careless);
    let mut client = Stream::Stdio(Tls::GnuTls.connect(served.address, &careless));
    client.write(b"abc");
    client.finish_writing();
    assert_eq!(client.read_to_end(), b"cba");
}
