//! When the key is gone from memory.

mod support;

use mcbn_psk::Versions;
use support::{IDENTITY, KEY, acceptor, connector, meet};

#[tokio::test]
async fn the_key_goes_with_the_last_that_could_use_it() {
    let (client, server) = (
        connector(IDENTITY, KEY, Versions::Tls13),
        acceptor(Versions::Tls13),
    );
    let (near, far) = meet(&client, &server).await;
    let (near, far) = (near.unwrap(), far.unwrap());
    let witnesses = [client.witness(), server.witness()];
    let is_wiped = || witnesses.each_ref().map(|witness| witness.key_is_wiped());
    let clone = server.clone();
    drop((client, server));
    assert_eq!(is_wiped(), [false, false], "connections are open");
    drop(near);
    assert_eq!(is_wiped(), [true, false]);
    drop(far);
    assert_eq!(is_wiped(), [true, false], "a clone is there");
    drop(clone);
    assert_eq!(is_wiped(), [true, true]);
}

#[tokio::test]
async fn a_key_that_was_never_used_is_wiped_too() {
    let (client, server) = (
        connector(IDENTITY, KEY, Versions::Tls12And13),
        acceptor(Versions::Tls12And13),
    );
    let witnesses = [client.witness(), server.witness()];
    drop((client, server));
    assert!(witnesses.iter().all(|witness| witness.key_is_wiped()));
}
