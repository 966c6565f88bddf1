//! A network that is cut between a workload and the keepers: packets vanish, and nobody says so.
//!
//! The keepers and the workload are each in a network namespace of their own, with one cable between them. No rights are
//! needed: the scenes run in a user namespace, where this program starts itself anew.

use std::net::Ipv4Addr;
use std::process::Command;

use mcbn_tests_demo::network::{Agreement, Network, Role, Rule};
use mcbn_tests_support::apart::apart;
use mcbn_tests_support::confidential_space::{Image, Machine, Overrides, Profile};
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;
use mcbn_tests_support::workload::workload;

const LEASE: u32 = 10;
const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const KEEPERS: Ipv4Addr = Ipv4Addr::new(10, 83, 0, 1);
const WORKLOAD: Ipv4Addr = Ipv4Addr::new(10, 83, 0, 2);

fn ip(arguments: &str) {
    let mut command = peer("ip");
    command.args(arguments.split(' '));
    Process::start(command).end().expect_code(0);
}

/// The other end of the cable, which is there as long as this is.
struct FarEnd(Process);

impl FarEnd {
    fn new() -> Self {
        ip("link set lo up");
        // It waits for the end of its input, in a network of its own.
        let mut command = peer("unshare");
        command.args(["--net", "sh", "-c", "echo there; exec cat"]);
        let far = Self(Process::start(command));
        far.0.wait_for_stdout("there");
        ip(&format!(
            "link add near type veth peer name far netns {}",
            far.0.pid()
        ));
        ip(&format!("address add {KEEPERS}/24 dev near"));
        ip("link set near up");
        for command in ["link set lo up", "link set far up"] {
            far.run("ip", command);
        }
        far.run("ip", &format!("address add {WORKLOAD}/24 dev far"));
        far
    }

    fn inside(&self, program: &str) -> Command {
        let mut command = peer("nsenter");
        command
            .arg(format!("--net=/proc/{}/ns/net", self.0.pid()))
            .arg(program);
        command
    }

    fn run(&self, program: &str, arguments: &str) {
        let mut command = self.inside(program);
        command.args(arguments.split(' '));
        Process::start(command).end().expect_code(0);
    }
}

/// A psk-server at the far end, with a lease from each keeper.
struct Scene {
    network: Network,
    _machine: Machine,
    server: Process,
    _far: FarEnd,
}

impl Scene {
    fn begin() -> Self {
        let far = FarEnd::new();
        let people = ["alice", "bob"];
        let role = Role {
            name: "psk-server",
            image: DIGEST,
            variables: [("MCBN_LISTEN".to_owned(), "127.0.0.1:0".to_owned())].into(),
        };
        let variables = role.variables.clone();
        let agreement = Agreement {
            people: &people,
            rule: Rule::All,
            lease: LEASE,
            host: Some(KEEPERS),
        };
        let mut network = Network::found(&agreement, &[role]);
        for name in people {
            network.start_keeper(name, &[]);
        }
        let profile = Profile {
            image: Image::with_digest("psk-server", DIGEST, "sha256:0"),
            env_override: Overrides::Set(variables),
            ..Profile::production()
        };
        let machine = Machine::start(network.issuer(), profile);
        let program = workload("psk-server");
        let mut command = far.inside(program.get_program().to_str().expect("plain names"));
        command
            .args(["--listen", "127.0.0.1:0", "--manifest"])
            .arg(format!("file:{}", network.manifest().display()))
            .arg("--token-socket")
            .arg(machine.socket());
        let server = Process::start(command);
        server.wait_for_message("listening");
        Self {
            network,
            _machine: machine,
            server,
            _far: far,
        }
    }
}

#[test]
fn a_workload_that_is_cut_off_ends_with_its_lease() {
    apart("cut_off", &["--net"]);
}

#[test]
#[ignore = "it changes the network: another test runs it in one of its own"]
fn cut_off() {
    let scene = Scene::begin();
    ip("link set near down");
    let ended = scene.server.end();
    ended.expect_code(69);
    let said = ended.stderr();
    assert!(said.contains("alice") && said.contains("bob"), "{ended}");
    for person in scene.network.people() {
        person.keeper("log verify", &[]);
    }
}

#[test]
fn a_workload_whose_network_comes_back_in_time_goes_on() {
    apart("cut_and_mended", &["--net"]);
}

#[test]
#[ignore = "it changes the network: another test runs it in one of its own"]
fn cut_and_mended() {
    let scene = Scene::begin();
    let renewals = |scene: &Scene| {
        let log = scene.network.person("alice").keeper("log", &[]);
        log.lines()
            .filter(|line| line.contains(" renewed "))
            .count()
    };
    ip("link set near down");
    // A renewal is tried meanwhile, and fails.
    scene.server.wait_for_log(|line| {
        (line["participant"] == "alice" && line["level"] == "WARN").then_some(())
    });
    let before = renewals(&scene);
    ip("link set near up");
    let start = std::time::Instant::now();
    while renewals(&scene) == before {
        assert!(
            start.elapsed().as_secs() < u64::from(LEASE) * 2,
            "nothing is renewed"
        );
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(!scene.server.seen().is_over(), "it goes on");
}
