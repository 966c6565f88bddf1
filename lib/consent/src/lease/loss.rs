//! Why there is no consent, or no longer: by participant.

use super::seat::Seat;
use crate::client::Failure;
use crate::message::Code;
use mcbn_runtime::exit::{Exit, Failure as Ends};
use mcbn_share::{NoKey, Participant, Refused};
use std::error::Error;
use std::fmt::{self, Display};

/// Why there is no consent of one participant.
#[derive(Debug)]
pub enum Trouble {
    /// The last attempt failed.
    Failed(Failure),
    /// The share is none.
    Share(Refused),
    /// The lease ended before it could be renewed, as when the machine was suspended.
    Expired,
    /// The first attempt has not ended.
    NoAnswer,
}

impl Trouble {
    /// A short fixed word.
    pub fn reason(&self) -> &'static str {
        match self {
            Trouble::Failed(failure) => failure.reason(),
            Trouble::Share(_) => "bad_share",
            Trouble::Expired => "expired",
            Trouble::NoAnswer => "no_answer",
        }
    }

    /// Whether the participant, and not a circumstance, stands against it.
    fn is_refusal(&self) -> bool {
        match self {
            Trouble::Failed(failure) => failure.is_refusal(),
            Trouble::Share(_) => true,
            Trouble::Expired | Trouble::NoAnswer => false,
        }
    }

    /// Whether asking again soon would change nothing.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Trouble::Failed(failure) => failure.is_final(),
            Trouble::Share(_) => true,
            Trouble::Expired | Trouble::NoAnswer => false,
        }
    }

    /// Whether what was given before is taken back.
    pub(super) fn ends_consent(&self) -> bool {
        match self {
            Trouble::Failed(failure) => failure.ends_consent(),
            Trouble::Share(_) => true,
            Trouble::Expired | Trouble::NoAnswer => false,
        }
    }
}

/// With its sources: several of them stand in one message.
impl Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Failed(failure) => {
                failure.fmt(f)?;
                let mut source = failure.source();
                while let Some(error) = source {
                    write!(f, ": {error}")?;
                    source = error.source();
                }
                Ok(())
            }
            Trouble::Share(refused) => refused.fmt(f),
            Trouble::Expired => f.write_str("the lease ended before it was renewed"),
            Trouble::NoAnswer => f.write_str("no answer yet"),
        }
    }
}

/// The participants without whose consent there is too little.
#[derive(Debug)]
pub struct Missing {
    troubles: Vec<(Participant, Trouble)>,
    exit: Exit,
}

impl Missing {
    pub(super) fn new(without_lease: usize, needed: usize, seats: &mut [Seat]) -> Missing {
        let all = without_lease + seats.len();
        let troubles: Vec<_> = seats
            .iter_mut()
            .filter_map(|seat| Some((seat.take_trouble()?, seat.participant().clone())))
            .map(|(trouble, participant)| (participant, trouble))
            .collect();
        let refusing = troubles
            .iter()
            .filter(|(_, trouble)| trouble.is_refusal())
            .count();
        // If it takes no more than that circumstances change, starting again may help.
        let exit = match all - refusing < needed {
            true => Exit::Refused,
            false => Exit::Unavailable,
        };
        Missing { troubles, exit }
    }

    /// Only those who decide it: the others may not even have answered.
    pub(super) fn of_those_against(mut self) -> Missing {
        self.troubles.retain(|(_, trouble)| trouble.is_final());
        self
    }

    pub fn troubles(&self) -> impl Iterator<Item = (&Participant, &Trouble)> {
        self.troubles
            .iter()
            .map(|(participant, trouble)| (participant, trouble))
    }

    fn has(&self, code: Code) -> bool {
        self.troubles.iter().any(|(_, trouble)| {
            matches!(trouble, Trouble::Failed(failure) if failure.code() == Some(code))
        })
    }

    /// Whether all that is missing is in Google Cloud.
    fn is_of_cloud(&self) -> bool {
        let of_cloud = |(_, trouble): &(Participant, Trouble)| {
            matches!(
                trouble,
                Trouble::Failed(Failure::Cloud(_) | Failure::Share(_) | Failure::OtherShare)
            )
        };
        !self.troubles.is_empty() && self.troubles.iter().all(of_cloud)
    }

    fn hint(&self) -> Option<String> {
        let hint = if self.has(Code::Pending) {
            "the participant looks at the request with `mcbn keeper list` and approves it with `mcbn keeper approve`"
        } else if self.has(Code::Manifest) {
            "all participants and all programs of a network need the same manifest, byte for byte"
        } else if self.is_of_cloud() {
            match self.exit {
                Exit::Refused => {
                    "what a participant's project allows stands in its workload identity pool, in the secret's or key's IAM policy, and in whether that is enabled"
                }
                _ => "this machine must reach its token service and Google's services",
            }
        } else if self.exit == Exit::Refused {
            "the participant's ledger tells more: `mcbn keeper log`"
        } else {
            "the keepers must run, and this machine must reach them and its token service"
        };
        Some(hint.into())
    }
}

impl Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (participant, trouble)) in self.troubles.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{participant}: {trouble}")?;
        }
        Ok(())
    }
}

/// There is no consent to start with.
#[derive(Debug)]
pub enum NoConsent {
    /// A share that is read here is missing or refused, or the shares do not belong together.
    Share(NoKey),
    /// So many participants are against it that the others are too few.
    Refused(Missing),
    /// The time is over.
    Late(Missing),
}

impl Display for NoConsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoConsent::Share(error) => error.fmt(f),
            NoConsent::Refused(missing) => write!(f, "no consent: {missing}"),
            NoConsent::Late(missing) => write!(f, "no consent in time: {missing}"),
        }
    }
}

impl Error for NoConsent {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NoConsent::Share(error) => error.source(),
            NoConsent::Refused(_) | NoConsent::Late(_) => None,
        }
    }
}

impl Ends for NoConsent {
    fn exit(&self) -> Exit {
        match self {
            NoConsent::Share(NoKey::Unreadable(error)) if error.is_about_permission() => {
                Exit::Refused
            }
            NoConsent::Share(NoKey::Unreadable(_)) => Exit::Io,
            NoConsent::Share(NoKey::Refused(_)) => Exit::Refused,
            NoConsent::Refused(missing) | NoConsent::Late(missing) => missing.exit,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            NoConsent::Share(error) => error.hint().map(str::to_owned),
            NoConsent::Refused(missing) | NoConsent::Late(missing) => missing.hint(),
        }
    }
}

/// There was consent, and there is too little now.
#[derive(Debug)]
pub struct Lost(Missing);

impl Lost {
    pub(super) fn new(missing: Missing) -> Lost {
        Lost(missing)
    }

    pub fn missing(&self) -> &Missing {
        &self.0
    }
}

impl Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "consent is lost: {}", self.0)
    }
}

impl Error for Lost {}

impl Ends for Lost {
    fn exit(&self) -> Exit {
        self.0.exit
    }

    fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}
