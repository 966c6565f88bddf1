//! Requests and answers on one connection.

use super::Client;
use super::answer::AttestedAnswer;
use super::failure::Failure;
use super::judge::Exchange;
use crate::{CHALLENGE, LARGEST_BODY, TOKEN};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::http::uri::PathAndQuery;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use mcbn_binding::{Challenge, Exporter};
use ring::rand::SecureRandom;
use std::fmt::{self, Debug};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A connection on which requests are sent one after the other. The first failure ends it.
pub struct Connection {
    client: Client,
    exporter: Exporter,
    host: HeaderValue,
    open: Option<Open>,
}

struct Open {
    requests: SendRequest<Full<Bytes>>,
    /// Ends when `requests` is dropped.
    driver: JoinHandle<Result<(), hyper::Error>>,
}

/// A whole answer for which nothing vouches yet.
struct Unvouched {
    status: StatusCode,
    token: Option<String>,
    body: Bytes,
}

impl Connection {
    pub(super) async fn over<S>(
        stream: S,
        host: &str,
        exporter: Exporter,
        client: Client,
    ) -> Result<Connection, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (requests, driver) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(Failure::broken)?;
        Ok(Connection {
            client,
            exporter,
            host: HeaderValue::from_str(host).expect("an address is printable ASCII"),
            open: Some(Open {
                requests,
                driver: tokio::spawn(driver),
            }),
        })
    }

    /// Asks, and gives out what a token vouches for. A body is sent as JSON.
    ///
    /// Whoever drops this before its end ends the connection.
    ///
    /// # Errors
    ///
    /// There is no answer, or nothing vouches for it.
    pub async fn request(
        &mut self,
        method: Method,
        path: PathAndQuery,
        body: Vec<u8>,
    ) -> Result<AttestedAnswer, Failure> {
        let mut open = self.open.take().ok_or(Failure::Ended)?;
        let asked = self.ask(&mut open, method, path, body);
        let asked = timeout(self.client.patience, asked).await;
        let answer = asked.unwrap_or(Err(Failure::Slow))?;
        self.open = Some(open);
        Ok(answer)
    }

    async fn ask(
        &self,
        open: &mut Open,
        method: Method,
        path: PathAndQuery,
        body: Vec<u8>,
    ) -> Result<AttestedAnswer, Failure> {
        let challenge = self.challenge()?;
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from(path);
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let text = challenge.to_string();
        let text = HeaderValue::from_str(&text).expect("43 characters of base64url");
        headers.insert(CHALLENGE, text);
        let Unvouched {
            status,
            token,
            body,
        } = open.send(request).await?;
        let token = token.ok_or(Failure::NoToken(status))?;
        let exchange = Exchange {
            challenge: &challenge,
            exporter: &self.exporter,
            body: &body,
        };
        let accepted = self.client.judge.accept(&token, exchange).await?;
        Ok(AttestedAnswer {
            status,
            body,
            token,
            accepted,
        })
    }

    fn challenge(&self) -> Result<Challenge, Failure> {
        let mut bytes = [0; 32];
        let drawn = self.client.random.fill(&mut bytes);
        drawn.map_err(|_| Failure::Random)?;
        Ok(Challenge(bytes))
    }
}

impl Open {
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Unvouched, Failure> {
        match self.answer(request).await {
            Ok(response) => Unvouched::whole(response).await,
            Err(error) => Err(self.why(error).await),
        }
    }

    /// An answer can be whole before the driver, on another thread, takes the next request. hyper refuses it until then.
    async fn answer(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        self.requests.ready().await?;
        self.requests.send_request(request).await
    }

    /// A request that was not even sent knows less than the connection of why it ended.
    async fn why(&mut self, error: hyper::Error) -> Failure {
        match Failure::broken(error) {
            Failure::Broken(error) if error.is_canceled() || error.is_closed() => {
                match (&mut self.driver).await {
                    Ok(Err(cause)) => Failure::broken(cause),
                    Ok(Ok(())) | Err(_) => Failure::Broken(error),
                }
            }
            other => other,
        }
    }
}

impl Unvouched {
    async fn whole(response: Response<Incoming>) -> Result<Unvouched, Failure> {
        let (head, body) = response.into_parts();
        let body = match Limited::new(body, LARGEST_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Failure::TooLarge),
            Err(error) => {
                let error = error.downcast().expect("the other errors are the body's");
                return Err(Failure::broken(*error));
            }
        };
        Ok(Unvouched {
            status: head.status,
            token: only_token(&head.headers),
            body,
        })
    }
}

/// With two of them it would not be clear which one was verified.
fn only_token(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(TOKEN).iter();
    match (all.next(), all.next()) {
        (Some(one), None) => one.to_str().ok().map(str::to_owned),
        _ => None,
    }
}

impl Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("host", &self.host)
            .field("open", &self.open.is_some())
            .finish_non_exhaustive()
    }
}
