//! Keepers as a manifest names them.

use crate::Stack;
use mcbn_consent::connect::Connect;
use mcbn_manifest::{Asked, Keeper, Member};
use mcbn_pinned::Keepers;
use mcbn_tests_pinned::{self as support, exporter, key, params, pin_of, self_signed, server};
use std::error::Error;
use std::net::SocketAddr;
use tokio::net::TcpListener;

fn member(keeper: Keeper) -> Member {
    Member {
        name: "alice".parse().unwrap(),
        asked: Asked::Keeper(keeper),
        signing_key: None,
    }
}

fn keeper(address: SocketAddr, key: &rcgen::KeyPair) -> Keeper {
    Keeper {
        address: address.to_string().parse().unwrap(),
        pin: pin_of(key),
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
    let keeper = keeper(address, &key);
    let keepers = Keepers::<Stack>::of(&[member(keeper.clone())], None).unwrap();
    let serving = async {
        let (stream, _) = listener.accept().await.unwrap();
        server.accept(stream).await.unwrap()
    };
    let (channel, theirs) = tokio::join!(keepers.connect(&keeper), serving);
    assert_eq!(channel.unwrap().exporter.0, exporter(theirs.get_ref().1));
}

#[tokio::test]
async fn a_stranger_in_the_keepers_place_is_told_from_nobody() {
    let (key, other) = (key(), support::key());
    let server = server(vec![self_signed(params(), &other)], &other);
    let (listener, address) = listener().await;
    let keeper = keeper(address, &key);
    let keepers = Keepers::<Stack>::of(&[member(keeper.clone())], None).unwrap();
    let serving = async {
        let (stream, _) = listener.accept().await.unwrap();
        server.accept(stream).await.unwrap_err();
    };
    let (channel, ()) = tokio::join!(keepers.connect(&keeper), serving);
    let error = channel.unwrap_err();
    assert_eq!(error.reason, "wrong_key");
    assert_eq!(
        error.source().unwrap().to_string(),
        format!("{address}: the server has another key than the pinned one")
    );

    drop(listener);
    let error = keepers.connect(&keeper).await.unwrap_err();
    assert_eq!(error.reason, "unreachable");
}

#[test]
fn names_need_a_resolver_and_addresses_do_not() {
    let key = key();
    let at = |address: &str| {
        let pin = pin_of(&key);
        let address = address.parse().unwrap();
        [member(Keeper { address, pin })]
    };
    for address in ["127.0.0.1:7400", "[2001:db8::1]:7400"] {
        Keepers::<Stack>::of(&at(address), None).unwrap();
    }
    for name in ["alice.example:1", "a-1.b-2.example:65535", "localhost:7400"] {
        Keepers::<Stack>::of(&at(name), Some("127.0.0.1:53".parse().unwrap())).unwrap();
    }
}
