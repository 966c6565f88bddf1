//! What is asked of the server, again and again where it cannot be reached.

use super::notice::Notice;
use mcbn_attested::client::{Client, Connection, Failure, Method, PathAndQuery};
use mcbn_ceremony::message::Refusal;
use mcbn_manifest::Address;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::time::Duration;
use tokio::time::sleep;

pub struct Session {
    client: Client,
    address: Address,
    connection: Option<Connection>,
    json: bool,
    /// What was told last.
    told: String,
}

/// Between two attempts, and between two looks at how it stands.
pub const PAUSE: Duration = Duration::from_secs(1);

impl Session {
    pub fn new(client: Client, address: Address, json: bool) -> Self {
        Self {
            client,
            address,
            connection: None,
            json,
            told: String::new(),
        }
    }

    /// Tells, on standard error, what was not just told.
    pub fn tell(&mut self, notice: &Notice<'_>) {
        let line = match self.json {
            true => serde_json::to_string(notice).expect("texts and numbers"),
            false => format!("mcbn: {notice}"),
        };
        if line != self.told {
            // Whoever does not listen misses it.
            let _ = writeln!(io::stderr(), "{line}");
            self.told = line;
        }
    }

    /// Asks with a message.
    pub async fn say<M: DeserializeOwned>(
        &mut self,
        path: &'static str,
        ask: &impl Serialize,
    ) -> Result<M, NotSaid> {
        self.ask(path, mcbn_body::write(ask)).await
    }

    /// Asks with nothing.
    pub async fn fetch<M: DeserializeOwned>(&mut self, path: &'static str) -> Result<M, NotSaid> {
        self.ask(path, Vec::new()).await
    }

    async fn ask<M: DeserializeOwned>(
        &mut self,
        path: &'static str,
        body: Vec<u8>,
    ) -> Result<M, NotSaid> {
        loop {
            let failure = match self.once(path, body.clone()).await {
                Ok(said) => return said,
                Err(failure) if !passes(&failure) => return Err(NotSaid::Failed(failure)),
                Err(failure) => failure,
            };
            self.connection = None;
            let server = self.address.to_string();
            self.tell(&Notice::Again {
                server,
                failure: &failure,
            });
            sleep(PAUSE).await;
        }
    }

    async fn once<M: DeserializeOwned>(
        &mut self,
        path: &'static str,
        body: Vec<u8>,
    ) -> Result<Result<M, NotSaid>, Failure> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => {
                let new = self.client.connect(&self.address).await?;
                self.connection.insert(new)
            }
        };
        let path = PathAndQuery::from_static(path);
        let answer = connection.request(Method::POST, path, body).await?;
        let body = answer.body();
        let not_a_message = |_| NotSaid::NotAMessage;
        Ok(match answer.status().is_success() {
            true => mcbn_body::read(body).map_err(not_a_message),
            false => {
                let refusal = mcbn_body::read(body).map_err(not_a_message);
                refusal.and_then(|refusal| Err(NotSaid::Refused(refusal)))
            }
        })
    }
}

/// The machine or the way to it may be there in a moment.
fn passes(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Unreachable(_)
            | Failure::Broken(_)
            | Failure::Ended
            | Failure::Slow
            | Failure::NoToken(_)
            | Failure::Keys(_)
    )
}

/// There is no such answer.
#[derive(Debug)]
pub enum NotSaid {
    /// Nothing vouches for who answers, or not for what it says.
    Failed(Failure),
    /// The server says no.
    Refused(Refusal),
    /// The server speaks otherwise.
    NotAMessage,
}

impl Display for NotSaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Refused(refusal) => write!(f, "the server refuses: {}", refusal.refused),
            Self::NotAMessage => f.write_str("the server's answer is none of this protocol"),
        }
    }
}
