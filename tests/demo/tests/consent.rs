//! How a running workload holds on to consent, and how it ends without, with real keepers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use mcbn_tests_demo::network::{Agreement, Network, Role, Rule};
use mcbn_tests_demo::visitor::{PAGE, Visitor, service};
use mcbn_tests_demo::{Host, Programs, Running, Variables, hears};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::confidential_space::{
    Health, Image, Instance, Machine, Overrides, Profile,
};
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::process::Process;
use mcbn_tests_support::workload::workload;

/// In seconds: the shortest that a manifest may name.
const LEASE: u32 = 10;

/// A network with one server and a client, which share one image's digest for all that the keepers care.
struct House {
    network: Network,
    service: Plain,
    variables: Variables,
}

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

impl House {
    fn of(people: &[&str], rule: Rule) -> Self {
        let service = service();
        let variables: Variables =
            [("MCBN_FORWARD".to_owned(), service.address().to_string())].into();
        let role = Role {
            name: "psk-server",
            image: DIGEST,
            variables: variables.clone(),
        };
        let agreement = Agreement {
            people,
            rule,
            lease: LEASE,
            host: None,
        };
        Self {
            network: Network::found(&agreement, &[role]),
            service,
            variables,
        }
    }

    /// What the keepers are to believe of each program here.
    fn machine(&self, instance: &str) -> Machine {
        let profile = Profile {
            instance: Instance::named(instance),
            image: Image::with_digest("psk-server", DIGEST, "sha256:0"),
            env_override: Overrides::Set(self.variables.clone()),
            ..Profile::production()
        };
        Machine::start(self.network.issuer(), profile)
    }

    fn start(&self, name: &str, more: &[(&str, String)]) -> Running {
        let mut variables: Variables = [(
            "MCBN_MANIFEST".to_owned(),
            format!("file:{}", self.network.manifest().display()),
        )]
        .into();
        variables.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        Programs.start(name, self.machine(name), &variables)
    }

    /// One that is ready: it says that it listens a moment before, and whoever then waits until it is not ready any more
    /// would take that moment for it.
    fn server(&self) -> Server {
        let running = self.starting_server();
        let server = Server {
            admin: address(&running.process, "admin port listening"),
            address: address(&running.process, "listening"),
            running,
        };
        server.becomes_ready(true);
        server
    }

    fn starting_server(&self) -> Running {
        self.start(
            "psk-server",
            &[
                ("MCBN_LISTEN", "127.0.0.1:0".into()),
                ("MCBN_ADMIN", "127.0.0.1:0".into()),
                ("MCBN_FORWARD", self.service.address().to_string()),
            ],
        )
    }

    /// A local port whose connections come out at the service.
    fn client(&self, server: &Server) -> (SocketAddr, Running) {
        let running = self.start(
            "psk-client",
            &[
                ("MCBN_LISTEN", "127.0.0.1:0".into()),
                ("MCBN_SERVER", server.address.to_string()),
            ],
        );
        (address(&running.process, "listening"), running)
    }
}

struct Server {
    admin: SocketAddr,
    address: SocketAddr,
    running: Running,
}

fn address(process: &Process, message: &str) -> SocketAddr {
    let event = process.wait_for_message(message);
    event["address"].as_str().unwrap().parse().unwrap()
}

/// The whole answer of an HTTP server.
fn get(from: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(from).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// How the token service of a workload's machine answers from now on.
fn set_token_service(running: &Running, health: Health) {
    let machine = running.kept.downcast_ref::<Machine>();
    machine.expect("plain programs").set_health(health);
}

impl Server {
    fn hears(&self, message: &str, participant: &str) {
        hears(&self.running.process, message, participant);
    }

    fn says(&self, path: &str) -> String {
        get(self.admin, path)
    }

    fn is_ready(&self) -> bool {
        self.says("/readyz").starts_with("HTTP/1.1 200 ")
    }

    /// Until it is ready, or is not.
    fn becomes_ready(&self, ready: bool) {
        let start = Instant::now();
        while self.is_ready() != ready {
            assert!(start.elapsed() < DEADLINE, "it never becomes so");
            // As whoever watches it does.
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn metric(&self, name: &str) -> u32 {
        let metrics = self.says("/metrics");
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {metrics}"))
            .trim()
            .parse()
            .unwrap()
    }
}

#[test]
fn two_of_three_are_enough_and_whoever_comes_late_counts_too() {
    two_of_three(Rule::Shamir(2));
}

#[test]
fn two_of_three_who_sign_are_enough_and_no_share_leaves_its_owner() {
    two_of_three(Rule::Signed(2));
}

fn two_of_three(rule: Rule) {
    let mut house = House::of(&["alice", "bob", "carol"], rule);
    for name in ["alice", "bob"] {
        house.network.start_keeper(name, &[]);
    }
    let server = house.server();
    assert_eq!(server.metric("mcbn_consent_leases "), 2);
    house.network.start_keeper("carol", &[]);
    server.hears("consent given", "carol");

    // The server's key is made of what alice and bob gave, the client's of what bob and carol do.
    house.network.person("alice").keeper("revoke", &["--all"]);
    server.hears("no consent", "alice");
    let (entrance, client) = house.client(&server);
    let mut visitor = Visitor::connect(entrance);
    assert_eq!(visitor.ask().as_deref(), Some(PAGE));
    assert_eq!(server.metric("mcbn_consent_leases "), 2);
    assert!(server.is_ready());

    house.network.person("bob").keeper("revoke", &["--all"]);
    visitor.wait_until_closed();
    for running in [server.running, client] {
        let ended = running.process.end();
        ended.expect_code(77);
        let said = ended.stderr();
        let error = said.lines().find(|line| line.contains("error: ")).unwrap();
        assert!(error.contains("consent is lost: "), "{error}");
        for name in ["alice", "bob"] {
            assert!(
                error.contains(&format!("{name}: consent was withdrawn")),
                "{error}"
            );
        }
        assert!(!error.contains("carol"), "{error}");
    }
}

/// A server and a client, on whichever protocol, and a question that goes through both.
struct Pair {
    server: (&'static str, &'static [(&'static str, &'static str)]),
    client: (&'static str, &'static [(&'static str, &'static str)]),
    ask: fn(SocketAddr),
}

const DTLS: Pair = Pair {
    server: ("dtls-server", &[]),
    client: ("dtls-client", &[]),
    ask: |entrance| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.send_to(b"a datagram", entrance).unwrap();
        let mut room = [0; 100];
        let length = socket.recv(&mut room).unwrap();
        assert_eq!(&room[..length], b"a datagram");
    },
};

const MUTUAL_TLS: Pair = Pair {
    server: (
        "detrsa-mtls",
        &[("MCBN_ROLE", "server"), ("MCBN_BITS", "2048")],
    ),
    client: (
        "detrsa-mtls",
        &[("MCBN_ROLE", "client"), ("MCBN_BITS", "2048")],
    ),
    ask: |entrance| {
        let answer = get(entrance, "/");
        assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    },
};

impl Pair {
    fn start_server(&self, house: &House) -> (SocketAddr, Running) {
        start_end(house, self.server, &[])
    }

    /// Its entrance.
    fn start_client(&self, house: &House, server: SocketAddr) -> (SocketAddr, Running) {
        start_end(house, self.client, &[("MCBN_SERVER", server.to_string())])
    }

    fn ends_with_consent(&self) {
        let mut house = House::of(&["alice"], Rule::All);
        house.network.start_keeper("alice", &[]);
        let (address, server) = self.start_server(&house);
        let (entrance, client) = self.start_client(&house, address);
        (self.ask)(entrance);
        house.network.person("alice").keeper("revoke", &["--all"]);
        for running in [server, client] {
            let ended = running.process.end();
            ended.expect_code(77);
            let said = ended.stderr();
            let lost = "consent is lost: alice: consent was withdrawn";
            assert!(said.contains(lost), "{ended}");
        }
    }

    /// Whose signatures make the key of the one end do not make that of the other.
    fn has_one_key_whoever_signs(&self) {
        let mut house = House::of(&["alice", "bob", "carol"], Rule::Signed(2));
        for name in ["alice", "bob"] {
            house.network.start_keeper(name, &[]);
        }
        let (address, _server) = self.start_server(&house);
        house.network.kill_keeper("alice");
        house.network.start_keeper("carol", &[]);
        let (entrance, _client) = self.start_client(&house, address);
        (self.ask)(entrance);
    }
}

fn start_end(
    house: &House,
    (name, variables): (&str, &[(&str, &str)]),
    more: &[(&str, String)],
) -> (SocketAddr, Running) {
    let own = variables.iter();
    let own = own.map(|(name, value)| (*name, (*value).to_owned()));
    let listen = ("MCBN_LISTEN", "127.0.0.1:0".to_owned());
    let all: Vec<_> = own.chain([listen]).chain(more.to_vec()).collect();
    let running = house.start(name, &all);
    (address(&running.process, "listening"), running)
}

#[test]
fn dtls_ends_with_consent() {
    DTLS.ends_with_consent();
}

#[test]
fn dtls_has_one_key_whoever_signs() {
    DTLS.has_one_key_whoever_signs();
}

#[test]
fn mutual_tls_ends_with_consent() {
    MUTUAL_TLS.ends_with_consent();
}

#[test]
fn mutual_tls_has_one_key_whoever_signs() {
    MUTUAL_TLS.has_one_key_whoever_signs();
}

#[test]
fn a_keeper_that_stays_away_ends_it_with_its_lease() {
    let mut house = House::of(&["alice", "bob"], Rule::All);
    for name in ["alice", "bob"] {
        house.network.start_keeper(name, &[]);
    }
    let server = house.server();
    let (entrance, client) = house.client(&server);
    let mut visitor = Visitor::connect(entrance);
    assert_eq!(visitor.ask().as_deref(), Some(PAGE));
    assert!(server.is_ready());

    let killed = Instant::now();
    house.network.kill_keeper("bob");
    server.becomes_ready(false);
    assert_eq!(visitor.ask().as_deref(), Some(PAGE), "consent still holds");
    visitor.wait_until_closed();
    for running in [server.running, client] {
        let ended = running.process.end();
        ended.expect_code(69);
        let said = ended.stderr();
        assert!(
            said.contains("consent is lost: bob: the keeper cannot be reached: "),
            "{ended}"
        );
    }
    assert!(killed.elapsed() < Duration::from_secs(LEASE.into()) + Duration::from_secs(5));
}

#[test]
fn a_keeper_that_comes_back_in_time_is_forgiven() {
    let mut house = House::of(&["alice"], Rule::All);
    house.network.start_keeper("alice", &[]);
    let server = house.server();
    house.network.kill_keeper("alice");
    server.becomes_ready(false);
    house.network.start_keeper("alice", &[]);
    server.becomes_ready(true);
    server.hears("consent renewed again", "alice");
    assert!(server.metric("mcbn_consent_renewals_total ") > 0);
    assert_eq!(
        server.metric("mcbn_consent_releases_total "),
        1,
        "the lease went on"
    );
}

#[test]
fn a_token_service_that_stays_away_ends_it_with_the_lease() {
    let mut house = House::of(&["alice"], Rule::All);
    house.network.start_keeper("alice", &[]);
    // In every way of being away, side by side.
    let servers = [
        Health::Dead,
        Health::Stalled,
        Health::Failing,
        Health::HangingUp,
    ]
    .map(|health| {
        let server = house.server();
        set_token_service(&server.running, health);
        (server, health)
    });
    let start = Instant::now();
    for (server, health) in servers {
        let ended = server.running.process.end();
        assert_eq!(ended.code, Some(69), "{health:?}: {ended}");
        let said = ended.stderr();
        let reason = match health {
            Health::Stalled => "the answer, or the token for it, took too long",
            _ => "the token service ",
        };
        assert!(
            said.contains(&format!("consent is lost: alice: {reason}")),
            "{health:?}: {ended}"
        );
    }
    assert!(start.elapsed() < Duration::from_secs(LEASE.into()) + Duration::from_secs(5));
}

#[test]
fn a_token_service_that_comes_back_in_time_is_forgiven() {
    let mut house = House::of(&["alice"], Rule::All);
    house.network.start_keeper("alice", &[]);
    let server = house.server();
    set_token_service(&server.running, Health::Dead);
    server.becomes_ready(false);
    // From now on it only takes its time.
    set_token_service(&server.running, Health::Slow(Duration::from_secs(1)));
    server.becomes_ready(true);
    server.hears("consent renewed again", "alice");
    assert_eq!(server.metric("mcbn_consent_releases_total "), 1);
}

#[test]
fn a_workload_waits_for_its_token_service() {
    let mut house = House::of(&["alice"], Rule::All);
    house.network.start_keeper("alice", &[]);
    let running = house.starting_server();
    set_token_service(&running, Health::Failing);
    hears(&running.process, "no consent", "alice");
    set_token_service(&running, Health::Well);
    hears(&running.process, "consent given", "alice");
    address(&running.process, "listening");
}

#[test]
fn a_signal_ends_the_wait_for_a_person() {
    let mut house = House::of(&["alice"], Rule::All);
    house.network.start_keeper("alice", &["--ask"]);
    let manifest = format!("--manifest=file:{}", house.network.manifest().display());
    for (name, arguments, code) in [
        ("psk-server", &["--listen=127.0.0.1:0"][..], 0),
        ("psk-client", &["--server=127.0.0.1:9", "--get=/"], 74),
    ] {
        let machine = house.machine(name);
        let mut command = workload(name);
        command
            .arg(&manifest)
            .args(arguments)
            .arg("--token-socket")
            .arg(machine.socket());
        let process = Process::start(command);
        hears(&process, "no consent", "alice");
        process.signal(rustix::process::Signal::TERM);
        process.end().expect_code(code);
    }
}
