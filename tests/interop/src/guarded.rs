//! psk-server before a service that nobody without the key may reach.

use std::net::SocketAddr;
use std::process::Command;

use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::relay::{Relay, Wire};

use crate::openssl::{OpenSsl, psk, s_client};
use crate::ours::Server;
use crate::{Credentials, Peer, Version};

/// A server and the service that it guards.
pub struct Guarded {
    pub server: Server,
    pub service: Plain,
}

impl Guarded {
    pub fn start(version: Version) -> Self {
        Self::with(version, &[])
    }

    pub fn with(version: Version, more: &[&str]) -> Self {
        let service = Plain::echoing();
        let forward = format!("--forward={}", service.address());
        let mut arguments = vec![forward.as_str()];
        arguments.extend(more);
        let server = Server::start(version, &arguments);
        Self { server, service }
    }

    /// Runs a client through a relay, and gives what passed.
    pub fn wire(&self, client: impl FnOnce(SocketAddr) -> Command) -> Wire {
        let relay = Relay::to(self.server.address());
        run(client(relay.address()));
        relay.wire()
    }

    /// The server has refused for this reason, nobody got through, and whoever has the key still does.
    #[track_caller]
    pub fn has_refused(&self, reason: &str) {
        assert_eq!(self.server.refusal(), reason);
        assert_eq!(self.service.connections(), 0, "somebody got through");
        self.serves(Version::Tls13);
    }

    pub fn serves(&self, version: Version) {
        let mut client = OpenSsl::connect(self.server.address(), version, Credentials::RIGHT);
        client.write(b"still there?\n");
        assert_eq!(client.read(13), b"still there?\n");
    }
}

/// Runs a client to its end with nothing to say.
pub fn run(command: Command) -> Ended {
    Process::start(command).end()
}

/// `openssl s_client`, held to one version, with this key.
pub fn with_key(version: Version, credentials: Credentials) -> impl FnOnce(SocketAddr) -> Command {
    move |address| {
        let mut command = s_client(address, version);
        command.args(psk(credentials));
        command
    }
}
