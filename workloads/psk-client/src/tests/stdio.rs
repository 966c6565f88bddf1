use crate::testing::{Error, Servers, client_of, rest_of};
use mcbn_endpoint::client::stdio::stdio;
use tokio::io::{AsyncWriteExt, duplex};

#[tokio::test]
async fn it_passes_each_end_on() {
    let mut servers = Servers::start().await;
    let server = client_of(&[&servers.address()], &[]).await.client;
    let (mut outer, mut local) = duplex(4096);
    let talk = async {
        let mut far = servers.accept().await.unwrap();
        outer.write_all(b"question").await.unwrap();
        outer.shutdown().await.unwrap();
        assert_eq!(rest_of(&mut far).await.unwrap(), "question");
        far.write_all(b"answer").await.unwrap();
        far.shutdown().await.unwrap();
        assert_eq!(rest_of(&mut outer).await.unwrap(), "answer");
    };
    let (outcome, ()) = tokio::join!(stdio(&server, &mut local), talk);
    outcome.unwrap();
}

#[tokio::test]
async fn a_server_that_breaks_off_is_an_error() {
    let mut servers = Servers::start().await;
    let server = client_of(&[&servers.address()], &[]).await.client;
    let (_outer, mut local) = duplex(4096);
    let cut = async { drop(servers.accept().await.unwrap()) };
    let (outcome, ()) = tokio::join!(stdio(&server, &mut local), cut);
    assert!(matches!(outcome, Err(Error::Broken(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_connection_on_which_nothing_moves_is_an_error() {
    let mut servers = Servers::start().await;
    let server = client_of(&[&servers.address()], &["--idle-timeout=200ms"])
        .await
        .client;
    let (_outer, mut local) = duplex(4096);
    let (outcome, far) = tokio::join!(stdio(&server, &mut local), servers.accept());
    assert!(matches!(outcome, Err(Error::Idle)), "{outcome:?}");
    drop(far);
}
