//! How a server is reached, and by whom its answers must be vouched for.

use super::error::Error;
use super::member::{Member, OwnKey};
use super::notice::Notice;
use super::session::Session;
use crate::trust::Trust;
use mcbn_attest::UnixTime;
use mcbn_attested::client::{Client, Demands};
use mcbn_attested::{Identity, Purpose};
use mcbn_manifest::Address;
use mcbn_runtime::settings::{Given, Reported, Setting};
use ring::rand::SystemRandom;
use rustls_pki_types::PrivatePkcs8KeyDer;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use zeroize::Zeroizing;

pub const KEY: Setting = Setting::value(
    "key",
    "FILE",
    "the participant's signing key, whose public half the manifest has; mcbn threshold key makes it",
)
.required();

pub const SERVER: Setting = Setting::value(
    "server",
    "HOST:PORT",
    "where the server answers: nothing it says is believed without an attestation token",
)
.required();

pub const JSON: Setting = Setting::switch(
    "json",
    "print JSON objects, one a line, for programs: the result, and on standard error what is told before",
);

/// Where nobody else is waited for.
pub const TIMEOUT: Setting =
    Setting::value("timeout", "TIME", "how long to wait for the server").default("1m");

pub struct AccessConfig {
    key: PathBuf,
    server: Address,
    trust: Trust,
    pub json: bool,
}

/// For one step of a conversation, a token of the server's included.
const PATIENCE: Duration = Duration::from_secs(60);

impl AccessConfig {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let key = given.one(&KEY);
        let server = given.one(&SERVER);
        let trust = Trust::read(given);
        let json = given.on(&JSON);
        Ok(Self {
            key: key?,
            server: server?,
            trust: trust?,
            json,
        })
    }

    pub fn key(&self, member: &Member) -> Result<OwnKey, Error> {
        Ok(member.key(&self.key)?)
    }

    /// With the workload of this name. Nothing is asked yet.
    pub fn session(
        self,
        workload: &'static str,
        member: &Member,
        own: &OwnKey,
    ) -> Result<Session, Error> {
        let der = Zeroizing::new(own.pair.serialize_der());
        let identity = Identity::from_pkcs8(&PrivatePkcs8KeyDer::from(&**der));
        let identity = identity.expect("an Ed25519 key, as was checked");
        let demands = Demands {
            verifier: self.trust.verifier(&member.manifest)?,
            manifest: member.manifest.clone(),
            purpose: Purpose::named(workload),
            workload: workload.parse().expect("a name"),
            clock: Arc::new(UnixTime::now),
        };
        let client = Client::new(identity, demands, SystemRandom::new(), PATIENCE);
        let client = client.expect("an Ed25519 key");
        let mut session = Session::new(client, self.server, self.json);
        if let Some(issuer) = self.trust.other_issuer() {
            session.tell(&Notice::OtherIssuer { issuer });
        }
        Ok(session)
    }
}

/// Does this, unless it takes longer.
pub fn within<T, E: From<Error>>(
    time: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    runtime.block_on(async {
        let done = timeout(time, work).await;
        done.unwrap_or_else(|_| Err(Error::Slow.into()))
    })
}
