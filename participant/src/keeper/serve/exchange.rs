//! The requests of one connection: a challenge, and one token that answers it.

use super::Keeper;
use super::answer::{Answer, closing, refuse, response};
use super::patience::Patience;
use super::refusals::{Machine, Refusing};
use crate::keeper::ledger::decide::{Decision, Wish};
use crate::keeper::ledger::instance::{Instance, LeaseId};
use crate::keeper::verify::{Doubt, Vouched};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::{Method, Request, StatusCode};
use mcbn_attest::{Expected, UnixTime};
use mcbn_consent::message::{
    self, AskChallenge, AskRelease, AskRenewal, CHALLENGE_LIFE, Challenge, Challenged, Code,
    Exporter, LARGEST_BODY, Lease, Released, Renewed, nonces, path,
};
use serde::Deserialize;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// For the body of a request, from its head on.
const BODY: Duration = Duration::from_secs(10);

/// For a token to be verified and a decision to be written, once its turn has come, and for the answer to leave.
const ANSWER: Duration = Duration::from_secs(30);

/// For its turn.
const TURN: Duration = Duration::from_secs(5);

/// For keys that are being fetched, looked for again each moment.
const KEYS: Duration = Duration::from_secs(3);
const A_MOMENT: Duration = Duration::from_millis(50);

/// What one connection has done so far.
pub struct Exchange {
    keeper: Arc<Keeper>,
    peer: IpAddr,
    exporter: Exporter,
    patience: Arc<Patience>,
    stage: Mutex<Stage>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Begun,
    Challenged(Challenge, Instant),
    Over,
}

/// What is answered, and whether the connection may go on.
enum Granted {
    Challenge(Challenge),
    Release(Lease),
    Renewal,
}

impl Exchange {
    pub fn new(
        keeper: Arc<Keeper>,
        peer: IpAddr,
        exporter: Exporter,
        patience: Arc<Patience>,
    ) -> Exchange {
        Exchange {
            keeper,
            peer,
            exporter,
            patience,
            stage: Mutex::new(Stage::Begun),
        }
    }

    pub async fn answer(&self, request: Request<Incoming>) -> Answer {
        match self.decide(request).await {
            Ok(granted) => self.grant(granted),
            Err(refusing) => {
                tracing::debug!(peer = %self.peer, code = %refusing.code, reasons = ?refusing.reasons, "refused");
                self.keeper.refused(&refusing).await;
                refuse(refusing)
            }
        }
    }

    async fn decide(&self, request: Request<Incoming>) -> Result<Granted, Refusing> {
        let asked = match request.uri().path() {
            path::CHALLENGE => Asked::Challenge,
            path::RELEASE => Asked::Release,
            path::RENEW => Asked::Renewal,
            _ => return Err(Refusing::because(Code::Request, "path")),
        };
        if request.method() != Method::POST {
            return Err(Refusing::because(Code::Request, "method"));
        }
        // Before anything is waited for: whatever comes of this request, there is no second one.
        let stage = self.next(asked);
        self.patience.renew(BODY);
        let body = read(request.into_body()).await?;
        self.patience.renew(TURN + ANSWER);
        match asked {
            Asked::Challenge => self.challenge(stage, &body),
            Asked::Release => {
                let AskRelease { token } = parse(&body)?;
                self.release(stage, token).await
            }
            Asked::Renewal => {
                let AskRenewal { token, lease } = parse(&body)?;
                self.renew(stage, token, lease).await
            }
        }
    }

    /// A challenge answers itself; whatever else is asked uses up what was there.
    fn next(&self, asked: Asked) -> Stage {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *stage;
        if asked != Asked::Challenge {
            *stage = Stage::Over;
        }
        before
    }

    fn challenge(&self, stage: Stage, body: &[u8]) -> Result<Granted, Refusing> {
        let AskChallenge { manifest } = parse(body)?;
        if manifest != self.keeper.terms.manifest {
            return Err(Refusing::new(Code::Manifest, Vec::new()));
        }
        let Stage::Begun = stage else {
            return Err(Refusing::because(Code::Request, "second-challenge"));
        };
        let challenge = Challenge(self.keeper.random()?);
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        *stage = Stage::Challenged(challenge, Instant::now());
        Ok(Granted::Challenge(challenge))
    }

    async fn release(&self, stage: Stage, token: &str) -> Result<Granted, Refusing> {
        let vouched = self.verify(stage, token).await?;
        let lease = Lease(self.keeper.random()?);
        let machine = Machine::of(&vouched);
        let wish = Wish::Release {
            findings: vouched.findings.clone(),
            instance: self.instance(vouched),
            lease: lease.into(),
        };
        let (workload, subject) = (wish.instance().workload.clone(), machine.subject.clone());
        self.ledger(wish, machine).await?;
        tracing::info!(%workload, subject, lease = %LeaseId::from(lease), "released");
        Ok(Granted::Release(lease))
    }

    async fn renew(&self, stage: Stage, token: &str, lease: Lease) -> Result<Granted, Refusing> {
        let vouched = self.verify(stage, token).await?;
        let machine = Machine::of(&vouched);
        let wish = Wish::Renew {
            instance: self.instance(vouched),
            lease: lease.into(),
        };
        self.ledger(wish, machine).await?;
        Ok(Granted::Renewal)
    }

    async fn verify(&self, stage: Stage, token: &str) -> Result<Vouched, Refusing> {
        let challenge = match stage {
            Stage::Challenged(challenge, given) if given.elapsed() < CHALLENGE_LIFE => challenge,
            Stage::Challenged(..) => {
                return Err(Refusing::because(Code::Token, "challenge-expired"));
            }
            Stage::Begun => return Err(Refusing::because(Code::Token, "no-challenge")),
            Stage::Over => return Err(Refusing::because(Code::Token, "challenge-used")),
        };
        let keeper = &self.keeper;
        keeper.rates.take(self.peer).map_err(|wait| Refusing {
            retry: Some(wait),
            ..Refusing::because(Code::Busy, "too-many-from-this-address")
        })?;
        let nonces = nonces(&challenge, &self.exporter, &keeper.terms.manifest);
        let patient_until = Instant::now() + KEYS;
        loop {
            let doubt = match self.verified(token, &nonces).await? {
                Ok(vouched) => return Ok(vouched),
                Err(doubt) => doubt,
            };
            match doubt {
                // Another token has them fetched; that takes a moment only, as a rule.
                Doubt::KeysBusy(_) if Instant::now() < patient_until => sleep(A_MOMENT).await,
                doubt => return Err(doubted(doubt)),
            }
        }
    }

    /// Verifies a token when its turn has come.
    async fn verified(
        &self,
        token: &str,
        nonces: &[String; 3],
    ) -> Result<Result<Vouched, Doubt>, Refusing> {
        let turn = Arc::clone(&self.keeper.verifications).acquire_owned();
        let Ok(Ok(turn)) = timeout(TURN, turn).await else {
            return Err(Refusing {
                retry: Some(TURN),
                ..Refusing::because(Code::Busy, "too-many-at-one-time")
            });
        };
        self.patience.renew(ANSWER);
        let verify = {
            let (keeper, token, nonces) =
                (Arc::clone(&self.keeper), token.to_owned(), nonces.clone());
            move || {
                let verified = keeper.verify.verify(
                    &token,
                    &Expected {
                        audience: &keeper.terms.audience,
                        nonces: &nonces.each_ref().map(String::as_str),
                        now: UnixTime::since_unix_epoch(Duration::from_millis(keeper.now().0)),
                    },
                );
                // Held until the work is done, whether or not anybody waits for it.
                drop(turn);
                verified
            }
        };
        let start = Instant::now();
        // Not on a thread that answers others: where keys must be fetched, this waits for the issuer.
        let verified = tokio::task::spawn_blocking(verify).await;
        self.keeper.metrics.verified(start.elapsed());
        // The panic hook has logged the bug.
        verified.map_err(|_| Refusing::because(Code::Unavailable, "bug"))
    }

    fn instance(&self, vouched: Vouched) -> Instance {
        Instance {
            manifest: self.keeper.terms.manifest,
            subject: vouched.subject,
            image: vouched.image,
            workload: vouched.workload,
        }
    }

    async fn ledger(&self, wish: Wish, machine: Machine) -> Result<(), Refusing> {
        match self.keeper.writer.decide(wish).await {
            Ok(Decision::Granted(_)) => Ok(()),
            Ok(Decision::Refused(code)) => Err(Refusing {
                retry: (code == Code::Pending).then_some(PENDING),
                // That a person must decide is in the ledger already.
                machine: (code != Code::Pending).then(|| Box::new(machine)),
                ..Refusing::new(code, Vec::new())
            }),
            // The writer has logged why.
            Err(_) => Err(Refusing {
                retry: Some(LEDGER),
                ..Refusing::because(Code::Unavailable, "ledger")
            }),
        }
    }

    fn grant(&self, granted: Granted) -> Answer {
        let keeper = &self.keeper;
        let seconds = keeper.terms.seconds;
        match granted {
            Granted::Challenge(challenge) => {
                keeper.metrics.answered("challenge");
                self.patience.renew(CHALLENGE_LIFE + BODY);
                let body = message::write(&Challenged { challenge });
                response(StatusCode::OK, body.into())
            }
            Granted::Release(lease) => {
                keeper.metrics.answered("released");
                // The ledger says that this instance has it.
                let body = Released::expose_body_of(&keeper.share, lease, seconds);
                // Wiped when the last part of it has been encrypted.
                closing(response(StatusCode::OK, Bytes::from_owner(body)))
            }
            Granted::Renewal => {
                keeper.metrics.answered("renewed");
                let body = message::write(&Renewed { seconds });
                closing(response(StatusCode::OK, body.into()))
            }
        }
    }
}

/// How long a workload should wait for a person, and for a ledger that cannot be written.
const PENDING: Duration = Duration::from_secs(5);
const LEDGER: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Challenge,
    Release,
    Renewal,
}

async fn read(body: Incoming) -> Result<Bytes, Refusing> {
    let too_large = || Refusing::because(Code::Request, "too-large");
    if body.size_hint().lower() > LARGEST_BODY as u64 {
        return Err(too_large());
    }
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Refusing::because(Code::Request, "cut-off")),
    }
}

fn parse<'b, M: Deserialize<'b>>(body: &'b [u8]) -> Result<M, Refusing> {
    message::read(body).map_err(|_| Refusing::because(Code::Request, "not-a-message"))
}

fn doubted(doubt: Doubt) -> Refusing {
    match doubt {
        Doubt::Token(reason) => Refusing::new(Code::Token, vec![reason]),
        Doubt::KeysBusy(reason) => Refusing {
            retry: Some(Duration::from_secs(1)),
            ..Refusing::new(Code::Busy, vec![reason])
        },
        Doubt::NoKeys(reason) => Refusing {
            retry: Some(Duration::from_secs(10)),
            ..Refusing::new(Code::Unavailable, vec![reason])
        },
        Doubt::Policy {
            failed,
            subject,
            image,
            findings,
        } => Refusing {
            machine: Some(Box::new(Machine {
                subject,
                image,
                findings,
            })),
            ..Refusing::new(Code::Policy, failed)
        },
    }
}

impl Machine {
    fn of(vouched: &Vouched) -> Machine {
        Machine {
            subject: vouched.subject.clone(),
            image: Some(vouched.image),
            findings: vouched.findings.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keeper::serve::tests::start;

    /// The connection is closed then, too; this does not depend on it.
    #[tokio::test]
    async fn what_was_asked_for_with_a_challenge_uses_it_up() {
        let keeper = start().await.keeper;
        let patience = Arc::new(Patience::new(ANSWER));
        let peer = IpAddr::from([127, 0, 0, 1]);
        let exchange = Exchange::new(keeper, peer, Exporter([0; 32]), patience);
        let challenge = Stage::Challenged(Challenge([0; 32]), Instant::now());
        *exchange.stage.lock().unwrap() = challenge;
        let first = exchange.next(Asked::Renewal);
        assert!(matches!(first, Stage::Challenged(..)), "{first:?}");
        let second = exchange.next(Asked::Release);
        let refused = exchange.verify(second, "token").await.unwrap_err();
        assert_eq!(refused, Refusing::because(Code::Token, "challenge-used"));
    }
}
