//! The clock that leases run on.
//!
//! It goes on while the machine is suspended: a machine that is put to sleep does not stretch a lease.

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use std::future::Future;
use std::io;
use std::ops::Add;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A point in time: so long after a fixed one, which is the machine's start for [`Boottime`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    pub const fn after_start(time: Duration) -> Moment {
        Moment(time)
    }

    /// How long it is from `earlier` to this moment; nothing if it comes before.
    pub fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, time: Duration) -> Moment {
        Moment(self.0.saturating_add(time))
    }
}

/// Gives the time. Clones give the same.
pub trait Clock: Clone + Send + Sync + 'static {
    /// Never earlier than a moment that it gave before.
    fn now(&self) -> Moment;

    /// Resolves once it is `moment` or later, at once where time has jumped over it.
    fn sleep_until(&self, moment: Moment) -> impl Future<Output = ()> + Send;
}

/// `CLOCK_BOOTTIME`, which nobody can set and which counts the time in suspension.
#[derive(Clone, Copy, Debug)]
pub struct Boottime;

impl Clock for Boottime {
    fn now(&self) -> Moment {
        let now = clock_gettime(ClockId::Boottime);
        Moment(now.try_into().expect("it starts at zero"))
    }

    async fn sleep_until(&self, moment: Moment) {
        loop {
            let left = moment.since(self.now());
            if left.is_zero() {
                return;
            }
            // The runtime's own timers stand still in suspension. They do where the system has no other left.
            match timer(moment) {
                Ok(timer) => {
                    let _ = timer.readable().await;
                }
                Err(_) => tokio::time::sleep(left.min(Duration::from_secs(1))).await,
            }
        }
    }
}

/// Becomes readable at `moment`.
#[expect(
    deprecated,
    reason = "what replaces it is unsafe to call, for descriptors that may be closed; an OwnedFd stays open"
)]
fn timer(moment: Moment) -> io::Result<AsyncFd<OwnedFd>> {
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    let timer = timerfd_create(TimerfdClockId::Boottime, flags)?;
    let at = Itimerspec {
        it_interval: Timespec::default(),
        it_value: moment.0.try_into().map_err(io::Error::other)?,
    };
    timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME, &at)?;
    AsyncFd::with_interest(timer, Interest::READABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleep_ends_when_its_moment_has_come() {
        let clock = Boottime;
        let moment = clock.now() + Duration::from_millis(20);
        clock.sleep_until(moment).await;
        assert!(clock.now() >= moment);
    }

    #[tokio::test]
    async fn a_moment_that_has_passed_is_not_waited_for() {
        let clock = Boottime;
        clock.sleep_until(Moment(Duration::ZERO)).await;
        clock.sleep_until(clock.now()).await;
    }

    #[tokio::test]
    async fn a_timer_is_at_the_moment_that_was_asked_for() {
        let timer = timer(Boottime.now() + Duration::from_millis(1)).unwrap();
        drop(timer.readable().await.unwrap());
    }

    #[test]
    fn the_time_between_two_moments_is_never_negative() {
        let early = Moment(Duration::from_secs(1));
        let late = early + Duration::from_secs(2);
        assert_eq!(late.since(early), Duration::from_secs(2));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
