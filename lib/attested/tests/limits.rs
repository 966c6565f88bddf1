//! Clients that take too much, or too long.

mod support;

use mcbn_attested::server::Limits;
use std::num::NonZeroUsize;
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

async fn closed(mut stream: TcpStream) {
    let mut rest = Vec::new();
    let read = timeout(SOON, stream.read_to_end(&mut rest)).await;
    // A reset is an end, too.
    let _ = read.expect("an end");
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn a_slow_handshake_is_refused() {
    let limits = Limits {
        handshake: IMPATIENT,
        ..Limits::default()
    };
    let house = House::with(Double::Well, limits).await;
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    stream.write_all(&[22, 3, 1]).await.unwrap();
    closed(stream).await;
}

#[tokio::test]
async fn a_slow_head_is_refused() {
    let limits = Limits {
        head: IMPATIENT,
        ..Limits::default()
    };
    let house = House::with(Double::Well, limits).await;
    for begun in ["", "GET /who HTTP/1.1\r\n"] {
        let mut peer = house.visit().await;
        peer.send(begun).await;
        peer.ends().await;
    }
    assert_eq!(house.handled(), 0);
}

#[tokio::test]
async fn a_slow_body_is_refused() {
    let limits = Limits {
        request: IMPATIENT,
        ..Limits::default()
    };
    let house = House::with(Double::Well, limits).await;
    let mut peer = house.visit().await;
    peer.send(&head("POST /echo", "content-length: 2\r\n"))
        .await;
    peer.send("x").await;
    let answer = peer.answer().await.unwrap();
    assert_eq!(answer.refused(), (503, "slow"));
    assert_eq!(house.handled(), 0);
    peer.ends().await;
}

#[tokio::test]
async fn a_handler_that_stalls_is_given_up() {
    let limits = Limits {
        request: IMPATIENT,
        ..Limits::default()
    };
    let house = House::with(Double::Well, limits).await;
    let answer = house.visit().await.challenge("GET /stalls", "").await;
    assert_eq!(answer.refused(), (503, "slow"));
}

#[tokio::test]
async fn a_connection_has_its_time() {
    let limits = Limits {
        connection: IMPATIENT,
        ..Limits::default()
    };
    let house = House::with(Double::Well, limits).await;
    house.visit().await.ends().await;
}

#[tokio::test]
async fn one_connection_more_is_refused() {
    let one = NonZeroUsize::new(1).unwrap();
    for limits in [
        Limits {
            connections: one,
            ..Limits::default()
        },
        Limits {
            connections_of_a_peer: one,
            ..Limits::default()
        },
    ] {
        let house = House::with(Double::Well, limits).await;
        let mut first = house.visit().await;
        assert_eq!(first.challenge("GET /who", "").await.status, 200);
        closed(TcpStream::connect(house.address).await.unwrap()).await;
        assert_eq!(first.challenge("GET /who", "").await.status, 200);
    }
}

#[tokio::test]
async fn one_handshake_more_is_refused() {
    let limits = Limits {
        handshakes: NonZeroUsize::new(1).unwrap(),
        ..Limits::default()
    };
    let house = House::with(Double::Well, limits).await;
    let mut inside = house.visit().await;
    assert_eq!(inside.challenge("GET /who", "").await.status, 200);
    // Connections are accepted in their order, and this one never says anything.
    let waiting = TcpStream::connect(house.address).await.unwrap();
    closed(TcpStream::connect(house.address).await.unwrap()).await;
    // Who is inside holds no such place.
    assert_eq!(inside.challenge("GET /who", "").await.status, 200);
    drop(waiting);
}

#[tokio::test]
async fn at_the_end_what_is_idle_is_closed_and_what_is_open_is_waited_for() {
    let house = House::start().await;
    let mut idle = house.visit().await;
    assert_eq!(idle.challenge("GET /who", "").await.status, 200);
    let mut busy = house.visit().await;
    let headers = "expect: 100-continue\r\ncontent-length: 5\r\n";
    busy.send(&head("POST /echo", headers)).await;
    // The server has the head, and waits for the body.
    let mut interim = [0; 25];
    busy.stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim[..12], b"HTTP/1.1 100");
    house.trigger.drain();
    idle.ends().await;
    busy.send("hello").await;
    let answer = busy.answer().await.unwrap();
    assert_eq!((answer.status, &*answer.body), (200, "hello"));
    assert!(answer.token().is_some());
    busy.ends().await;
    timeout(SOON, house.served).await.expect("an end").unwrap();
}

#[tokio::test]
async fn when_the_drain_ends_what_is_left_is_dropped() {
    let house = House::start().await;
    let mut peer = house.visit().await;
    peer.send(&head("GET /stalls", "")).await;
    house.trigger.drain();
    house.trigger.end();
    timeout(SOON, house.served).await.expect("an end").unwrap();
    peer.ends().await;
}
