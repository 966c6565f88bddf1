//! How a service answers.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// How a service answers, whatever it is asked. It can be changed while the service runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Health {
    #[default]
    Well,
    /// Answers right, this much later.
    Slow(Duration),
    /// Takes requests, and answers them when its health changes. The way to be slow without a clock.
    Stalled,
    /// Answers 500 to everything.
    Failing,
    /// Takes connections and closes them at once.
    HangingUp,
    /// Gone, with all its connections: new ones are refused. Its port or its socket's file stays its own.
    Dead,
}

/// Waits as long as a service of this health takes. Returns whether it then answers right.
pub(crate) async fn pass(mut health: watch::Receiver<Health>) -> bool {
    loop {
        let current = *health.borrow_and_update();
        match current {
            Health::Well => return true,
            Health::Slow(time) => {
                sleep(time).await;
                return true;
            }
            Health::Failing => return false,
            Health::Stalled | Health::HangingUp | Health::Dead => {
                if health.changed().await.is_err() {
                    return false;
                }
            }
        }
    }
}
