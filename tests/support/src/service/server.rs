//! An HTTP service on a thread of its own, which can be taken away and brought back.
//!
//! The thread has its own runtime: a test needs none, and one that has one may drop this inside it. To stop is to drop
//! that runtime: when it has returned, the listener and every connection are closed.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::serve::Listener;
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket, sockopt};
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use tokio_rustls::TlsAcceptor;

use super::health::Health;
use super::tls;

/// A service and its switch.
pub(crate) struct Server {
    endpoint: Endpoint,
    router: Router,
    health: watch::Sender<Health>,
    running: Mutex<Option<Running>>,
}

/// Where a service listens. It stays the service's own while it is dead.
pub(crate) enum Endpoint {
    Port(Port),
    /// The same, behind TLS.
    Tls(Port, TlsAcceptor),
    Socket(PathBuf),
}

/// A port of the loopback address.
pub(crate) struct Port {
    address: SocketAddr,
    /// Bound to the port and never listening: connections are refused, and nobody else gets the port.
    _holder: OwnedFd,
}

struct Running {
    hangs_up: bool,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// `health` is what the router's handlers watch.
    pub(crate) fn start(endpoint: Endpoint, router: Router, health: watch::Sender<Health>) -> Self {
        let server = Self {
            endpoint,
            router,
            health,
            running: Mutex::new(None),
        };
        // Not borrowed while it is set.
        let health = *server.health.borrow();
        server.set(health);
        server
    }

    /// When it returns, the service is so: a dead one refuses connections.
    pub(crate) fn set(&self, health: Health) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = match health {
            Health::Dead => None,
            Health::HangingUp => Some(true),
            Health::Well | Health::Slow(_) | Health::Stalled | Health::Failing => Some(false),
        };
        if running.as_ref().map(|running| running.hangs_up) != wanted {
            *running = None;
            *running =
                wanted.map(|hangs_up| Running::start(&self.endpoint, &self.router, hangs_up));
        }
        self.health.send_replace(health);
    }
}

impl Port {
    pub(crate) fn reserve() -> Self {
        let reserve = || {
            let holder = socket(AddressFamily::INET, SocketType::STREAM, None)?;
            sockopt::set_socket_reuseaddr(&holder, true)?;
            bind(&holder, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
            let address = SocketAddr::try_from(getsockname(&holder)?)?;
            Ok::<_, rustix::io::Errno>(Self {
                address,
                _holder: holder,
            })
        };
        reserve().expect("loopback has a free port")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn listen(&self) -> std::net::TcpListener {
        // It sets SO_REUSEADDR, as the holder does.
        let listener = std::net::TcpListener::bind(self.address)
            .expect("the port is reserved for this service");
        listener.set_nonblocking(true).expect("a socket can be so");
        listener
    }
}

impl Running {
    fn start(endpoint: &Endpoint, router: &Router, hangs_up: bool) -> Self {
        let (stop, stopped) = oneshot::channel();
        let router = (!hangs_up).then(|| router.clone());
        let thread = match endpoint {
            Endpoint::Port(port) => {
                let listener = port.listen();
                spawn(stopped, router, move || {
                    tokio::net::TcpListener::from_std(listener)
                })
            }
            Endpoint::Tls(port, acceptor) => {
                let listener = port.listen();
                let acceptor = acceptor.clone();
                spawn(stopped, router, move || {
                    tls::Listener::new(listener, acceptor)
                })
            }
            Endpoint::Socket(path) => {
                // A dead service's file is still there.
                let _ = fs::remove_file(path);
                let listener = std::os::unix::net::UnixListener::bind(path)
                    .unwrap_or_else(|error| panic!("cannot listen at {}: {error}", path.display()));
                // A container's user is not the launcher's.
                fs::set_permissions(path, fs::Permissions::from_mode(0o777))
                    .expect("the socket is ours");
                listener.set_nonblocking(true).expect("a socket can be so");
                spawn(stopped, router, move || {
                    tokio::net::UnixListener::from_std(listener)
                })
            }
        };
        Self {
            hangs_up,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !thread::panicking()
        {
            panic!("a service of the simulator panicked");
        }
    }
}

/// Serves until it is told to stop. Without a router it closes each connection.
fn spawn<L: Listener<Addr: std::fmt::Debug>>(
    stopped: oneshot::Receiver<()>,
    router: Option<Router>,
    listener: impl FnOnce() -> std::io::Result<L> + Send + 'static,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("there are descriptors left");
        runtime.block_on(async move {
            let mut listener = listener().expect("the socket is ready");
            tokio::spawn(async move {
                match router {
                    Some(router) => drop(axum::serve(listener, router).await),
                    None => loop {
                        drop(listener.accept().await);
                    },
                }
            });
            // The sender's end is the word.
            let _ = stopped.await;
        });
    })
}
