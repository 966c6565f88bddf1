//! One exchange with one keeper: a challenge, a token that answers it, and a share or a longer lease.

mod exchange;
mod failure;

pub use failure::Failure;

use crate::connect::{Channel, Connect};
use crate::message::{
    AskChallenge, AskRelease, AskRenewal, Challenged, Exporter, Lease, Released, Renewed, audience,
    nonces, path, read,
};
use exchange::{Answer, Exchange};
use mcbn_launcher::{Request, Token, TokenType, Tokens};
use mcbn_manifest::Member;
use mcbn_share::{Contribution, ManifestDigest};
use std::future::Future;
use std::time::Duration;

/// Asks participants for their consent. The caller sets the deadlines and counts a lease from before it asked.
pub trait Ask: Send + Sync + 'static {
    /// Asks for a participant's share.
    fn release(&self, member: &Member) -> impl Future<Output = Result<Granted, Failure>> + Send;

    /// Asks for more time; how much is the answer, counted from the question.
    fn renew(
        &self,
        member: &Member,
        lease: &Lease,
    ) -> impl Future<Output = Result<Duration, Failure>> + Send;
}

/// What a participant has agreed to.
#[derive(Debug)]
pub struct Granted {
    pub share: Contribution,
    pub lease: Lease,
    /// Counted from the question.
    pub length: Duration,
}

/// Asks keepers, each time on a connection of its own.
#[derive(Debug)]
pub struct Client<C, T> {
    pub connect: C,
    pub tokens: T,
    pub token_type: TokenType,
    pub manifest: ManifestDigest,
}

impl<C: Connect, T: Tokens> Ask for Client<C, T> {
    async fn release(&self, member: &Member) -> Result<Granted, Failure> {
        let answer = self.ask(member, path::RELEASE, |token| {
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

    async fn renew(&self, member: &Member, lease: &Lease) -> Result<Duration, Failure> {
        let lease = *lease;
        let answer = self.ask(member, path::RENEW, move |token| {
            crate::message::write(&AskRenewal { token, lease })
        });
        let body = answer.await?.granted()?;
        let Renewed { seconds } = read(&body).map_err(Failure::Malformed)?;
        Ok(Duration::from_secs(seconds.get().into()))
    }
}

impl<C: Connect, T: Tokens> Client<C, T> {
    /// Connects, and asks with a token that vouches for this connection.
    async fn ask(
        &self,
        member: &Member,
        path: &'static str,
        with: impl FnOnce(&str) -> Vec<u8> + Send,
    ) -> Result<Answer, Failure> {
        let channel = self.connect.connect(member).await;
        let Channel { stream, exporter } = channel.map_err(Failure::Channel)?;
        let host = member.keeper.to_string();
        exchange::on(stream, &host, async |exchange: &mut Exchange| {
            let ask = AskChallenge {
                manifest: self.manifest,
            };
            let body = crate::message::write(&ask);
            let answer = exchange.post(path::CHALLENGE, body).await?.granted()?;
            let challenged: Challenged = read(&answer).map_err(Failure::Malformed)?;
            let token = self.token(member, &challenged, &exporter).await?;
            exchange.post(path, with(token.as_str())).await
        })
        .await
    }

    async fn token(
        &self,
        member: &Member,
        challenged: &Challenged,
        exporter: &Exporter,
    ) -> Result<Token, Failure> {
        let nonces = nonces(&challenged.challenge, exporter, &self.manifest);
        let nonces = nonces.map(|nonce| nonce.parse().expect("43 characters of base64url"));
        let audience = audience(&member.pin).parse();
        let audience = audience.expect("a short text before 43 characters of base64url");
        let request = Request::new(audience, nonces, self.token_type).expect("three nonces");
        self.tokens.token(&request).await.map_err(Failure::Token)
    }
}

#[cfg(test)]
mod tests;
