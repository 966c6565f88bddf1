//! Which request does what. Who asks is known by the key of the connection, and speaks for itself alone.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use mcbn_attested::server::Caller;
use mcbn_ceremony::message::path::generation as path;
use mcbn_ceremony::message::{
    Announcement, AskApprove, AskConfirm, AskShare, Code, Refusal, read, write,
};
use mcbn_threshold::Index;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::ceremony::Ceremony;

pub fn router(ceremony: Arc<Ceremony>) -> Router {
    Router::new()
        .route(path::ANNOUNCEMENT, post(announcement))
        .route(path::STANDING, post(standing))
        .route(path::APPROVE, post(approve))
        .route(path::SHARE, post(share))
        .route(path::CONFIRM, post(confirm))
        .route(path::RECEIPT, post(receipt))
        .fallback(|| async { answer::<()>(Err(Code::Request.into())) })
        .method_not_allowed_fallback(|| async { answer::<()>(Err(Code::Request.into())) })
        .with_state(ceremony)
}

type Shared = State<Arc<Ceremony>>;

async fn announcement(State(ceremony): Shared, body: Bytes) -> Response {
    answer(nothing(&body).map(|()| Announcement::of(ceremony.announced())))
}

async fn standing(State(ceremony): Shared, body: Bytes) -> Response {
    answer(nothing(&body).map(|()| ceremony.standing()))
}

async fn approve(State(ceremony): Shared, caller: Extension<Caller>, body: Bytes) -> Response {
    let asked = asked::<AskApprove>(&body).and_then(|ask| {
        let index = own(&ceremony, &caller, ask.participant)?;
        Ok((index, ask))
    });
    let (index, ask) = match asked {
        Ok(asked) => asked,
        Err(refusal) => return answer::<()>(Err(refusal)),
    };
    // The last approval makes the key, which takes its time for a large group; and it is done though nobody waits for it.
    let approved =
        spawn_blocking(move || ceremony.approve(index, ask.encryption_key, ask.approval));
    answer(approved.await.unwrap_or(Err(Code::Unavailable.into())))
}

async fn share(State(ceremony): Shared, caller: Extension<Caller>, body: Bytes) -> Response {
    answer(asked::<AskShare>(&body).and_then(|ask| {
        let index = own(&ceremony, &caller, ask.participant)?;
        ceremony.share(index)
    }))
}

async fn confirm(State(ceremony): Shared, caller: Extension<Caller>, body: Bytes) -> Response {
    answer(asked::<AskConfirm>(&body).and_then(|ask| {
        let index = own(&ceremony, &caller, ask.participant)?;
        ceremony.confirm(index, ask.confirmation)
    }))
}

async fn receipt(State(ceremony): Shared, caller: Extension<Caller>, body: Bytes) -> Response {
    answer(nothing(&body).and_then(|()| {
        let index = ceremony.caller(caller.pin());
        ceremony.receipt(index.ok_or(Code::Approval)?)
    }))
}

fn asked<'a, M: Deserialize<'a>>(body: &'a [u8]) -> Result<M, Refusal> {
    read(body).map_err(|_| Code::Request.into())
}

/// A request that asks with nothing has no body.
fn nothing(body: &[u8]) -> Result<(), Refusal> {
    match body.is_empty() {
        true => Ok(()),
        false => Err(Code::Request.into()),
    }
}

/// Nobody speaks for another.
fn own(ceremony: &Ceremony, caller: &Caller, claimed: Index) -> Result<Index, Refusal> {
    match ceremony.caller(caller.pin()) {
        Some(index) if index == claimed => Ok(index),
        _ => Err(Refusal {
            refused: Code::Approval,
            participant: Some(claimed),
        }),
    }
}

fn answer<M: Serialize>(outcome: Result<M, Refusal>) -> Response {
    let (status, body) = match outcome {
        Ok(message) => (StatusCode::OK, write(&message)),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.refused.status());
            (status.expect("each code has a status"), write(&refusal))
        }
    };
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}
