//! What the tests of attested connections share: a simulated machine and its server, participants, and an impostor.

#![forbid(unsafe_code)]

pub mod impostor;

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use mcbn_attest::{Https, Issuer, Jwks, Leeway, Root, UnixTime, Verifier};
use mcbn_attested::client::PathAndQuery;
use mcbn_attested::client::{AttestedAnswer, Client, Connection, Demands, Failure, Method};
use mcbn_attested::server::{Acceptor, Limits, Server, Vouching};
use mcbn_attested::{Identity, Purpose};
use mcbn_launcher::{Launcher, TokenType};
use mcbn_manifest::{Address, Manifest};
use mcbn_runtime::shutdown::{Shutdown, Trigger};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::confidential_space::{self as simulator, Image, Machine, Profile};
use mcbn_tunnel::metrics::Metrics;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, SignatureAlgorithm};
use ring::rand::SystemRandom;
use rustls_pki_types::PrivatePkcs8KeyDer;
use tokio::net::TcpListener;

pub const PURPOSE: Purpose = Purpose::named("minutes");

/// The part that the server plays.
pub const WORKLOAD: &str = "minutes-server";

/// Another part of the same manifest.
pub const OTHER_WORKLOAD: &str = "other-server";

/// A participant.
pub struct Person(KeyPair);

impl Person {
    pub fn new() -> Self {
        Self::with(&PKCS_ECDSA_P256_SHA256)
    }

    pub fn with(kind: &'static SignatureAlgorithm) -> Self {
        Self(KeyPair::generate_for(kind).expect("random numbers"))
    }

    pub fn identity(&self) -> Identity {
        let der = PrivatePkcs8KeyDer::from(self.0.serialize_der());
        Identity::from_pkcs8(&der).expect("a key")
    }
}

impl Default for Person {
    fn default() -> Self {
        Self::new()
    }
}

/// An issuer, one machine of it, and the manifest of a network that alice takes part in.
pub struct Scene {
    pub issuer: simulator::Issuer,
    pub machine: Machine,
    pub manifest: Manifest,
    pub alice: Person,
}

impl Scene {
    pub fn new() -> Self {
        let issuer = simulator::Issuer::start();
        let machine = Machine::start(&issuer, profile(WORKLOAD));
        Self {
            machine,
            issuer,
            manifest: manifest("oidc"),
            alice: Person::new(),
        }
    }

    fn name(&self) -> Issuer {
        Issuer::insecure(self.issuer.name()).expect("it is on loopback")
    }

    /// Has the issuer's keys from a file.
    pub fn offline(&self) -> Verifier {
        let keys = Jwks::parse(self.issuer.jwks().as_bytes()).expect("the issuer's key set");
        Verifier::offline(self.name(), keys, Leeway::MAX)
    }

    /// Asks the issuer for its keys.
    pub fn discovering(&self) -> Verifier {
        Verifier::discovering(self.name(), Box::new(Https::new()), Leeway::MAX)
    }

    /// Knows the root of the issuer's PKI tokens.
    pub fn pinned(&self) -> Verifier {
        let root = Root::from_pem(self.issuer.root_pem().as_bytes()).expect("the issuer's root");
        Verifier::pinned(self.name(), root, Leeway::MAX)
    }

    pub fn demands(&self) -> Demands {
        Demands {
            verifier: self.offline(),
            manifest: self.manifest.clone(),
            purpose: PURPOSE,
            workload: WORKLOAD.parse().expect("a name"),
            clock: Arc::new(UnixTime::now),
        }
    }

    pub fn client(&self) -> Client {
        client(&self.alice, self.demands())
    }

    /// What the machine of this scene serves, to alice.
    pub async fn serve(&self) -> Served {
        self.serve_with(|_| {}).await
    }

    pub async fn serve_with(&self, change: impl FnOnce(&mut Vouching<Launcher>)) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let identity = Identity::ephemeral().expect("random numbers");
        let mut vouching = Vouching {
            router: router(),
            tokens: Launcher::at(self.machine.socket(), DEADLINE),
            token_type: TokenType::Oidc,
            purpose: PURPOSE,
            manifest: self.manifest.digest(),
        };
        change(&mut vouching);
        let server = Server {
            listener,
            acceptor: Acceptor::new(identity, [self.alice.identity().pin()]).expect("a key"),
            vouching,
            limits: Limits::default(),
            metrics: Metrics::default(),
        };
        let (trigger, shutdown) = Shutdown::manual();
        tokio::spawn(server.run(shutdown, pending::<()>()));
        Served {
            address: named(address),
            trigger,
        }
    }

    /// Alice asks this server once.
    pub async fn ask(&self, served: &Served) -> Result<AttestedAnswer, Failure> {
        say(&mut self.client().connect(&served.address).await?, "hello").await
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

/// A server that runs until the test's end.
pub struct Served {
    pub address: Address,
    pub trigger: Trigger,
}

/// A strict client's: nobody waits longer than [`DEADLINE`].
pub fn client(person: &Person, demands: Demands) -> Client {
    patient_client(person, demands, DEADLINE)
}

pub fn patient_client(person: &Person, demands: Demands, patience: Duration) -> Client {
    Client::new(person.identity(), demands, SystemRandom::new(), patience).expect("a key")
}

/// Sends what comes back.
pub async fn say(connection: &mut Connection, text: &str) -> Result<AttestedAnswer, Failure> {
    let path = PathAndQuery::from_static("/echo");
    connection.request(Method::POST, path, text.into()).await
}

pub async fn read(
    connection: &mut Connection,
    path: &'static str,
) -> Result<AttestedAnswer, Failure> {
    let path = PathAndQuery::from_static(path);
    connection.request(Method::GET, path, Vec::new()).await
}

pub fn named(address: SocketAddr) -> Address {
    address.to_string().parse().expect("an address")
}

/// A machine that meets [`manifest`], in this part.
pub fn profile(workload: &str) -> Profile {
    Profile {
        image: Image::named(workload),
        ..Profile::production()
    }
}

fn router() -> Router {
    Router::new()
        .route("/echo", post(async |body: Bytes| body))
        .route("/greeting", get(async || "good day"))
}

/// A network in which two parts are played.
pub fn manifest(token: &str) -> Manifest {
    let [own, other] = [WORKLOAD, OTHER_WORKLOAD].map(|name| Image::named(name).digest);
    let text = format!(
        r#"
version = 1
network = "house"
rule = "unanimous"
lease = 300

[[participant]]
name = "alice"
keeper = "alice.example:7400"
pin = "K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA"

[[workload]]
name = "{WORKLOAD}"
images = ["{own}"]

[[workload]]
name = "{OTHER_WORKLOAD}"
images = ["{other}"]

[attestation]
support = ["STABLE"]
hardware = ["GCP_AMD_SEV_SNP"]
token = "{token}"
"#
    );
    Manifest::parse(text.as_bytes()).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes}"))
}
