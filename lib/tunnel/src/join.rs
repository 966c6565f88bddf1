//! Two streams become one: what comes out of each goes into the other.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Bytes that one step moves, and the most that one direction keeps while its receiver does not read.
pub const CHUNK: usize = 128 * 1024;

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// From the stream that was accepted to the one that was dialled.
    Up,
    /// Back.
    Down,
}

/// How a pair of streams ended.
#[derive(Debug)]
pub enum End {
    /// Both sides said that they were done, and all they sent has arrived.
    Closed,
    /// Nothing moved in either direction for too long.
    Idle,
    /// The accepted stream broke.
    AcceptedBroke(io::Error),
    /// The dialled stream broke.
    DialledBroke(io::Error),
}

/// Moves bytes until both directions have ended, one breaks, or neither moves for `idle`.
///
/// The end of one direction is passed on alone and the other goes on. `count` hears of bytes once they have been
/// handed to the receiving stream. After any end but [`End::Closed`] the caller resets what it still holds.
pub fn join<'a, A, D, C>(
    accepted: &'a mut A,
    dialled: &'a mut D,
    idle: Duration,
    count: C,
) -> impl Future<Output = End>
where
    A: AsyncRead + AsyncWrite + Unpin,
    D: AsyncRead + AsyncWrite + Unpin,
    C: FnMut(Direction, usize) + Unpin,
{
    Join {
        accepted,
        dialled,
        up: Flow::default(),
        down: Flow::default(),
        idle,
        last_move: Instant::now(),
        timer: Box::pin(tokio::time::sleep(idle)),
        count,
    }
}

struct Join<'a, A, D, C> {
    accepted: &'a mut A,
    dialled: &'a mut D,
    up: Flow,
    down: Flow,
    idle: Duration,
    last_move: Instant,
    timer: Pin<Box<Sleep>>,
    count: C,
}

impl<A, D, C> Future for Join<'_, A, D, C>
where
    A: AsyncRead + AsyncWrite + Unpin,
    D: AsyncRead + AsyncWrite + Unpin,
    C: FnMut(Direction, usize) + Unpin,
{
    type Output = End;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        let this = &mut *self;
        let mut moved = false;
        let up = this.up.poll(cx, this.accepted, this.dialled, |n| {
            moved = true;
            (this.count)(Direction::Up, n);
        });
        if let Poll::Ready(Err(broken)) = up {
            return Poll::Ready(match broken {
                Broken::Source(error) => End::AcceptedBroke(error),
                Broken::Sink(error) => End::DialledBroke(error),
            });
        }
        let down = this.down.poll(cx, this.dialled, this.accepted, |n| {
            moved = true;
            (this.count)(Direction::Down, n);
        });
        if let Poll::Ready(Err(broken)) = down {
            return Poll::Ready(match broken {
                Broken::Source(error) => End::DialledBroke(error),
                Broken::Sink(error) => End::AcceptedBroke(error),
            });
        }
        if up.is_ready() && down.is_ready() {
            return Poll::Ready(End::Closed);
        }

        if moved {
            this.last_move = Instant::now();
        }
        // The timer is moved only when it fires: setting it anew for each chunk would cost more than the chunk.
        while this.timer.as_mut().poll(cx).is_ready() {
            let deadline = this.last_move + this.idle;
            if deadline <= Instant::now() {
                return Poll::Ready(End::Idle);
            }
            this.timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

/// One direction.
#[derive(Default)]
struct Flow {
    /// What the sink has not taken yet. Allocated only while it does not.
    kept: Vec<u8>,
    kept_from: usize,
    stage: Stage,
}

#[derive(Clone, Copy, Default)]
enum Stage {
    #[default]
    Moving,
    /// The source has ended, and the sink is being told.
    Ending,
    Ended,
}

enum Broken {
    Source(io::Error),
    Sink(io::Error),
}

impl Flow {
    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut R,
        sink: &mut W,
        mut moved: impl FnMut(usize),
    ) -> Poll<Result<(), Broken>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            match self.stage {
                Stage::Moving => {
                    ready!(self.poll_kept(cx, sink, &mut moved)).map_err(Broken::Sink)?;
                    // A sink with a buffer of its own has to empty it before it is given more.
                    ready!(Pin::new(&mut *sink).poll_flush(cx)).map_err(Broken::Sink)?;
                    let ended = ready!(with_chunk(|chunk| {
                        self.poll_chunk(cx, chunk, source, sink, &mut moved)
                    }))?;
                    if ended {
                        self.stage = Stage::Ending;
                    }
                }
                Stage::Ending => {
                    ready!(Pin::new(&mut *sink).poll_shutdown(cx)).map_err(Broken::Sink)?;
                    self.stage = Stage::Ended;
                }
                Stage::Ended => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Reads once and writes what the sink takes. True when the source has ended.
    fn poll_chunk<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        chunk: &mut [u8],
        source: &mut R,
        sink: &mut W,
        moved: &mut impl FnMut(usize),
    ) -> Poll<Result<bool, Broken>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut buffer = ReadBuf::new(chunk);
        ready!(Pin::new(source).poll_read(cx, &mut buffer)).map_err(Broken::Source)?;
        let mut rest = buffer.filled();
        if rest.is_empty() {
            return Poll::Ready(Ok(true));
        }
        while !rest.is_empty() {
            match Pin::new(&mut *sink).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Err(Broken::Sink(io::ErrorKind::WriteZero.into())));
                }
                Poll::Ready(Ok(n)) => {
                    moved(n);
                    rest = rest.get(n..).unwrap_or_default();
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Broken::Sink(error))),
                Poll::Pending => {
                    self.kept = rest.to_vec();
                    self.kept_from = 0;
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(false))
    }

    fn poll_kept<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut W,
        moved: &mut impl FnMut(usize),
    ) -> Poll<io::Result<()>> {
        while let Some(rest) = self
            .kept
            .get(self.kept_from..)
            .filter(|rest| !rest.is_empty())
        {
            let n = ready!(Pin::new(&mut *sink).poll_write(cx, rest))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            moved(n);
            self.kept_from += n;
        }
        self.kept = Vec::new();
        self.kept_from = 0;
        Poll::Ready(Ok(()))
    }
}

thread_local! {
    /// One chunk a thread: bytes are in it only between a read and the write that follows.
    static CHUNKS: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

fn with_chunk<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    CHUNKS.with(|slot| {
        let mut chunk = slot
            .take()
            .unwrap_or_else(|| vec![0; CHUNK].into_boxed_slice());
        let outcome = work(&mut chunk);
        slot.set(Some(chunk));
        outcome
    })
}
