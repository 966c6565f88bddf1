//! Keepers that say what a test wants at each second, and a clock that can jump.

use super::secs;
use crate::ask::{Ask, Granted};
use crate::client::Failure;
use crate::clock::{Clock, Moment};
use crate::cloud::NotFetched;
use crate::connect::NoChannel;
use crate::house;
use crate::lease::Lots;
use crate::message::{Code, Lease, Refusal};
use mcbn_manifest::{Asked, Member, Pin};
use mcbn_secret::SharedSecret;
use mcbn_share::{Contribution, Holders, Kind, Participant, Signers, Threshold, shamir, text};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    Release,
    Renew,
}

#[derive(Clone, Debug)]
pub enum Reply {
    /// A lease of so many seconds.
    Grant(u64),
    No(Code),
    /// Nobody is there.
    Away,
    /// Google Cloud does not give the share: for good, or for now.
    Cloud(&'static str, bool),
    /// It gives another share than before.
    Other,
    /// The answer is a lease of five minutes, and takes so long.
    Slow(Duration),
    /// With this share in place of the participant's own.
    Share(fn() -> Contribution),
}

/// What a keeper says to a question, by the second in which it is asked.
pub type Keeper = Box<dyn Fn(Question, u64) -> Reply + Send + Sync>;

#[derive(Clone)]
pub struct Keepers(Arc<All>);

struct All {
    clock: Paused,
    keepers: Vec<(Participant, Keeper)>,
    threshold: Option<u8>,
    log: Mutex<BTreeMap<Participant, Vec<(Question, u64)>>>,
}

pub fn name(name: &str) -> Participant {
    name.parse().unwrap()
}

/// A plain share of this participant's own.
pub fn share(whose: &str) -> Contribution {
    let hex: String = (0..32u8)
        .map(|i| format!("{:02x}", i.wrapping_mul(7) ^ whose.as_bytes()[0]))
        .collect();
    Contribution::Share(text::share(hex.as_bytes()).unwrap())
}

/// The participant's point of the one secret of all tests.
pub fn point(threshold: u8, x: usize) -> Contribution {
    let secret = SharedSecret::copied_from(&std::array::from_fn(|i| 3 * i as u8));
    let mut next = 0u8;
    let random = |bytes: &mut [u8]| {
        for byte in bytes {
            next = next.wrapping_add(89);
            *byte = next;
        }
        Ok::<_, std::convert::Infallible>(())
    };
    let threshold = Threshold::new(threshold).unwrap();
    let mut points = shamir::split(&secret, threshold, 9, random).unwrap();
    Contribution::Shamir(points.swap_remove(x))
}

/// alice, bob and carol, any two of whom sign.
pub fn signers() -> Arc<Signers> {
    match house::parsed(&house::two_of_group("bls-prf-v1")).kind() {
        Kind::Consent(signers) => Arc::clone(signers),
        other => panic!("{other:?}"),
    }
}

/// The same group, whose shares are revealed.
pub fn holders() -> Arc<Holders> {
    match house::parsed(&house::two_of_group("bls-reveal-v1")).kind() {
        Kind::Reveal(holders) => Arc::clone(holders),
        other => panic!("{other:?}"),
    }
}

/// What this participant signs.
pub fn consent(whose: &str) -> Contribution {
    let share = house::signing_share(whose);
    signers().sign(&name(whose), &share).unwrap()
}

/// What this participant reveals.
pub fn revealed(whose: &str) -> Contribution {
    Contribution::Revealed(house::signing_share(whose))
}

pub fn keeper(
    whose: &str,
    says: impl Fn(Question, u64) -> Reply + Send + Sync + 'static,
) -> (Participant, Keeper) {
    (name(whose), Box::new(says))
}

impl Keepers {
    pub fn new<const N: usize>(keepers: [(Participant, Keeper); N]) -> Keepers {
        Keepers(Arc::new(All {
            clock: Paused::new(),
            keepers: keepers.into(),
            threshold: None,
            log: Mutex::default(),
        }))
    }

    /// The same, with Shamir shares.
    pub fn with_points(self, threshold: u8) -> Keepers {
        let all = Arc::into_inner(self.0).expect("not cloned yet");
        Keepers(Arc::new(All {
            threshold: Some(threshold),
            ..all
        }))
    }

    pub fn clock(&self) -> Paused {
        self.0.clock.clone()
    }

    pub fn members(&self) -> Vec<Member> {
        let member = |(i, (name, _)): (usize, &(Participant, Keeper))| Member {
            name: name.clone(),
            asked: Asked::Keeper(mcbn_manifest::Keeper {
                address: format!("{name}.example:7400").parse().unwrap(),
                pin: Pin([i as u8; 32]),
            }),
            signing_key: None,
        };
        self.0.keepers.iter().enumerate().map(member).collect()
    }

    /// The seconds in which a keeper was asked this.
    pub fn times(&self, whose: &str, asked: Question) -> Vec<u64> {
        let log = self.0.log.lock().unwrap();
        let log = log.get(&name(whose)).into_iter().flatten();
        log.filter(|(question, _)| *question == asked)
            .map(|(_, time)| *time)
            .collect()
    }

    fn note(&self, whose: &Participant, question: Question, now: u64) {
        let mut log = self.0.log.lock().unwrap();
        log.entry(whose.clone()).or_default().push((question, now));
    }

    async fn reply(
        &self,
        member: &Member,
        question: Question,
    ) -> Result<(Contribution, u64), Failure> {
        let now = self.0.clock.elapsed().as_secs();
        self.note(&member.name, question, now);
        let keepers = self.0.keepers.iter();
        let (x, (whose, keeper)) = keepers
            .enumerate()
            .find(|(_, (name, _))| *name == member.name)
            .unwrap();
        let own = || match self.0.threshold {
            Some(threshold) => point(threshold, x),
            None => share(whose.as_str()),
        };
        match keeper(question, now) {
            Reply::Grant(seconds) => Ok((own(), seconds)),
            Reply::Share(other) => Ok((other(), super::LEASE)),
            Reply::Slow(time) => {
                tokio::time::sleep(time).await;
                Ok((own(), super::LEASE))
            }
            Reply::No(refused) => Err(Failure::Refused {
                refusal: Refusal {
                    refused,
                    reasons: match refused {
                        Code::Policy => vec!["image-digest".parse().unwrap()],
                        _ => Vec::new(),
                    },
                },
                retry_after: None,
            }),
            Reply::Cloud(reason, is_final) => Err(Failure::Cloud(NotFetched {
                reason,
                is_final,
                source: io::Error::other("as the policy says").into(),
            })),
            Reply::Other => Err(Failure::OtherShare),
            Reply::Away => Err(Failure::Channel(NoChannel {
                reason: "refused",
                source: io::Error::from(io::ErrorKind::ConnectionRefused).into(),
            })),
        }
    }
}

/// A lease of this participant.
fn lease(member: &Member) -> Lease {
    Lease([member.keeper().expect("all have one").pin.0[0]; 16])
}

impl Ask for Keepers {
    type Lease = Lease;

    async fn release(&self, member: &Member) -> Result<Granted<Lease>, Failure> {
        let (share, seconds) = self.reply(member, Question::Release).await?;
        Ok(Granted {
            share,
            lease: lease(member),
            length: secs(seconds),
        })
    }

    async fn renew(&self, member: &Member, held: &Lease) -> Result<Duration, Failure> {
        assert_eq!(*held, lease(member));
        let (_, seconds) = self.reply(member, Question::Renew).await?;
        Ok(secs(seconds))
    }
}

/// The runtime's paused time, and what was jumped over.
#[derive(Clone, Debug)]
pub struct Paused {
    start: Instant,
    jumped: watch::Sender<Duration>,
}

impl Paused {
    fn new() -> Paused {
        Paused {
            start: Instant::now(),
            jumped: watch::Sender::new(Duration::ZERO),
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.start.elapsed() + *self.jumped.borrow()
    }

    /// As a suspension of the machine does: the runtime's timers know nothing of it.
    pub fn jump(&self, time: Duration) {
        self.jumped.send_modify(|jumped| *jumped += time);
    }
}

impl Clock for Paused {
    fn now(&self) -> Moment {
        Moment::after_start(self.elapsed())
    }

    async fn sleep_until(&self, moment: Moment) {
        let mut jumped = self.jumped.subscribe();
        loop {
            let left = moment.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = jumped.changed() => {}
            }
        }
    }
}

/// The same lots in each run, well spread.
pub fn lots() -> Lots {
    let state = AtomicU64::new(1);
    Arc::new(move || {
        let next = |x: u64| {
            x.wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407)
        };
        let x = state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |x| Some(next(x)));
        (x.unwrap() >> 11) as f64 / (1u64 << 53) as f64
    })
}
