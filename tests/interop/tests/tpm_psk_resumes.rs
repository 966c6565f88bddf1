//! Whether a second connection of one client asks the TPM: always, unless both ends were told that it need not.

use std::net::TcpStream;

use mcbn_tests_interop::exchange::comes_back;
use mcbn_tests_interop::tpm::{Suite, Terms};
use mcbn_tests_interop::tpm_psk::Transport::Tcp;
use mcbn_tests_interop::tpm_psk::{End, Running};
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::process::contains;

const TERMS: Terms = Terms::with(Suite::EcdheChaCha20Poly1305);

const RESUMING: &[&str] = &["--insecure-resumption"];

/// A server whose key is in a TPM, and one client of it.
struct Pair {
    ours: End,
    server: Running,
    tunnel: Running,
    _service: Plain,
}

impl Pair {
    fn start(of_server: &[&str], of_client: &[&str]) -> Self {
        let service = Plain::echoing();
        let forward = format!("--forward={}", service.address());
        let ours = End::in_a_tpm();
        let server = ours.server(Tcp, &TERMS, &[&[forward.as_str()], of_server].concat());
        let tunnel = End::in_memory().tunnel(Tcp, server.address, &TERMS, of_client);
        Self {
            ours,
            server,
            tunnel,
            _service: service,
        }
    }

    /// One connection from its handshake to its end.
    fn connect(&self) {
        let mut local = TcpStream::connect(self.tunnel.address).unwrap();
        comes_back(&mut local, "a line\n");
    }

    fn keys(&self) -> u64 {
        self.server.metric("tpm_keys_total{outcome=\"made\"}")
    }

    /// What it means is a warning in the logs of these ends.
    fn warns(&self) -> [bool; 2] {
        [&self.server, &self.tunnel].map(|running| {
            contains(
                &running.process.seen().stderr,
                b"\"level\":\"WARN\",\"message\":\"sessions are resumed for five minutes: a resumed one is opened by the \
                  secret of an earlier one, and the TPM is not asked\"",
            )
        })
    }
}

#[test]
fn every_connection_asks_the_tpm() {
    let pair = Pair::start(&[], &[]);
    for keys in 1..=3 {
        pair.connect();
        assert_eq!(pair.keys(), keys);
    }
    assert_eq!(pair.warns(), [false, false]);
}

#[test]
fn every_connection_asks_where_one_end_was_told_that_it_need_not() {
    for (of_server, of_client) in [(RESUMING, &[][..]), (&[], RESUMING)] {
        let pair = Pair::start(of_server, of_client);
        for keys in 1..=3 {
            pair.connect();
            assert_eq!(pair.keys(), keys);
        }
        assert_eq!(
            pair.warns(),
            [of_server, of_client].map(|flags| flags == RESUMING)
        );
    }
}

#[test]
fn a_resumed_connection_does_not_ask_and_both_ends_warn_of_it() {
    let mut pair = Pair::start(RESUMING, RESUMING);
    for _ in 0..3 {
        pair.connect();
    }
    assert_eq!(pair.keys(), 1);
    assert_eq!(pair.warns(), [true, true]);
    // This is what it means: whoever was let in once needs no TPM now.
    pair.ours.tpm().kill();
    pair.connect();
}
