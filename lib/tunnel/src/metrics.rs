//! What connections do, as numbers.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::join::Direction;
use crate::limits::Full;

type Label = [(&'static str, &'static str); 1];

/// Counters of one listener. Clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    accepted: Counter,
    active: Gauge,
    refused: Family<Label, Counter>,
    handshakes: Family<Label, Counter>,
    handshake_seconds: Histogram,
    bytes_up: Counter,
    bytes_down: Counter,
    ended: Family<Label, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            accepted: Counter::default(),
            active: Gauge::default(),
            refused: Family::default(),
            handshakes: Family::default(),
            // From a handshake on the same machine to one over a slow path with a loss.
            handshake_seconds: Histogram::new([
                0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
                10.0,
            ]),
            bytes_up: Counter::default(),
            bytes_down: Counter::default(),
            ended: Family::default(),
        }
    }
}

impl Metrics {
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "connections_accepted",
            "Connections accepted",
            self.accepted.clone(),
        );
        registry.register(
            "connections_active",
            "Connections open now",
            self.active.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections closed unread because of a limit, by limit",
            self.refused.clone(),
        );
        registry.register(
            "handshakes",
            "Handshakes by outcome: ok, or the reason of the failure",
            self.handshakes.clone(),
        );
        registry.register(
            "handshake_seconds",
            "Time that successful handshakes took",
            self.handshake_seconds.clone(),
        );
        registry.register(
            "bytes_up",
            "Payload bytes from the accepting to the dialled side",
            self.bytes_up.clone(),
        );
        registry.register(
            "bytes_down",
            "Payload bytes from the dialled to the accepting side",
            self.bytes_down.clone(),
        );
        registry.register(
            "connections_ended",
            "Connections that ended after their handshake, by reason",
            self.ended.clone(),
        );
    }

    pub fn refused(&self, full: Full) {
        let reason = match full {
            Full::Total => "total_limit",
            Full::Peer => "peer_limit",
            Full::Handshakes => "handshake_limit",
        };
        self.refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// One connection, counted as open until the answer is dropped.
    pub fn accepted(&self) -> Active {
        self.accepted.inc();
        self.active.inc();
        Active(self.active.clone())
    }

    pub fn handshake_done(&self, took: Duration) {
        self.handshakes.get_or_create(&[("outcome", "ok")]).inc();
        self.handshake_seconds.observe(took.as_secs_f64());
    }

    pub fn handshake_failed(&self, reason: &'static str) {
        self.handshakes.get_or_create(&[("outcome", reason)]).inc();
    }

    pub fn moved(&self, direction: Direction, bytes: usize) {
        match direction {
            Direction::Up => &self.bytes_up,
            Direction::Down => &self.bytes_down,
        }
        .inc_by(bytes as u64);
    }

    pub fn ended(&self, reason: &'static str) {
        self.ended.get_or_create(&[("reason", reason)]).inc();
    }
}

impl Metrics {
    /// Counts what passes through a stream that is not joined to another: what is read as up, what is written as down.
    pub fn counted<S>(&self, stream: S) -> Counted<S> {
        Counted {
            stream,
            up: self.bytes_up.clone(),
            down: self.bytes_down.clone(),
        }
    }
}

/// A stream whose bytes are counted.
#[derive(Debug)]
pub struct Counted<S> {
    stream: S,
    up: Counter,
    down: Counter,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        let done = Pin::new(&mut self.stream).poll_read(cx, out);
        self.up.inc_by((out.filled().len() - before) as u64);
        done
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, data);
        if let Poll::Ready(Ok(n)) = done {
            self.down.inc_by(n as u64);
        }
        done
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Active(Gauge);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    fn shown(metrics: &Metrics) -> String {
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[tokio::test]
    async fn what_passes_is_counted_in_its_direction() {
        let metrics = Metrics::default();
        let (near, mut far) = duplex(64);
        let mut near = metrics.counted(near);
        far.write_all(b"question").await.unwrap();
        near.read_exact(&mut [0; 8]).await.unwrap();
        near.write_all(b"reply").await.unwrap();
        metrics.moved(Direction::Down, 2);
        let text = shown(&metrics);
        assert!(text.contains("\nbytes_up_total 8\n"), "{text}");
        assert!(text.contains("\nbytes_down_total 7\n"), "{text}");
    }

    #[test]
    fn every_event_has_its_line() {
        let metrics = Metrics::default();
        let open = metrics.accepted();
        drop(metrics.accepted());
        metrics.refused(Full::Total);
        metrics.refused(Full::Peer);
        metrics.refused(Full::Handshakes);
        metrics.handshake_done(Duration::from_millis(3));
        metrics.handshake_failed("wrong_key");
        metrics.ended("idle");
        let text = shown(&metrics);
        for line in [
            "connections_accepted_total 2",
            "connections_active 1",
            r#"connections_refused_total{reason="total_limit"} 1"#,
            r#"connections_refused_total{reason="peer_limit"} 1"#,
            r#"connections_refused_total{reason="handshake_limit"} 1"#,
            r#"handshakes_total{outcome="ok"} 1"#,
            r#"handshakes_total{outcome="wrong_key"} 1"#,
            r#"handshake_seconds_bucket{le="0.0025"} 0"#,
            r#"handshake_seconds_bucket{le="0.005"} 1"#,
            r#"connections_ended_total{reason="idle"} 1"#,
        ] {
            assert!(
                text.lines().any(|shown| shown == line),
                "no {line} in {text}"
            );
        }
        drop(open);
    }
}
