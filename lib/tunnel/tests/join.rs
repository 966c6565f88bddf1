//! Two streams that become one.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use mcbn_tunnel::join::{CHUNK, Direction, End, join};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream, DuplexStream, ReadBuf, duplex,
};
use tokio::time::{Instant, sleep};

const IDLE: Duration = Duration::from_secs(60);

fn data(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

/// The outer ends of a join that runs by itself, and how it ends with what it counted.
fn joined(
    capacity: usize,
) -> (
    DuplexStream,
    DuplexStream,
    tokio::task::JoinHandle<(End, [usize; 2])>,
) {
    let (outer, mut accepted) = duplex(capacity);
    let (mut dialled, far) = duplex(capacity);
    let running = tokio::spawn(async move {
        let mut counted = [0; 2];
        let end = join(&mut accepted, &mut dialled, IDLE, |direction, n| {
            counted[usize::from(direction == Direction::Down)] += n;
        })
        .await;
        (end, counted)
    });
    (outer, far, running)
}

#[tokio::test]
async fn data_passes_both_ways_and_is_counted() {
    for capacity in [64, 1 << 20] {
        let (mut near, mut far, running) = joined(capacity);
        let (up, down) = (data(300_000), data(200_001));
        let (mut near_in, mut near_out) = tokio::io::split(&mut near);
        let (mut far_in, mut far_out) = tokio::io::split(&mut far);
        let (mut got_up, mut got_down) = (Vec::new(), Vec::new());
        tokio::try_join!(
            async {
                near_out.write_all(&up).await?;
                near_out.shutdown().await
            },
            async {
                far_out.write_all(&down).await?;
                far_out.shutdown().await
            },
            far_in.read_to_end(&mut got_up),
            near_in.read_to_end(&mut got_down),
        )
        .unwrap();
        assert!(got_up == up && got_down == down, "data differs");
        let (end, counted) = running.await.unwrap();
        assert!(matches!(end, End::Closed), "{end:?}");
        assert_eq!(counted, [up.len(), down.len()]);
    }
}

#[tokio::test]
async fn the_end_of_one_direction_leaves_the_other_open() {
    let (mut near, mut far, running) = joined(4096);
    near.write_all(b"question").await.unwrap();
    near.shutdown().await.unwrap();
    let mut got = Vec::new();
    far.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"question");
    far.write_all(b"answer").await.unwrap();
    far.shutdown().await.unwrap();
    let mut got = Vec::new();
    near.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"answer");
    assert!(matches!(running.await.unwrap().0, End::Closed));
}

#[tokio::test]
async fn the_dialled_side_may_end_first() {
    let (mut near, mut far, running) = joined(4096);
    far.shutdown().await.unwrap();
    assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 0);
    near.write_all(b"late").await.unwrap();
    near.shutdown().await.unwrap();
    let mut got = Vec::new();
    far.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"late");
    assert!(matches!(running.await.unwrap().0, End::Closed));
}

#[tokio::test(start_paused = true)]
async fn nothing_in_either_direction_ends_it() {
    let (near, far, running) = joined(4096);
    let start = Instant::now();
    assert!(matches!(running.await.unwrap().0, End::Idle));
    assert_eq!(start.elapsed().as_secs(), IDLE.as_secs());
    drop((near, far));
}

#[tokio::test(start_paused = true)]
async fn something_in_one_direction_keeps_both() {
    let (mut near, mut far, running) = joined(4096);
    for i in 0..10 {
        sleep(IDLE * 3 / 4).await;
        assert!(!running.is_finished(), "after {i}");
        match i % 2 {
            0 => near.write_all(b"x").await.unwrap(),
            _ => far.write_all(b"x").await.unwrap(),
        }
    }
    let start = Instant::now();
    assert!(matches!(running.await.unwrap().0, End::Idle));
    assert_eq!(start.elapsed().as_secs(), IDLE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_side_that_does_not_read_stops_the_other_and_is_idle() {
    const CAPACITY: usize = 1000;
    let (mut near, far, running) = joined(CAPACITY);
    let piece = data(CAPACITY);
    let mut taken = 0;
    while let Ok(written) = tokio::time::timeout(IDLE / 2, near.write(&piece)).await {
        taken += written.unwrap();
        assert!(taken <= CHUNK + 3 * CAPACITY, "the writer is not stopped");
    }
    assert!(matches!(running.await.unwrap().0, End::Idle));
    drop(far);
}

#[tokio::test]
async fn a_sink_with_a_buffer_is_flushed_when_the_source_pauses() {
    let (mut outer, mut accepted) = duplex(4096);
    let (dialled, mut far) = duplex(4096);
    let mut dialled = BufStream::new(dialled);
    let mut join = pin!(join(&mut accepted, &mut dialled, IDLE, |_, _| {}));
    outer.write_all(b"waits in the buffer").await.unwrap();
    let mut got = [0; 19];
    tokio::select! {
        end = join.as_mut() => panic!("{end:?}"),
        read = far.read_exact(&mut got) => { read.unwrap(); }
    }
    assert_eq!(&got, b"waits in the buffer");
}

/// Breaks in one way.
struct Broken {
    when_read: bool,
    when_written: bool,
}

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.when_read {
            true => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            false => Poll::Pending,
        }
    }
}

impl AsyncWrite for Broken {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(match self.when_written {
            true => Err(io::ErrorKind::BrokenPipe.into()),
            false => Ok(data.len()),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_break_is_told_by_its_side_and_is_no_end() {
    for (when_read, when_written) in [(true, false), (false, true)] {
        let mut broken = Broken {
            when_read,
            when_written,
        };
        let (mut outer, mut whole) = duplex(64);
        outer.write_all(b"x").await.unwrap();
        let end = join(&mut broken, &mut whole, IDLE, |_, _| {}).await;
        assert!(matches!(end, End::AcceptedBroke(_)), "{end:?}");
        outer.write_all(b"x").await.unwrap();
        let end = join(&mut whole, &mut broken, IDLE, |_, _| {}).await;
        assert!(matches!(end, End::DialledBroke(_)), "{end:?}");
    }
}

#[tokio::test]
async fn a_join_of_idle_streams_needs_little_room() {
    let (_outer, mut accepted) = duplex(64);
    let (mut dialled, _far) = duplex(64);
    let mut join = pin!(join(&mut accepted, &mut dialled, IDLE, |_, _| {}));
    assert!(size_of_val(&*join) <= 256, "{}", size_of_val(&*join));
    poll_fn(|cx| {
        assert!(join.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}
