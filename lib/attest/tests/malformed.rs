//! Tokens that are not of the one form that is read, though the issuer signed them.

mod support;

use mcbn_attest::{JsonFault, Part, TokenFault, Unverified};
use serde_json::{Value, json};
use support::*;

#[test]
fn other_than_three_parts_are_refused() {
    let token = KEY.token(&claims());
    let (two, _) = token.rsplit_once('.').unwrap();
    let (one, _) = two.split_once('.').unwrap();
    for text in [
        "",
        one,
        two,
        &format!("{token}.{one}"),
        &format!("{token}."),
    ] {
        assert_eq!(fault(text), TokenFault::Parts, "{text}");
    }
}

#[test]
fn another_spelling_of_base64_is_refused() {
    let token = KEY.token(&claims());
    let parts: Vec<&str> = token.split('.').collect();
    let join =
        |header: &str, claims: &str, signature: &str| format!("{header}.{claims}.{signature}");
    let padded = |part: &str| format!("{part}=");
    for (text, part) in [
        (join(&padded(parts[0]), parts[1], parts[2]), Part::Header),
        (join(parts[0], &padded(parts[1]), parts[2]), Part::Claims),
        (join(parts[0], parts[1], &padded(parts[2])), Part::Signature),
        (
            join(&format!(" {}", parts[0]), parts[1], parts[2]),
            Part::Header,
        ),
        (format!("{token}\n"), Part::Signature),
        (
            join(&format!("{}+", parts[0]), parts[1], parts[2]),
            Part::Header,
        ),
        (join(parts[0], parts[1], "é"), Part::Signature),
    ] {
        assert_eq!(fault(&text), TokenFault::Base64(part), "{text}");
    }
}

/// 256 bytes leave four bits of the last character unused: sixteen texts for one signature, of which one is taken.
#[test]
fn unused_bits_are_refused() {
    let token = KEY.token(&claims());
    let (start, last) = token.split_at(token.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = alphabet.find(last).unwrap();
    let other = &alphabet[value + 1..=value + 1];
    assert_eq!(
        fault(&format!("{start}{other}")),
        TokenFault::Base64(Part::Signature)
    );
}

#[test]
fn a_huge_token_is_refused() {
    let filled = |length: usize| {
        let token = KEY.token(&with(claims(), "/filler", json!("")));
        let filler = "x".repeat((length - token.len()) / 4 * 3);
        KEY.token(&with(claims(), "/filler", json!(filler)))
    };
    let longest = filled(Unverified::MAX_LEN - 8);
    assert!(longest.len() <= Unverified::MAX_LEN && verify(&longest).is_ok());
    let longer = filled(Unverified::MAX_LEN + 8);
    assert_eq!(fault(&longer), TokenFault::TooLong);
    assert_eq!(fault(&"x".repeat(10_000_000)), TokenFault::TooLong);
}

#[test]
fn deeply_nested_json_is_refused() {
    let deep = format!(
        "{{\"a\":{}{}{}",
        "[".repeat(10_000),
        "]".repeat(10_000),
        &claims().to_string().replacen('{', ",", 1)
    );
    let token = KEY.token_of(&KEY.header().to_string(), &deep);
    assert_eq!(
        fault(&token),
        TokenFault::Json(Part::Claims, JsonFault::Depth)
    );
    let header = KEY.header().to_string();
    let header = header.replacen('{', &format!("{{\"a\":{},", "[".repeat(10_000)), 1);
    let token = KEY.token_of(&header, &claims().to_string());
    assert_eq!(
        fault(&token),
        TokenFault::Json(Part::Header, JsonFault::Depth)
    );
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    let claims = claims().to_string();
    for (once, twice) in [
        ("{\"attester_tcb\"", "{\"aud\":\"mine\",\"attester_tcb\""),
        ("\"iss\":", "\"iss\":\"https://evil.example\",\"iss\":"),
        ("\"exp\":", "\"exp\":9999999999,\"exp\":"),
        ("\"submods\":", "\"submods\":{},\"submods\":"),
        (
            "\"image_digest\":",
            "\"image_digest\":\"sha256:00\",\"image_digest\":",
        ),
        ("\"zone\":", "\"zone\":\"x\",\"\\u007aone\":"),
    ] {
        let twice = claims.replacen(once, twice, 1);
        assert_ne!(twice, claims);
        let token = KEY.token_of(&KEY.header().to_string(), &twice);
        let fault = fault(&token);
        assert_eq!(
            fault,
            TokenFault::Json(Part::Claims, JsonFault::Duplicate),
            "{once}"
        );
    }
    for twice in [
        format!(r#"{{"alg":"none","alg":"RS256","kid":"{}"}}"#, KEY.id),
        format!(r#"{{"alg":"RS256","kid":"second","kid":"{}"}}"#, KEY.id),
        format!(
            r#"{{"alg":"RS256","kid":"{}","\u006bid":"{}"}}"#,
            KEY.id, KEY.id
        ),
    ] {
        let fault = fault(&KEY.token_of(&twice, &claims));
        assert_eq!(
            fault,
            TokenFault::Json(Part::Header, JsonFault::Duplicate),
            "{twice}"
        );
    }
}

#[test]
fn what_is_not_an_object_is_refused() {
    for text in ["[]", "null", "\"x\"", "1"] {
        let token = KEY.token_of(text, &claims().to_string());
        assert_eq!(
            fault(&token),
            TokenFault::Json(Part::Header, JsonFault::NotAnObject)
        );
        let token = KEY.token_of(&KEY.header().to_string(), text);
        assert_eq!(
            fault(&token),
            TokenFault::Json(Part::Claims, JsonFault::NotAnObject)
        );
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for text in ["", "{", "{}x", "{\"a\":}", "\u{feff}{}"] {
        let token = KEY.token_of(&KEY.header().to_string(), text);
        assert_eq!(
            fault(&token),
            TokenFault::Json(Part::Claims, JsonFault::Syntax),
            "{text}"
        );
    }
}

#[test]
fn a_missing_claim_is_refused() {
    for claim in ["iss", "aud", "sub", "exp", "iat", "nbf"] {
        let pointer = format!("/{claim}");
        let missing = TokenFault::Missing(claim);
        assert_eq!(fault_of(&without(claims(), &pointer)), missing);
        assert_eq!(fault_of(&with(claims(), &pointer, Value::Null)), missing);
    }
    let nobody = with(claims(), "/aud", json!([]));
    assert_eq!(fault_of(&nobody), TokenFault::Missing("aud"));
}

#[test]
fn a_claim_of_another_type_is_refused() {
    let wrong = |path: &'static str, value: Value| {
        let pointer = format!("/{}", path.replace('.', "/"));
        let claims = with(claims(), &pointer, value.clone());
        assert_eq!(fault_of(&claims), TokenFault::Form(path), "{path}: {value}");
    };
    for path in ["exp", "iat", "nbf"] {
        wrong(path, json!(NOW.to_string()));
        wrong(path, json!(NOW as f64 + 0.5));
        wrong(path, json!(NOW as f64));
        wrong(path, json!(-1));
        wrong(path, json!(true));
    }
    for path in ["iss", "sub", "hwmodel", "swname", "dbgstat", "eat_profile"] {
        wrong(path, json!(1));
        wrong(path, json!(["x"]));
        wrong(path, json!({}));
    }
    for path in ["aud", "eat_nonce", "swversion", "google_service_accounts"] {
        wrong(path, json!(1));
        wrong(path, json!(["x", 1]));
        wrong(path, json!(["x", null]));
        wrong(path, json!({"x": "x"}));
    }
    wrong("secboot", json!("true"));
    wrong("secboot", json!(1));
    wrong("oemid", json!("11129"));
    wrong("tdx", json!("UpToDate"));
    wrong("submods", json!([]));
    wrong("submods.confidential_space", json!("x"));
    wrong("submods.confidential_space.support_attributes", json!({}));
    wrong("submods.confidential_space.monitoring_enabled", json!(true));
    wrong(
        "submods.confidential_space.monitoring_enabled.memory",
        json!("false"),
    );
    wrong("submods.container", json!([]));
    wrong("submods.container.image_digest", json!(["sha256:00"]));
    wrong("submods.container.args", json!("/psk-server"));
    wrong("submods.container.args", json!(["/psk-server", null]));
    wrong("submods.container.cmd_override", json!("--tls12"));
    wrong("submods.container.cmd_override", json!({}));
    wrong("submods.container.env", json!(["PATH=/bin"]));
    wrong("submods.container.env", json!({"PATH": 1}));
    wrong("submods.container.env_override", json!({"PATH": null}));
    wrong("submods.container.image_signatures", json!({}));
    wrong("submods.container.image_signatures", json!(["x"]));
    wrong("submods.gce", json!("x"));
    wrong("submods.gce.project_number", json!(1));
    wrong("submods.gce.zone", json!(false));
    wrong("submods.nvidia_gpu", json!([]));
}

#[test]
fn a_key_id_of_another_type_is_refused() {
    let signatures = json!([{"key_id": 1}]);
    let claims = with(claims(), "/submods/container/image_signatures", signatures);
    let path = "submods.container.image_signatures.key_id";
    assert_eq!(fault_of(&claims), TokenFault::Form(path));
}

#[test]
fn an_odd_subject_is_refused() {
    let longest = "x".repeat(1024);
    assert!(verify(&KEY.token(&with(claims(), "/sub", json!(longest)))).is_ok());
    let longer = "x".repeat(1025);
    for subject in [
        "",
        &longer,
        "a b",
        "a\nb",
        "a\u{1b}[2J",
        "é",
        "a\u{202e}b",
        "a\0",
    ] {
        let claims = with(claims(), "/sub", json!(subject));
        assert_eq!(fault_of(&claims), TokenFault::Form("sub"), "{subject:?}");
    }
}
