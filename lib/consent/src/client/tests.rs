use super::*;
use crate::connect::NoChannel;
use crate::message::{Challenge, Code, LARGEST_BODY, Refusal, write};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::RETRY_AFTER;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use mcbn_manifest::Pin;
use mcbn_share::{Contribution, text};
use std::collections::VecDeque;
use std::io;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

const EXPORTER: Exporter = Exporter([9; 32]);
const MANIFEST: ManifestDigest = ManifestDigest([5; 32]);
const CHALLENGE: Challenge = Challenge([3; 32]);
const LEASE: Lease = Lease([4; 16]);
const TOKEN: &str = "e30.e30.AA";
const SHARE: &str = "LG9j-MD1OlZdsEG5HAqVrdiRP8ECZwWJ2zmCIo2_7ZA";

fn alice() -> mcbn_manifest::Keeper {
    mcbn_manifest::Keeper {
        address: "alice.example:7400".parse().unwrap(),
        pin: Pin([7; 32]),
    }
}

/// A keeper that gives what it is told to, one answer after the other, and remembers what it was asked.
#[derive(Clone, Default)]
struct Keeper(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    answers: VecDeque<(u16, Option<&'static str>, Vec<u8>)>,
    asked: Vec<(String, String)>,
    connections: usize,
}

impl Keeper {
    fn with(answers: impl IntoIterator<Item = (u16, Vec<u8>)>) -> Keeper {
        let keeper = Keeper::default();
        let answers = answers
            .into_iter()
            .map(|(status, body)| (status, None, body));
        keeper.0.lock().unwrap().answers.extend(answers);
        keeper
    }

    fn asked(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().asked.clone()
    }

    async fn answer(&self, request: hyper::Request<Incoming>) -> Response<Full<Bytes>> {
        assert_eq!(request.method(), "POST");
        assert_eq!(request.headers()["host"], "alice.example:7400");
        assert_eq!(request.headers()["content-type"], "application/json");
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let mut state = self.0.lock().unwrap();
        state
            .asked
            .push((path, String::from_utf8(body.to_vec()).unwrap()));
        let (status, retry_after, body) = state.answers.pop_front().expect("no more questions");
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(after) = retry_after {
            response
                .headers_mut()
                .insert(RETRY_AFTER, after.parse().unwrap());
        }
        response
    }
}

impl Connect for Keeper {
    type Stream = DuplexStream;

    async fn connect(
        &self,
        keeper: &mcbn_manifest::Keeper,
    ) -> Result<Channel<DuplexStream>, NoChannel> {
        assert_eq!(keeper, &alice());
        self.0.lock().unwrap().connections += 1;
        let (stream, far) = duplex(4096);
        let keeper = self.clone();
        tokio::spawn(async move {
            let answer = async |request| Ok::<_, io::Error>(keeper.answer(request).await);
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(far), service_fn(answer));
            let _ = connection.await;
        });
        Ok(Channel {
            stream,
            exporter: EXPORTER,
        })
    }
}

/// A token service that gives one token for everything, and remembers the requests.
#[derive(Clone, Default)]
struct Service(Arc<Mutex<Vec<String>>>);

impl Tokens for Service {
    async fn token(&self, request: &Request) -> Result<Token, mcbn_launcher::Error> {
        let request = serde_json::to_string(request).unwrap();
        self.0.lock().unwrap().push(request);
        Ok(Token::parse(TOKEN.as_bytes()).unwrap())
    }
}

fn client<C, T>(connect: C, tokens: T) -> Client<C, T> {
    Client {
        connect,
        tokens,
        token_type: TokenType::Pki,
        manifest: MANIFEST,
    }
}

fn challenged() -> (u16, Vec<u8>) {
    let challenge = CHALLENGE;
    (200, write(&Challenged { challenge }))
}

fn released() -> (u16, Vec<u8>) {
    let body = format!(r#"{{"share":"{SHARE}","lease":"{LEASE}","seconds":300}}"#);
    (200, body.into_bytes())
}

fn refusal(refused: Code, reasons: &[&str]) -> (u16, Vec<u8>) {
    let reasons = reasons.iter().map(|reason| reason.parse().unwrap());
    let reasons = reasons.collect();
    (refused.status(), write(&Refusal { refused, reasons }))
}

async fn release(
    answers: impl IntoIterator<Item = (u16, Vec<u8>)>,
) -> Result<Granted<Lease>, Failure> {
    let client = client(Keeper::with(answers), Service::default());
    client.release(&alice()).await
}

#[tokio::test]
async fn a_share_is_released_for_a_token_that_answers_the_challenge() {
    let (keeper, service) = (Keeper::with([challenged(), released()]), Service::default());
    let client = client(keeper.clone(), service.clone());
    let granted = client.release(&alice()).await.unwrap();
    let share = text::share(SHARE.as_bytes()).unwrap();
    assert_eq!(granted.share, Contribution::Share(share));
    assert_eq!(granted.lease, LEASE);
    assert_eq!(granted.length, Duration::from_secs(300));

    let manifest = "05".repeat(32);
    assert_eq!(
        keeper.asked(),
        [
            (
                "/v1/challenge".into(),
                format!(r#"{{"manifest":"{manifest}"}}"#)
            ),
            ("/v1/release".into(), format!(r#"{{"token":"{TOKEN}"}}"#)),
        ]
    );
    assert_eq!(keeper.0.lock().unwrap().connections, 1);
    let [challenge, binding, digest] = nonces(&CHALLENGE, &EXPORTER, &MANIFEST);
    assert_eq!(
        *service.0.lock().unwrap(),
        [format!(
            r#"{{"audience":"mcbn/v1/release/{}","nonces":["{challenge}","{binding}","{digest}"],"token_type":"PKI"}}"#,
            Pin([7; 32])
        )]
    );
}

#[tokio::test]
async fn a_lease_is_renewed_on_a_connection_of_its_own() {
    let seconds = NonZeroU32::new(120).unwrap();
    let renewed = (200, write(&Renewed { seconds }));
    let keeper = Keeper::with([challenged(), released(), challenged(), renewed]);
    let client = client(keeper.clone(), Service::default());
    client.release(&alice()).await.unwrap();
    let length = client.renew(&alice(), &LEASE).await.unwrap();
    assert_eq!(length, Duration::from_secs(120));
    assert_eq!(keeper.0.lock().unwrap().connections, 2);
    let last = keeper.asked().pop().unwrap();
    let body = format!(r#"{{"token":"{TOKEN}","lease":"{LEASE}"}}"#);
    assert_eq!(last, ("/v1/renew".into(), body));
}

#[tokio::test]
async fn every_refusal_is_understood() {
    for code in Code::ALL {
        let failure = release([challenged(), refusal(*code, &["image-digest", "debug"])]).await;
        let failure = failure.unwrap_err();
        assert_eq!(failure.code(), Some(*code));
        assert_eq!(failure.reason(), code.as_str());
        let shown = failure.to_string();
        assert!(shown.ends_with(" (image-digest, debug)"), "{shown}");
    }
    let failure = release([challenged(), refusal(Code::Withdrawn, &[])]).await;
    assert_eq!(failure.unwrap_err().to_string(), "consent was withdrawn");
}

#[tokio::test]
async fn a_keeper_of_another_manifest_is_asked_no_further() {
    let (keeper, service) = (
        Keeper::with([refusal(Code::Manifest, &[])]),
        Service::default(),
    );
    let client = client(keeper.clone(), service.clone());
    let failure = client.release(&alice()).await.unwrap_err();
    assert_eq!(failure.code(), Some(Code::Manifest));
    assert_eq!(keeper.asked().len(), 1);
    assert!(service.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn when_to_ask_again_is_heard() {
    for (said, heard) in [
        (Some("7"), Some(Duration::from_secs(7))),
        (Some("Sun, 22 Nov 2026 19:00:00 GMT"), None),
        (Some("-1"), None),
        (None, None),
    ] {
        let keeper = Keeper::with([challenged()]);
        let (status, body) = refusal(Code::Busy, &[]);
        keeper
            .0
            .lock()
            .unwrap()
            .answers
            .push_back((status, said, body));
        let failure = client(keeper, Service::default()).release(&alice()).await;
        let Err(Failure::Refused { retry_after, .. }) = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(retry_after, heard, "{said:?}");
    }
}

#[tokio::test]
async fn what_is_not_of_the_protocol_is_refused() {
    let large = vec![b' '; LARGEST_BODY + 1];
    let other = (200, br#"{"seconds":300}"#.to_vec());
    for answers in [
        vec![(200, Vec::new())],
        vec![(200, b"[]".to_vec())],
        vec![(200, large.clone())],
        vec![(502, b"<html>bad gateway</html>".to_vec())],
        vec![released()],
        vec![challenged(), other],
        vec![challenged(), challenged()],
        vec![challenged(), (200, large)],
        vec![
            challenged(),
            (403, br#"{"refused":"perhaps","reasons":[]}"#.to_vec()),
        ],
        // A grant under another status is none.
        vec![challenged(), (201, released().1)],
    ] {
        let failure = release(answers).await.unwrap_err();
        assert!(matches!(failure, Failure::Malformed(_)), "{failure:?}");
    }
}

/// Says something and closes.
struct Raw(&'static str);

impl Connect for Raw {
    type Stream = DuplexStream;

    async fn connect(&self, _: &mcbn_manifest::Keeper) -> Result<Channel<DuplexStream>, NoChannel> {
        let (stream, mut far) = duplex(4096);
        far.write_all(self.0.as_bytes()).await.unwrap();
        far.shutdown().await.unwrap();
        Ok(Channel {
            stream,
            exporter: EXPORTER,
        })
    }
}

#[tokio::test]
async fn a_keeper_that_breaks_off_is_told_apart() {
    for said in [
        "",
        "not http\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    ] {
        let client = client(Raw(said), Service::default());
        let failure = client.release(&alice()).await.unwrap_err();
        assert!(
            matches!(failure, Failure::Broken(_)),
            "{said:?}: {failure:?}"
        );
    }
}

struct Nowhere;

impl Connect for Nowhere {
    type Stream = DuplexStream;

    async fn connect(&self, _: &mcbn_manifest::Keeper) -> Result<Channel<DuplexStream>, NoChannel> {
        Err(NoChannel {
            reason: "refused",
            source: io::Error::from(io::ErrorKind::ConnectionRefused).into(),
        })
    }
}

#[tokio::test]
async fn a_keeper_out_of_reach_is_told_apart() {
    let client = client(Nowhere, Service::default());
    let failure = client.renew(&alice(), &LEASE).await.unwrap_err();
    assert!(matches!(failure, Failure::Channel(_)));
    assert_eq!(failure.reason(), "refused");
    assert_eq!(failure.code(), None);
    let source = std::error::Error::source(&failure).unwrap();
    assert_eq!(source.to_string(), "connection refused");
}

struct NoTokens;

impl Tokens for NoTokens {
    async fn token(&self, _: &Request) -> Result<Token, mcbn_launcher::Error> {
        Err(mcbn_launcher::Error::Slow)
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_asked() {
    let keeper = Keeper::with([challenged()]);
    let client = client(keeper.clone(), NoTokens);
    let failure = client.release(&alice()).await.unwrap_err();
    assert!(matches!(failure, Failure::Token(_)));
    assert_eq!(failure.to_string(), "the token service took too long");
    assert_eq!(keeper.asked().len(), 1);
}
