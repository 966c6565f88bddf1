//! Which request does what. Who asks is known by the key of the connection, and speaks for itself alone.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::response::Response;
use axum::routing::post;
use mcbn_attested::server::Caller;
use mcbn_ceremony::message::path::signing as path;
use mcbn_ceremony::message::{AskAnnounce, AskRequest, AskRequests, AskSubmit};
use mcbn_ceremony_endpoint::answer::{answer, answer_of, asked, not_here, nothing};

use super::ceremony::Ceremony;

pub fn router(ceremony: Arc<Ceremony>) -> Router {
    Router::new()
        .route(path::SESSION, post(session))
        .route(path::ANNOUNCE, post(announce))
        .route(path::SUBMIT, post(submit))
        .route(path::REQUEST, post(request))
        .route(path::REQUESTS, post(requests))
        .fallback(not_here)
        .method_not_allowed_fallback(not_here)
        .with_state(ceremony)
}

type Shared = State<Arc<Ceremony>>;

async fn session(State(ceremony): Shared, body: Bytes) -> Response {
    answer(nothing(&body).map(|()| ceremony.session()))
}

async fn announce(State(ceremony): Shared, caller: Extension<Caller>, body: Bytes) -> Response {
    answer(asked::<AskAnnounce>(&body).and_then(|ask| {
        let index = ceremony.callers().own(&caller, ask.participant)?;
        ceremony.announce(index, ask.subject, &ask.announcement)
    }))
}

async fn submit(State(ceremony): Shared, caller: Extension<Caller>, body: Bytes) -> Response {
    let asked = asked::<AskSubmit>(&body).and_then(|ask| {
        let index = ceremony.callers().own(&caller, ask.participant)?;
        Ok((index, ask))
    });
    match asked {
        Ok((index, ask)) => answer_of(move || ceremony.submit(index, &ask)).await,
        Err(refusal) => answer::<()>(Err(refusal)),
    }
}

async fn request(State(ceremony): Shared, body: Bytes) -> Response {
    answer(asked::<AskRequest>(&body).and_then(|ask| ceremony.request(&ask)))
}

async fn requests(State(ceremony): Shared, body: Bytes) -> Response {
    answer(asked::<AskRequests>(&body).map(|ask| ceremony.requests(&ask)))
}
