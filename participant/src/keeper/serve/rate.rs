//! How often something may be done: by each peer, or at all.

use mcbn_tunnel::limits::place;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// So many at once, and then so many in each period, evenly.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    each: Duration,
    burst: Duration,
}

impl Rate {
    pub fn new(count: NonZeroU32, period: Duration) -> Rate {
        let each = period / count.get();
        Rate {
            each,
            burst: each * (count.get() - 1),
        }
    }

    /// For something that happens more often at first, and then once in each `pause`.
    pub fn with_burst(burst: NonZeroU32, pause: Duration) -> Rate {
        Rate {
            each: pause,
            burst: pause * (burst.get() - 1),
        }
    }

    /// `used` is the time at which all that was taken will have been made up for.
    fn take(&self, used: &mut Instant, now: Instant) -> Result<(), Duration> {
        match used.saturating_duration_since(now).checked_sub(self.burst) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                *used = now.max(*used) + self.each;
                Ok(())
            }
        }
    }
}

/// One rate for everybody.
#[derive(Debug)]
pub struct Budget {
    rate: Rate,
    used: Mutex<Instant>,
}

impl Budget {
    pub fn new(rate: Rate) -> Budget {
        Budget {
            rate,
            used: Mutex::new(Instant::now()),
        }
    }

    pub fn take(&self) -> Result<(), Duration> {
        // Whatever a panic left there is a time.
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        self.rate.take(&mut used, Instant::now())
    }
}

/// One rate for each peer: an IPv4 address, or the /64 that an IPv6 host has to itself.
#[derive(Debug)]
pub struct Rates {
    rate: Rate,
    used: Mutex<HashMap<IpAddr, Instant>>,
}

/// Peers that are remembered. One more shares a place with all others that came too late.
const PEERS: usize = 16 * 1024;

const THE_OTHERS: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

impl Rates {
    pub fn new(rate: Rate) -> Rates {
        Rates {
            rate,
            used: Mutex::default(),
        }
    }

    /// # Errors
    ///
    /// How long the peer should wait.
    pub fn take(&self, peer: IpAddr) -> Result<(), Duration> {
        let now = Instant::now();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut peer = place(peer);
        if used.len() >= PEERS && !used.contains_key(&peer) {
            // Who has made up for everything is as good as new.
            used.retain(|_, until| *until > now);
            if used.len() >= PEERS {
                peer = THE_OTHERS;
            }
        }
        self.rate.take(used.entry(peer).or_insert(now), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn three_a_minute() -> Rate {
        Rate::new(NonZeroU32::new(3).unwrap(), Duration::from_secs(60))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_allowed_and_then_a_rate() {
        let rates = Rates::new(three_a_minute());
        let take = || rates.take(ip("192.0.2.1"));
        for _ in 0..3 {
            assert_eq!(take(), Ok(()));
        }
        assert_eq!(take(), Err(Duration::from_secs(20)));
        advance(Duration::from_secs(19)).await;
        assert_eq!(take(), Err(Duration::from_secs(1)));
        advance(Duration::from_secs(1)).await;
        assert_eq!(take(), Ok(()));
        assert!(take().is_err());
        // What was not used is not saved up beyond the burst.
        advance(Duration::from_secs(3600)).await;
        let taken = (0..10).filter(|_| take().is_ok()).count();
        assert_eq!(taken, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn one_peer_does_not_use_up_anothers() {
        let rates = Rates::new(three_a_minute());
        while rates.take(ip("2001:db8::1")).is_ok() {}
        assert!(rates.take(ip("2001:db8::2")).is_err());
        assert!(rates.take(ip("2001:db8:0:1::1")).is_ok());
        assert!(rates.take(ip("192.0.2.1")).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_however_many_peers_come() {
        let rates = Rates::new(three_a_minute());
        let peer = |n: usize| IpAddr::from((n as u32).to_be_bytes());
        for n in 0..PEERS {
            assert!(rates.take(peer(n)).is_ok());
        }
        // They share one place.
        let taken = (PEERS..PEERS + 100).filter(|n| rates.take(peer(*n)).is_ok());
        assert_eq!(taken.count(), 3);
        assert!(rates.used.lock().unwrap().len() <= PEERS + 1);
        // Who is known keeps their own.
        assert!(rates.take(peer(0)).is_ok());
        advance(Duration::from_secs(60)).await;
        assert!(rates.take(peer(PEERS)).is_ok());
        assert!(rates.used.lock().unwrap().len() <= 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_is_for_all() {
        let burst = NonZeroU32::new(2).unwrap();
        let budget = Budget::new(Rate::with_burst(burst, Duration::from_secs(30)));
        assert_eq!(budget.take(), Ok(()));
        assert_eq!(budget.take(), Ok(()));
        assert_eq!(budget.take(), Err(Duration::from_secs(30)));
    }
}
