//! What is asked of Google's services, and what their answers mean.

use crate::https::{Answer, Https};
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use mcbn_gcp_answer::{Corrupt, Failure, Said, SecretBytes, checksum, refusal};
use mcbn_launcher::Token;
use mcbn_manifest::{Endpoint, KeyName, ProviderName, SecretVersionName};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt::Display;
use zeroize::Zeroizing;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// What opens services for a few minutes, as a header.
pub(crate) struct AccessToken(HeaderValue);

/// Exchanges an attestation token ([RFC 8693 §2](https://www.rfc-editor.org/rfc/rfc8693#section-2)).
pub(crate) async fn exchange(
    https: &Https,
    sts: &Endpoint,
    provider: &ProviderName,
    token: &Token,
) -> Result<AccessToken, Failure> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair(
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        )
        .append_pair(
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        )
        .append_pair("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")
        .append_pair("audience", &provider.audience())
        .append_pair("scope", SCOPE)
        .append_pair("subject_token", token.as_str())
        .finish();
    let request = request(Method::POST, "/v1/token")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = https.ask(sts, whole(request, form.into_bytes())).await?;
    if answer.status != StatusCode::OK {
        return Err(not_exchanged(&answer));
    }
    let granted: Granted<'_> = parsed(&answer)?;
    let bearer = Zeroizing::new(format!("Bearer {}", granted.access_token));
    let header = HeaderValue::from_str(&bearer);
    let mut header = header.map_err(|_| Failure::Corrupt(Corrupt::Form))?;
    header.set_sensitive(true);
    Ok(AccessToken(header))
}

#[derive(Deserialize)]
struct Granted<'a> {
    #[serde(borrow)]
    access_token: Cow<'a, str>,
}

fn not_exchanged(answer: &Answer) -> Failure {
    let status = answer.status.as_u16();
    let said = refusal::of_exchange(&answer.body);
    let said = said.unwrap_or_else(|| Said::new(format!("HTTP status {status}").as_bytes()));
    match status {
        408 | 429 | 500.. => Failure::NoToken(said),
        _ => Failure::TokenRefused(said),
    }
}

/// Reads a secret of Secret Manager.
pub(crate) async fn secret(
    https: &Https,
    endpoint: &Endpoint,
    access: AccessToken,
    name: &SecretVersionName,
) -> Result<SecretBytes, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Accessed<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
        #[serde(borrow)]
        payload: Payload<'a>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Payload<'a> {
        #[serde(borrow)]
        data: Cow<'a, str>,
        #[serde(borrow)]
        data_crc32c: Option<Cow<'a, str>>,
    }
    let request = request(Method::GET, format_args!("/v1/{name}:access"));
    let request = request.header(AUTHORIZATION, access.0);
    let answer = answered(https.ask(endpoint, whole(request, Vec::new())).await?)?;
    let accessed: Accessed<'_> = parsed(&answer)?;
    let payload = accessed.payload;
    let secret = decoded(&payload.data, payload.data_crc32c.as_deref())?;
    match name.is_answered_as(&accessed.name) {
        true => Ok(secret),
        false => Err(Failure::Corrupt(Corrupt::Name)),
    }
}

/// Decrypts with a symmetric key of Cloud KMS what it encrypted together with this additional authenticated data.
pub(crate) async fn decrypt(
    https: &Https,
    endpoint: &Endpoint,
    access: AccessToken,
    name: &KeyName,
    ciphertext: &[u8],
    additional_data: &[u8],
) -> Result<SecretBytes, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Sealed {
        ciphertext: String,
        ciphertext_crc32c: String,
        additional_authenticated_data: String,
        additional_authenticated_data_crc32c: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Opened<'a> {
        #[serde(borrow)]
        plaintext: Cow<'a, str>,
        #[serde(borrow)]
        plaintext_crc32c: Option<Cow<'a, str>>,
    }
    let body = Sealed {
        ciphertext: Base64::encode_string(ciphertext),
        ciphertext_crc32c: checksum::of(ciphertext).to_string(),
        additional_authenticated_data: Base64::encode_string(additional_data),
        additional_authenticated_data_crc32c: checksum::of(additional_data).to_string(),
    };
    let body = serde_json::to_vec(&body).expect("four fields of text");
    let request = request(Method::POST, format_args!("/v1/{name}:decrypt"))
        .header(AUTHORIZATION, access.0)
        .header(CONTENT_TYPE, "application/json");
    let answer = answered(https.ask(endpoint, whole(request, body)).await?)?;
    let opened: Opened<'_> = parsed(&answer)?;
    decoded(&opened.plaintext, opened.plaintext_crc32c.as_deref())
}

fn request(method: Method, path: impl Display) -> hyper::http::request::Builder {
    Request::builder().method(method).uri(path.to_string())
}

fn whole(request: hyper::http::request::Builder, body: Vec<u8>) -> Request<Full<Bytes>> {
    let request = request.body(Full::new(body.into()));
    request.expect("a path of a name, and headers of text")
}

/// An answer of a service that has done what it was asked to.
fn answered(answer: Answer) -> Result<Answer, Failure> {
    match answer.status {
        StatusCode::OK => Ok(answer),
        status => Err(refusal::of_service(status.as_u16(), &answer.body)),
    }
}

fn parsed<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, Failure> {
    serde_json::from_slice(&answer.body).map_err(|_| Failure::Corrupt(Corrupt::Form))
}

/// Bytes in base64, with their checksum: a number of 64 bits is a text in JSON.
fn decoded(text: &str, crc: Option<&str>) -> Result<SecretBytes, Failure> {
    let bytes = Base64::decode_vec(text).map_err(|_| Failure::Corrupt(Corrupt::Form))?;
    let bytes = Zeroizing::new(bytes);
    let crc = crc.and_then(|crc| crc.parse().ok());
    checksum::check(&bytes, crc)?;
    Ok(SecretBytes::of(bytes))
}

#[cfg(test)]
mod tests;
