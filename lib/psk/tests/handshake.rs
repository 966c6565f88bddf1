//! Both roles of ours against each other, over loopback TCP.

use mcbn_psk::{Acceptor, Connector, HandshakeError, Protocol, PskStream, Versions};
use mcbn_secret::Psk;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const KEY: [u8; 32] = [7; 32];

type Outcome = Result<PskStream<TcpStream>, HandshakeError>;

fn acceptor(versions: Versions) -> Acceptor {
    Acceptor::new("Client1".parse().unwrap(), Psk::copied_from(&KEY), versions).unwrap()
}

fn connector(identity: &str, key: [u8; 32], versions: Versions) -> Connector {
    Connector::new(identity.parse().unwrap(), Psk::copied_from(&key), versions).unwrap()
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    (near, listener.accept().await.unwrap().0)
}

async fn meet(client: &Connector, server: &Acceptor) -> (Outcome, Outcome) {
    let (near, far) = pair().await;
    tokio::join!(client.connect(near), server.accept(far))
}

#[tokio::test]
async fn tls13_carries_data_both_ways() {
    let (client, server) = meet(
        &connector("Client1", KEY, Versions::Tls13),
        &acceptor(Versions::Tls13),
    )
    .await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    assert_eq!(client.peer().protocol(), Protocol::Tls13);
    assert_eq!(client.peer().cipher_suite(), "TLS_AES_128_GCM_SHA256");
    assert_eq!(client.peer(), server.peer());

    let sent: Vec<u8> = (0..1_000_000u32).map(|i| i as u8).collect();
    let echo = async {
        let mut all = Vec::new();
        server.read_to_end(&mut all).await.unwrap();
        server.write_all(&all).await.unwrap();
        server.shutdown().await.unwrap();
    };
    let ask = async {
        client.write_all(&sent).await.unwrap();
        client.shutdown().await.unwrap();
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        assert!(all == sent, "the echo differs");
    };
    tokio::join!(echo, ask);
}
