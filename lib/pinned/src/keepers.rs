//! The way to the keepers of a manifest.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use mcbn_consent::connect::{Channel, Connect, NoChannel};
use mcbn_manifest::{Keeper, Member};
use mcbn_tunnel::dial::{Cause, Unreachable, Upstream};
use mcbn_tunnel::names::{Names, NoResolver};
use mcbn_tunnel::target::Target;
use tokio::net::TcpStream;

use crate::connector::{Connector, PinnedStream};
use crate::error::{NoStream, Setup};

/// Reaches keepers where the manifest says that they are, by the pins that it says they have.
#[derive(Clone)]
pub struct Keepers<C> {
    connector: C,
    names: Option<Names>,
}

/// For one attempt: to look up the name, to connect, and to do the handshake, at any of the keeper's addresses.
const LIMIT: Duration = Duration::from_secs(10);

impl<C: Connector> Keepers<C> {
    /// What those of these participants who have keepers need for them to be found: nothing, the given DNS server, or the system's configuration.
    pub fn of(members: &[Member], dns_server: Option<SocketAddr>) -> Result<Self, NoKeepers> {
        let keepers = members.iter().filter_map(Member::keeper);
        let targets: Vec<Target> = keepers.map(target).collect();
        let names = Names::needed_by(&targets, dns_server).map_err(NoKeepers::Names)?;
        let connector = C::new().map_err(NoKeepers::Tls)?;
        Ok(Self { connector, names })
    }
}

fn target(keeper: &Keeper) -> Target {
    let address = keeper.address.to_string();
    address.parse().expect("a keeper's address is a target")
}

impl<C: Connector> Connect for Keepers<C> {
    type Stream = PinnedStream<C::Tls<TcpStream>>;

    async fn connect(&self, keeper: &Keeper) -> Result<Channel<Self::Stream>, NoChannel> {
        let upstream = Upstream::new(vec![target(keeper)], self.names.clone(), LIMIT);
        let shake = |stream| self.connector.connect(stream, &keeper.pin);
        let stream = upstream.connect_once(shake).await.map_err(no_channel)?;
        Ok(Channel {
            exporter: *stream.peer().exporter(),
            stream,
        })
    }
}

fn no_channel(unreachable: Unreachable<NoStream>) -> NoChannel {
    // A keeper that was there says more than addresses where there was none.
    let mut causes = unreachable.failures().iter().map(|failure| &failure.cause);
    let reason = causes.find_map(|cause| match cause {
        Cause::Establish(error) => Some(error.reason()),
        _ => None,
    });
    NoChannel {
        reason: reason.unwrap_or("unreachable"),
        source: unreachable.into(),
    }
}

impl<C> fmt::Debug for Keepers<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keepers").finish_non_exhaustive()
    }
}

/// Keepers cannot be reached from here at all.
#[derive(Debug)]
pub enum NoKeepers {
    /// Their names cannot be looked up.
    Names(NoResolver),
    /// The TLS stack cannot be set up.
    Tls(Setup),
}

impl fmt::Display for NoKeepers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Names(_) => f.write_str("cannot look up the keepers' names"),
            Self::Tls(_) => f.write_str("cannot set up TLS"),
        }
    }
}

impl Error for NoKeepers {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Names(source) => Some(source),
            Self::Tls(source) => Some(source),
        }
    }
}
