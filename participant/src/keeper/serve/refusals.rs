//! Which refusals have an entry of their own in the ledger, and which are counted.
//!
//! Everything that is refused is in the ledger. But whoever can reach the port can be refused as often as they like, so
//! only what carries a genuine token has an entry of its own, once in a while for each machine and reason, and seldom
//! enough in all. The rest is counted by reason, and each minute has at most one entry for each reason. So a stranger's
//! flood costs the disk some megabytes a day at most. What was counted in the minute in which the process is killed is
//! lost.

use super::rate::{Budget, Rate};
use crate::keeper::ledger::entry::{Event, Finding, Time};
use mcbn_consent::message::{Code, Reason};
use mcbn_manifest::ImageDigest;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often what was counted is written down.
pub const FLUSH: Duration = Duration::from_secs(60);

/// How long a machine's next refusal for the same reasons is only counted.
const AGAIN: Duration = Duration::from_secs(10 * 60);

/// Entries at once, and the pause between two when those are used up.
const BURST: NonZeroU32 = NonZeroU32::new(64).unwrap();
const PAUSE: Duration = Duration::from_secs(30);

/// Reasons that are counted apart.
const COUNTS: usize = 64;

/// A request that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusing {
    pub code: Code,
    pub reasons: Vec<Reason>,
    /// Whose genuine token it was.
    pub machine: Option<Box<Machine>>,
    /// When to ask again, if that helps.
    pub retry: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    pub subject: String,
    pub image: Option<ImageDigest>,
    pub findings: Vec<Finding>,
}

impl Refusing {
    pub fn new(code: Code, reasons: Vec<Reason>) -> Refusing {
        Refusing {
            code,
            reasons,
            machine: None,
            retry: None,
        }
    }

    /// For a reason that is written in the program.
    pub fn because(code: Code, reason: &'static str) -> Refusing {
        let reason = reason.parse().expect("a reason is made of letters and '-'");
        Refusing::new(code, vec![reason])
    }
}

#[derive(Debug)]
pub struct Refusals {
    budget: Budget,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    /// How often, and since when.
    counts: HashMap<(Code, Vec<Reason>), (u64, Time)>,
    /// What has an entry of its own, and for how long that is enough.
    machines: HashMap<u64, Instant>,
}

impl Refusals {
    pub fn new() -> Refusals {
        Refusals {
            budget: Budget::new(Rate::with_burst(BURST, PAUSE)),
            noted: Mutex::default(),
        }
    }

    /// The entry to be written now, if it is one of its own. Else it is counted.
    pub fn note(&self, refusing: &Refusing, now: Time) -> Option<Event> {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let instant = Instant::now();
        if let Some(machine) = &refusing.machine
            && let digest = digest(refusing, machine)
            && !noted.is_repeated(digest, instant)
            && self.budget.take().is_ok()
        {
            noted.remember(digest, instant);
            return Some(Event::Refused {
                code: refusing.code,
                reasons: refusing.reasons.clone(),
                subject: Some(machine.subject.clone()),
                image: machine.image,
                findings: machine.findings.clone(),
            });
        }
        noted.count(refusing.code, refusing.reasons.clone(), 1, now);
        None
    }

    /// Counts what could not be written.
    pub fn count(&self, refusing: &Refusing, now: Time) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.count(refusing.code, refusing.reasons.clone(), 1, now);
    }

    /// What was counted since the last time.
    pub fn flush(&self) -> Vec<Event> {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = noted.counts.drain();
        counts
            .map(|((code, reasons), (count, since))| Event::Counted {
                code,
                reasons,
                count,
                since,
            })
            .collect()
    }

    /// Counts again what could not be written.
    pub fn keep(&self, event: Event) {
        if let Event::Counted {
            code,
            reasons,
            count,
            since,
        } = event
        {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            noted.count(code, reasons, count, since);
        }
    }
}

impl Noted {
    fn count(&mut self, code: Code, reasons: Vec<Reason>, count: u64, since: Time) {
        let mut key = (code, reasons);
        if self.counts.len() >= COUNTS && !self.counts.contains_key(&key) {
            // There are few codes: these always have their place.
            key.1.clear();
        }
        let (total, first) = self.counts.entry(key).or_insert((0, since));
        *total = total.saturating_add(count);
        *first = (*first).min(since);
    }

    /// Whether it has had an entry of late.
    fn is_repeated(&self, digest: u64, now: Instant) -> bool {
        self.machines.get(&digest).is_some_and(|until| *until > now)
    }

    /// As seldom as there are entries, so few are remembered.
    fn remember(&mut self, digest: u64, now: Instant) {
        self.machines.retain(|_, until| *until > now);
        self.machines.insert(digest, now + AGAIN);
    }
}

/// Who makes two of them equal hides a repetition at most.
fn digest(refusing: &Refusing, machine: &Machine) -> u64 {
    let mut hasher = DefaultHasher::new();
    (refusing.code, &refusing.reasons).hash(&mut hasher);
    (&machine.subject, machine.image).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn of(subject: &str, reason: &'static str) -> Refusing {
        Refusing {
            machine: Some(Box::new(Machine {
                subject: subject.into(),
                image: None,
                findings: Vec::new(),
            })),
            ..Refusing::because(Code::Policy, reason)
        }
    }

    fn counts(refusals: &Refusals) -> u64 {
        let counted = refusals.flush().into_iter().map(|event| match event {
            Event::Counted { count, .. } => count,
            other => panic!("{other:?}"),
        });
        counted.sum()
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_genuine_token_it_is_counted() {
        let refusals = Refusals::new();
        for time in 5..=9 {
            let refusing = Refusing::because(Code::Token, "signature");
            assert_eq!(refusals.note(&refusing, Time(time)), None);
        }
        assert_eq!(
            refusals.flush(),
            [Event::Counted {
                code: Code::Token,
                reasons: vec!["signature".parse().unwrap()],
                count: 5,
                since: Time(5),
            }]
        );
        assert_eq!(refusals.flush(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_has_an_entry_for_each_reason_now_and_then() {
        let refusals = Refusals::new();
        let noted = |subject, reason| refusals.note(&of(subject, reason), Time(0)).is_some();
        assert!(noted("a", "debug"));
        assert!(!noted("a", "debug"));
        assert!(noted("a", "image-digest"));
        assert!(noted("b", "debug"));
        assert_eq!(counts(&refusals), 1);
        advance(AGAIN).await;
        assert!(noted("a", "debug"));
    }

    #[tokio::test(start_paused = true)]
    async fn entries_and_memory_are_bounded_however_many_machines_come() {
        let refusals = Refusals::new();
        let mut entries = 0;
        for n in 0..10_000 {
            let noted = refusals.note(&of(&n.to_string(), "debug"), Time(0));
            entries += u64::from(noted.is_some());
        }
        assert_eq!(entries, u64::from(BURST.get()));
        let remembered = refusals.noted.lock().unwrap().machines.len();
        assert_eq!(remembered as u64, entries);
        assert_eq!(entries + counts(&refusals), 10_000);
        advance(PAUSE + AGAIN).await;
        assert!(refusals.note(&of("later", "debug"), Time(0)).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_counted_apart_is_bounded() {
        let refusals = Refusals::new();
        for n in 0..1000 {
            let reason = format!("reason-{n}").parse().unwrap();
            refusals.note(&Refusing::new(Code::Token, vec![reason]), Time(0));
        }
        let events = refusals.flush();
        assert_eq!(events.len(), COUNTS + 1);
        for event in events {
            refusals.keep(event);
        }
        assert_eq!(counts(&refusals), 1000);
    }
}
