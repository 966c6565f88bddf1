//! What the tests of consent share: a simulated Confidential Space, a verifier of its tokens, and manifests.

#![forbid(unsafe_code)]

use std::time::Duration;

use mcbn_attest::{
    Demand, Expected, Https, Issuer, Jwks, KeysFault, Leeway, Refused, Root, TokenFault, UnixTime,
    VerifiedToken, Verifier, judge,
};
use mcbn_manifest::Manifest;
use mcbn_tests_support::confidential_space::{self as simulator, Machine, Profile, TokenRequest};

pub const AUDIENCE: &str = "mcbn/v1/release/K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA";

/// As long as those of a release.
pub const NONCES: [&str; 3] = [
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA",
    "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA",
];

/// An issuer and one machine of it.
pub struct Space {
    pub issuer: simulator::Issuer,
    pub machine: Machine,
}

impl Space {
    pub fn of(profile: Profile) -> Self {
        let issuer = simulator::Issuer::start();
        let machine = Machine::start(&issuer, profile);
        Self { issuer, machine }
    }

    pub fn production() -> Self {
        Self::of(Profile::production())
    }

    /// A token for [`AUDIENCE`] with [`NONCES`].
    pub fn oidc(&self) -> String {
        oidc(&self.machine)
    }

    pub fn pki(&self) -> String {
        let request = TokenRequest::pki(AUDIENCE, NONCES);
        self.machine.token(&request).expect("within the limits")
    }

    /// The issuer, as a keeper names it.
    pub fn name(&self) -> Issuer {
        Issuer::insecure(self.issuer.name()).expect("it is on loopback")
    }

    /// Asks the issuer for its keys over the network.
    pub fn discovering(&self) -> Verifier {
        Verifier::discovering(self.name(), Box::new(Https::new()), Leeway::MAX)
    }

    /// Has the issuer's keys from a file.
    pub fn offline(&self) -> Verifier {
        let keys = Jwks::parse(self.issuer.jwks().as_bytes()).expect("the issuer's key set");
        Verifier::offline(self.name(), keys, Leeway::MAX)
    }

    /// Knows the root of the issuer's PKI tokens.
    pub fn pinned(&self) -> Verifier {
        let root = Root::from_pem(self.issuer.root_pem().as_bytes()).expect("the issuer's root");
        Verifier::pinned(self.name(), root, Leeway::MAX)
    }
}

pub fn oidc(machine: &Machine) -> String {
    let request = TokenRequest::oidc(AUDIENCE, NONCES);
    machine.token(&request).expect("within the limits")
}

pub fn verify(verifier: &Verifier, token: &str) -> Result<VerifiedToken, Refused> {
    verify_at(verifier, token, 0)
}

/// So many seconds from now.
pub fn verify_at(verifier: &Verifier, token: &str, later: u64) -> Result<VerifiedToken, Refused> {
    verifier.verify(
        token,
        &Expected {
            audience: AUDIENCE,
            nonces: &NONCES,
            now: after(later),
        },
    )
}

pub fn after(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs() + seconds))
}

/// Why a token was refused. Fails the test where it was not, or not for its own fault.
#[track_caller]
pub fn token_fault(outcome: Result<VerifiedToken, Refused>) -> TokenFault {
    match outcome {
        Err(Refused::Token(fault)) => fault,
        Err(Refused::Keys(fault)) => panic!("the keys are not there: {fault}"),
        Ok(_) => panic!("it was verified"),
    }
}

/// Why the keys were not there.
#[track_caller]
pub fn keys_fault(outcome: Result<VerifiedToken, Refused>) -> KeysFault {
    match outcome {
        Err(Refused::Keys(fault)) => fault,
        Err(Refused::Token(fault)) => panic!("it is the token's fault: {fault}"),
        Ok(_) => panic!("it was verified"),
    }
}

/// A network of one participant and one workload, which may run the images of these machines, with more lines for the
/// workload and for `[attestation]`.
pub fn manifest(images: &[&str], workload: &str, attestation: &str) -> Manifest {
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
name = "psk-server"
images = {images:?}
{workload}

[attestation]
{attestation}
"#
    );
    Manifest::parse(text.as_bytes()).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes}"))
}

/// The demands of a manifest that a machine's token does not meet.
pub fn failed(space: &Space, verifier: &Verifier, manifest: &Manifest) -> Vec<Demand> {
    let token = verify(verifier, &space.oidc()).expect("a genuine token");
    match judge(&token, manifest) {
        Ok(accepted) => {
            assert!(accepted.report().is_clean());
            Vec::new()
        }
        Err(report) => report.failed().collect(),
    }
}
