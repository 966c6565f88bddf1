//! What an open connection does.

mod support;

use std::io;
use std::pin::Pin;
use std::task::Context;

use mcbn_psk::{PskStream, Versions};
use openssl::ssl::SslVersion;
use support::*;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;

type Pair = (PskStream<TcpStream>, PskStream<TcpStream>);

fn data(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

async fn over_duplex(capacity: usize) -> (PskStream<DuplexStream>, PskStream<DuplexStream>) {
    let (near, far) = duplex(capacity);
    let client = connector(IDENTITY, KEY, Versions::Tls13);
    let server = acceptor(Versions::Tls13);
    let (near, far) = tokio::join!(client.connect(near), server.accept(far));
    (near.unwrap(), far.unwrap())
}

#[tokio::test]
async fn data_arrives_whole_in_both_directions_at_once() {
    let (mut near, mut far): Pair = connected(Versions::Tls13, Versions::Tls13).await;
    let (up, down) = (data(3_000_000), data(2_000_001));
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
        async { far_in.read_to_end(&mut got_up).await.map(drop) },
        async { near_in.read_to_end(&mut got_down).await.map(drop) },
    )
    .unwrap();
    assert!(got_up == up && got_down == down, "data differs");
}

#[tokio::test]
async fn each_direction_ends_on_its_own() {
    let (mut near, mut far) = connected(Versions::Tls13, Versions::Tls13).await;
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
    // An end stays an end.
    assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn each_direction_ends_on_its_own_in_tls12() {
    let ctx = foreign_client(SslVersion::TLS1_2, Some(KEY)).build();
    let (near, far) = tcp_pair().await;
    let near = near.into_std().unwrap();
    near.set_nonblocking(false).unwrap();
    let foreign = tokio::task::spawn_blocking(move || {
        use std::io::Write;
        let mut tls = connect(&ctx, near, None).unwrap();
        tls.write_all(b"question").unwrap();
        tls.shutdown().unwrap();
        read_all(tls)
    });
    let mut ours = acceptor(Versions::Tls12And13).accept(far).await.unwrap();
    let mut got = Vec::new();
    ours.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"question");
    ours.write_all(b"answer").await.unwrap();
    ours.shutdown().await.unwrap();
    assert_eq!(foreign.await.unwrap(), b"answer");
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_no_end() {
    for sent in [&b""[..], b"some"] {
        let (mut near, mut far) = over_duplex(4096).await;
        near.write_all(sent).await.unwrap();
        // Dropped without `close_notify`: what a stranger on the path can do.
        drop(near);
        let mut got = Vec::new();
        let error = far.read_to_end(&mut got).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(got, sent);
    }
}

#[tokio::test]
async fn a_changed_byte_is_refused() {
    let (near, mut wire) = duplex(1 << 16);
    let (mut wire_far, far) = duplex(1 << 16);
    let relay = tokio::spawn(async move {
        let mut flip = false;
        let (mut up, mut down) = ([0; 4096], [0; 4096]);
        loop {
            tokio::select! {
                n = wire.read(&mut up) => {
                    let n = n.unwrap();
                    if n == 0 { return }
                    // Application data records; the last byte is part of the tag.
                    if flip { up[n - 1] ^= 1 }
                    wire_far.write_all(&up[..n]).await.unwrap();
                    flip |= up[0] != 22;
                }
                n = wire_far.read(&mut down) => {
                    let n = n.unwrap();
                    if n == 0 { return }
                    wire.write_all(&down[..n]).await.unwrap();
                }
            }
        }
    });
    let client = connector(IDENTITY, KEY, Versions::Tls13);
    let server = acceptor(Versions::Tls13);
    let (near, far) = tokio::join!(client.connect(near), server.accept(far));
    let (mut near, mut far) = (near.unwrap(), far.unwrap());
    near.write_all(b"data").await.unwrap();
    let error = far.read(&mut [0; 16]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    drop((near, far));
    relay.abort();
}

#[tokio::test]
async fn a_peer_that_does_not_read_stops_the_writer() {
    let (mut near, far) = over_duplex(1024).await;
    let chunk = data(1 << 20);
    let mut taken = 0;
    let mut cx = Context::from_waker(std::task::Waker::noop());
    while let std::task::Poll::Ready(n) = Pin::new(&mut near).poll_write(&mut cx, &chunk) {
        taken += n.unwrap();
        assert!(taken <= 128 * 1024, "the writer is not stopped");
    }
    assert_eq!(taken, 128 * 1024);
    drop(far);
}

#[tokio::test]
async fn small_writes_and_reads_of_any_size_fit_together() {
    let (mut near, mut far) = over_duplex(100).await;
    let sent = data(20_000);
    let write = async {
        for piece in sent.chunks(777) {
            near.write_all(piece).await.unwrap();
        }
        near.shutdown().await.unwrap();
    };
    let read = async {
        let mut got = Vec::new();
        let mut piece = [0; 13];
        loop {
            match far.read(&mut piece).await.unwrap() {
                0 => return got,
                n => got.extend_from_slice(&piece[..n]),
            }
        }
    };
    let ((), got) = tokio::join!(write, read);
    assert!(got == sent, "data differs");
}

#[tokio::test]
async fn writing_after_the_end_is_refused() {
    let (mut near, _far) = connected(Versions::Tls13, Versions::Tls13).await;
    near.shutdown().await.unwrap();
    assert!(near.write_all(b"late").await.is_err());
}

#[test]
fn a_stream_shows_nothing_of_its_key() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (near, _far) = runtime.block_on(connected(Versions::Tls13, Versions::Tls13));
    let shown = format!("{near:?}");
    assert!(
        shown.starts_with("TlsStream { peer: AuthenticatedPeer"),
        "{shown}"
    );
    assert!(!shown.contains("07"), "{shown}");
}
