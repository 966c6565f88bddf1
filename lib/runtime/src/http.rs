//! Answers HTTP/1.1 on one connection, with a deadline for each step and no more memory than one request head.
//!
//! For the admin port and for programs that answer HTTP themselves. Requests with a body are refused: nothing here
//! reads one.

use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Display};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

pub use hyper::{Method, StatusCode};

pub type Request = hyper::Request<Incoming>;
pub type Response = hyper::Response<String>;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the whole of a request's head, and so also for the pause between two requests.
    pub head: Duration,
    /// For the connection, however many requests it carries.
    pub connection: Duration,
}

/// A head larger than this is refused with 431. hyper takes no less.
const HEAD_BYTES: usize = 8192;
const HEADERS: usize = 64;

/// Answers requests until the peer leaves, a deadline passes or `stop` resolves: then the request that is being answered
/// is the last one, and a connection that waits for a request is closed.
///
/// # Errors
///
/// The peer's faults only; there is nothing to do about them but to count them.
pub async fn serve<I>(
    io: I,
    limits: Limits,
    stop: impl Future<Output = ()>,
    answer: impl Fn(&Request) -> Response,
) -> Result<(), Ended>
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request: Request| {
        let response = match request.body().is_end_stream() {
            true => answer(&request),
            false => closing(text(
                StatusCode::PAYLOAD_TOO_LARGE,
                "no request here has a body\n",
            )),
        };
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        // `printf 'GET / …' | client` closes its sending side at once and still wants the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(io), service);
    let mut connection = std::pin::pin!(connection);

    let to_its_end = async {
        tokio::select! {
            result = connection.as_mut() => return result,
            () = stop => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    };
    match tokio::time::timeout(limits.connection, to_its_end).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Ended::Protocol(error)),
        Err(_) => Err(Ended::Deadline),
    }
}

/// A plain text answer.
pub fn text(status: StatusCode, body: impl Into<String>) -> Response {
    with_type(status, "text/plain; charset=utf-8", body)
}

/// An answer of another media type.
pub fn with_type(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<String>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static(media_type);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// `GET` and `HEAD` are read as one; `None` answers are 404, and other methods 405.
pub fn route(request: &Request, find: impl FnOnce(&str) -> Option<Response>) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
        return closing(response);
    }
    find(request.uri().path()).unwrap_or_else(|| text(StatusCode::NOT_FOUND, "not found\n"))
}

/// The connection's state after an unread body is not worth keeping.
fn closing(mut response: Response) -> Response {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// Why a connection ended early.
#[derive(Debug)]
pub enum Ended {
    Deadline,
    Protocol(hyper::Error),
}

impl Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ended::Deadline => "the connection's deadline passed",
            Ended::Protocol(_) => "the peer broke off or does not speak HTTP/1.1",
        })
    }
}

impl Error for Ended {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Ended::Deadline => None,
            Ended::Protocol(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests;
