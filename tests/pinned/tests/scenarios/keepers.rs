//! Keepers as a manifest names them.

use crate::Stack;
use mcbn_consent::connect::Connect;
use mcbn_manifest::Member;
use mcbn_pinned::Keepers;
use mcbn_tests_pinned::{self as support, exporter, key, params, pin_of, self_signed, server};
use std::error::Error;
use std::net::SocketAddr;
use tokio::net::TcpListener;

fn member(keeper: SocketAddr, key: &rcgen::KeyPair) -> Member {
    Member {
        name: "alice".parse().unwrap(),
        keeper: keeper.to_string().parse().unwrap(),
        pin: pin_of(key),
        signing_key: None,
    }
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[tokio::test]
async fn a_channel_to_a_keeper_has_the_exporter_that_the_keeper_sees() {
    let key = key();
    let server = server(vec![self_signed(params(), &key)], &key);
    let (listener, address) = listener().await;
    let member = member(address, &key);
    let keepers = Keepers::<Stack>::of(std::slice::from_ref(&member), None).unwrap();
    let serving = async {
        let (stream, _) = listener.accept().await.unwrap();
        server.accept(stream).await.unwrap()
    };
    let (channel, theirs) = tokio::join!(keepers.connect(&member), serving);
    assert_eq!(channel.unwrap().exporter.0, exporter(theirs.get_ref().1));
}

#[tokio::test]
async fn a_stranger_in_the_keepers_place_is_told_from_nobody() {
    let (key, other) = (key(), support::key());
    let server = server(vec![self_signed(params(), &other)], &other);
    let (listener, address) = listener().await;
    let member = member(address, &key);
    let keepers = Keepers::<Stack>::of(std::slice::from_ref(&member), None).unwrap();
    let serving = async {
        let (stream, _) = listener.accept().await.unwrap();
        server.accept(stream).await.unwrap_err();
    };
    let (channel, ()) = tokio::join!(keepers.connect(&member), serving);
    let error = channel.unwrap_err();
    assert_eq!(error.reason, "wrong_key");
    assert_eq!(
        error.source().unwrap().to_string(),
        format!("{address}: the server has another key than the pinned one")
    );

    drop(listener);
    let error = keepers.connect(&member).await.unwrap_err();
    assert_eq!(error.reason, "unreachable");
}

#[test]
fn names_need_a_resolver_and_addresses_do_not() {
    let key = key();
    let mut members = vec![member("127.0.0.1:7400".parse().unwrap(), &key)];
    Keepers::<Stack>::of(&members, None).unwrap();
    members[0].keeper = "[2001:db8::1]:7400".parse().unwrap();
    Keepers::<Stack>::of(&members, None).unwrap();
    for name in ["alice.example:1", "a-1.b-2.example:65535", "localhost:7400"] {
        members[0].keeper = name.parse().unwrap();
        Keepers::<Stack>::of(&members, Some("127.0.0.1:53".parse().unwrap())).unwrap();
    }
}
