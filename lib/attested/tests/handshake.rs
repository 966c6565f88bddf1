//! Who is let in.

mod support;

use rustls::AlertDescription;
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[tokio::test]
async fn a_participant_is_let_in_and_known_by_the_key() {
    let house = House::start().await;
    let answer = house.visit().await.challenge("GET /who", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, pin(&house.participant).to_string());
}

/// The refusal arrives even where a request is on its way already.
async fn refused(house: &House, config: rustls::ClientConfig) -> AlertDescription {
    let mut peer = Peer::connect(house.address, config).await.unwrap();
    peer.send(&head("POST /echo", "content-length: 2000\r\n"))
        .await;
    peer.send(&"x".repeat(2000)).await;
    let alert = peer.alert().await;
    assert_eq!(house.handled(), 0);
    alert
}

#[tokio::test]
async fn a_strangers_key_is_refused() {
    let house = House::start().await;
    let stranger = key();
    let alert = refused(&house, config(credentials(&stranger, &stranger))).await;
    assert_eq!(alert, AlertDescription::AccessDenied);
}

/// What a client has sent meanwhile would reset a connection that is just closed, and the alert could be lost with it.
#[tokio::test]
async fn a_refusal_is_heard_by_who_goes_on_sending() {
    let house = House::start().await;
    let stranger = key();
    let config = config(credentials(&stranger, &stranger));
    let mut peer = Peer::connect(house.address, config).await.unwrap();
    assert_eq!(peer.alert().await, AlertDescription::AccessDenied);
    let (plain, _) = peer.stream.get_mut();
    for _ in 0..3 {
        plain.write_all(&[0; 1000]).await.unwrap();
    }
    assert_eq!(plain.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let house = House::start().await;
    let alert = refused(&house, anonymous()).await;
    assert_eq!(alert, AlertDescription::CertificateRequired);
}

#[tokio::test]
async fn a_copied_certificate_is_refused() {
    let house = House::start().await;
    let alert = refused(&house, config(credentials(&house.participant, &key()))).await;
    assert_eq!(alert, AlertDescription::DecryptError);
}

#[tokio::test]
async fn a_second_certificate_is_refused() {
    let house = House::start().await;
    let mut shown = credentials(&house.participant, &house.participant);
    shown.cert.push(certificate(&key()));
    let alert = refused(&house, config(shown)).await;
    assert_eq!(alert, AlertDescription::BadCertificate);
}

#[tokio::test]
async fn tls_1_2_is_refused() {
    let house = House::start().await;
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    // A ClientHello of TLS 1.2 with ECDHE suites, and without supported_versions.
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0]);
    let mut extensions = vec![0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0];
    extensions.extend([0, 13, 0, 6, 0, 4, 4, 3, 8, 4]);
    hello.extend((extensions.len() as u16).to_be_bytes());
    hello.extend(extensions);
    let mut record = vec![22, 3, 1];
    record.extend((hello.len() as u16 + 4).to_be_bytes());
    record.extend([1, 0]);
    record.extend((hello.len() as u16).to_be_bytes());
    record.extend(hello);
    stream.write_all(&record).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(SOON, stream.read_to_end(&mut answer));
    read.await.expect("an end").unwrap();
    // A fatal alert: protocol_version.
    assert_eq!(answer, [21, 3, 3, 0, 2, 2, 70]);
}

#[tokio::test]
async fn another_application_protocol_is_refused() {
    let house = House::start().await;
    let mut config = config(credentials(&house.participant, &house.participant));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let refused = Peer::connect(house.address, config).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn no_connection_is_carried_over_into_another() {
    let house = House::start().await;
    // Two connections with one memory for tickets.
    let config = config(credentials(&house.participant, &house.participant));
    let mut exporters = Vec::new();
    for _ in 0..2 {
        let mut peer = Peer::connect(house.address, config.clone()).await.unwrap();
        // Tickets would come before the answer.
        assert_eq!(peer.challenge("GET /who", "").await.status, 200);
        let kind = peer.stream.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(rustls::HandshakeKind::Full));
        exporters.push(peer.exporter);
    }
    assert_ne!(exporters[0], exporters[1]);
}
