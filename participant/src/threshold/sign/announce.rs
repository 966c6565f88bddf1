//! `mcbn threshold sign announce`: asks the others to sign something.

use super::error::Error;
use super::id::Id;
use super::seat::SeatConfig;
use super::subject::{MESSAGE, PURPOSE, SHA256, SubjectConfig};
use crate::threshold::access::{JSON, KEY, SERVER, TIMEOUT, within};
use crate::threshold::member::{MANIFEST, PARTICIPANT};
use crate::threshold::print;
use crate::trust::{INSECURE_ISSUER, JWKS, PKI_ROOT};
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported};
use mcbn_runtime::suite::Command;
use mcbn_runtime::units::Period;
use serde_json::json;
use std::time::Duration;

pub const ANNOUNCE: Command = Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, Config::read, announce),
};

static PROGRAM: Program = Program::tool(
    crate::NAME,
    crate::VERSION,
    "Asks the others to sign a message, and prints the id of the request. It approves nothing: whoever announces approves \
     with mcbn threshold sign approve, as the others do. What is announced again while it is open is the same request.",
    &[
        MANIFEST,
        PARTICIPANT,
        MESSAGE,
        SHA256,
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
.under("threshold sign announce", crate::BESIDE);

struct Config {
    seat: SeatConfig,
    subject: SubjectConfig,
    timeout: Duration,
}

impl Config {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let seat = SeatConfig::read(given);
        let subject = SubjectConfig::read(given);
        let timeout = given.one::<Period>(&TIMEOUT);
        Ok(Self {
            seat: seat?,
            subject: subject?,
            timeout: timeout?.get(),
        })
    }
}

fn announce(config: Config) -> Result<(), Error> {
    let subject = config.subject.subject()?;
    let json = config.seat.access.json;
    let mut seat = config.seat.take()?;
    let request = within(config.timeout, async {
        let server = seat.server().await?;
        seat.announce(&server, &subject).await
    })?;
    let id = Id(request).to_string();
    Ok(match json {
        true => print(&format!("{}\n", json!({ "request": id }))),
        false => print(&format!("{id}\n")),
    }?)
}
