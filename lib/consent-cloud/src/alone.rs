//! Work on a runtime of its own, so that nothing of it goes on when it is done.
//!
//! Google's clients start tasks that keep an access token until it expires, and its connection, whether or not anybody will
//! use it. Nobody else can stop them. Dropping the runtime that they run on does.

use std::future::Future;
use std::io;
use tokio::runtime::Builder;
use tokio::select;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// Does the work, and drops whatever it started. Where this is dropped, the work ends.
///
/// # Errors
///
/// The system gives no runtime.
pub(crate) async fn alone<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> io::Result<T> {
    let (waiting, mut nobody_waits) = oneshot::channel::<()>();
    let done = spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            select! {
                done = work => Ok(done),
                _ = &mut nobody_waits => Err(io::ErrorKind::Interrupted.into()),
            }
        })
    });
    let done = done.await;
    drop(waiting);
    // It cannot be cancelled once it runs: this is a panic on its way.
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use std::time::Duration;
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn what_was_started_ends_with_the_work() {
        let (held, dropped) = oneshot::channel::<()>();
        let work = async {
            tokio::spawn(async move {
                let _held = held;
                pending::<()>().await;
            });
            7
        };
        assert_eq!(alone(work).await.unwrap(), 7);
        let dropped = timeout(SOON, dropped).await.expect("the task is gone");
        assert!(dropped.is_err());
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_ends() {
        let (held, dropped) = oneshot::channel::<()>();
        let (started, begins) = oneshot::channel();
        let waiting = tokio::spawn(alone(async move {
            let _held = held;
            started.send(()).unwrap();
            pending::<()>().await;
        }));
        begins.await.unwrap();
        waiting.abort();
        let dropped = timeout(SOON, dropped).await.expect("the work is gone");
        assert!(dropped.is_err());
    }
}
