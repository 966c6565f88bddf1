//! The settings of a client of datagrams.

use std::convert::Infallible;
use std::str::FromStr;
use std::time::Duration;

use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_runtime::units::Period;
use mcbn_tunnel::settings::ListenConfig;

use super::Error;

pub const SEND: Setting = Setting::value(
    "send",
    "TEXT|-",
    "send one datagram, this text or all of standard input, and write the answer to standard output",
)
.operator();

pub const ANSWER_TIMEOUT: Setting = Setting::value(
    "answer-timeout",
    "TIME",
    "how long --send waits for the answer; nothing is sent twice",
)
.default("5s")
.operator();

/// What the session is for.
#[derive(Debug)]
pub enum Mode {
    Send(SendConfig),
    Listen(ListenConfig),
}

impl Mode {
    /// `listen` is the program's row for the local port. `of_standard_input` is the secret that is read from there, and
    /// the row that says so.
    pub fn read(
        given: &mut Given,
        listen: &Setting,
        of_standard_input: Option<(&Setting, String)>,
    ) -> Result<Self, Reported> {
        let send = SendConfig::read(given, of_standard_input);
        let tunnel = ListenConfig::read(given, listen);
        match (send?, tunnel?) {
            (Some(send), None) => Ok(Self::Send(send)),
            (None, Some(tunnel)) => Ok(Self::Listen(tunnel)),
            (None, None) => {
                given.hint("give one of --send and --listen");
                Err(given.refuse(&[&SEND, listen], "one of them is needed"))
            }
            (Some(_), Some(_)) => {
                Err(given.refuse(&[&SEND, listen], "only one of them can be given at a time"))
            }
        }
    }

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

impl SendConfig {
    fn read(
        given: &mut Given,
        of_standard_input: Option<(&Setting, String)>,
    ) -> Result<Option<Self>, Reported> {
        let answer_timeout = given.one::<Period>(&ANSWER_TIMEOUT).map(Period::get);
        let message = given.optional::<Message>(&SEND)?;
        if let (Some(Message::StandardInput), Some((row, secret))) = (&message, of_standard_input) {
            return Err(given.refuse(
                &[&SEND, row],
                format_args!("standard input cannot hold {secret} as well"),
            ));
        }
        let answer_timeout = answer_timeout?;
        Ok(message.map(|message| Self {
            message,
            answer_timeout,
        }))
    }
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
