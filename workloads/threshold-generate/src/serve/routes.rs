//! Which request does what. Who asks is known by the key of the connection, and speaks for itself alone.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::response::Response;
use axum::routing::post;
use mcbn_attested::server::Caller;
use mcbn_ceremony::message::path::generation as path;
use mcbn_ceremony::message::{Announcement, AskApprove, AskConfirm, AskShare};
use mcbn_ceremony_endpoint::answer::{answer, answer_of, asked, not_here, nothing};

use super::ceremony::Ceremony;

pub fn router(ceremony: Arc<Ceremony>) -> Router {
    Router::new()
        .route(path::ANNOUNCEMENT, post(announcement))
        .route(path::STANDING, post(standing))
        .route(path::APPROVE, post(approve))
        .route(path::SHARE, post(share))
        .route(path::CONFIRM, post(confirm))
        .route(path::RECEIPT, post(receipt))
        .fallback(not_here)
        .method_not_allowed_fallback(not_here)
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
        let index = ceremony.callers().own(&caller, ask.participant)?;
        Ok((index, ask))
    });
    match asked {
        // The last approval makes the key, which takes its time for a large group.
        Ok((index, ask)) => {
            answer_of(move || ceremony.approve(index, ask.encryption_key, ask.approval)).await
        }
        Err(refusal) => answer::<()>(Err(refusal)),
    }
}

async fn share(State(ceremony): Shared, caller: Extension<Caller>, body: Bytes) -> Response {
    answer(asked::<AskShare>(&body).and_then(|ask| {
        let index = ceremony.callers().own(&caller, ask.participant)?;
        ceremony.share(index)
    }))
}

async fn confirm(State(ceremony): Shared, caller: Extension<Caller>, body: Bytes) -> Response {
    answer(asked::<AskConfirm>(&body).and_then(|ask| {
        let index = ceremony.callers().own(&caller, ask.participant)?;
        ceremony.confirm(index, ask.confirmation)
    }))
}

async fn receipt(State(ceremony): Shared, caller: Extension<Caller>, body: Bytes) -> Response {
    answer(nothing(&body).and_then(|()| ceremony.receipt(ceremony.callers().index(&caller)?)))
}
