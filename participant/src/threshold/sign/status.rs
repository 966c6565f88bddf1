//! `mcbn threshold sign status`: what is to be signed, and how far it is.

use super::error::Error;
use super::id::Id;
use super::seat::{Seat, SeatConfig};
use super::shown::Shown;
use crate::threshold::access::{JSON, KEY, SERVER, TIMEOUT, within};
use crate::threshold::member::{MANIFEST, PARTICIPANT};
use crate::threshold::print;
use crate::trust::{INSECURE_ISSUER, JWKS, PKI_ROOT};
use mcbn_ceremony::message::{Code, OpenRequest};
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::suite::Command;
use mcbn_runtime::units::Period;
use std::time::Duration;

pub const STATUS: Command = Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, Config::read, status),
};

static PROGRAM: Program = Program::tool(
    crate::NAME,
    crate::VERSION,
    "Shows the requests that are open, or one of them: what is to be signed and why, who announced it, who has approved \
     it, for how long it is open, and the signature once there is one. What stands there was written by whoever announced \
     it: mcbn threshold sign approve goes by what the participant has itself.",
    &[
        MANIFEST,
        PARTICIPANT,
        REQUEST,
        KEY,
        SERVER,
        TIMEOUT,
        INSECURE_ISSUER,
        JWKS,
        PKI_ROOT,
        JSON,
    ],
)
.under("threshold sign status", crate::BESIDE);

const REQUEST: Setting = Setting::value("request", "ID", "this one alone");

struct Config {
    seat: SeatConfig,
    request: Option<Id>,
    timeout: Duration,
}

impl Config {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let seat = SeatConfig::read(given);
        let request = given.optional(&REQUEST);
        let timeout = given.one::<Period>(&TIMEOUT);
        Ok(Self {
            seat: seat?,
            request: request?,
            timeout: timeout?.get(),
        })
    }
}

fn status(config: Config) -> Result<(), Error> {
    let json = config.seat.access.json;
    let mut seat = config.seat.take()?;
    within(config.timeout, async {
        seat.server().await?;
        match config.request {
            Some(Id(request)) => {
                let open = seat.request(request).await?;
                show(&seat, &open, json)
            }
            None => all(&mut seat, json).await,
        }
    })
}

/// Each as it comes: there may be thousands.
async fn all(seat: &mut Seat, json: bool) -> Result<(), Error> {
    let mut shown = 0;
    for request in seat.requests().await? {
        let open = match seat.request(request).await {
            // It has expired by now.
            Err(error) if error.code() == Some(Code::NotOpen) => continue,
            open => open?,
        };
        if shown > 0 && !json {
            print("\n")?;
        }
        show(seat, &open, json)?;
        shown += 1;
    }
    if shown == 0 && !json {
        print("no request is open\n")?;
    }
    Ok(())
}

fn show(seat: &Seat, open: &OpenRequest, json: bool) -> Result<(), Error> {
    let shown = Shown::new(open, &seat.member, &seat.signers);
    Ok(match json {
        true => print(&shown.json()),
        false => print(&shown.to_string()),
    }?)
}
