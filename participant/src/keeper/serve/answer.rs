//! Answers as HTTP has them.

use super::refusals::Refusing;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use mcbn_consent::message::{self, Refusal};

pub type Answer = Response<Full<Bytes>>;

pub fn refuse(refusing: Refusing) -> Answer {
    let Refusing {
        code,
        reasons,
        retry,
        ..
    } = refusing;
    let body = message::write(&Refusal {
        refused: code,
        reasons,
    });
    let status = StatusCode::from_u16(code.status()).expect("a code's status is one");
    let mut response = closing(response(status, body.into()));
    if let Some(wait) = retry {
        // Whole seconds, and not too early.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

pub fn response(status: StatusCode, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Each connection is bound to one token.
pub fn closing(mut response: Answer) -> Answer {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}
