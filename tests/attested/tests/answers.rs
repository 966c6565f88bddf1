//! Answers that are given out.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::sleep;
use std::time::Duration;

use mcbn_attested::client::Failure;
use mcbn_launcher::TokenType;
use mcbn_tests_attested::{Person, Scene, WORKLOAD, client, manifest, profile, read, say};
use mcbn_tests_support::confidential_space::Health;
use rcgen::PKCS_ED25519;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

#[tokio::test]
async fn an_answer_is_given_out_with_what_vouches_for_it() {
    let scene = Scene::new();
    let served = scene.serve().await;
    let answer = scene.ask(&served).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.body(), "hello");
    let accepted = answer.accepted();
    assert_eq!(accepted.workload().as_str(), WORKLOAD);
    let machine = profile(WORKLOAD);
    assert_eq!(accepted.image().to_string(), machine.image.digest);
    assert_eq!(accepted.instance(), machine.instance.self_link());
    assert_eq!(answer.token().split('.').count(), 3);
}

#[tokio::test]
async fn each_request_of_a_connection_has_its_own_token() {
    let scene = Scene::new();
    let served = scene.serve().await;
    let mut connection = scene.client().connect(&served.address).await.unwrap();
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let answer = read(&mut connection, "/greeting").await.unwrap();
        assert_eq!(answer.body(), "good day");
        tokens.push(answer.token().to_owned());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 3);
    assert_eq!(scene.machine.requests(), 3);
}

#[tokio::test]
async fn an_answer_that_says_no_is_vouched_for_too() {
    let scene = Scene::new();
    let served = scene.serve().await;
    let mut connection = scene.client().connect(&served.address).await.unwrap();
    let answer = read(&mut connection, "/nowhere").await.unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.body(), "");
    // It is an answer, and ends nothing.
    assert_eq!(say(&mut connection, "hello").await.unwrap().body(), "hello");
}

#[tokio::test]
async fn a_participant_may_have_an_ed25519_key() {
    let mut scene = Scene::new();
    scene.alice = Person::with(&PKCS_ED25519);
    let served = scene.serve().await;
    assert_eq!(scene.ask(&served).await.unwrap().body(), "hello");
}

#[tokio::test]
async fn a_pki_token_vouches_as_well() {
    let mut scene = Scene::new();
    scene.manifest = manifest("pki");
    let served = scene
        .serve_with(|vouching| vouching.token_type = TokenType::Pki)
        .await;
    let mut demands = scene.demands();
    demands.verifier = scene.pinned();
    let client = client(&scene.alice, demands);
    let mut connection = client.connect(&served.address).await.unwrap();
    assert_eq!(say(&mut connection, "hello").await.unwrap().body(), "hello");
}

#[tokio::test]
async fn a_stream_that_is_there_already_does_as_well() {
    let scene = Scene::new();
    let served = scene.serve().await;
    let stream = TcpStream::connect(served.address.to_string())
        .await
        .unwrap();
    let client = scene.client();
    let connected = client.connect_over(stream, &served.address).await;
    let answer = say(&mut connected.unwrap(), "hello").await.unwrap();
    assert_eq!(answer.body(), "hello");
}

/// An answer is whole before the connection's task takes another request: other threads can see it then.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_again_at_once_is_not_too_early() {
    let scene = Scene::new();
    let served = scene.serve().await;
    let stream = TcpStream::connect(served.address.to_string())
        .await
        .unwrap();
    let client = scene.client();
    let connected = client
        .connect_over(Lingering(stream), &served.address)
        .await;
    let mut connection = connected.unwrap();
    for _ in 0..3 {
        let answer = say(&mut connection, "hello").await.unwrap();
        assert_eq!(answer.body(), "hello");
    }
}

/// Holds its task for a while when there is nothing to read.
struct Lingering(TcpStream);

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.0).poll_read(cx, buf);
        if read.is_pending() {
            sleep(Duration::from_millis(200));
        }
        read
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// They verify with one set of keys, which one of them fetches while the others wait.
#[tokio::test]
async fn many_ask_at_once() {
    const MANY: u64 = 20;
    let scene = Scene::new();
    let served = scene.serve().await;
    let mut demands = scene.demands();
    demands.verifier = scene.discovering();
    let client = Arc::new(client(&scene.alice, demands));
    scene.issuer.set_health(Health::Stalled);
    let asked: Vec<_> = (0..MANY)
        .map(|n| {
            let (client, address) = (Arc::clone(&client), served.address.clone());
            tokio::spawn(async move {
                let mut connection = client.connect(&address).await?;
                let text = n.to_string();
                let answer = say(&mut connection, &text).await?;
                assert_eq!(answer.body(), &text);
                Ok::<_, Failure>(())
            })
        })
        .collect();
    let waiting = tokio::task::spawn_blocking(move || {
        scene.machine.wait_for_requests(MANY);
        scene
            .issuer
            .wait_for_requests(|requests| requests.discovery == 1);
        scene
    });
    let scene = waiting.await.unwrap();
    scene.issuer.set_health(Health::Well);
    for one in asked {
        one.await.unwrap().unwrap();
    }
    assert_eq!(scene.issuer.requests().jwks, 1);
}
