//! What the page answers.

use super::About;
use super::access::{Access, ENTER, Session};
use super::books;
use super::clerk::{Checked, Clerk};
use super::door::{self, Sent};
use super::order::Order;
use super::view::{self, Frame, Refusal, ledger::Chain, style};
use crate::keeper::ledger::Fault;
use crate::keeper::ledger::instance::InstanceId;
use crate::keeper::ledger::writer::Clock;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ring::rand::SystemRandom;
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;

/// Everything that answers a request.
pub struct Site {
    pub about: About,
    pub access: Access,
    pub address: SocketAddr,
    pub clerk: Arc<Clerk>,
    pub clock: Clock,
}

type Answer = Result<Response, Refusal>;
type Here = State<Arc<Site>>;

pub fn router(site: Site) -> Router {
    let site = Arc::new(site);
    let base = site.access.base();
    let at = |path: &str| format!("{base}{path}");
    let routes = Router::new()
        .route("/", get(closed))
        .route(view::STYLE, get(stylesheet))
        .route(ENTER, get(enter))
        .route(base, get(overview))
        .route(&at("/ledger"), get(ledger))
        .route(&at("/ledger/{seq}"), get(entry))
        .route(&at("/check"), get(check))
        .route(&at("/withdraw"), get(ask_to_withdraw).post(withdraw))
        .route(&at("/restore"), get(ask_to_restore).post(restore))
        .route(&at("/approve"), post(approve))
        .route(&at("/deny"), post(deny))
        .route(&at("/revoke"), post(revoke))
        .fallback(async || Refusal::NotThere)
        .method_not_allowed_fallback(async || Refusal::Method)
        .layer(DefaultBodyLimit::max(door::FORM))
        .with_state(Arc::clone(&site));
    door::before(routes, site)
}

async fn closed() -> Refusal {
    Refusal::Closed
}

async fn stylesheet() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], style::SHEET)
}

#[derive(Deserialize)]
struct Entering {
    token: String,
}

/// Exchanges the token for a cookie, and leads to an address that is no secret.
async fn enter(
    State(site): Here,
    entering: Result<Query<Entering>, QueryRejection>,
) -> Result<impl IntoResponse, Refusal> {
    let Query(Entering { token }) = entering.map_err(|_| Refusal::Closed)?;
    let session = site
        .access
        .enter(&token, (site.clock)(), &SystemRandom::new());
    let session = session.ok_or(Refusal::Closed)?;
    let headers = [
        (SET_COOKIE, site.access.expose_cookie(&session)),
        (LOCATION, site.access.base().to_owned()),
    ];
    Ok((StatusCode::SEE_OTHER, headers))
}

#[derive(Deserialize)]
struct After {
    /// What was just said, as the ledger has it.
    entry: Option<u64>,
}

async fn overview(
    State(site): Here,
    session: Session,
    after: Result<Query<After>, QueryRejection>,
) -> Answer {
    let after = after.map_or(None, |Query(after)| after.entry);
    let now = (site.clock)();
    let (overview, said) = site
        .clerk
        .read(move |ledger| {
            let said = match after {
                Some(seq) => books::entered(ledger, seq)?,
                None => None,
            };
            Ok((books::overview(ledger, now)?, said))
        })
        .await?;
    let frame = Frame::new(&site, &session);
    let said = said.map(|said| said.line);
    Ok(view::overview::page(&frame, &overview, said.as_ref()).into_response())
}

#[derive(Deserialize)]
struct Leafing {
    before: Option<u64>,
    #[serde(default)]
    renewals: Renewals,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Renewals {
    #[default]
    Shown,
    Hidden,
}

/// A ledger up to so many entries is checked whenever it is looked at.
const SHORT: u64 = 5_000;

async fn ledger(
    State(site): Here,
    session: Session,
    leafing: Result<Query<Leafing>, QueryRejection>,
) -> Answer {
    let Query(Leafing { before, renewals }) = leafing.map_err(|_| Refusal::NotThere)?;
    let renewals = matches!(renewals, Renewals::Shown);
    let read = move |ledger: &_| books::leaf(ledger, before, renewals);
    let leaf = site.clerk.read(read).await?;
    let chain = match leaf.head <= SHORT {
        true => Chain::Checked(site.clerk.check().await),
        false => Chain::Long,
    };
    let frame = Frame::new(&site, &session);
    Ok(view::ledger::page(&frame, &leaf, renewals, &chain).into_response())
}

async fn check(State(site): Here, session: Session) -> Answer {
    let checked: Checked = site.clerk.check().await;
    let frame = Frame::new(&site, &session);
    Ok(view::ledger::check(&frame, &checked).into_response())
}

async fn entry(State(site): Here, session: Session, Path(seq): Path<String>) -> Answer {
    let seq: u64 = seq.parse().map_err(|_| Refusal::NotThere)?;
    let found = site.clerk.read(move |ledger| books::entered(ledger, seq));
    let entered = found.await?.ok_or(Refusal::NotThere)?;
    let frame = Frame::new(&site, &session);
    Ok(view::entry::page(&frame, &entered).into_response())
}

async fn ask_to_withdraw(State(site): Here, session: Session) -> Answer {
    let now = (site.clock)();
    let overview = site.clerk.read(move |ledger| books::overview(ledger, now));
    let overview = overview.await?;
    let frame = Frame::new(&site, &session);
    Ok(view::confirm::withdraw(&frame, &overview).into_response())
}

async fn ask_to_restore(State(site): Here, session: Session) -> Answer {
    let now = (site.clock)();
    let overview = site.clerk.read(move |ledger| books::overview(ledger, now));
    let overview = overview.await?;
    let frame = Frame::new(&site, &session);
    Ok(view::confirm::restore(&frame, &overview).into_response())
}

async fn approve(State(site): Here, sent: Sent) -> Answer {
    let instance = sent.field("instance")?;
    let seen = sent.field("seen")?;
    order(&site, Order::Approve { instance, seen }).await
}

async fn deny(State(site): Here, sent: Sent) -> Answer {
    let instance = sent.field("instance")?;
    let seen = sent.field("seen")?;
    order(&site, Order::Deny { instance, seen }).await
}

async fn revoke(State(site): Here, sent: Sent) -> Answer {
    let instance: InstanceId = sent.field("instance")?;
    order(&site, Order::Revoke { instance }).await
}

async fn withdraw(State(site): Here, _: Sent) -> Answer {
    order(&site, Order::Withdraw).await
}

async fn restore(State(site): Here, sent: Sent) -> Answer {
    let seen = sent.field("seen")?;
    order(&site, Order::Restore { seen }).await
}

/// Leads to a page that says what was done, and that can be loaded again.
async fn order(site: &Site, order: Order) -> Answer {
    match site.clerk.order(order, (site.clock)()).await? {
        Ok(seq) => {
            let location = format!("{}?entry={seq}", site.access.base());
            Ok((StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response())
        }
        Err(stale) => Err(Refusal::Stale(
            Box::new(stale),
            site.access.base().to_owned(),
        )),
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        tracing::warn!(%fault, hint = fault.hint(), "the page cannot use the ledger");
        Refusal::Ledger(fault)
    }
}
