//! `mcbn threshold sign approve`: signs its part of what the participant itself has.

use super::error::Error;
use super::id::Id;
use super::seat::{Seat, SeatConfig};
use super::shown::{Shown, hex_of};
use super::subject::{MESSAGE, PURPOSE, SHA256, SubjectConfig};
use crate::threshold::access::{JSON, KEY, SERVER, within};
use crate::threshold::member::{MANIFEST, Member, PARTICIPANT};
use crate::threshold::notice::{Notice, What};
use crate::threshold::own_share::own_share;
use crate::threshold::print;
use crate::threshold::session::PAUSE;
use crate::trust::{INSECURE_ISSUER, JWKS, PKI_ROOT};
use mcbn_ceremony::approval::RequestId;
use mcbn_ceremony::message::{Code, OpenRequest, Shares};
use mcbn_ceremony::signing::{Signers, Subject};
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::suite::Command;
use mcbn_runtime::units::Period;
use mcbn_threshold::{Index, KeyShare};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::sleep;

pub const APPROVE: Command = Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, Config::read, approve),
};

static PROGRAM: Program = Program::tool(
    crate::NAME,
    crate::VERSION,
    "Approves a request, with a partial signature made here: the share stays where it is. What is signed is the message and \
     the purpose that are given here, never what the server shows; a request about anything else is refused, and nothing is \
     sent. Prints the group's signature once there is one, verified with the group's key. Started again it goes on.",
    &[
        MANIFEST,
        PARTICIPANT,
        REQUEST,
        MESSAGE,
        SHA256,
        PURPOSE,
        SHARE,
        KEY,
        SERVER,
        WAIT,
        TIMEOUT,
        INSECURE_ISSUER,
        JWKS,
        PKI_ROOT,
        JSON,
    ],
)
.under("threshold sign approve", crate::BESIDE);

const REQUEST: Setting = Setting::value(
    "request",
    "ID",
    "which one, as announce and status print it",
)
.required();

const SHARE: Setting = Setting::value(
    "share",
    "FILE",
    "the participant's share of the group's key, as mcbn threshold generate leaves it; a server that has the shares itself \
     takes none",
);

const WAIT: Setting = Setting::switch("wait", "wait until enough of the others have approved, too");

const TIMEOUT: Setting = Setting::value(
    "timeout",
    "TIME",
    "how long to wait: for the server, 1m unless given; with --wait for the others, too, 24h unless given",
);

struct Config {
    seat: SeatConfig,
    request: RequestId,
    subject: SubjectConfig,
    share: Option<PathBuf>,
    wait: bool,
    timeout: Duration,
}

impl Config {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let seat = SeatConfig::read(given);
        let request = given.one::<Id>(&REQUEST);
        let subject = SubjectConfig::read(given);
        let share = given.optional(&SHARE);
        let wait = given.on(&WAIT);
        let timeout = given.optional::<Period>(&TIMEOUT);
        let unless_given = Duration::from_secs(if wait { 24 * 60 * 60 } else { 60 });
        Ok(Self {
            seat: seat?,
            request: request?.0,
            subject: subject?,
            share: share?,
            wait,
            timeout: timeout?.map_or(unless_given, Period::get),
        })
    }
}

fn approve(config: Config) -> Result<(), Error> {
    let subject = config.subject.subject()?;
    let json = config.seat.access.json;
    let mut seat = config.seat.take()?;
    let (group, index) = (seat.signers.group(), seat.member.index);
    let share = config.share.map(|path| own_share(&path, group, index));
    let work = Work {
        request: config.request,
        subject,
        share: share.transpose()?,
    };
    let open = within(config.timeout, async {
        let mut open = work.approve(&mut seat).await?;
        while config.wait && open.signature.is_none() {
            sleep(PAUSE).await;
            open = work.look_again(&mut seat, &open).await?;
        }
        Ok::<_, Error>(open)
    })?;
    show(&seat, &open, json)
}

struct Work {
    request: RequestId,
    subject: Subject,
    share: Option<KeyShare>,
}

impl Work {
    async fn approve(&self, seat: &mut Seat) -> Result<OpenRequest, Error> {
        let server = seat.server().await?;
        let share = taken(server.shares, self.share.as_ref())?;
        let open = self.same(seat.request(self.request).await?)?;
        if open.signature.is_some() {
            return Ok(open);
        }
        let approved = seat.approve(self.request, &self.subject, share).await?;
        let approved = self.same(approved)?;
        tell_who_is_missing(seat, &approved);
        Ok(approved)
    }

    async fn look_again(&self, seat: &mut Seat, last: &OpenRequest) -> Result<OpenRequest, Error> {
        let open = match seat.request(self.request).await {
            Err(error) if error.code() == Some(Code::NotOpen) => {
                let names = missing(&seat.member, &seat.signers, last);
                return Err(Error::Expired(names.join(", ")));
            }
            open => self.same(open?)?,
        };
        tell_who_is_missing(seat, &open);
        Ok(open)
    }

    /// The signature of a request counts for what it is about.
    fn same(&self, open: OpenRequest) -> Result<OpenRequest, Error> {
        if open.subject.message() != self.subject.message() {
            return Err(Error::OtherMessage);
        }
        match open.subject.purpose() == self.subject.purpose() {
            true => Ok(open),
            false => Err(Error::OtherPurpose),
        }
    }
}

/// What a server takes beside an approval.
fn taken(shares: Shares, share: Option<&KeyShare>) -> Result<Option<&KeyShare>, Error> {
    match (shares, share) {
        (Shares::Kept, None) => Err(Error::NoShare),
        (Shares::Revealed, Some(_)) => Err(Error::ShareNotTaken),
        (Shares::Kept, Some(_)) | (Shares::Revealed, None) => Ok(share),
    }
}

fn missing<'a>(member: &'a Member, signers: &Signers, open: &OpenRequest) -> Vec<&'a str> {
    let all = Index::all(signers.terms().participants().count());
    member.names(all.filter(|index| !open.approved_by.contains(index)))
}

fn tell_who_is_missing(seat: &mut Seat, open: &OpenRequest) {
    if open.signature.is_some() {
        return;
    }
    let threshold = seat.signers.group().threshold().get();
    seat.session.tell(&Notice::Waiting {
        what: What::Approve,
        names: missing(&seat.member, &seat.signers, open),
        needed: Some(threshold.saturating_sub(open.approved_by.len())),
    });
}

fn show(seat: &Seat, open: &OpenRequest, json: bool) -> Result<(), Error> {
    if json {
        return Ok(print(
            &Shown::new(open, &seat.member, &seat.signers).json(),
        )?);
    }
    match &open.signature {
        Some(signature) => Ok(print(&format!("{}\n", hex_of(signature)))?),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcbn_secret::SigningShare;

    #[test]
    fn a_share_is_used_where_shares_are_kept_and_nowhere_else() {
        let share = KeyShare::new(Index::new(1).unwrap(), &SigningShare::copied_from(&[7; 32]));
        let share = share.unwrap();
        assert!(matches!(taken(Shares::Kept, Some(&share)), Ok(Some(_))));
        assert!(matches!(taken(Shares::Revealed, None), Ok(None)));
        assert!(matches!(taken(Shares::Kept, None), Err(Error::NoShare)));
        let refused = taken(Shares::Revealed, Some(&share));
        assert!(matches!(refused, Err(Error::ShareNotTaken)));
    }
}
