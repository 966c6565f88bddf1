//! From the body of a request to that of its answer.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use mcbn_ceremony::message::{Code, Refusal, read, write};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

/// What was granted, or why not.
pub fn answer<M: Serialize>(outcome: Result<M, Refusal>) -> Response {
    let (status, body) = match outcome {
        Ok(message) => (StatusCode::OK, write(&message)),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.refused.status());
            (status.expect("each code has a status"), write(&refusal))
        }
    };
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// The same for what takes its time on a processor. It is done though nobody waits for it any more.
pub async fn answer_of<M: Serialize + Send + 'static>(
    work: impl FnOnce() -> Result<M, Refusal> + Send + 'static,
) -> Response {
    answer(
        spawn_blocking(work)
            .await
            .unwrap_or(Err(Code::Unavailable.into())),
    )
}

/// For all that is not asked here.
pub async fn not_here() -> Response {
    answer::<()>(Err(Code::Request.into()))
}

pub fn asked<'a, M: Deserialize<'a>>(body: &'a [u8]) -> Result<M, Refusal> {
    read(body).map_err(|_| Code::Request.into())
}

/// A request that asks with nothing has no body.
pub fn nothing(body: &[u8]) -> Result<(), Refusal> {
    match body.is_empty() {
        true => Ok(()),
        false => Err(Code::Request.into()),
    }
}
