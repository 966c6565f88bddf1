//! A server that answers whatever the test says, with tokens that a genuine machine gave for something else.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use mcbn_attested::server::{Acceptor, Caller};
use mcbn_attested::{Identity, TOKEN};
use mcbn_binding::{Challenge, answer_nonces, audience};
use mcbn_manifest::Address;
use mcbn_tests_support::confidential_space::TokenRequest;
use tokio::net::TcpListener;

use crate::{PURPOSE, Scene, named};

/// What it answers with.
pub struct Said {
    pub tokens: Vec<String>,
    pub body: Vec<u8>,
}

impl Said {
    pub fn with(token: String, body: &[u8]) -> Self {
        Self {
            tokens: vec![token],
            body: body.to_vec(),
        }
    }
}

/// Lets alice in, and answers each of her requests so.
pub async fn start<F>(scene: &Arc<Scene>, say: F) -> Address
where
    F: Fn(&Scene, &Caller, &Challenge) -> Said + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let identity = Identity::ephemeral().expect("random numbers");
    let acceptor = Acceptor::new(identity, [scene.alice.identity().pin()]).expect("a key");
    let scene = Arc::clone(scene);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                return;
            };
            let Ok((stream, caller)) = acceptor.accept(stream).await else {
                continue;
            };
            let service = service_fn(async |request: Request<Incoming>| {
                let challenge = request.headers()[mcbn_attested::CHALLENGE].to_str();
                let challenge = challenge.ok().and_then(|text| text.parse().ok());
                let said = say(&scene, &caller, &challenge.expect("a challenge"));
                let mut response = Response::new(Full::new(Bytes::from(said.body)));
                for token in said.tokens {
                    let token = token.parse().expect("a token is printable");
                    response.headers_mut().append(TOKEN, token);
                }
                Ok::<_, Infallible>(response)
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // One client at a time.
            let _ = connection.await;
        }
    });
    named(address)
}

/// What a genuine server would be asked to vouch for: each part can be exchanged before the token is made.
pub struct Vouched {
    pub audience: String,
    pub nonces: Vec<String>,
}

impl Vouched {
    pub fn of(scene: &Scene, caller: &Caller, challenge: &Challenge, answer: &[u8]) -> Self {
        let manifest = scene.manifest.digest();
        let nonces = answer_nonces(challenge, caller.exporter(), &manifest, answer);
        Self {
            audience: audience(PURPOSE, caller.pin()),
            nonces: nonces.into(),
        }
    }

    pub fn token(self, scene: &Scene) -> String {
        let request = TokenRequest::oidc(&self.audience, self.nonces);
        scene.machine.token(&request).expect("within the limits")
    }
}
