//! The page's port: few connections, each bounded in time and memory.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use mcbn_runtime::shutdown::Shutdown;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// A browser opens six, and now and then one in advance.
const CONNECTIONS: u32 = 32;

/// For a request's head, and so also for the pause between two requests.
const HEAD: Duration = Duration::from_secs(10);

/// After it, the request that is being answered is the last one.
const CONNECTION: Duration = Duration::from_secs(300);

/// For that last one.
const GRACE: Duration = Duration::from_secs(30);

const HEAD_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;

/// Answers until the program drains, and then what is open until the drain ends.
pub async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS as usize));
    let accepting = async {
        loop {
            let slot = Arc::clone(&slots).acquire_owned().await;
            let slot = slot.expect("the semaphore is never closed");
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors, as a rule: trying again at once would only burn the processor.
                    tracing::warn!(%error, "the page cannot accept");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (router, shutdown) = (router.clone(), shutdown.clone());
            tokio::spawn(async move {
                answer(stream, router, &shutdown).await;
                drop(slot);
            });
        }
    };
    tokio::select! {
        () = shutdown.draining() => {}
        () = accepting => {}
    }
    drop(listener);
    tokio::select! {
        _ = slots.acquire_many(CONNECTIONS) => {}
        () = shutdown.ended() => {}
    }
}

async fn answer(stream: TcpStream, router: Router, shutdown: &Shutdown) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let to_its_end = async {
        tokio::select! {
            result = connection.as_mut() => return result,
            () = shutdown.draining() => {}
            () = sleep(CONNECTION) => {}
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    };
    // A fault here is that of a local browser; it shows it itself.
    tokio::select! {
        _ = timeout(CONNECTION + GRACE, to_its_end) => {}
        () = shutdown.ended() => {}
    }
}
