//! From a request to an answer with a token.

use super::caller::Caller;
use super::challenge;
use super::limits::Limits;
use super::refusal::Refusal;
use crate::{LARGEST_BODY, TOKEN};
use axum::Router;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};
use hyper::header::HeaderValue;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::service::TowerToHyperService;
use mcbn_binding::{Challenge, Purpose, answer_nonces, audience};
use mcbn_launcher::{Request as TokenRequest, TokenType, Tokens};
use mcbn_share::ManifestDigest;
use tokio::time::timeout;

/// Puts a token beside whatever the handlers answer.
///
/// A handler has the whole body of its request, and the [`Caller`] as an extension. It is dropped when its time has
/// passed: what must happen whole does not wait in it.
pub struct Vouching<T> {
    pub router: Router,
    pub tokens: T,
    pub token_type: TokenType,
    pub purpose: Purpose,
    pub manifest: ManifestDigest,
}

/// The errors of a body that a client sends.
type BodyError = Box<dyn std::error::Error + Send + Sync>;

impl<T: Tokens> Vouching<T> {
    pub(super) async fn answer<B>(
        &self,
        caller: &Caller,
        request: Request<B>,
        limits: &Limits,
    ) -> Response<Full<Bytes>>
    where
        B: Body<Error: Into<BodyError>>,
    {
        let Some(challenge) = challenge::of(request.headers()) else {
            return Refusal::Challenge.answer().map(Full::new);
        };
        let handled = self.handled(caller, request, limits.body);
        let handled = timeout(limits.request, handled).await;
        let answer = handled.unwrap_or(Err(Refusal::Slow));
        let answer = answer.unwrap_or_else(Refusal::answer);
        let vouched = self.vouched(caller, &challenge, answer);
        let vouched = timeout(limits.request, vouched).await;
        vouched
            .unwrap_or(Err(NoToken::Slow))
            .unwrap_or_else(NoToken::answer)
            .map(Full::new)
    }

    async fn handled<B>(
        &self,
        caller: &Caller,
        request: Request<B>,
        largest: usize,
    ) -> Result<Response<Bytes>, Refusal>
    where
        B: Body<Error: Into<BodyError>>,
    {
        let (head, body) = request.into_parts();
        if body.size_hint().lower() > largest as u64 {
            return Err(Refusal::TooLarge);
        }
        let body = match Limited::new(body, largest).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Refusal::TooLarge),
            Err(_) => return Err(Refusal::CutOff),
        };
        let mut request = Request::from_parts(head, Full::new(body));
        request.extensions_mut().insert(caller.clone());
        let router = TowerToHyperService::new(self.router.clone());
        let Ok(response) = router.call(request).await;
        let (head, body) = response.into_parts();
        // What is larger, no client reads.
        match axum::body::to_bytes(body, LARGEST_BODY).await {
            Ok(body) => Ok(Response::from_parts(head, body)),
            Err(error) => {
                tracing::error!(%error, "a handler's answer cannot be read");
                Err(Refusal::Bug)
            }
        }
    }

    /// The answer with its token; without one, nothing of it.
    async fn vouched(
        &self,
        caller: &Caller,
        challenge: &Challenge,
        mut answer: Response<Bytes>,
    ) -> Result<Response<Bytes>, NoToken> {
        let nonces = answer_nonces(challenge, caller.exporter(), &self.manifest, answer.body());
        let nonces = nonces.map(|nonce| nonce.parse().expect("43 characters of base64url"));
        let audience = audience(self.purpose, caller.pin()).parse();
        let audience = audience.expect("a short text before 43 characters of base64url");
        let request = TokenRequest::new(audience, nonces, self.token_type).expect("four nonces");
        let token = self.tokens.token(&request).await.map_err(NoToken::Error)?;
        let token = HeaderValue::from_str(token.as_str()).expect("base64url and full stops");
        answer.headers_mut().insert(TOKEN, token);
        Ok(answer)
    }
}

/// Nothing vouches for an answer. The platform is at fault.
enum NoToken {
    Error(mcbn_launcher::Error),
    Slow,
}

impl NoToken {
    fn answer(self) -> Response<Bytes> {
        match self {
            NoToken::Error(error) => tracing::warn!(reason = error.reason(), %error, "no token"),
            NoToken::Slow => tracing::warn!(reason = "deadline", "no token"),
        }
        Refusal::Token.answer()
    }
}
