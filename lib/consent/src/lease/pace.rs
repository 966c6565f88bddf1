//! When to ask again: so that many workloads do not ask at one moment, and a keeper that is away is not pressed.

use crate::client::Failure;
use crate::message::Code;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

/// Draws lots: numbers from 0 to 1, each as likely as the other. Nothing secret is made of them.
pub type Lots = Arc<dyn Fn() -> f64 + Send + Sync>;

/// From the system's random numbers.
pub fn system_lots() -> Lots {
    Arc::new(|| RandomState::new().hash_one(()) as f64 / u64::MAX as f64)
}

/// How much of a lease passes before it is renewed: about a third, so that there is time for a second and a third try.
pub(super) fn renewal(lease: Duration, lot: f64) -> Duration {
    lease.mul_f64(0.25 + lot / 6.0)
}

/// One attempt takes at most so long. A quicker one leaves time for another within the lease.
pub(super) fn attempt(lease: Option<Duration>) -> Duration {
    lease.map_or(LONGEST, |lease| LONGEST.min(lease / 3))
}

/// Attempts that failed in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// A keeper's wish to be left alone ends here.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

impl Backoff {
    /// The pause after a failure: double the one before, up to a limit; half of it, and a random part of the other half.
    pub(super) fn after(
        &mut self,
        failure: &Failure,
        lease: Option<Duration>,
        lot: f64,
    ) -> Duration {
        let (shortest, longest) = limits(failure, lease);
        let whole = FIRST
            .saturating_mul(2u32.saturating_pow(self.failures))
            .clamp(shortest, longest);
        self.failures = self.failures.saturating_add(1);
        let most = lease.map_or(LONGEST_RETRY_AFTER, |lease| lease / 4);
        let asked_for = match failure {
            Failure::Refused {
                retry_after: Some(time),
                ..
            } => (*time).min(most).min(LONGEST_RETRY_AFTER),
            _ => Duration::ZERO,
        };
        // Where all were told the same time, they do not come at the same time.
        (whole / 2).max(asked_for) + (whole / 2).mul_f64(lot)
    }
}

fn limits(failure: &Failure, lease: Option<Duration>) -> (Duration, Duration) {
    if let Some(lease) = lease {
        return (FIRST, (lease / 10).clamp(FIRST, LONGEST));
    }
    match failure.code() {
        // A person is about to answer.
        Some(Code::Pending) => (FIRST, LONGEST / 3),
        // A person has answered, and may change their mind.
        _ if failure.is_final() => (LONGEST, 10 * LONGEST),
        _ => (FIRST, LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Refusal;

    fn refused(code: Code, retry_after: Option<u64>) -> Failure {
        Failure::Refused {
            refusal: Refusal {
                refused: code,
                reasons: Vec::new(),
            },
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    fn pause_after(times: u32, failure: &Failure, lease: Option<u64>, lot: f64) -> f64 {
        let mut backoff = Backoff::default();
        let lease = lease.map(Duration::from_secs);
        let mut pause = Duration::ZERO;
        for _ in 0..times {
            pause = backoff.after(failure, lease, lot);
        }
        pause.as_secs_f64()
    }

    #[test]
    fn a_lease_is_renewed_after_about_a_third() {
        let lease = Duration::from_secs(300);
        assert_eq!(renewal(lease, 0.0), Duration::from_secs(75));
        assert_eq!(renewal(lease, 0.5), Duration::from_secs(100));
        assert_eq!(renewal(lease, 1.0), Duration::from_secs(125));
    }

    #[test]
    fn an_attempt_leaves_time_for_another() {
        assert_eq!(attempt(None), Duration::from_secs(30));
        assert_eq!(
            attempt(Some(Duration::from_secs(86400))),
            Duration::from_secs(30)
        );
        assert_eq!(
            attempt(Some(Duration::from_secs(12))),
            Duration::from_secs(4)
        );
    }

    #[test]
    fn each_failure_doubles_the_pause_up_to_a_limit() {
        let slow = Failure::Slow;
        assert_eq!(pause_after(1, &slow, None, 1.0), 0.5);
        assert_eq!(pause_after(2, &slow, None, 1.0), 1.0);
        assert_eq!(pause_after(5, &slow, None, 1.0), 8.0);
        assert_eq!(pause_after(1000, &slow, None, 1.0), 30.0);
        assert_eq!(pause_after(1000, &slow, None, 0.0), 15.0);
    }

    #[test]
    fn within_a_lease_there_is_time_for_many() {
        assert_eq!(pause_after(1000, &Failure::Slow, Some(60), 1.0), 6.0);
        assert_eq!(pause_after(1000, &Failure::Slow, Some(1), 1.0), 0.5);
        assert_eq!(pause_after(1000, &Failure::Slow, Some(86400), 1.0), 30.0);
    }

    #[test]
    fn a_person_who_was_asked_is_not_kept_waiting() {
        assert_eq!(
            pause_after(1000, &refused(Code::Pending, None), None, 1.0),
            10.0
        );
    }

    #[test]
    fn a_person_who_said_no_is_not_pressed() {
        let denied = refused(Code::Denied, None);
        assert_eq!(pause_after(1, &denied, None, 1.0), 30.0);
        assert_eq!(pause_after(1000, &denied, None, 1.0), 300.0);
    }

    #[test]
    fn a_busy_keeper_is_asked_when_it_wants_to_be_and_not_by_all_at_once() {
        let busy = refused(Code::Busy, Some(20));
        assert_eq!(pause_after(1, &busy, None, 0.0), 20.0);
        assert_eq!(pause_after(1, &busy, None, 1.0), 20.25);
        let for_ever = refused(Code::Busy, Some(u32::MAX.into()));
        assert_eq!(pause_after(1, &for_ever, None, 0.0), 60.0);
        assert_eq!(pause_after(1, &for_ever, Some(3600), 0.0), 60.0);
        assert_eq!(pause_after(1, &for_ever, Some(40), 0.0), 10.0);
    }

    #[test]
    fn lots_differ() {
        let lots = system_lots();
        let drawn: Vec<f64> = (0..100).map(|_| lots()).collect();
        assert!(drawn.iter().all(|lot| (0.0..=1.0).contains(lot)));
        let low = drawn.iter().filter(|lot| **lot < 0.5).count();
        assert!((10..=90).contains(&low), "{low}");
    }
}
