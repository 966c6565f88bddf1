//! The port, from its opening to the end of the last connection.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use mcbn_attested::server::{Acceptor, Limits, Server, Vouching};
use mcbn_attested::{Identity, NoIdentity, Purpose};
use mcbn_launcher::Launcher;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::process::Process;
use mcbn_runtime::shutdown::Shutdown;
use mcbn_tunnel::metrics::Metrics;
use tokio::net::TcpListener;

use crate::settings::EndpointConfig;

/// Of one token. A participant waits for it, too.
const TOKEN_DEADLINE: Duration = Duration::from_secs(25);

/// A server whose port is open, with a key that was just made.
pub struct Endpoint {
    server: Server<Launcher>,
    address: SocketAddr,
}

impl Endpoint {
    /// `purpose` is what tokens over the answers are for.
    pub async fn open(
        config: &EndpointConfig,
        router: Router,
        purpose: Purpose,
        process: &Process,
    ) -> Result<Self, NotOpen> {
        let identity = Identity::ephemeral().map_err(NotOpen::Identity)?;
        let pins = config.terms.participants().keys().iter();
        let acceptor =
            Acceptor::new(identity, pins.map(|key| key.pin())).map_err(NotOpen::Identity)?;
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.map_err(NotOpen::Bind)?;
        let address = listener.local_addr().map_err(NotOpen::Bind)?;
        let metrics = Metrics::default();
        process
            .admin
            .register(|registry| metrics.register(registry));
        let server = Server {
            listener,
            acceptor,
            vouching: Vouching {
                router,
                tokens: Launcher::at(config.token_socket.clone(), TOKEN_DEADLINE),
                token_type: config.token_type(),
                purpose,
                manifest: config.manifest.digest(),
            },
            limits: Limits {
                connections: config.max_connections,
                connections_of_a_peer: config.max_connections_per_peer,
                handshake: config.handshake_timeout,
                ..Limits::default()
            },
            metrics,
        };
        Ok(Self { server, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the end, or until `cut` resolves: then every connection is closed before this gives what it gave.
    pub async fn run<C>(self, shutdown: Shutdown, cut: impl Future<Output = C>) -> Option<C> {
        self.server.run(shutdown, cut).await
    }
}

/// The platform is at fault, or who chose the address.
#[derive(Debug)]
pub enum NotOpen {
    Bind(io::Error),
    /// There is no TLS key.
    Identity(NoIdentity),
}

impl fmt::Display for NotOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bind(_) => "cannot listen",
            Self::Identity(_) => "cannot make a TLS key",
        })
    }
}

impl Error for NotOpen {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Self::Bind(error) => error,
            Self::Identity(error) => error,
        })
    }
}

impl Failure for NotOpen {
    fn exit(&self) -> Exit {
        Exit::Platform
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Bind(_) => Some("give another address with --listen".into()),
            Self::Identity(_) => None,
        }
    }
}
