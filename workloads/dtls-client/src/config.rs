//! The table of settings, and what is made of it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use mcbn_consent::settings as shares;
use mcbn_dtls::settings::{self as dtls, Dtls};
use mcbn_psk::settings::{self as key, KeyConfig};
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::units::Period;
use mcbn_tunnel::settings::{self as connection, Timeouts};
use mcbn_tunnel::target::Target;

use crate::error::Error;

pub const PROGRAM: Program = Program::new(
    "dtls-client",
    env!("CARGO_PKG_VERSION"),
    "Reaches a DTLS server that asks for a key made of every participant's share: for one datagram and its answer, or \
     for programs that send to a local port.",
    &[
        SERVER,
        SEND,
        ANSWER_TIMEOUT,
        LISTEN,
        INSECURE_PLAINTEXT_LISTEN,
        shares::SHARE,
        shares::MANIFEST,
        shares::DERIVATION,
        shares::THRESHOLD,
        shares::MANIFEST_DIGEST,
        shares::CONSENT_TIMEOUT,
        shares::TOKEN_SOCKET,
        key::IDENTITY,
        dtls::CCM8,
        dtls::MTU,
        connection::MAX_CONNECTIONS,
        connection::HANDSHAKE_TIMEOUT,
        connection::IDLE_TIMEOUT,
        connection::CONNECT_TIMEOUT,
        connection::DNS_SERVER,
    ],
    &[],
);

const SERVER: Setting = Setting::value(
    "server",
    "HOST:PORT|srv:NAME",
    "where the server is; with several, the next one is tried when one cannot be reached",
)
.repeat()
.required()
.operator();

const SEND: Setting = Setting::value(
    "send",
    "TEXT|-",
    "send one datagram, this text or all of standard input, and write the answer to standard output",
)
.operator();

const ANSWER_TIMEOUT: Setting = Setting::value(
    "answer-timeout",
    "TIME",
    "how long --send waits for the answer; nothing is sent twice",
)
.default("5s")
.operator();

const LISTEN: Setting = Setting::value(
    "listen",
    "ADDR:PORT",
    "take plain datagrams here, on a loopback address, with a connection to the server for each sender",
)
.operator();

const INSECURE_PLAINTEXT_LISTEN: Setting = Setting::switch(
    "insecure-plaintext-listen",
    "let other machines use the tunnel, in clear and without the key, at a --listen that is not loopback",
);

#[derive(Debug)]
pub struct Config {
    pub server: ServerConfig,
    pub mode: Mode,
}

#[derive(Debug)]
pub struct ServerConfig {
    pub targets: Vec<Target>,
    pub key: KeyConfig<Dtls>,
    pub timeouts: Timeouts,
    pub dns_server: Option<SocketAddr>,
}

#[derive(Debug)]
pub enum Mode {
    Send(SendConfig),
    Listen(ListenConfig),
}

impl Mode {
    /// What it means that a signal comes before any work is done.
    pub fn cut(&self) -> Result<(), Error> {
        match self {
            Self::Send(_) => Err(Error::Cut),
            Self::Listen(_) => Ok(()),
        }
    }
}

#[derive(Debug)]
pub struct SendConfig {
    pub message: Message,
    pub answer_timeout: Duration,
}

/// What to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    Text(String),
    StandardInput,
}

impl FromStr for Message {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "-" => Self::StandardInput,
            _ => Self::Text(text.to_owned()),
        })
    }
}

#[derive(Debug)]
pub struct ListenConfig {
    pub address: SocketAddr,
    pub max_connections: NonZeroUsize,
}

impl Config {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let targets = given.all::<Target>(&SERVER);
        let key = KeyConfig::read(given);
        let timeouts = Timeouts::read(given);
        let dns_server = connection::dns_server(given);
        let mode = read_mode(given, key.as_ref().ok());
        Ok(Self {
            server: ServerConfig {
                targets: targets?.into_iter().map(Target::over_udp).collect(),
                key: key?,
                timeouts: timeouts?,
                dns_server: dns_server?,
            },
            mode: mode?,
        })
    }
}

fn read_mode(given: &mut Given, key: Option<&KeyConfig<Dtls>>) -> Result<Mode, Reported> {
    let send = read_send(given, key);
    let listen = read_listen(given);
    match (send?, listen?) {
        (Some(send), None) => Ok(Mode::Send(send)),
        (None, Some(listen)) => Ok(Mode::Listen(listen)),
        (None, None) => {
            given.hint("give one of --send and --listen");
            Err(given.refuse(&[&SEND, &LISTEN], "one of them is needed"))
        }
        (Some(_), Some(_)) => {
            Err(given.refuse(&[&SEND, &LISTEN], "only one of them can be given at a time"))
        }
    }
}

fn read_send(
    given: &mut Given,
    key: Option<&KeyConfig<Dtls>>,
) -> Result<Option<SendConfig>, Reported> {
    let answer_timeout = given.one::<Period>(&ANSWER_TIMEOUT).map(Period::get);
    let message = given.optional::<Message>(&SEND)?;
    let taken = key.and_then(KeyConfig::of_standard_input);
    if let (Some(Message::StandardInput), Some(participant)) = (&message, taken) {
        return Err(given.refuse(
            &[&SEND, &shares::SHARE],
            format_args!("standard input cannot hold the share of {participant} as well"),
        ));
    }
    let answer_timeout = answer_timeout?;
    Ok(message.map(|message| SendConfig {
        message,
        answer_timeout,
    }))
}

fn read_listen(given: &mut Given) -> Result<Option<ListenConfig>, Reported> {
    let max_connections = connection::max_connections(given);
    let insecure = given.on(&INSECURE_PLAINTEXT_LISTEN);
    let address = given.optional::<SocketAddr>(&LISTEN)?;
    match address {
        Some(address) if !address.ip().to_canonical().is_loopback() && !insecure => Err(given
            .refuse(
                &[&LISTEN],
                "not a loopback address, and other machines could use the tunnel without the key",
            )),
        None if insecure => Err(given.refuse(
            &[&INSECURE_PLAINTEXT_LISTEN],
            "there is no --listen that it could apply to",
        )),
        Some(address) => Ok(Some(ListenConfig {
            address,
            max_connections: max_connections?,
        })),
        None => max_connections.map(|_| None),
    }
}
