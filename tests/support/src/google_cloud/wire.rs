//! The JSON of Google's REST interfaces: errors, checksums, bytes, and what a request may hold.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64ct::{Base64, Encoding};
use serde::de::{DeserializeOwned, Error, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// The longest body that is read. The real limit of what these calls carry is 64 KiB, before its encoding.
const BODY: usize = 1 << 20;

/// An answer that is an error, in the shape of [AIP-193].
///
/// [AIP-193]: https://google.aip.dev/193
#[derive(Debug)]
pub(super) struct Refusal {
    code: StatusCode,
    status: &'static str,
    message: String,
    retry_after: Option<u64>,
}

impl Refusal {
    fn new(code: StatusCode, status: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            status,
            message: message.into(),
            retry_after: None,
        }
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message)
    }

    pub(super) fn precondition(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "FAILED_PRECONDITION", message)
    }

    pub(super) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
    }

    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    pub(super) fn exhausted(retry_after: Option<u64>) -> Self {
        let message = "Quota exceeded for quota metric 'requests' of this service.";
        Self {
            retry_after,
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED", message)
        }
    }

    pub(super) fn unavailable() -> Self {
        let message = "The service is currently unavailable.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message)
    }

    pub(super) fn internal() -> Self {
        let message = "Internal error encountered.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "error": {
                "code": self.code.as_u16(),
                "message": self.message,
                "status": self.status,
                "details": [],
            },
        });
        let mut response = (self.code, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.code == StatusCode::UNAUTHORIZED {
            let realm = HeaderValue::from_static("Bearer realm=\"https://accounts.google.com/\"");
            headers.insert(header::WWW_AUTHENTICATE, realm);
        }
        response
    }
}

/// How enumerations are written: `$alt` says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Enums {
    Names,
    Numbers,
}

impl Enums {
    pub(super) fn write(self, name: &str, number: u32) -> Value {
        match self {
            Self::Names => json!(name),
            Self::Numbers => json!(number),
        }
    }
}

/// The parameters of a request: how enumerations are to be written, and the value of the one that the method knows.
pub(super) fn parameters(
    request: &Request,
    known: &str,
) -> Result<(Enums, Option<String>), Refusal> {
    let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(request.uri())
        .map_err(|error| Refusal::invalid(error.to_string()))?;
    let mut enums = Enums::Names;
    let mut value = None;
    for (name, text) in query.0 {
        match (name.as_str(), text.as_str()) {
            ("$alt" | "alt", "json") => {}
            ("$alt" | "alt", "json;enum-encoding=int") => enums = Enums::Numbers,
            _ if name == known && value.is_none() => value = Some(text),
            _ => {
                let message = format!(
                    "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter."
                );
                return Err(Refusal::invalid(message));
            }
        }
    }
    Ok((enums, value))
}

/// The JSON body of a request.
pub(super) async fn body<T: DeserializeOwned>(request: Request) -> Result<T, Refusal> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let is_json = kind
        .and_then(|kind| kind.to_str().ok())
        .and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim() == "application/json");
    if !is_json {
        return Err(Refusal::invalid("The body's type is not application/json."));
    }
    let bytes = to_bytes(request.into_body(), BODY)
        .await
        .map_err(|error| Refusal::invalid(format!("Cannot read the body: {error}")))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Refusal::invalid(format!("Invalid JSON payload received. {error}")))
}

/// Bytes, which JSON has in Base64.
#[derive(Default)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Base64::decode_vec(&text)
            .map(Self)
            .map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &"padded Base64"))
    }
}

/// A CRC32C as a 64-bit number, which JSON has in a string, or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Checksum(i64);

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match &value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
        .map(Self)
        .ok_or_else(|| D::Error::custom("a checksum is a 64-bit number"))
    }
}

impl Checksum {
    /// Whether there was one to verify. One that is not of these bytes is refused.
    pub(super) fn verify(
        claimed: Option<Self>,
        field: &str,
        bytes: &[u8],
    ) -> Result<bool, Refusal> {
        match claimed {
            None => Ok(false),
            Some(Self(claimed)) if claimed == i64::from(crc32c::crc32c(bytes)) => Ok(true),
            Some(_) => Err(Refusal::invalid(format!(
                "The checksum in field {field} did not match the data in the request."
            ))),
        }
    }
}

/// Bytes as JSON has them.
pub(super) fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Their CRC32C, as JSON has 64-bit numbers; or another one.
pub(super) fn checksum(bytes: &[u8], is_right: bool) -> String {
    let right = crc32c::crc32c(bytes);
    (if is_right { right } else { right ^ 1 }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [RFC 3720 §B.4].
    ///
    /// [RFC 3720 §B.4]: https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4
    #[test]
    fn checksums_are_castagnoli_s() {
        assert_eq!(checksum(&[0; 32], true), 0x8a91_36aa_u32.to_string());
        assert_eq!(checksum(&[0xff; 32], true), 0x62a8_ab43_u32.to_string());
    }
}
