//! A token service that refuses what the launcher's refuses, and misbehaves when told to.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use mcbn_launcher::Launcher;
use serde::Deserialize;
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than anything here takes, so that a test that goes wrong ends.
pub const LONG: Duration = Duration::from_secs(20);

pub const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln";

#[derive(Clone, Copy)]
pub enum Answer {
    AsTheRealOne,
    /// This status and this text, whatever is asked.
    Status(u16, &'static str),
    /// A token without an end.
    Endless,
    /// Half of what the length announces.
    Cut,
    /// The end of the connection in place of an answer.
    Nothing,
    /// The request is read, and that is all.
    Never,
}

pub struct Service {
    folder: TempDir,
    asked: mpsc::UnboundedReceiver<(String, String)>,
    connections: mpsc::UnboundedReceiver<()>,
}

impl Service {
    pub async fn start(answer: Answer) -> Service {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("teeserver.sock")).unwrap();
        let (tell, asked) = mpsc::unbounded_channel();
        let (open, connections) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tell, open) = (tell.clone(), open.clone());
                tokio::spawn(async move {
                    serve(stream, answer, tell).await;
                    let _ = open.send(());
                });
            }
        });
        Service {
            folder,
            asked,
            connections,
        }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("teeserver.sock")
    }

    pub fn launcher(&self) -> Launcher {
        Launcher::at(self.socket(), LONG)
    }

    /// Method and path, and body, of the next request that was understood.
    pub async fn asked(&mut self) -> (String, String) {
        self.asked.recv().await.unwrap()
    }
}

/// Until the client has closed its connection.
pub async fn wait_until_gone(mut service: Service) {
    timeout(LONG, service.connections.recv())
        .await
        .unwrap()
        .unwrap();
}

async fn serve(
    mut stream: UnixStream,
    answer: Answer,
    tell: mpsc::UnboundedSender<(String, String)>,
) {
    let raw = match answer {
        Answer::AsTheRealOne | Answer::Status(..) => {
            let answer = async |request| Ok::<_, Infallible>(judge(request, answer, &tell).await);
            let service = service_fn(answer);
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
            return;
        }
        Answer::Endless => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        Answer::Cut => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nAA.AA.AA",
        Answer::Nothing | Answer::Never => "",
    };
    let mut head = [0; 4096];
    let _ = stream.read(&mut head).await;
    let _ = stream.write_all(raw.as_bytes()).await;
    match answer {
        Answer::Endless => while stream.write_all(b"4\r\nAAAA\r\n").await.is_ok() {},
        Answer::Never => while stream.read(&mut head).await.is_ok_and(|n| n > 0) {},
        _ => {}
    }
}

/// As the launcher reads it: whatever else stands in the body is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Custom {
    audience: String,
    nonces: Vec<String>,
    token_type: String,
}

async fn judge(
    request: Request<Incoming>,
    answer: Answer,
    tell: &mpsc::UnboundedSender<(String, String)>,
) -> Response<Full<Bytes>> {
    let line = format!("{} {}", request.method(), request.uri());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let is_good = match line.as_str() {
        "GET /v1/token" => text.is_empty(),
        "POST /v1/token" => serde_json::from_slice::<Custom>(&body).is_ok_and(|custom| {
            (1..=512).contains(&custom.audience.len())
                && (1..=6).contains(&custom.nonces.len())
                && custom.nonces.iter().all(|n| (10..=74).contains(&n.len()))
                && ["OIDC", "PKI"].contains(&custom.token_type.as_str())
        }),
        _ => false,
    };
    let (status, said) = match answer {
        Answer::Status(status, said) => (status, said),
        _ if is_good => (200, TOKEN),
        _ => (400, "failed to parse the request"),
    };
    tell.send((line, text)).unwrap();
    let mut response = Response::new(Full::new(Bytes::from(said)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}
