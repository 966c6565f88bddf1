//! What those who refuse say of it in JSON. An answer may hold more than that, and even a token: only the fields that say
//! what is wrong are read out of it.

use crate::{Failure, Said};
use serde::Deserialize;
use std::borrow::Cow;

/// Of the security token service ([RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)). None where the
/// answer is in another form.
pub fn of_exchange(body: &[u8]) -> Option<Said> {
    #[derive(Deserialize)]
    struct Refusal<'a> {
        #[serde(borrow)]
        error: Cow<'a, str>,
        #[serde(borrow, default)]
        error_description: Option<Cow<'a, str>>,
    }
    let refusal: Refusal<'_> = serde_json::from_slice(body).ok()?;
    let error = said(&refusal.error)?;
    let more = refusal.error_description.as_deref().and_then(said);
    Some(match more {
        Some(more) => Said::new(format!("{error}: {more}").as_bytes()),
        None => error,
    })
}

/// Of a service ([its form](https://google.aip.dev/193)). An answer in another form is of something on the way.
pub fn of_service(status: u16, body: &[u8]) -> Failure {
    #[derive(Deserialize)]
    struct Refusal<'a> {
        #[serde(borrow)]
        error: Status<'a>,
    }
    #[derive(Deserialize)]
    struct Status<'a> {
        #[serde(borrow)]
        status: Cow<'a, str>,
        #[serde(borrow, default)]
        message: Option<Cow<'a, str>>,
    }
    match serde_json::from_slice(body) {
        Ok(Refusal { error }) if !error.status.is_empty() => {
            let message = error.message.unwrap_or_default();
            Failure::of_code(&error.status, Said::new(message.as_bytes()))
        }
        _ => Failure::of_http(status),
    }
}

/// None where there are no words in it.
fn said(text: &str) -> Option<Said> {
    let said = Said::new(text.as_bytes());
    (!said.is_empty()).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(body: &str) -> Option<String> {
        of_exchange(body.as_bytes()).map(|said| said.to_string())
    }

    #[test]
    fn the_token_service_is_heard() {
        assert_eq!(
            exchange(
                r#"{"error":"invalid_grant","error_description":"it is \"late\"","error_uri":"x"}"#
            )
            .as_deref(),
            Some(r#"invalid_grant: it is "late""#)
        );
    }

    #[test]
    fn the_token_service_need_not_describe_it() {
        for body in [
            r#"{"error":"invalid_grant"}"#,
            r#"{"error":"invalid_grant","error_description":null}"#,
            r#"{"error":"invalid_grant","error_description":""}"#,
            r#"{"error":"invalid_grant","error_description":" \n"}"#,
        ] {
            assert_eq!(exchange(body).as_deref(), Some("invalid_grant"), "{body}");
        }
    }

    #[test]
    fn what_is_no_refusal_of_an_exchange_is_not_repeated() {
        for body in [
            "",
            "eyJh",
            "<html>eyJh</html>",
            r#"{"error":"invalid_grant""#,
            r#"{"error":{"nested":"eyJh"},"token":"eyJh"}"#,
            r#"{"error":" ","error_description":"eyJh"}"#,
            r#"{"error_description":"eyJh"}"#,
            r#""eyJh""#,
        ] {
            assert_eq!(exchange(body), None, "{body}");
        }
        assert_eq!(of_exchange(b"{\"error\":\"\xff\"}"), None);
    }

    #[test]
    fn the_token_service_cannot_fill_or_forge_a_log() {
        let long = "x".repeat(5000);
        for (error, more) in [("a", &*long), (&*long, "b"), (&*long, &*long)] {
            let body = format!(r#"{{"error":"{error}","error_description":"{more}"}}"#);
            let shown = exchange(&body).unwrap();
            assert_eq!(shown.chars().count(), 300, "{shown}");
        }
        assert_eq!(
            exchange(r#"{"error":"no\r\nforged","error_description":"line\u001b \n"}"#).as_deref(),
            Some("no forged: line")
        );
    }

    #[test]
    fn a_service_is_heard() {
        let body = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","message":"not\nyou","details":[]}}"#;
        assert_eq!(
            of_service(500, body.as_bytes()),
            Failure::Denied(Said::new(b"not you"))
        );
    }

    #[test]
    fn a_service_that_says_no_more_is_heard_by_its_code() {
        for more in ["", r#","message":null"#, r#","message":"""#] {
            let body = format!(r#"{{"error":{{"status":"NOT_FOUND"{more}}}}}"#);
            assert_eq!(
                of_service(404, body.as_bytes()).to_string(),
                "not found: NOT_FOUND",
                "{more}"
            );
        }
    }

    #[test]
    fn what_is_no_refusal_of_a_service_is_of_something_on_the_way() {
        for body in [
            "",
            "<html>eyJh</html>",
            r#"{"error":"eyJh"}"#,
            r#"{"error":{"message":"eyJh"}}"#,
            r#"{"error":{"status":403,"message":"eyJh"}}"#,
            r#"{"error":{"status":"","message":"eyJh"}}"#,
        ] {
            assert_eq!(
                of_service(503, body.as_bytes()).to_string(),
                "the service cannot be reached: HTTP status 503",
                "{body}"
            );
        }
    }

    #[test]
    fn a_service_cannot_fill_a_log() {
        let long = "x".repeat(5000);
        let body = format!(r#"{{"error":{{"status":"{long}","message":"{long}"}}}}"#);
        assert_eq!(
            of_service(400, body.as_bytes()),
            Failure::Away(Said::new(long.as_bytes()))
        );
    }
}
