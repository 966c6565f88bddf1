//! tpm-psk, with its permanent key in a TPM and in memory, against the programs of others and itself: in both roles, over
//! TLS and DTLS, with every layout and suite.

use mcbn_tests_interop::stream::Stream;
use mcbn_tests_interop::tpm::{Dtls, Layout, Suite, Terms, Tls};
use mcbn_tests_interop::tpm_psk::Transport::{Tcp, Udp};
use mcbn_tests_interop::tpm_psk::{End, Running};
use mcbn_tests_interop::{dtls, exchange, reversed};

/// Every layout with every suite.
fn terms(suites: [Suite; 3]) -> impl Iterator<Item = Terms> {
    suites.into_iter().flat_map(|suite| {
        Layout::ALL.map(|layout| Terms {
            layout,
            ..Terms::with(suite)
        })
    })
}

const CHACHA20: Terms = Terms::with(Suite::EcdheChaCha20Poly1305);

// Theirs to ours, over TLS.

fn over_tls_their_clients_are_answered_ok_by_our_server(ours: &End) {
    for layout in Layout::ALL {
        let server = ours.server(Tcp, &Terms { layout, ..CHACHA20 }, &[]);
        for terms in terms(Suite::OVER_TLS).filter(|terms| terms.layout == layout) {
            for client in Tls::ALL {
                let connected = client.connect(server.address, &terms);
                client.established(&connected, &terms);
                exchange::is_answered_ok(Stream::Stdio(connected));
            }
        }
    }
}

fn over_tls_their_clients_reach_the_service_behind_our_server(ours: &End) {
    for terms in terms(Suite::OVER_TLS) {
        for client in Tls::ALL {
            let mut server = None;
            exchange::reaches_a_service(true, |service| {
                let forward = format!("--forward={service}");
                let server = server.insert(ours.server(Tcp, &terms, &[&forward]));
                let connected = client.connect(server.address, &terms);
                client.established(&connected, &terms);
                Stream::Stdio(connected)
            });
        }
    }
}

// Ours to theirs, over TLS.

fn over_tls_our_client_gets_a_page_from_their_servers(ours: &End) {
    for terms in terms(Suite::OVER_TLS) {
        for server in Tls::ALL {
            let served = server.serve_http(&terms);
            let client = ours.client(Tcp, served.address, &terms, &["--get=/"]);
            exchange::gets_a_page(client, server.page());
            server.established(&served.process, &terms);
        }
    }
}

fn over_tls_our_client_tunnels_to_their_servers(ours: &End) {
    for terms in terms(Suite::OVER_TLS) {
        for server in Tls::ALL {
            let served = server.serve(&terms);
            let tunnel = ours.tunnel(Tcp, served.address, &terms, &[]);
            exchange::tunnels(through(tunnel), &served, reversed);
            server.established(&served.process, &terms);
        }
    }
}

fn through(tunnel: Running) -> Stream {
    Stream::through(tunnel.process, tunnel.address, None)
}

// Over DTLS.

fn over_dtls_their_clients_are_echoed_by_our_server(ours: &End) {
    for terms in terms(Suite::OVER_DTLS) {
        let server = ours.server(Udp, &terms, &[]);
        for client in Dtls::ALL {
            let connected = client.connect(server.address, &terms);
            client.established(&connected, &terms);
            exchange::lines_come_back(connected);
        }
    }
}

fn over_dtls_our_client_is_echoed_by_their_servers(ours: &End) {
    for terms in terms(Suite::OVER_DTLS) {
        for server in Dtls::ALL {
            let served = server.serve(&terms);
            let client = ours.client(Udp, served.address, &terms, &["--send=a question"]);
            exchange::gets_a_page(client, "a question");
            server.established(&served.process, &terms);
        }
    }
}

macro_rules! in_each_place {
    ($($scenario:ident)*) => {
        mod with_the_key_in_a_tpm {
            $(
                #[test]
                fn $scenario() {
                    super::$scenario(&super::End::in_a_tpm());
                }
            )*
        }

        mod with_the_key_in_memory {
            $(
                #[test]
                fn $scenario() {
                    super::$scenario(&super::End::in_memory());
                }
            )*
        }
    };
}

in_each_place! {
    over_tls_their_clients_are_answered_ok_by_our_server
    over_tls_their_clients_reach_the_service_behind_our_server
    over_tls_our_client_gets_a_page_from_their_servers
    over_tls_our_client_tunnels_to_their_servers
    over_dtls_their_clients_are_echoed_by_our_server
    over_dtls_our_client_is_echoed_by_their_servers
}

// Ours to ours.

/// In TPMs of their own, or in one TPM and a memory: as a server and as a client.
fn pairs() -> [(End, End); 3] {
    [
        (End::in_a_tpm(), End::in_a_tpm()),
        (End::in_a_tpm(), End::in_memory()),
        (End::in_memory(), End::in_a_tpm()),
    ]
}

#[test]
fn over_tls_ours_reach_each_other_wherever_their_keys_are() {
    for (server, client) in &pairs() {
        for layout in Layout::ALL {
            let terms = Terms { layout, ..CHACHA20 };
            let mut running = None;
            exchange::reaches_a_service(true, |service| {
                let forward = format!("--forward={service}");
                let server = running.insert(server.server(Tcp, &terms, &[&forward]));
                through(client.tunnel(Tcp, server.address, &terms, &[]))
            });
            drop(running);
            let server = server.server(Tcp, &terms, &[]);
            let client = client.client(Tcp, server.address, &terms, &["--get=/"]);
            exchange::gets_a_page(client, "ok\n");
        }
    }
}

#[test]
fn over_dtls_ours_reach_each_other_wherever_their_keys_are() {
    for (server, client) in &pairs() {
        for layout in Layout::ALL {
            let terms = Terms { layout, ..CHACHA20 };
            let server = server.server(Udp, &terms, &[]);
            let sent = client.client(Udp, server.address, &terms, &["--send=a question"]);
            exchange::gets_a_page(sent, "a question");
            let tunnel = client.tunnel(Udp, server.address, &terms, &[]);
            let local = dtls::plain(tunnel.address);
            for question in ["first", "second"] {
                local.send(question.as_bytes()).unwrap();
                assert_eq!(answer(&local), question.as_bytes());
            }
        }
    }
}

fn answer(local: &std::net::UdpSocket) -> Vec<u8> {
    dtls::next(local, mcbn_tests_support::DEADLINE).expect("an answer in time")
}
