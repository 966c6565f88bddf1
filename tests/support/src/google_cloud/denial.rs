//! Errors in the shape of OAuth 2.0: those of whoever gives access tokens out.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error of [RFC 6749 §5.2], or of [RFC 8693 §2.2.2].
///
/// [RFC 6749 §5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
/// [RFC 8693 §2.2.2]: https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2
pub(super) struct Denial {
    code: StatusCode,
    error: &'static str,
    description: String,
}

impl Denial {
    pub(super) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            code: StatusCode::BAD_REQUEST,
            error,
            description: description.into(),
        }
    }

    /// One of 401: whoever asks is not let in.
    pub(super) fn unauthorised(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            code: StatusCode::UNAUTHORIZED,
            ..Self::new(error, description)
        }
    }

    pub(super) fn request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) fn grant(description: impl Into<String>) -> Self {
        Self::new("invalid_grant", description)
    }
}

impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        (self.code, Json(body)).into_response()
    }
}
