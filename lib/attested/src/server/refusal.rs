//! What this layer itself answers, in place of a handler.

use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

/// One line a refusal: what it means, its name in Rust and on the wire, its HTTP status.
macro_rules! refusals {
    ($($(#[$doc:meta])* $refusal:ident = $name:literal, $status:ident;)*) => {
        /// Why a request is not answered by its handler. The body is `{"refused":"NAME"}`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[$doc])* $refusal,)*
        }

        impl Refusal {
            fn body(self) -> &'static str {
                match self {
                    $(Refusal::$refusal => concat!(r#"{"refused":""#, $name, r#""}"#),)*
                }
            }

            fn status(self) -> StatusCode {
                match self {
                    $(Refusal::$refusal => StatusCode::$status,)*
                }
            }
        }
    };
}

refusals! {
    /// Not one challenge, of the right form.
    Challenge = "challenge", BAD_REQUEST;
    /// The body did not come whole.
    CutOff = "cut-off", BAD_REQUEST;
    /// The body is larger than any request.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE;
    /// The request did not come whole, or was not handled, in time.
    Slow = "slow", SERVICE_UNAVAILABLE;
    /// There is no token to vouch for an answer.
    Token = "no-token", SERVICE_UNAVAILABLE;
    /// A handler's answer cannot be read.
    Bug = "bug", INTERNAL_SERVER_ERROR;
}

impl Refusal {
    /// Closes the connection: the rest of a request may still be on its way.
    pub fn answer(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from_static(self.body().as_bytes()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_TYPE, "application/json"),
            (CACHE_CONTROL, "no-store"),
            (CONNECTION, "close"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
