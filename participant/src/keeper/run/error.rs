//! Why a keeper does not answer.

use crate::keeper::key::NoKey;
use crate::keeper::ledger::Fault;
use crate::keeper::ledger::file::NoLedger;
use crate::keeper::ledger::verify::Unsound;
use crate::keeper::page::NoPage;
use crate::manifest::NotRead;
use crate::trust::NoVerifier;
use mcbn_manifest::Pin;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_share::Participant;
use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// The keeper does not answer.
#[derive(Debug)]
pub enum NotRun {
    Manifest(NotRead),
    NotAMember(Participant),
    /// Their share is in Google Cloud, and they have no keeper.
    InCloud(Participant),
    OtherPin(Pin),
    Key(NoKey),
    Share(mcbn_share::NoKey),
    Verifier(NoVerifier),
    Ledger(NoLedger),
    Unsound(Unsound),
    Fault(Arc<Fault>),
    Thread(io::Error),
    Listen(SocketAddr, io::Error),
    Page(NoPage),
}

impl Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotRun::Manifest(error) => error.fmt(f),
            NotRun::NotAMember(name) => write!(f, "the manifest has no participant {name}"),
            NotRun::InCloud(name) => {
                write!(
                    f,
                    "by the manifest, the share of {name} is in Google Cloud, without a keeper"
                )
            }
            NotRun::OtherPin(_) => {
                f.write_str("the manifest names another key for this participant")
            }
            NotRun::Key(error) => error.fmt(f),
            NotRun::Share(error) => error.fmt(f),
            NotRun::Verifier(error) => error.fmt(f),
            NotRun::Ledger(error) => error.fmt(f),
            NotRun::Unsound(error) => error.fmt(f),
            NotRun::Fault(error) => error.fmt(f),
            NotRun::Thread(_) => f.write_str("cannot start the ledger's thread"),
            NotRun::Listen(address, _) => write!(f, "cannot listen on {address}"),
            NotRun::Page(error) => error.fmt(f),
        }
    }
}

impl Error for NotRun {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NotRun::Manifest(error) => error.source(),
            NotRun::Key(error) => error.source(),
            NotRun::Share(error) => error.source(),
            NotRun::Verifier(error) => error.source(),
            NotRun::Ledger(error) => error.source(),
            NotRun::Unsound(error) => error.source(),
            NotRun::Fault(error) => error.source(),
            NotRun::Page(error) => error.source(),
            NotRun::Thread(error) | NotRun::Listen(_, error) => Some(error),
            NotRun::NotAMember(_) | NotRun::InCloud(_) | NotRun::OtherPin(_) => None,
        }
    }
}

impl Failure for NotRun {
    fn exit(&self) -> Exit {
        match self {
            NotRun::Manifest(error) => error.exit(),
            NotRun::Key(error) => error.exit(),
            NotRun::Ledger(error) => error.exit(),
            NotRun::Share(mcbn_share::NoKey::Refused(_)) | NotRun::Unsound(_) => Exit::Refused,
            NotRun::Share(mcbn_share::NoKey::Unreadable(_))
            | NotRun::Fault(_)
            | NotRun::Listen(..) => Exit::Io,
            NotRun::Page(error) => error.exit(),
            NotRun::Thread(_) => Exit::Platform,
            NotRun::Verifier(error) => error.exit(),
            NotRun::NotAMember(_) | NotRun::InCloud(_) | NotRun::OtherPin(_) => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            NotRun::Manifest(error) => error.hint(),
            NotRun::OtherPin(own) => Some(format!("the pin of the key of --key is {own}")),
            NotRun::Key(error) => error.hint().map(str::to_owned),
            NotRun::Share(error) => error.hint().map(str::to_owned),
            NotRun::Ledger(error) => error.hint().map(str::to_owned),
            NotRun::Unsound(error) => error.hint().map(str::to_owned),
            NotRun::Fault(error) => error.hint().map(str::to_owned),
            NotRun::Page(error) => error.hint(),
            _ => None,
        }
    }
}
