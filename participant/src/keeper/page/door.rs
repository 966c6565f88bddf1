//! What is looked at before any request is answered, and what every answer carries.

use super::routes::Site;
use super::view::{self, Refusal};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Form, Router, middleware};
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

use super::access::Session;

/// For a whole request and its answer, from its head on.
const REQUEST: Duration = Duration::from_secs(20);

/// Bytes of the largest form.
pub const FORM: usize = 4096;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Puts the door before everything that the router answers.
pub fn before(router: Router, site: Arc<Site>) -> Router {
    router
        .layer(middleware::from_fn_with_state(site, guard))
        .layer(middleware::from_fn(hurry))
        .layer(middleware::map_response(seal))
}

async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    match look_at(&request, site.address) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn look_at(request: &Request, address: SocketAddr) -> Result<(), Refusal> {
    let headers = request.headers();
    // A name that leads here is somebody else's: a site that rebinds its name would be taken for us by a browser.
    let named = only(headers, &HOST) == Some(host(address).as_str());
    if !named || request.uri().authority().is_some() {
        return Err(Refusal::Misdirected(address));
    }
    let site = match headers.contains_key(&SEC_FETCH_SITE) {
        true => only(headers, &SEC_FETCH_SITE).or(Some("?")),
        false => None,
    };
    match *request.method() {
        // `none`: the address was typed or taken from outside the browser.
        Method::GET | Method::HEAD => match site {
            None | Some("none" | "same-origin") => Ok(()),
            Some(_) => Err(Refusal::Foreign),
        },
        _ => {
            let own = format!("http://{}", host(address));
            let same = only(headers, &ORIGIN) == Some(own.as_str());
            match site {
                None | Some("same-origin") if same => Ok(()),
                _ => Err(Refusal::Foreign),
            }
        }
    }
}

/// As browsers write it: without the port that HTTP has anyway.
fn host(address: SocketAddr) -> String {
    let text = address.to_string();
    match text.strip_suffix(":80") {
        Some(short) if address.port() == 80 => short.into(),
        _ => text,
    }
}

fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(one), None) => one.to_str().ok(),
        _ => None,
    }
}

const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";

async fn seal(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: a form would then come from the origin `null`.
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn hurry(request: Request, next: Next) -> Response {
    match timeout(REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

impl FromRequestParts<Arc<Site>> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        site: &Arc<Site>,
    ) -> Result<Session, Refusal> {
        let cookies = parts.headers.get_all(COOKIE).iter();
        let cookies = cookies.filter_map(|header| header.to_str().ok());
        let session = site.access.session(cookies, (site.clock)());
        session.ok_or(Refusal::Closed)
    }
}

/// The fields of a form that a page of this session drew.
#[derive(Debug)]
pub struct Sent(Vec<(String, String)>);

impl FromRequest<Arc<Site>> for Sent {
    type Rejection = Refusal;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Sent, Refusal> {
        let (mut parts, body) = request.into_parts();
        let session = Session::from_request_parts(&mut parts, site).await?;
        let request = Request::from_parts(parts, body);
        let form = Form::<Vec<(String, String)>>::from_request(request, site).await;
        let Form(fields) = form.map_err(|rejection| Refusal::Form(rejection.status()))?;
        let sent = Sent(fields);
        let key: String = sent.field("key")?;
        match site.access.form(&session, &key) {
            Some(_) => Ok(sent),
            None => Err(Refusal::Foreign),
        }
    }
}

impl Sent {
    /// The one field of the name.
    pub fn field<T: FromStr>(&self, name: &str) -> Result<T, Refusal> {
        let mut found = self.0.iter().filter(|(field, _)| field == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => value
                .parse()
                .map_err(|_| Refusal::Form(StatusCode::BAD_REQUEST)),
            _ => Err(Refusal::Form(StatusCode::BAD_REQUEST)),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Refusal::Misdirected(_) => StatusCode::MISDIRECTED_REQUEST,
            Refusal::Closed | Refusal::Foreign => StatusCode::FORBIDDEN,
            Refusal::NotThere => StatusCode::NOT_FOUND,
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Form(status) => *status,
            Refusal::Stale(..) => StatusCode::CONFLICT,
            Refusal::Ledger(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, view::refusal(&self)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_written_as_browsers_write_it() {
        for (address, name) in [
            ("127.0.0.1:7401", "127.0.0.1:7401"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::1]:80", "[::1]"),
            ("[::1]:7401", "[::1]:7401"),
        ] {
            assert_eq!(host(address.parse().unwrap()), name);
        }
    }
}
