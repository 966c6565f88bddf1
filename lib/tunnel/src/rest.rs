//! Places that failed rest before they are tried again, longer each time.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// Remembers what failed.
#[derive(Debug)]
pub(crate) struct Rests<K> {
    failed: HashMap<K, Failed>,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    times: u32,
    until: Instant,
}

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);

/// Places that are remembered. Names can give new addresses for ever.
const MOST: usize = 1024;

impl<K: Hash + Eq> Rests<K> {
    pub(crate) fn new() -> Self {
        Self {
            failed: HashMap::new(),
        }
    }

    /// Until when this place rests, if it does.
    pub(crate) fn until(&self, place: &K, now: Instant) -> Option<Instant> {
        let failed = self.failed.get(place)?;
        (failed.until > now).then_some(failed.until)
    }

    /// After a success a place is as good as new.
    pub(crate) fn forget(&mut self, place: &K) {
        self.failed.remove(place);
    }

    /// Doubles the rest with each failure, up to a longest one. A random half of it is added or not, so that many
    /// clients do not come back at one moment.
    pub(crate) fn failed(&mut self, place: K, now: Instant, random: u64) {
        if self.failed.len() >= MOST {
            self.failed.retain(|_, failed| failed.until > now);
        }
        if self.failed.len() >= MOST && !self.failed.contains_key(&place) {
            return;
        }
        let failed = self.failed.entry(place).or_insert(Failed {
            times: 0,
            until: now,
        });
        let longest = FIRST
            .saturating_mul(2u32.saturating_pow(failed.times))
            .min(LONGEST);
        let half = longest / 2;
        let jitter = half.mul_f64(random as f64 / u64::MAX as f64);
        failed.times = failed.times.saturating_add(1);
        failed.until = now + half + jitter;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest_after(times: u32, random: u64) -> Duration {
        let mut rests = Rests::new();
        let now = Instant::now();
        for _ in 0..times {
            rests.failed("a", now, random);
        }
        rests.until(&"a", now).unwrap() - now
    }

    #[test]
    fn each_failure_doubles_the_rest_up_to_the_longest() {
        assert_eq!(rest_after(1, u64::MAX), FIRST);
        assert_eq!(rest_after(2, u64::MAX), 2 * FIRST);
        assert_eq!(rest_after(4, u64::MAX), 8 * FIRST);
        assert_eq!(rest_after(1000, u64::MAX), LONGEST);
    }

    #[test]
    fn the_lot_takes_at_most_half_of_the_rest() {
        assert_eq!(rest_after(1, 0), FIRST / 2);
        assert_eq!(rest_after(1000, 0), LONGEST / 2);
    }

    #[test]
    fn a_success_or_the_time_ends_the_rest() {
        let mut rests = Rests::new();
        let now = Instant::now();
        rests.failed("a", now, 0);
        assert_eq!(rests.until(&"a", now + FIRST), None);
        assert_eq!(rests.until(&"b", now), None);
        rests.forget(&"a");
        assert_eq!(rests.until(&"a", now), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut rests = Rests::new();
        let now = Instant::now();
        for place in 0..10 * MOST {
            rests.failed(place, now, 0);
        }
        assert_eq!(rests.failed.len(), MOST);
        rests.failed(usize::MAX, now + LONGEST, 0);
        assert_eq!(rests.failed.len(), 1);
    }
}
