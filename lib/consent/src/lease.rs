//! The consent of all participants together: their shares at the start, then their leases, until there are too few.
//!
//! Each participant is asked by a task of its own, so that none holds up the others. What the tasks hear comes
//! together here, and here alone it is decided whether there is consent: as many participants as the rule needs have a
//! lease that runs, or gave their share in another way. Nothing that a keeper, a cloud, the network or the clock does can
//! make a lease longer than its participant said, or than the manifest allows.

mod asking;
mod loss;
mod pace;
mod seat;

pub use loss::{Lost, Missing, NoConsent, Trouble};
pub use pace::{Lots, system_lots};

use crate::ask::Ask;
use crate::clock::{Boottime, Clock, Moment};
use crate::metrics::Metrics;
use asking::{Asking, Event};
use mcbn_manifest::Member;
use mcbn_share::Contributions;
use seat::Seat;
use std::future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Whom to ask, and how long.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Those who are asked.
    pub members: Vec<Member>,
    /// No lease is longer, whatever is answered.
    pub longest_lease: Duration,
    /// How long to go on asking until there is consent for the first time.
    pub timeout: Duration,
}

/// How much consent there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Participants whose consent holds now.
    pub live: usize,
    /// How many it takes.
    pub needed: usize,
    /// Without those whose leases should have been renewed by now, there would be too few.
    pub in_danger: bool,
}

/// Consent that was given, and is asked for anew before it ends. Dropped, nobody is asked any more.
#[derive(Debug)]
pub struct Consent<K = Boottime> {
    clock: K,
    needed: usize,
    /// Participants whose shares came in another way: their consent does not end.
    without_lease: usize,
    seats: Vec<Seat>,
    events: mpsc::Receiver<Event>,
    tasks: JoinSet<()>,
    metrics: Metrics,
}

/// Where fewer than all are needed: once there are enough, how long to wait for the first answers of the others. Shares
/// beyond the threshold show whether all of them belong together.
const GRACE: Duration = Duration::from_secs(2);

/// Asks all of them, until the shares that are there already and theirs are enough for a key.
///
/// # Errors
///
/// [`NoConsent`], with what stands against it, by participant.
pub async fn gather<A: Ask, K: Clock>(
    ask: A,
    clock: K,
    lots: Lots,
    terms: &Terms,
    mut shares: Contributions,
    metrics: Metrics,
) -> Result<(Contributions, Consent<K>), NoConsent> {
    let deadline = clock.now() + terms.timeout;
    let mut consent = Consent::asking(ask, clock, lots, terms, &shares, metrics);
    let mut enough_since = None;
    loop {
        let now = consent.expire();
        if consent.is_hopeless() {
            return Err(NoConsent::Refused(consent.missing().of_those_against()));
        }
        let end_of_grace = if consent.standing(now).live < shares.needed() {
            enough_since = None;
            None
        } else if consent.seats.iter().all(Seat::is_heard) {
            break;
        } else {
            Some(*enough_since.get_or_insert(now) + GRACE)
        };
        if end_of_grace.is_some_and(|end| end <= now) {
            break;
        }
        if deadline <= now {
            return Err(NoConsent::Late(consent.missing()));
        }
        let moments = [end_of_grace, consent.next_change(now), Some(deadline)];
        let next = moments.into_iter().flatten().min();
        if let Some(event) = consent.next(next).await {
            consent.hear_share(event, &mut shares);
        }
    }
    for seat in &consent.seats {
        // A share without consent is not used.
        if !seat.is_live() {
            shares.remove(seat.participant());
        }
    }
    Ok((shares, consent))
}

impl Consent {
    /// Where no participant's share made the key: nobody was asked, and nobody can take it back.
    ///
    /// What is counted of it is shown nowhere, since it says nothing of participants.
    pub fn unconditional() -> Consent {
        Consent::of(Boottime, 0, 0, Metrics::default())
    }
}

impl<K: Clock> Consent<K> {
    /// Where every share came in another way: it never ends.
    pub fn without_leases(clock: K, shares: &Contributions, metrics: Metrics) -> Consent<K> {
        Consent::of(clock, shares.needed(), shares.count(), metrics)
    }

    /// With nobody to ask.
    fn of(clock: K, needed: usize, without_lease: usize, metrics: Metrics) -> Consent<K> {
        let (_, events) = mpsc::channel(1);
        Consent {
            clock,
            needed,
            without_lease,
            seats: Vec::new(),
            events,
            tasks: JoinSet::new(),
            metrics,
        }
    }

    fn asking<A: Ask>(
        ask: A,
        clock: K,
        lots: Lots,
        terms: &Terms,
        shares: &Contributions,
        metrics: Metrics,
    ) -> Consent<K> {
        let ask = Arc::new(ask);
        let mut consent = Consent::without_leases(clock, shares, metrics);
        let (tell, events) = mpsc::channel(terms.members.len().max(1));
        consent.events = events;
        for (seat, member) in terms.members.iter().enumerate() {
            let asking = Asking {
                seat,
                member: member.clone(),
                ask: Arc::clone(&ask),
                clock: consent.clock.clone(),
                lots: Arc::clone(&lots),
                longest_lease: terms.longest_lease,
                tell: tell.clone(),
            };
            let task = consent.tasks.spawn(asking.run());
            consent.seats.push(Seat::new(member.name.clone(), task));
        }
        consent
    }

    /// Resolves when there is too little consent. Until then, goes on asking for more time; `tell` hears of the standing
    /// now and of each change.
    ///
    /// Leases are watched only while this is polled.
    pub async fn lost(mut self, mut tell: impl FnMut(Standing)) -> Lost {
        let mut told = None;
        let mut event = None;
        loop {
            let now = self.expire();
            // A lease that comes after the end of the one before does not make up for it.
            if self.standing(now).live >= self.needed
                && let Some(event) = event.take()
            {
                // A share that comes now, after the key was made, is wiped unused.
                drop(self.hear(event));
            }
            let standing = self.standing(now);
            if told != Some(standing) {
                told = Some(standing);
                tell(standing);
            }
            if standing.live < standing.needed {
                return Lost::new(self.missing());
            }
            event = self.next(self.next_change(now)).await;
        }
    }

    /// The next event, or none when the moment has come.
    async fn next(&mut self, moment: Option<Moment>) -> Option<Event> {
        let moment = async {
            match moment {
                Some(moment) => self.clock.sleep_until(moment).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(event) = self.events.recv() => Some(event),
            // A task ends only where its participant is no longer asked, or by a bug.
            Some(Err(ended)) = self.tasks.join_next() => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => None,
            },
            () = moment => None,
        }
    }

    fn hear_share(&mut self, event: Event, shares: &mut Contributions) {
        let seat = event.seat;
        let share = self.hear(event);
        let seat = &mut self.seats[seat];
        if let Some(share) = share
            && let Err(refused) = shares.add(seat.participant(), share)
        {
            self.metrics.failed("bad_share");
            seat.dismiss(refused);
        }
        self.count_leases();
    }

    fn hear(&mut self, event: Event) -> Option<mcbn_share::Contribution> {
        let share = self.seats[event.seat].hear(event.what, &self.metrics);
        self.count_leases();
        share
    }

    /// Ends what has run out by now.
    fn expire(&mut self) -> Moment {
        let now = self.clock.now();
        for seat in &mut self.seats {
            seat.expire(now);
        }
        self.count_leases();
        now
    }

    fn count_leases(&self) {
        let live = self.seats.iter().filter(|seat| seat.is_live()).count();
        self.metrics.leases(live);
    }

    /// When next a lease ends, or is late.
    fn next_change(&self, now: Moment) -> Option<Moment> {
        self.seats
            .iter()
            .filter_map(|seat| seat.next_change(now))
            .min()
    }

    fn standing(&self, now: Moment) -> Standing {
        let live = self.seats.iter().filter(|seat| seat.is_live()).count();
        let sound = self.seats.iter().filter(|seat| seat.is_sound(now)).count();
        Standing {
            live: self.without_lease + live,
            needed: self.needed,
            in_danger: self.without_lease + sound < self.needed,
        }
    }

    /// Whether so many participants are against it that the others are too few.
    fn is_hopeless(&self) -> bool {
        let against = self.seats.iter().filter(|seat| seat.is_against()).count();
        self.without_lease + self.seats.len() - against < self.needed
    }

    fn missing(&mut self) -> Missing {
        Missing::new(self.without_lease, self.needed, &mut self.seats)
    }
}

#[cfg(test)]
mod tests;
