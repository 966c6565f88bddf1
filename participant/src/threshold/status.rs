//! `mcbn threshold status`: how far a key generation is, without taking part.

use super::access::{AccessConfig, JSON, KEY, SERVER, TIMEOUT, within};
use super::agreed::{Agreed, AgreedConfig, PURPOSE, WORKLOAD};
use super::generate::Error;
use super::member::{MANIFEST, PARTICIPANT};
use super::print;
use super::session::NotSaid;
use crate::trust::{INSECURE_ISSUER, JWKS, PKI_ROOT};
use mcbn_ceremony::message::path::generation as path;
use mcbn_ceremony::message::{Announcement, Phase, Standing};
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported};
use mcbn_runtime::suite::Command;
use mcbn_runtime::units::Period;
use serde_json::json;
use std::time::Duration;

pub const STATUS: Command = Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, Config::read, status),
};

static PROGRAM: Program = Program::tool(
    crate::NAME,
    crate::VERSION,
    "Compares what a server of threshold-generate announces with what was agreed, and prints how far it is and for whom it \
     waits. Approves nothing.",
    &[
        MANIFEST,
        PARTICIPANT,
        PURPOSE,
        KEY,
        SERVER,
        TIMEOUT,
        INSECURE_ISSUER,
        JWKS,
        PKI_ROOT,
        JSON,
    ],
)
.under("threshold status", crate::BESIDE);

struct Config {
    agreed: AgreedConfig,
    access: AccessConfig,
    timeout: Duration,
}

impl Config {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let agreed = AgreedConfig::read(given);
        let access = AccessConfig::read(given);
        let timeout = given.one::<Period>(&TIMEOUT);
        Ok(Self {
            agreed: agreed?,
            access: access?,
            timeout: timeout?.get(),
        })
    }
}

fn status(config: Config) -> Result<(), Error> {
    let agreed = config.agreed.agreed()?;
    let own = config.access.key(&agreed.member)?;
    let json = config.access.json;
    let mut session = config.access.session(WORKLOAD, &agreed.member, &own)?;
    let standing = within(config.timeout, async {
        let announcement: Announcement = session.fetch(path::ANNOUNCEMENT).await?;
        let announced = announcement.announced().map_err(|_| NotSaid::NotAMessage)?;
        let compared = agreed.expected.compare(&announced, &own.key);
        compared.map_err(Error::Differs)?;
        Ok::<Standing, Error>(session.fetch(path::STANDING).await?)
    })?;
    show(&agreed, standing, json)
}

fn show(agreed: &Agreed, standing: Standing, json: bool) -> Result<(), Error> {
    let (phase, names) = (standing.phase, agreed.member.names(standing.missing));
    let line = match (json, phase) {
        (true, _) => json!({ "phase": phase, "missing": names }).to_string(),
        (false, Phase::Approving) => format!("not approved yet: {}", names.join(", ")),
        (false, Phase::Confirming) => {
            format!("approved by all; not confirmed yet: {}", names.join(", "))
        }
        (false, Phase::Done) => "there is a key, which all have confirmed".to_owned(),
        (false, Phase::Abandoned) => format!("no key was made: it waited for {}", names.join(", ")),
    };
    Ok(print(&format!("{line}\n"))?)
}
