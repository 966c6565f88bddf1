//! Requests and answers on one connection.

use super::Failure;
use crate::message::{LARGEST_BODY, NotAMessage, Refusal, read};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::{Zeroize, Zeroizing};

/// A connection on which requests are sent one after the other.
pub(super) struct Exchange {
    requests: SendRequest<Full<Bytes>>,
    host: HeaderValue,
}

/// A whole answer.
pub(super) struct Answer {
    status: StatusCode,
    retry_after: Option<Duration>,
    /// As they came: in the memory of the connection, which is given back when it is closed.
    pieces: Vec<Bytes>,
}

/// Runs `talk` on a connection, and closes it.
pub(super) async fn on<S, T>(
    stream: S,
    host: &str,
    talk: impl AsyncFnOnce(&mut Exchange) -> Result<T, Failure>,
) -> Result<T, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (requests, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(Failure::Broken)?;
    let host = HeaderValue::from_str(host).expect("an address is printable ASCII");
    let mut exchange = Exchange { requests, host };
    let mut talk = pin!(talk(&mut exchange));
    tokio::select! {
        outcome = talk.as_mut() => return outcome,
        // The keeper has closed; what it had sent before is still to be read.
        _ = connection => {}
    }
    talk.await
}

impl Exchange {
    pub(super) async fn post(
        &mut self,
        path: &'static str,
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let mut request = hyper::Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = hyper::Uri::from_static(path);
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = self.requests.send_request(request).await;
        Answer::whole(answer.map_err(Failure::Broken)?).await
    }
}

impl Answer {
    async fn whole(response: Response<Incoming>) -> Result<Answer, Failure> {
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(seconds);
        let mut body = pin!(response.into_body());
        let mut pieces = Vec::new();
        let mut length = 0;
        while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            if let Ok(piece) = frame.map_err(Failure::Broken)?.into_data() {
                length += piece.len();
                if length > LARGEST_BODY {
                    return Err(Failure::Malformed(NotAMessage));
                }
                pieces.push(piece);
            }
        }
        Ok(Answer {
            status,
            retry_after,
            pieces,
        })
    }

    /// The body, if it grants what was asked for.
    pub(super) fn granted(self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut body = Zeroizing::new(Vec::with_capacity(self.pieces.iter().map(Bytes::len).sum()));
        for piece in self.pieces {
            body.extend_from_slice(&piece);
            wipe(piece);
        }
        if self.status == StatusCode::OK {
            return Ok(body);
        }
        let refusal: Refusal = read(&body).map_err(Failure::Malformed)?;
        Err(Failure::Refused {
            refusal,
            retry_after: self.retry_after,
        })
    }
}

/// `Retry-After` in seconds; the other form, a date, would need a clock that both sides agree on.
fn seconds(value: &HeaderValue) -> Option<Duration> {
    let seconds: u32 = value.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds.into()))
}

/// A share may stand in it. False when something else still holds the memory.
fn wipe(piece: Bytes) -> bool {
    match piece.try_into_mut() {
        Ok(mut piece) => {
            piece.zeroize();
            true
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::sync::oneshot;
    use tokio::task::yield_now;
    use tokio::time::timeout;

    #[tokio::test]
    async fn nothing_holds_an_answer_once_its_connection_is_closed() {
        let (stream, mut far) = duplex(4096);
        tokio::spawn(async move {
            assert_ne!(far.read(&mut [0; 4096]).await.unwrap(), 0);
            for piece in ["HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nfour", "four"] {
                far.write_all(piece.as_bytes()).await.unwrap();
                yield_now().await;
            }
        });
        let post = async |exchange: &mut Exchange| exchange.post("/", Vec::new()).await;
        let answer = on(stream, "keeper", post).await.unwrap();
        assert!(!answer.pieces.is_empty());
        for piece in answer.pieces {
            assert!(wipe(piece), "a copy of it stays in memory");
        }
    }

    async fn pause() {
        for _ in 0..8 {
            yield_now().await;
        }
    }

    /// Between the challenge and the proof, for one.
    #[tokio::test(start_paused = true)]
    async fn a_keeper_who_closes_between_two_requests_is_not_waited_for() {
        let (stream, mut far) = duplex(4096);
        let (leave, left) = oneshot::channel();
        tokio::spawn(async move {
            assert_ne!(far.read(&mut [0; 4096]).await.unwrap(), 0);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            far.write_all(answer).await.unwrap();
            left.await.unwrap();
        });
        let twice = async |exchange: &mut Exchange| {
            exchange.post("/", Vec::new()).await?;
            // The connection waits for more, and then sees that it is closed.
            pause().await;
            leave.send(()).unwrap();
            pause().await;
            exchange.post("/", Vec::new()).await
        };
        let talk = timeout(Duration::from_secs(1), on(stream, "keeper", twice)).await;
        let refused = talk.expect("it ends at once").err();
        assert!(matches!(refused, Some(Failure::Broken(_))), "{refused:?}");
    }
}
