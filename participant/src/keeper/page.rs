//! The keeper's page: what machines ask for, beside what the manifest demands, and the buttons that answer them.
//!
//! Whoever uses it speaks for the participant, so it is on a loopback address only, off unless asked for, and open to
//! nobody who does not know this run's token ([`access`]). Other programs of the machine, other users and other sites in
//! the same browser can reach the port too. Against them stand: the token, which only the ledger's owner can read; a
//! cookie whose path is secret, since browsers send a cookie to every port of a host; the one name that it answers to
//! ([`door`]); the origin of every form, and a key in it that another origin cannot read; and a policy that runs no
//! script and draws no frame. What strangers chose is shown as text in which nothing hides ([`shown`]).
//!
//! It holds no state: everything is asked of the ledger, and everything that a person says is an entry there. A GET
//! changes nothing. An approval counts for what was on the screen: if somebody decided since, it does nothing and says
//! so. Taking back works whatever happened since.

pub mod access;
pub mod address;
mod books;
mod clerk;
mod door;
mod order;
mod routes;
mod server;
mod shown;
mod time;
mod view;

use super::ledger::Ledger;
use super::ledger::entry::{By, Via};
use super::ledger::file::{NoLedger, Open};
use super::ledger::writer::Clock;
use super::settings;
use access::Access;
use address::AddressFile;
use clerk::Clerk;
use mcbn_manifest::{Name, Pin};
use mcbn_runtime::admin::Loopback;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::shutdown::Shutdown;
use mcbn_share::{ManifestDigest, Participant};
use ring::rand::SystemRandom;
use routes::Site;
use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use address::PAGE;

/// What the page says of its keeper.
#[derive(Clone, Debug)]
pub struct About {
    pub network: Name,
    pub participant: Participant,
    pub pin: Pin,
    pub manifest: ManifestDigest,
    pub lease: Duration,
    /// Whether a person must approve an instance first.
    pub ask: bool,
}

/// What a page is made of.
pub struct Setup {
    pub about: About,
    /// Opened once more: readers do not wait for the keeper's writer.
    pub ledger: PathBuf,
    pub clock: Clock,
}

/// An open page. Dropped, it takes its address back.
#[derive(Debug)]
pub struct Page {
    _file: AddressFile,
    task: JoinHandle<()>,
}

impl Page {
    /// Opens the port, answers on it until the program drains, and leaves the page's address beside the ledger.
    ///
    /// # Errors
    ///
    /// [`NoPage`]
    pub async fn open(address: Loopback, setup: Setup, shutdown: Shutdown) -> Result<Page, NoPage> {
        let listener = TcpListener::bind(address.get()).await;
        let listener = listener.map_err(NoPage::Listen)?;
        let address = listener.local_addr().map_err(NoPage::Listen)?;
        let ledger = Ledger::open(&setup.ledger, Open::Existing).map_err(NoPage::Ledger)?;
        let access = Access::draw(&SystemRandom::new()).map_err(|_| NoPage::Random)?;
        let by = By {
            via: Via::Page,
            uid: rustix::process::getuid().as_raw(),
        };
        let url = access.expose_url(address);
        let file = AddressFile::write(&setup.ledger, &url).map_err(NoPage::File)?;
        let site = Site {
            about: setup.about,
            access,
            address,
            clerk: Arc::new(Clerk::new(ledger, setup.ledger, by)),
            clock: setup.clock,
        };
        let task = tokio::spawn(server::serve(listener, routes::router(site), shutdown));
        tracing::info!(%address, "page listening");
        Ok(Page { _file: file, task })
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The page cannot be opened.
#[derive(Debug)]
pub enum NoPage {
    Listen(io::Error),
    Ledger(NoLedger),
    File(io::Error),
    Random,
}

impl Display for NoPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoPage::Listen(_) => write!(
                f,
                "cannot listen on the address of {}",
                settings::PAGE.flag()
            ),
            NoPage::Ledger(error) => error.fmt(f),
            NoPage::File(_) => f.write_str("cannot leave the page's address beside the ledger"),
            NoPage::Random => f.write_str("the system's random numbers cannot be had"),
        }
    }
}

impl Error for NoPage {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NoPage::Listen(error) | NoPage::File(error) => Some(error),
            NoPage::Ledger(error) => error.source(),
            NoPage::Random => None,
        }
    }
}

impl Failure for NoPage {
    fn exit(&self) -> Exit {
        match self {
            NoPage::Ledger(error) => error.exit(),
            NoPage::Listen(_) | NoPage::File(_) => Exit::Io,
            NoPage::Random => Exit::Platform,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            NoPage::Ledger(error) => error.hint().map(Into::into),
            NoPage::Listen(_) | NoPage::File(_) | NoPage::Random => None,
        }
    }
}

#[cfg(test)]
mod tests;
