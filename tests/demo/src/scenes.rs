//! The scenes, in their order.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64ct::{Base64UrlUnpadded, Encoding};
use mcbn_tests_support::confidential_space::{Image, Instance, Machine, Overrides, Profile};
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::port;

use crate::network::{Agreement, Network, Role, Rule};
use crate::visitor::{PAGE, Visitor, service};
use crate::{Host, Running, Variables, hears};

/// In seconds. The shortest that a manifest may name: a person who watches should not wait long.
const LEASE: u32 = 10;

const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

/// The digests of the real images.
pub struct Digests {
    pub server: String,
    pub client: String,
}

impl Digests {
    /// From the text of `digests.lock`.
    pub fn of(lock: &str) -> Self {
        let digest = |image: &str| {
            let line = lock
                .lines()
                .find(|line| line.split_whitespace().next() == Some(image));
            let fields = line.into_iter().flat_map(str::split_whitespace);
            let manifest = fields
                .filter_map(|field| field.strip_prefix("manifest="))
                .next();
            manifest
                .unwrap_or_else(|| panic!("digests.lock has no {image}"))
                .to_owned()
        };
        Self {
            server: digest("psk-server"),
            client: digest("psk-client"),
        }
    }
}

/// What the people and the operator have, and what runs.
pub struct Play<'a> {
    host: &'a dyn Host,
    tell: &'a mut dyn FnMut(&str),
    digests: Digests,
    service: Plain,
    network: Network,
    server: SocketAddr,
    entrance: SocketAddr,
}

impl<'a> Play<'a> {
    /// Three people, each with a share and a keeper; Carol wants to be asked.
    pub fn begin(host: &'a dyn Host, digests: Digests, tell: &'a mut dyn FnMut(&str)) -> Self {
        tell(
            "Three people agree on a manifest: which images may have the key, on which machines, for how long.",
        );
        let service = service();
        let (server, entrance) = (port::reserved(), port::reserved());
        let network = found(Rule::All, &digests, service.address(), server, entrance);
        let mut play = Self {
            host,
            tell,
            digests,
            service,
            network,
            server,
            entrance,
        };
        play.say("Each draws a share, shows it to nobody, and starts a keeper for it. Carol's keeper asks her first.");
        for name in PEOPLE {
            let flags: &[&str] = if name == "carol" { &["--ask"] } else { &[] };
            play.network.start_keeper(name, flags);
        }
        play
    }

    /// Plays all scenes.
    pub fn play(mut self) {
        let (server, client) = self.consent();
        self.withdrawal(server, client);
        self.refusals();
        self.ledgers();
        self.two_of_three();
        self.say("Nobody reached the service alone. Nobody who runs the machines saw a share, a key or the page.");
    }

    fn consent(&mut self) -> (Running, Running) {
        self.say("Frank, the operator, starts psk-server in front of a plain service. He holds no share and no key.");
        let server = self.start(self.machine("psk-server", "server-1"), "psk-server");
        self.carol_approves();
        server.process.wait_for_message("listening");
        self.say("The server proved to each keeper which image it runs, and got three shares: it has the key.");
        self.say("Frank starts psk-client as well. The same is asked of it.");
        let client = self.start(self.machine("psk-client", "client-1"), "psk-client");
        self.carol_approves();
        client.process.wait_for_message("listening");
        let mut visitor = Visitor::connect(self.entrance);
        assert_eq!(visitor.ask().as_deref(), Some(PAGE), "the page arrives");
        self.say(&format!(
            "A request goes through both: \"{}\".",
            PAGE.trim()
        ));
        (server, client)
    }

    /// Waits until a request stands before Carol, and approves it.
    fn carol_approves(&mut self) {
        let carol = self.network.person("carol");
        let request = carol.wait_for_request();
        carol.keeper("approve", &[&request]);
        self.say("Carol is asked, looks at the request, and approves it.");
    }

    fn withdrawal(&mut self, server: Running, client: Running) {
        let mut visitor = Visitor::connect(self.entrance);
        assert_eq!(visitor.ask().as_deref(), Some(PAGE), "the page arrives");
        self.say("A connection stands open. Bob takes his consent back.");
        let since = Instant::now();
        self.network.person("bob").keeper("revoke", &["--all"]);
        visitor.wait_until_closed();
        let seconds = since.elapsed().as_secs_f32();
        for workload in [server, client] {
            let ended = workload.process.end();
            ended.expect_code(77);
            assert!(ended.stderr().contains("bob"), "it says who: {ended}");
        }
        assert!(since.elapsed() < Duration::from_secs(LEASE.into()) * 2);
        self.say(&format!(
            "{seconds:.1} s later the connection is closed; both programs have wiped the key and ended. The lease was {LEASE} s."
        ));
        self.network.person("bob").keeper("restore", &[]);
        self.say("Bob consents again.");
    }

    fn refusals(&mut self) {
        self.say(
            "Now Frank tries an image of his own: one byte is different, and so is its digest.",
        );
        let mut profile = self.profile("psk-server", "server-2");
        profile.image =
            Image::with_digest("psk-server", &tampered(&self.digests.server), "sha256:0");
        self.is_refused(profile, "image-digest");

        self.say("He tries the right image on a machine that he can log in to.");
        let mut profile = self.profile("psk-server", "server-3");
        let debug = Profile::debug();
        profile.debug_status = debug.debug_status;
        profile.support = debug.support;
        self.is_refused(profile, "debug");
    }

    fn is_refused(&mut self, profile: Profile, reason: &str) {
        let machine = Machine::start(self.network.issuer(), profile);
        let ended = self.start(machine, "psk-server").process.end();
        ended.expect_code(77);
        let said = ended.stderr();
        assert!(said.contains(reason), "the reason is {reason}: {ended}");
        let error = said.lines().find(|line| line.contains("error:"));
        self.say(&format!("Refused. {}", error.expect("it says why")));
    }

    fn ledgers(&mut self) {
        self.say(
            "Every request stands in each keeper's ledger, each entry chained to the one before:",
        );
        let verified: Vec<String> = self
            .network
            .people()
            .iter()
            .map(|person| {
                format!(
                    "  {}: {}",
                    person.name,
                    person.keeper("log verify", &[]).trim()
                )
            })
            .collect();
        for line in verified {
            self.say(&line);
        }
    }

    fn two_of_three(&mut self) {
        self.say(
            "The three found another network. Any two of them are enough, and each signs and keeps the share.",
        );
        self.network = found(
            Rule::Signed(2),
            &self.digests,
            self.service.address(),
            self.server,
            self.entrance,
        );
        self.say("Carol is on a journey. Alice and Bob sign for the server.");
        for name in ["alice", "bob"] {
            self.network.start_keeper(name, &[]);
        }
        let server = self.start(self.machine("psk-server", "server-4"), "psk-server");
        server.process.wait_for_message("listening");
        self.say(
            "Carol comes back and signs as well, and Alice takes her consent back: two are left.",
        );
        self.network.start_keeper("carol", &[]);
        hears(&server.process, "consent given", "carol");
        self.network.person("alice").keeper("revoke", &["--all"]);
        hears(&server.process, "no consent", "alice");
        let client = self.start(self.machine("psk-client", "client-4"), "psk-client");
        client.process.wait_for_message("listening");
        let mut visitor = Visitor::connect(self.entrance);
        assert_eq!(visitor.ask().as_deref(), Some(PAGE), "the page arrives");
        self.say("Bob and Carol sign for the client. Others than for the server, and the key is the same: the page arrives.");
        self.network.person("bob").keeper("revoke", &["--all"]);
        visitor.wait_until_closed();
        for workload in [server, client] {
            workload.process.end().expect_code(77);
        }
        self.say(
            "Bob takes his consent back, too. One alone is not enough: the connection is closed.",
        );
    }

    fn say(&mut self, line: &str) {
        (self.tell)(line);
    }

    fn machine(&self, workload: &str, instance: &str) -> Machine {
        Machine::start(self.network.issuer(), self.profile(workload, instance))
    }

    /// A machine as the manifest demands it.
    fn profile(&self, workload: &str, instance: &str) -> Profile {
        let (digest, variables) = match workload {
            "psk-server" => (&self.digests.server, self.variables("psk-server")),
            _ => (&self.digests.client, self.variables("psk-client")),
        };
        Profile {
            instance: Instance::named(instance),
            image: Image::with_digest(workload, digest, "sha256:0"),
            args: vec![format!("/{workload}")],
            env_override: Overrides::Set(variables),
            ..Profile::production()
        }
    }

    fn start(&self, machine: Machine, workload: &str) -> Running {
        self.host
            .start(workload, machine, &self.variables(workload))
    }

    /// What the operator sets: what the manifest lists, and the manifest itself.
    fn variables(&self, workload: &str) -> Variables {
        let mut variables = match workload {
            "psk-server" => server_variables(self.server, self.service.address()),
            _ => client_variables(self.server, self.entrance),
        };
        let manifest = fs::read(self.network.manifest()).expect("it was written");
        let text = format!("text:{}", Base64UrlUnpadded::encode_string(&manifest));
        variables.insert("MCBN_MANIFEST".to_owned(), text);
        variables
    }
}

/// A network of the three, with a server and a client.
fn found(
    rule: Rule,
    digests: &Digests,
    service: SocketAddr,
    server: SocketAddr,
    entrance: SocketAddr,
) -> Network {
    let roles = [
        Role {
            name: "psk-server",
            image: &digests.server,
            variables: server_variables(server, service),
        },
        Role {
            name: "psk-client",
            image: &digests.client,
            variables: client_variables(server, entrance),
        },
    ];
    let agreement = Agreement {
        people: &PEOPLE,
        rule,
        lease: LEASE,
        host: None,
    };
    Network::found(&agreement, &roles)
}

fn server_variables(listen: SocketAddr, forward: SocketAddr) -> Variables {
    [("MCBN_LISTEN", listen), ("MCBN_FORWARD", forward)]
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .into()
}

fn client_variables(server: SocketAddr, listen: SocketAddr) -> Variables {
    [("MCBN_SERVER", server), ("MCBN_LISTEN", listen)]
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .into()
}

/// A digest that differs in its last digit.
fn tampered(digest: &str) -> String {
    let (rest, last) = digest.split_at(digest.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}
