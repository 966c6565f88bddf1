//! One exchange with one keeper: a challenge, a token that answers it, and a share or a longer lease.

mod exchange;
mod failure;

pub use failure::Failure;

use crate::ask::Granted;
use crate::connect::{Channel, Connect};
use crate::message::{
    AskChallenge, AskRelease, AskRenewal, Challenged, Exporter, Lease, Released, Renewed, audience,
    nonces, path, read,
};
use exchange::{Answer, Exchange};
use mcbn_launcher::{Request, Token, TokenType, Tokens};
use mcbn_manifest::Keeper;
use mcbn_share::ManifestDigest;
use std::time::Duration;

/// Asks keepers, each time on a connection of its own.
#[derive(Debug)]
pub struct Client<C, T> {
    pub connect: C,
    pub tokens: T,
    pub token_type: TokenType,
    pub manifest: ManifestDigest,
}

impl<C: Connect, T: Tokens> Client<C, T> {
    /// Asks for the share that a keeper guards.
    pub async fn release(&self, keeper: &Keeper) -> Result<Granted<Lease>, Failure> {
        let answer = self.ask(keeper, path::RELEASE, |token| {
            crate::message::write(&AskRelease { token })
        });
        let body = answer.await?.granted()?;
        let Released {
            share,
            lease,
            seconds,
        } = Released::read(&body).map_err(Failure::Malformed)?;
        Ok(Granted {
            share,
            lease,
            length: Duration::from_secs(seconds.get().into()),
        })
    }

    /// Asks for more time; how much is the answer, counted from the question.
    pub async fn renew(&self, keeper: &Keeper, lease: &Lease) -> Result<Duration, Failure> {
        let lease = *lease;
        let answer = self.ask(keeper, path::RENEW, move |token| {
            crate::message::write(&AskRenewal { token, lease })
        });
        let body = answer.await?.granted()?;
        let Renewed { seconds } = read(&body).map_err(Failure::Malformed)?;
        Ok(Duration::from_secs(seconds.get().into()))
    }

    /// Connects, and asks with a token that vouches for this connection.
    async fn ask(
        &self,
        keeper: &Keeper,
        path: &'static str,
        with: impl FnOnce(&str) -> Vec<u8> + Send,
    ) -> Result<Answer, Failure> {
        let channel = self.connect.connect(keeper).await;
        let Channel { stream, exporter } = channel.map_err(Failure::Channel)?;
        let host = keeper.address.to_string();
        exchange::on(stream, &host, async |exchange: &mut Exchange| {
            let ask = AskChallenge {
                manifest: self.manifest,
            };
            let body = crate::message::write(&ask);
            let answer = exchange.post(path::CHALLENGE, body).await?.granted()?;
            let challenged: Challenged = read(&answer).map_err(Failure::Malformed)?;
            let token = self.token(keeper, &challenged, &exporter).await?;
            exchange.post(path, with(token.as_str())).await
        })
        .await
    }

    async fn token(
        &self,
        keeper: &Keeper,
        challenged: &Challenged,
        exporter: &Exporter,
    ) -> Result<Token, Failure> {
        let nonces = nonces(&challenged.challenge, exporter, &self.manifest);
        let nonces = nonces.map(|nonce| nonce.parse().expect("43 characters of base64url"));
        let audience = audience(&keeper.pin).parse();
        let audience = audience.expect("a short text before 43 characters of base64url");
        let request = Request::new(audience, nonces, self.token_type).expect("three nonces");
        self.tokens.token(&request).await.map_err(Failure::Token)
    }
}

#[cfg(test)]
mod tests;
