//! One HTTP request.

use std::future::poll_fn;
use std::pin::pin;

use hyper::body::Body;
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use mcbn_tunnel::handshake::Handshake;

use super::settings::Path;
use super::{Client, Error};

/// Sends the request, and writes the answer's body to `out` as it comes.
pub async fn get<H: Handshake>(
    server: &Client<H>,
    path: &Path,
    out: &mut (impl AsyncWrite + Unpin),
) -> Result<(), Error<H::Error>> {
    let stream = server.connect().await.map_err(Error::Unreachable)?;
    let (mut requests, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(Error::Http)?;

    let mut request = Request::new(String::new());
    *request.uri_mut() = path.uri();
    let headers = request.headers_mut();
    // The key says who is meant; the name is only what HTTP/1.1 asks for.
    headers.insert(HOST, HeaderValue::from_static("mcbn"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));

    let exchange = async {
        let response = timeout(server.timeouts.idle, requests.send_request(request))
            .await
            .map_err(|_| Error::Idle)?
            .map_err(Error::Http)?;
        write_body(server, response, out).await
    };
    let mut connection = pin!(connection);
    let mut exchange = pin!(exchange);
    tokio::select! {
        outcome = exchange.as_mut() => return outcome,
        closed = connection.as_mut() => closed.map_err(Error::Http)?,
    }
    // The server has closed; what it had sent before is still to be written.
    exchange.await
}

async fn write_body<H: Handshake>(
    server: &Client<H>,
    response: Response<hyper::body::Incoming>,
    out: &mut (impl AsyncWrite + Unpin),
) -> Result<(), Error<H::Error>> {
    let status = response.status();
    let mut body = pin!(response.into_body());
    loop {
        let frame = timeout(
            server.timeouts.idle,
            poll_fn(|cx| body.as_mut().poll_frame(cx)),
        )
        .await
        .map_err(|_| Error::Idle)?;
        let Some(frame) = frame else { break };
        if let Ok(data) = frame.map_err(Error::Http)?.into_data() {
            out.write_all(&data).await.map_err(Error::Stdio)?;
        }
    }
    out.flush().await.map_err(Error::Stdio)?;
    match status.is_success() {
        true => Ok(()),
        false => Err(Error::Status(status)),
    }
}
