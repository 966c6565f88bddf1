//! One request, one connection.

use crate::error::{Error, Malformed, Said};
use crate::request::Request;
use crate::token::Token;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// The token service at one socket.
#[derive(Clone, Debug)]
pub struct Launcher {
    socket: PathBuf,
    deadline: Duration,
}

const TOKEN: &str = "/v1/token";

impl Launcher {
    /// Nothing is opened yet. Each token takes at most `deadline`.
    pub fn at(socket: impl Into<PathBuf>, deadline: Duration) -> Launcher {
        Launcher {
            socket: socket.into(),
            deadline,
        }
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// A token for this audience, with these nonces.
    pub async fn custom_token(&self, request: &Request) -> Result<Token, Error> {
        let body = serde_json::to_vec(request).expect("three fields of text");
        self.token(Method::POST, body.into()).await
    }

    /// The launcher's own token, whose audience is Google's security token service.
    pub async fn default_token(&self) -> Result<Token, Error> {
        self.token(Method::GET, Bytes::new()).await
    }

    async fn token(&self, method: Method, body: Bytes) -> Result<Token, Error> {
        timeout(self.deadline, self.exchange(method, body))
            .await
            .map_err(|_| Error::Slow)?
    }

    async fn exchange(&self, method: Method, body: Bytes) -> Result<Token, Error> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(Error::Absent)?;
        let (mut requests, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(Error::Broken)?;
        let mut request = hyper::Request::new(Full::new(body));
        *request.uri_mut() = TOKEN.parse().expect("a path");
        let headers = request.headers_mut();
        // There is no host behind a Unix socket; HTTP/1.1 asks for the name of one.
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        if method == Method::POST {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        *request.method_mut() = method;

        let answer = async {
            let answer = requests.send_request(request);
            judge(answer.await.map_err(Error::Broken)?).await
        };
        let mut answer = std::pin::pin!(answer);
        tokio::select! {
            outcome = answer.as_mut() => return outcome,
            // It ends first where the service closes at once; what came before is still to be read.
            _ = connection => {}
        }
        answer.await
    }
}

async fn judge(answer: Response<Incoming>) -> Result<Token, Error> {
    let status = answer.status();
    let body = match Limited::new(answer.into_body(), Token::LONGEST)
        .collect()
        .await
    {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(Error::Malformed(Malformed::TooLong));
        }
        Err(error) => {
            let error = error.downcast().expect("the other errors are the body's");
            return Err(Error::Broken(*error));
        }
    };
    match status {
        StatusCode::OK => Token::parse(&body).map_err(Error::Malformed),
        status if status.is_client_error() => Err(Error::Refused(Said::new(&body))),
        status => Err(Error::Failed(status, Said::new(&body))),
    }
}
