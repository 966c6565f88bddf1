//! One TPM and those who wait for it: it is slow, or goes away in the middle of a handshake and comes back, or many ask it
//! at once. What is established already never waits.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};

use mcbn_tests_interop::dtls;
use mcbn_tests_interop::tpm::{Dtls, Suite, Terms, Tls, failure};
use mcbn_tests_interop::tpm_psk::Transport::{self, Tcp, Udp};
use mcbn_tests_interop::tpm_psk::{End, Failed, Running};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::process::Process;

const TERMS: Terms = Terms::with(Suite::EcdheChaCha20Poly1305);

const READY: &str = "ready\n";
const LOST: &str = "not ready: tpm\n";

/// Requests that the TPM's thread has begun to serve: one that was paused is at the last of them.
const BEGUN: &str = "tpm_wait_seconds_count";

/// A server of ours that gives back what it gets.
fn echo(ours: &End, transport: Transport, more: &[&str]) -> (Running, Plain) {
    let service = Plain::echoing();
    let forward = format!("--forward={}", service.address());
    let forward = match transport {
        Tcp => Some(forward.as_str()),
        // It does so by itself.
        Udp => None,
    };
    let more: Vec<&str> = forward.into_iter().chain(more.iter().copied()).collect();
    (ours.server(transport, &TERMS, &more), service)
}

/// A client of theirs.
struct Theirs {
    process: Process,
    said: Vec<u8>,
}

impl Theirs {
    fn connect(transport: Transport, server: &Running) -> Self {
        let process = match transport {
            Tcp => Tls::GnuTls.connect(server.address, &TERMS),
            Udp => Dtls::GnuTls.connect(server.address, &TERMS),
        };
        let said = Vec::new();
        Self { process, said }
    }

    /// Says a line and waits until it is back.
    fn talk(&mut self) {
        let line = b"a line\n";
        self.process.write(line);
        self.said.extend(line);
        let all = |all: &[u8]| (all.len() == self.said.len()).then(|| all.to_owned());
        assert_eq!(self.process.wait(|seen| all(&seen.stdout)), self.said);
    }
}

/// A local program that uses a tunnel of ours.
enum Local {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Local {
    fn connect(transport: Transport, tunnel: SocketAddr) -> Self {
        match transport {
            Tcp => {
                let stream = TcpStream::connect(tunnel).unwrap();
                stream.set_read_timeout(Some(DEADLINE)).unwrap();
                Self::Tcp(stream)
            }
            Udp => Self::Udp(dtls::plain(tunnel)),
        }
    }

    fn say(&mut self, text: &str) {
        match self {
            Self::Tcp(stream) => stream.write_all(text.as_bytes()).unwrap(),
            Self::Udp(socket) => assert_eq!(socket.send(text.as_bytes()).unwrap(), text.len()),
        }
    }

    fn hear(&mut self, text: &str) {
        let mut answer = vec![0; text.len()];
        match self {
            Self::Tcp(stream) => stream.read_exact(&mut answer).unwrap(),
            Self::Udp(socket) => assert_eq!(socket.recv(&mut answer).unwrap(), text.len()),
        }
        assert_eq!(answer, text.as_bytes());
    }

    fn talk(&mut self) {
        self.say("a line\n");
        self.hear("a line\n");
    }
}

const NO_KEY: &str = "there is no key for this session";

fn is_for_want_of_a_key(why: &Failed, because: &str) {
    assert_eq!(why.reason(), "no_key", "{why:?}");
    assert_eq!(why.error(), format!("{NO_KEY}: {because}"));
}

// A server's TPM.

fn a_killed_tpm_fails_the_handshake_that_waits_for_it_alone(transport: Transport) {
    let mut ours = End::in_a_tpm();
    let (server, _service) = echo(&ours, transport, &[]);
    server.until_readiness_is(READY, || ());
    let mut established = Theirs::connect(transport, &server);
    established.talk();

    ours.tpm().pause();
    let waiting = Theirs::connect(transport, &server);
    server.until_metric_is(BEGUN, 2, || established.talk());
    ours.tpm().kill();
    is_for_want_of_a_key(&server.failed(1), "the TPM cannot be reached");
    failure(&waiting.process);
    established.talk();
    assert_eq!(server.readiness(), LOST);

    // Nobody waits for a TPM that is away.
    let late = Theirs::connect(transport, &server);
    is_for_want_of_a_key(&server.failed(2), "the TPM cannot be reached");
    failure(&late.process);
    established.talk();
    for (metric, number) in [
        ("handshakes_total{outcome=\"ok\"}", 1),
        ("handshakes_total{outcome=\"no_key\"}", 2),
        ("tpm_keys_total{outcome=\"made\"}", 1),
        ("tpm_keys_total{outcome=\"failed\"}", 2),
        ("tpm_reachable", 0),
    ] {
        assert_eq!(server.metric(metric), number, "{metric}");
    }

    ours.tpm().start_again();
    server.until_readiness_is(READY, || established.talk());
    server.process.wait_for_message("the TPM is back");
    assert_eq!(server.metric("tpm_reachable"), 1);
    Theirs::connect(transport, &server).talk();
    established.talk();
}

#[test]
fn over_tls_a_killed_tpm_fails_the_handshake_that_waits_for_it_alone() {
    a_killed_tpm_fails_the_handshake_that_waits_for_it_alone(Tcp);
}

#[test]
fn over_dtls_a_killed_tpm_fails_the_handshake_that_waits_for_it_alone() {
    a_killed_tpm_fails_the_handshake_that_waits_for_it_alone(Udp);
}

fn a_slow_tpm_is_waited_for(transport: Transport) {
    let mut ours = End::in_a_tpm();
    let (server, _service) = echo(&ours, transport, &["--handshake-timeout=50s"]);
    let mut established = Theirs::connect(transport, &server);
    established.talk();

    ours.tpm().pause();
    let mut waiting = Theirs::connect(transport, &server);
    server.until_metric_is(BEGUN, 2, || established.talk());
    assert_eq!(server.metric("handshakes_total{outcome=\"ok\"}"), 1);
    assert_eq!(server.readiness(), READY);
    ours.tpm().resume();
    waiting.talk();
    established.talk();
    assert_eq!(server.metric("handshakes_total{outcome=\"ok\"}"), 2);
}

#[test]
fn over_tls_a_slow_tpm_is_waited_for() {
    a_slow_tpm_is_waited_for(Tcp);
}

#[test]
fn over_dtls_a_slow_tpm_is_waited_for() {
    a_slow_tpm_is_waited_for(Udp);
}

fn a_slow_tpm_is_waited_for_until_the_deadline(transport: Transport) {
    let mut ours = End::in_a_tpm();
    let (server, _service) = echo(&ours, transport, &["--handshake-timeout=3s"]);
    let mut established = Theirs::connect(transport, &server);
    established.talk();

    ours.tpm().pause();
    // One that the TPM is at, and one that waits in line.
    let waiting = [(); 2].map(|()| Theirs::connect(transport, &server));
    let failed = "handshakes_total{outcome=\"no_key\"}";
    server.until_metric_is(failed, 2, || established.talk());
    for (number, waiting) in (1..).zip(&waiting) {
        is_for_want_of_a_key(&server.failed(number), "the TPM did not answer in time");
        failure(&waiting.process);
    }
    // It may only be slow.
    assert_eq!(server.readiness(), READY);

    ours.tpm().resume();
    Theirs::connect(transport, &server).talk();
    established.talk();
    // No key was made for who had gone.
    assert_eq!(server.metric("tpm_keys_total{outcome=\"late\"}"), 1);
}

#[test]
fn over_tls_a_slow_tpm_is_waited_for_until_the_deadline() {
    a_slow_tpm_is_waited_for_until_the_deadline(Tcp);
}

#[test]
fn over_dtls_a_slow_tpm_is_waited_for_until_the_deadline() {
    a_slow_tpm_is_waited_for_until_the_deadline(Udp);
}

/// Longer than a TPM may take for a command it is lost.
#[test]
fn a_tpm_that_says_nothing_is_given_up_and_found_again() {
    let mut ours = End::in_a_tpm();
    let (server, _service) = echo(&ours, Tcp, &["--tpm-timeout=1s"]);
    let mut established = Theirs::connect(Tcp, &server);
    established.talk();

    ours.tpm().pause();
    let waiting = Theirs::connect(Tcp, &server);
    is_for_want_of_a_key(&server.failed(1), "the TPM cannot be reached");
    failure(&waiting.process);
    assert_eq!(server.readiness(), LOST);
    established.talk();

    ours.tpm().resume();
    server.until_readiness_is(READY, || established.talk());
    Theirs::connect(Tcp, &server).talk();
    established.talk();
}

// A client's TPM.

fn a_client_whose_tpm_is_killed_keeps_what_it_has(transport: Transport) {
    let (server, _service) = echo(&End::in_memory(), transport, &[]);
    let mut ours = End::in_a_tpm();
    let tunnel = ours.tunnel(transport, server.address, &TERMS, &[]);
    let mut established = Local::connect(transport, tunnel.address);
    established.talk();

    ours.tpm().pause();
    let mut waiting = Local::connect(transport, tunnel.address);
    waiting.say("a secret\n");
    tunnel.until_metric_is(BEGUN, 2, || established.talk());
    ours.tpm().kill();
    let why = tunnel.not_tunnelled(1);
    let reason = format!("{NO_KEY}: the TPM cannot be reached");
    assert_eq!(why.error(), format!("{}: {reason}", server.address));
    if let Local::Tcp(mut waiting) = waiting {
        let broken = waiting.read(&mut [0]).unwrap_err();
        assert_eq!(broken.kind(), ErrorKind::ConnectionReset);
    }
    established.talk();
    assert_eq!(tunnel.readiness(), LOST);

    ours.tpm().start_again();
    tunnel.until_readiness_is(READY, || established.talk());
    Local::connect(transport, tunnel.address).talk();
    established.talk();
}

#[test]
fn over_tls_a_client_whose_tpm_is_killed_keeps_what_it_has() {
    a_client_whose_tpm_is_killed_keeps_what_it_has(Tcp);
}

#[test]
fn over_dtls_a_client_whose_tpm_is_killed_keeps_what_it_has() {
    a_client_whose_tpm_is_killed_keeps_what_it_has(Udp);
}

// Many at once.

/// Far more than may be at asking the TPM at one time.
const MANY: u64 = 100;

/// For handshakes of which each waits for all before it.
const LONG: &[&str] = &["--handshake-timeout=50s"];
const LONG_FOR_CLIENTS: &[&str] = &["--handshake-timeout=50s", "--connect-timeout=50s"];

/// Whose TPM it is.
enum Whose {
    Servers,
    Clients,
}

/// Many connections come while the TPM is stopped, and all of them go on when it does.
fn many_share_a_tpm(transport: Transport, whose: Whose) {
    let (mut server_end, mut client_end) = match whose {
        Whose::Servers => (End::in_a_tpm(), End::in_memory()),
        Whose::Clients => (End::in_memory(), End::in_a_tpm()),
    };
    let (server, _service) = echo(&server_end, transport, LONG);
    let tunnel = client_end.tunnel(transport, server.address, &TERMS, LONG_FOR_CLIENTS);
    let (asking, tpm) = match whose {
        Whose::Servers => (&server, server_end.tpm()),
        Whose::Clients => (&tunnel, client_end.tpm()),
    };
    let mut established = Local::connect(transport, tunnel.address);
    established.talk();

    tpm.pause();
    let mut many: Vec<Local> = (0..MANY)
        .map(|number| {
            let mut local = Local::connect(transport, tunnel.address);
            local.say(&format!("line {number}\n"));
            local
        })
        .collect();
    asking.until_metric_is("connections_accepted_total", 1 + MANY, || {
        established.talk()
    });
    asking.until_metric_is(BEGUN, 2, || established.talk());
    tpm.resume();
    for (number, local) in many.iter_mut().enumerate() {
        local.hear(&format!("line {number}\n"));
    }
    established.talk();
    assert_eq!(asking.metric("tpm_keys_total{outcome=\"made\"}"), 1 + MANY);
    assert_eq!(server.metric("handshakes_total{outcome=\"ok\"}"), 1 + MANY);
}

#[test]
fn over_tls_many_clients_share_a_servers_tpm() {
    many_share_a_tpm(Tcp, Whose::Servers);
}

#[test]
fn over_dtls_many_clients_share_a_servers_tpm() {
    many_share_a_tpm(Udp, Whose::Servers);
}

#[test]
fn over_tls_many_connections_share_a_clients_tpm() {
    many_share_a_tpm(Tcp, Whose::Clients);
}

#[test]
fn over_dtls_many_connections_share_a_clients_tpm() {
    many_share_a_tpm(Udp, Whose::Clients);
}
