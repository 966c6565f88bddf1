//! The table of settings, and what is made of it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use mcbn_consent::settings as shares;
use mcbn_dtls::settings::{self as dtls, Dtls};
use mcbn_dtls_endpoint::client::settings as datagrams;
use mcbn_endpoint::client::settings as streams;
use mcbn_endpoint::role::{self, Role};
use mcbn_endpoint::server::settings as server;
use mcbn_psk::settings::{self as psk, Protocol};
use mcbn_psk::{Identity, Resumption};
use mcbn_runtime::settings::{Given, Port, Program, Reported, Setting};
use mcbn_tunnel::settings::{self as connection, ClientConfig, ServerConfig, ServerRows};

use crate::error::Error;
use crate::key::{self, KeyConfig};
use crate::keys;

pub const PROGRAM: Program = Program::new(
    "tpm-psk",
    env!("CARGO_PKG_VERSION"),
    "TLS 1.2 over TCP, or DTLS 1.2 over UDP, with a pre-shared key of each session's own, which a TPM makes of a permanent \
     key that never leaves it. An end that has no TPM has the permanent key in memory. TLS 1.3 is not spoken: it asks for \
     the key before the server's random is there.",
    ROWS_OF_RUN,
    &[Port::tcp(8443), Port::udp(8443)],
)
.with_commands(keys::COMMANDS);

pub const ROWS_OF_RUN: &[Setting] = &[
    role::ROLE,
    TRANSPORT,
    LISTEN,
    FORWARD,
    INSECURE_PLAINTEXT_FORWARD,
    role::SERVER,
    streams::GET,
    streams::STDIO,
    datagrams::SEND,
    datagrams::ANSWER_TIMEOUT,
    connection::INSECURE_PLAINTEXT_LISTEN,
    key::TPM_KEY,
    key::KEY_AUTH,
    key::PARENT_AUTH,
    key::TCTI,
    key::TPM_TIMEOUT,
    key::TPM_QUEUE,
    key::SECRET,
    shares::SHARE,
    shares::MANIFEST,
    shares::DERIVATION,
    shares::THRESHOLD,
    shares::MANIFEST_DIGEST,
    shares::CONSENT_TIMEOUT,
    shares::TOKEN_SOCKET,
    key::LAYOUT,
    psk::IDENTITY,
    INSECURE_RESUMPTION,
    dtls::CCM8,
    dtls::MTU,
    connection::MAX_CONNECTIONS,
    connection::MAX_CONNECTIONS_PER_PEER,
    server::MAX_HANDSHAKES,
    connection::HANDSHAKE_TIMEOUT,
    connection::IDLE_TIMEOUT,
    connection::CONNECT_TIMEOUT,
    connection::DNS_SERVER,
];

const TRANSPORT: Setting = Setting::value(
    "transport",
    "tcp|udp",
    "TLS 1.2 over TCP, or DTLS 1.2 over UDP; for a client, --get and --stdio go with tcp, and --send with udp",
)
.default("tcp")
.operator();

const LISTEN: Setting = Setting::value(
    "listen",
    "ADDR:PORT",
    "server: where to accept connections, [::]:8443 unless given; [::] takes IPv4 as well. client: take plain connections \
     or datagrams here, on a loopback address, and tunnel each to the server",
)
.operator();

const FORWARD: Setting = Setting::value(
    "forward",
    "HOST:PORT",
    "server: the plain service, by the same transport, that gets what is decrypted; without it GET / is answered with ok, \
     and each datagram with itself",
)
.operator();

const INSECURE_PLAINTEXT_FORWARD: Setting = Setting::switch(
    "insecure-plaintext-forward",
    "server: let what is decrypted leave this machine in clear, to a --forward that is not loopback",
);

/// No operator's, as it weakens what each session promises.
const INSECURE_RESUMPTION: Setting = Setting::switch(
    "insecure-resumption",
    "with TCP: resume sessions for five minutes; a resumed session is opened by the secret of an earlier one, which is \
     in memory so long, and the TPM is not asked for it",
);

const ROWS: ServerRows = ServerRows {
    forward: FORWARD,
    insecure_plaintext_forward: INSECURE_PLAINTEXT_FORWARD,
    max_handshakes: server::MAX_HANDSHAKES,
    what: "data",
};

/// Rows that mean something to a client only.
const OF_CLIENTS: [&Setting; 6] = [
    &role::SERVER,
    &streams::GET,
    &streams::STDIO,
    &datagrams::SEND,
    &datagrams::ANSWER_TIMEOUT,
    &connection::INSECURE_PLAINTEXT_LISTEN,
];

/// Rows that mean something to one transport only.
const OF_TCP: [&Setting; 3] = [&INSECURE_RESUMPTION, &streams::GET, &streams::STDIO];
const OF_UDP: [&Setting; 4] = [
    &dtls::CCM8,
    &dtls::MTU,
    &datagrams::SEND,
    &datagrams::ANSWER_TIMEOUT,
];

#[derive(Debug)]
pub struct Config {
    pub key: KeyConfig,
    pub identity: Identity,
    pub work: Work,
}

/// What the keys of sessions are for.
#[derive(Debug)]
pub enum Work {
    StreamServer(ServerConfig, Resumption),
    StreamClient(ClientConfig, streams::Mode, Resumption),
    DatagramServer(ServerConfig, Dtls),
    DatagramClient(ClientConfig, datagrams::Mode, Dtls),
}

impl Config {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let key = KeyConfig::read(given);
        let of_standard_input = key.as_ref().ok().and_then(KeyConfig::of_standard_input);
        let identity = given.one(&psk::IDENTITY);
        let role = given.one::<Role>(&role::ROLE);
        let transport = given.one(&TRANSPORT);
        let work = match (role, transport) {
            (Ok(role), Ok(transport)) => {
                role.refuse_others(given, &ROWS, &OF_CLIENTS);
                match role {
                    Role::Server => read_server(given, transport),
                    Role::Client => read_client(given, transport, of_standard_input),
                }
            }
            (Err(reported), _) | (Ok(_), Err(reported)) => Err(reported),
        };
        Ok(Self {
            key: key?,
            identity: identity?,
            work: work?,
        })
    }
}

fn read_server(given: &mut Given, transport: Transport) -> Result<Work, Reported> {
    let server = role::read_server(given, &LISTEN, &ROWS);
    match transport {
        Transport::Tcp => {
            given.refuse_given(&OF_UDP, "for --transport udp only");
            Ok(Work::StreamServer(server?, resumption(given)))
        }
        Transport::Udp => {
            given.refuse_given(&OF_TCP, "for --transport tcp only");
            let dtls = Dtls::read(given);
            Ok(Work::DatagramServer(server?, dtls?))
        }
    }
}

fn read_client(
    given: &mut Given,
    transport: Transport,
    of_standard_input: Option<(&Setting, String)>,
) -> Result<Work, Reported> {
    let client = role::read_client(given);
    match transport {
        Transport::Tcp => {
            given.refuse_given(&OF_UDP, "for --transport udp only");
            let mode = streams::Mode::read(given, &LISTEN, of_standard_input);
            let resumption = resumption(given);
            Ok(Work::StreamClient(client?, mode?, resumption))
        }
        Transport::Udp => {
            given.refuse_given(&OF_TCP, "for --transport tcp only");
            let mode = datagrams::Mode::read(given, &LISTEN, of_standard_input);
            let dtls = Dtls::read(given);
            Ok(Work::DatagramClient(client?, mode?, dtls?))
        }
    }
}

fn resumption(given: &mut Given) -> Resumption {
    match given.on(&INSECURE_RESUMPTION) {
        true => Resumption::On,
        false => Resumption::Off,
    }
}

impl Work {
    pub fn dns_server(&self) -> Option<SocketAddr> {
        match self {
            Self::StreamServer(server, _) | Self::DatagramServer(server, _) => server.dns_server,
            Self::StreamClient(client, ..) | Self::DatagramClient(client, ..) => client.dns_server,
        }
    }

    /// What it means that a signal comes before any work is done.
    pub fn cut(&self) -> Result<(), Error> {
        match self {
            Self::StreamServer(..) | Self::DatagramServer(..) => Ok(()),
            Self::StreamClient(_, mode, _) => mode.cut().map_err(Error::StreamClient),
            Self::DatagramClient(_, mode, _) => mode.cut().map_err(Error::DatagramClient),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Transport {
    Tcp,
    Udp,
}

impl FromStr for Transport {
    type Err = NotATransport;

    fn from_str(text: &str) -> Result<Self, NotATransport> {
        match text {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            _ => Err(NotATransport),
        }
    }
}

struct NotATransport;

impl fmt::Display for NotATransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not tcp or udp")
    }
}

#[cfg(test)]
mod tests;
