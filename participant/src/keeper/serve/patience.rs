//! How long a connection may still take: a deadline that moves when its peer has done its part.

use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

#[derive(Debug)]
pub struct Patience(watch::Sender<Instant>);

impl Patience {
    pub fn new(first: Duration) -> Patience {
        Patience(watch::Sender::new(Instant::now() + first))
    }

    /// From now on, so long.
    pub fn renew(&self, next: Duration) {
        self.0.send_replace(Instant::now() + next);
    }

    /// Resolves when it has ended.
    pub async fn ended(&self) {
        let mut deadline = self.0.subscribe();
        loop {
            let until = *deadline.borrow_and_update();
            tokio::select! {
                () = sleep_until(until) => return,
                // The sender lives in `self`.
                _ = deadline.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_it_was_last_said_to() {
        let patience = Patience::new(Duration::from_secs(10));
        let start = Instant::now();
        tokio::join!(patience.ended(), async {
            tokio::time::sleep(Duration::from_secs(9)).await;
            patience.renew(Duration::from_secs(60));
        });
        assert_eq!(start.elapsed(), Duration::from_secs(69));
        patience.renew(Duration::from_secs(5));
        patience.ended().await;
        assert_eq!(start.elapsed(), Duration::from_secs(74));
    }

    #[tokio::test(start_paused = true)]
    async fn it_can_become_shorter() {
        let patience = Patience::new(Duration::from_secs(60));
        let start = Instant::now();
        tokio::join!(patience.ended(), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            patience.renew(Duration::from_secs(2));
        });
        assert_eq!(start.elapsed(), Duration::from_secs(3));
    }
}
