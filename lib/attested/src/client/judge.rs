//! Whether a token vouches for an answer.

use super::failure::{Failure, Nonce};
use mcbn_attest::{
    Accepted, Expected, KeysFault, Refused, TokenFault, UnixTime, Unverified, Verifier, judge,
};
use mcbn_binding::{Challenge, Exporter, Purpose, answer_nonces, audience};
use mcbn_manifest::{Manifest, Name, Pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Gives the time.
pub type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// What is demanded of a server.
pub struct Demands {
    /// Of the issuer's tokens.
    pub verifier: Verifier,
    pub manifest: Manifest,
    /// What its tokens must be for.
    pub purpose: Purpose,
    /// The part that its image must play: another one of the same manifest is no answer.
    pub workload: Name,
    pub clock: Clock,
}

/// What is known of an answer without its token.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    pub challenge: &'a Challenge,
    pub exporter: &'a Exporter,
    pub body: &'a [u8],
}

pub struct Judge {
    demands: Demands,
    audience: String,
}

/// While another call fetches the issuer's keys, which takes a moment only.
const A_MOMENT: Duration = Duration::from_millis(50);

impl Judge {
    pub fn new(demands: Demands, pin: &Pin) -> Judge {
        Judge {
            audience: audience(demands.purpose, pin),
            demands,
        }
    }

    /// Waits as long as the issuer's keys are being fetched: the caller sets the deadline.
    pub async fn accept(
        self: &Arc<Judge>,
        token: &str,
        exchange: Exchange<'_>,
    ) -> Result<Accepted, Failure> {
        let manifest = self.demands.manifest.digest();
        let Exchange {
            challenge,
            exporter,
            body,
        } = exchange;
        let nonces = answer_nonces(challenge, exporter, &manifest, body);
        loop {
            let (judge, token, nonces) = (Arc::clone(self), token.to_owned(), nonces.clone());
            // Not on a thread that others wait for: where keys must be fetched, this waits for the issuer.
            let judged = spawn_blocking(move || judge.judge(&token, &nonces)).await;
            match judged.map_err(|_| Failure::Bug)? {
                Err(Failure::Keys(KeysFault::Busy)) => sleep(A_MOMENT).await,
                judged => return judged,
            }
        }
    }

    fn judge(&self, token: &str, nonces: &[String; 4]) -> Result<Accepted, Failure> {
        let Demands {
            verifier,
            manifest,
            workload,
            clock,
            ..
        } = &self.demands;
        let expected = Expected {
            audience: &self.audience,
            nonces: &nonces.each_ref().map(String::as_str),
            now: clock(),
        };
        let verified = match verifier.verify(token, &expected) {
            Ok(verified) => verified,
            Err(Refused::Token(TokenFault::Nonces)) => return Err(other_nonce(token, nonces)),
            Err(Refused::Token(fault)) => return Err(Failure::Token(fault)),
            Err(Refused::Keys(fault)) => return Err(Failure::Keys(fault)),
        };
        let accepted = judge(&verified, manifest).map_err(|why| Failure::Policy(why.into()))?;
        match accepted.workload() == workload {
            true => Ok(accepted),
            false => Err(Failure::Workload(accepted.workload().clone())),
        }
    }
}

/// Which nonce is another one: only to be said.
fn other_nonce(token: &str, expected: &[String; 4]) -> Failure {
    let read = Unverified::parse(token);
    let found = read
        .as_ref()
        .map(|token| &*token.insecure_claims().eat_nonce);
    let Ok(found @ [_, _, _, _]) = found else {
        return Failure::Token(TokenFault::Nonces);
    };
    let differs = found.iter().zip(expected).position(|(a, b)| a != b);
    match differs.map(|at| Nonce::ALL[at]) {
        Some(nonce) => Failure::Nonce(nonce),
        None => Failure::Token(TokenFault::Nonces),
    }
}
