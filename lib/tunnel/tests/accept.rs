//! The accept loop: limits, the end, and what does not end it.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mcbn_runtime::shutdown::{Shutdown, Trigger};
use mcbn_tunnel::accept::{Listener, accept};
use mcbn_tunnel::limits::Slots;
use mcbn_tunnel::metrics::Metrics;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

struct Running {
    address: SocketAddr,
    metrics: Metrics,
    trigger: Trigger,
    cut: oneshot::Sender<&'static str>,
    task: JoinHandle<Option<&'static str>>,
}

/// Echoes, with so many connections at most.
async fn echo(most: usize) -> Running {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (trigger, shutdown) = Shutdown::manual();
    let metrics = Metrics::default();
    let most = NonZeroUsize::new(most).unwrap();
    let (cut, is_cut) = oneshot::channel();
    let task = tokio::spawn(accept(
        listener,
        Slots::new(most, most),
        metrics.clone(),
        shutdown,
        async { is_cut.await.expect("the test cuts or keeps it") },
        |mut stream, _, place| async move {
            let _place = place;
            let mut byte = [0];
            while let Ok(1) = stream.read(&mut byte).await {
                assert_ne!(byte, *b"!", "asked to panic");
                stream.write_all(&byte).await.unwrap();
            }
        },
    ));
    Running {
        address,
        metrics,
        trigger,
        cut,
        task,
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn shows(&self, line: &str) -> bool {
        let mut registry = Registry::default();
        self.metrics.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text.lines().any(|found| found == line)
    }

    /// Waits until the metrics say so.
    async fn comes_to_show(&self, line: &str) {
        let soon = timeout(Duration::from_secs(10), async {
            while !self.shows(line) {
                tokio::task::yield_now().await;
            }
        });
        assert!(soon.await.is_ok(), "never: {line}");
    }
}

async fn is_answered(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    stream.write_all(b"x").await.is_ok() && matches!(stream.read(&mut byte).await, Ok(1))
}

#[tokio::test]
async fn one_connection_too_many_is_closed_at_once_and_counted() {
    let running = echo(2).await;
    let (mut first, mut second) = (running.connect().await, running.connect().await);
    assert!(is_answered(&mut first).await && is_answered(&mut second).await);
    let mut third = running.connect().await;
    assert!(!is_answered(&mut third).await);
    running
        .comes_to_show(r#"connections_refused_total{reason="total_limit"} 1"#)
        .await;
    assert!(running.shows("connections_active 2"));

    drop(first);
    running.comes_to_show("connections_active 1").await;
    assert!(is_answered(&mut running.connect().await).await);
    assert!(running.shows("connections_accepted_total 3"));
}

#[tokio::test]
async fn a_drain_takes_no_more_and_lets_the_open_ones_finish() {
    let running = echo(10).await;
    let mut open = running.connect().await;
    assert!(is_answered(&mut open).await);
    running.trigger.drain();
    // The port is closed, soon.
    let closed = timeout(Duration::from_secs(10), async {
        while TcpStream::connect(running.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    closed.await.expect("the port stays open");
    assert!(is_answered(&mut open).await);
    assert!(!running.task.is_finished());
    drop(open);
    assert_eq!(running.task.await.unwrap(), None);
}

#[tokio::test]
async fn a_cut_drops_what_is_open_and_says_why() {
    for draining in [false, true] {
        let running = echo(10).await;
        let mut open = running.connect().await;
        assert!(is_answered(&mut open).await);
        if draining {
            running.trigger.drain();
        }
        running.cut.send("cut").unwrap();
        assert_eq!(running.task.await.unwrap(), Some("cut"));
        // It is over already: the task is not waited for here.
        let mut registry = Registry::default();
        running.metrics.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        assert!(text.contains("\nconnections_active 0\n"), "{text}");
        assert!(!is_answered(&mut open).await);
        assert!(TcpStream::connect(running.address).await.is_err());
    }
}

#[tokio::test]
async fn the_end_of_the_drain_drops_what_is_open() {
    let running = echo(10).await;
    let mut open = running.connect().await;
    assert!(is_answered(&mut open).await);
    running.trigger.drain();
    running.trigger.end();
    running.task.await.unwrap();
    assert!(!is_answered(&mut open).await);
}

#[tokio::test]
async fn a_connection_that_panics_ends_alone() {
    let running = echo(1).await;
    let mut panics = running.connect().await;
    panics.write_all(b"!").await.unwrap();
    assert_eq!(panics.read(&mut [0]).await.unwrap_or_default(), 0);
    // Its slot is free again.
    running.comes_to_show("connections_active 0").await;
    assert!(is_answered(&mut running.connect().await).await);
}

/// Fails as the system does when there are no descriptors left.
struct OutOfDescriptors {
    failures: AtomicUsize,
    listener: TcpListener,
}

impl Listener for &OutOfDescriptors {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        const EMFILE: i32 = 24;
        match self.failures.fetch_sub(1, Ordering::Relaxed) {
            1.. => Err(io::Error::from_raw_os_error(EMFILE)),
            0 => {
                self.failures.store(0, Ordering::Relaxed);
                self.listener.accept().await
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lack_of_descriptors_is_waited_out_without_spinning() {
    const FAILURES: usize = 12;
    let source = OutOfDescriptors {
        failures: AtomicUsize::new(FAILURES),
        listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(),
    };
    let address = source.listener.local_addr().unwrap();
    let (_trigger, shutdown) = Shutdown::manual();
    let most = NonZeroUsize::new(10).unwrap();
    let (served, mut was_served) = tokio::sync::mpsc::channel(1);
    let start = Instant::now();
    let serving = accept(
        &source,
        Slots::new(most, most),
        Metrics::default(),
        shutdown,
        pending::<()>(),
        |_, _, _| {
            let served = served.clone();
            async move { served.send(()).await.unwrap() }
        },
    );
    let _open = TcpStream::connect(address).await.unwrap();
    tokio::select! {
        _ = serving => panic!("the loop ended"),
        served = was_served.recv() => served.unwrap(),
    }
    // 10 ms, doubled up to a second.
    let waited = start.elapsed();
    assert!(waited >= Duration::from_secs(5), "{waited:?}");
    assert!(waited <= Duration::from_secs(10), "{waited:?}");
}

#[tokio::test]
async fn a_drain_ends_the_wait_for_descriptors() {
    let source = OutOfDescriptors {
        failures: AtomicUsize::new(usize::MAX),
        listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(),
    };
    let (trigger, shutdown) = Shutdown::manual();
    let most = NonZeroUsize::new(10).unwrap();
    let serving = accept(
        &source,
        Slots::new(most, most),
        Metrics::default(),
        shutdown,
        pending::<()>(),
        |_, _, _| pending(),
    );
    trigger.drain();
    timeout(Duration::from_secs(10), serving)
        .await
        .expect("it ends");
}
