//! One datagram and its answer.

use std::io;

use mcbn_dtls::{NotSent, Session};
use mcbn_tunnel::join::Direction;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::settings::{Message, SendConfig};
use super::{Client, Error};

/// More than any record holds.
const LARGEST: u64 = 1 << 16;

/// Sends the datagram, and writes the answer to `out`.
pub async fn send(
    server: &Client,
    config: &SendConfig,
    out: &mut (impl AsyncWrite + Unpin),
) -> Result<(), Error> {
    let message = read(&config.message).await.map_err(Error::Stdio)?;
    let mut session = server.connect().await.map_err(Error::Unreachable)?;
    let metrics = &server.metrics;
    say(&mut session, &message)?;
    metrics.moved(Direction::Up, message.len());
    let answer = timeout(config.answer_timeout, session.receive(<[u8]>::to_vec)).await;
    let answer = answer.map_err(|_| Error::NoAnswer)?.map_err(Error::Ended)?;
    metrics.moved(Direction::Down, answer.len());
    out.write_all(&answer).await.map_err(Error::Stdio)?;
    out.flush().await.map_err(Error::Stdio)
}

async fn read(message: &Message) -> io::Result<Vec<u8>> {
    match message {
        Message::Text(text) => Ok(text.clone().into_bytes()),
        Message::StandardInput => {
            let mut all = Vec::new();
            let input = tokio::io::stdin().take(LARGEST);
            let mut input = std::pin::pin!(input);
            input.read_to_end(&mut all).await?;
            Ok(all)
        }
    }
}

fn say(session: &mut Session, message: &[u8]) -> Result<(), Error> {
    let largest = session.largest();
    session.send(message).map_err(|error| match error {
        NotSent::Dropped(reason) => Error::NotSent { reason, largest },
        NotSent::Ended(ended) => Error::Ended(ended),
    })
}
