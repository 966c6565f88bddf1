//! Answers of services that do what they are asked to, that refuse, and that are damaged.

use super::*;
use crate::service::{Nobody, Service, in_time};

const PROVIDER: &str = "projects/1/locations/global/workloadIdentityPools/mcbn/providers/attested";
const SECRET: &str = "projects/1/secrets/share/versions/2";
const KEY: &str = "projects/house-1/locations/global/keyRings/mcbn/cryptoKeys/share";

/// `content` in base64, and its CRC32C.
const CONTENT: &str = "Y29udGVudA==";

fn crc() -> String {
    checksum::of(b"content").to_string()
}

async fn exchanged(endpoint: &Endpoint) -> Result<AccessToken, Failure> {
    let token = Token::parse(b"eyJh.eyJi.c2ln").unwrap();
    let https = Https::believing_nobody();
    in_time(exchange(
        &https,
        endpoint,
        &PROVIDER.parse().unwrap(),
        &token,
    ))
    .await
}

fn access() -> AccessToken {
    AccessToken(HeaderValue::from_static("Bearer ya29"))
}

async fn read(endpoint: &Endpoint) -> Result<SecretBytes, Failure> {
    let (https, name) = (Https::believing_nobody(), SECRET.parse().unwrap());
    in_time(secret(&https, endpoint, access(), &name)).await
}

async fn opened(endpoint: &Endpoint) -> Result<SecretBytes, Failure> {
    let (https, name) = (Https::believing_nobody(), KEY.parse().unwrap());
    in_time(decrypt(
        &https,
        endpoint,
        access(),
        &name,
        b"sealed",
        b"label",
    ))
    .await
}

/// What comes of each of the three where the service answers so.
async fn each(status: u16, body: &str) -> [Failure; 3] {
    let [sts, secrets, kms] = [
        Service::answering(status, body).await,
        Service::answering(status, body).await,
        Service::answering(status, body).await,
    ];
    [
        exchanged(&sts.endpoint).await.err().unwrap(),
        read(&secrets.endpoint).await.err().unwrap(),
        opened(&kms.endpoint).await.err().unwrap(),
    ]
}

#[tokio::test]
async fn a_token_is_exchanged() {
    let service = Service::answering(200, r#"{"access_token":"ya29","expires_in":3599}"#).await;
    let access = exchanged(&service.endpoint).await.unwrap();
    assert_eq!(access.0, "Bearer ya29");
    assert!(access.0.is_sensitive());
    let asked = service.asked().await;
    assert!(asked.starts_with("POST /v1/token HTTP/1.1\r\n"), "{asked}");
    let audience = "&audience=%2F%2Fiam.googleapis.com%2Fprojects%2F1%2F";
    assert!(asked.contains(audience), "{asked}");
    assert!(asked.ends_with("&subject_token=eyJh.eyJi.c2ln"), "{asked}");
}

#[tokio::test]
async fn an_access_token_that_is_no_header_is_refused() {
    let service = Service::answering(200, r#"{"access_token":"ya29\r\nx: y"}"#).await;
    let refused = exchanged(&service.endpoint).await.err();
    assert_eq!(refused, Some(Failure::Corrupt(Corrupt::Form)));
}

async fn not_exchanged(status: u16, body: &str) -> String {
    let service = Service::answering(status, body).await;
    let failure = exchanged(&service.endpoint).await.err().unwrap();
    failure.to_string()
}

#[tokio::test]
async fn an_exchange_that_is_refused_says_why() {
    let described = r#"{"error":"invalid_grant","error_description":"it is late"}"#;
    let refused = "an access token is refused: ";
    assert_eq!(
        not_exchanged(400, described).await,
        format!("{refused}invalid_grant: it is late")
    );
    assert_eq!(
        not_exchanged(400, r#"{"error":"invalid_grant"}"#).await,
        format!("{refused}invalid_grant")
    );
    assert_eq!(
        not_exchanged(403, "<html>").await,
        format!("{refused}HTTP status 403")
    );
    let not_now = "there is no access token: ";
    for status in [408, 429, 500, 503] {
        assert_eq!(
            not_exchanged(status, described).await,
            format!("{not_now}invalid_grant: it is late")
        );
        assert_eq!(
            not_exchanged(status, "").await,
            format!("{not_now}HTTP status {status}")
        );
    }
}

fn secret_of(name: &str, data: &str, crc: &str) -> String {
    format!(r#"{{"name":"{name}","payload":{{"data":"{data}","dataCrc32c":"{crc}"}}}}"#)
}

async fn read_of(body: &str) -> Result<SecretBytes, Failure> {
    let service = Service::answering(200, body).await;
    read(&service.endpoint).await
}

#[tokio::test]
async fn a_secret_is_read() {
    let body = secret_of(SECRET, CONTENT, &crc());
    let service = Service::answering(200, &body).await;
    let secret = read(&service.endpoint).await.unwrap();
    // To compare it.
    assert_eq!(secret.expose_secret(), b"content");
    let asked = service.asked().await;
    let line = format!("GET /v1/{SECRET}:access HTTP/1.1\r\n");
    assert!(asked.starts_with(&line), "{asked}");
    assert!(asked.contains("authorization: Bearer ya29\r\n"), "{asked}");
}

#[tokio::test]
async fn a_secret_of_another_name_is_refused() {
    for name in [
        "projects/1/secrets/share/versions/3",
        "projects/1/secrets/another/versions/2",
        "",
    ] {
        let refused = read_of(&secret_of(name, CONTENT, &crc())).await.err();
        assert_eq!(refused, Some(Failure::Corrupt(Corrupt::Name)), "{name}");
    }
}

#[tokio::test]
async fn a_secret_whose_checksum_is_another_is_refused() {
    let without = format!(r#"{{"name":"{SECRET}","payload":{{"data":"{CONTENT}"}}}}"#);
    for body in [
        secret_of(SECRET, CONTENT, "1"),
        secret_of(SECRET, "Y29udGVudQ==", &crc()),
        secret_of(SECRET, CONTENT, "crc"),
        without,
    ] {
        let refused = read_of(&body).await.err();
        let expected = Some(Failure::Corrupt(Corrupt::Checksum));
        assert_eq!(refused, expected, "{body}");
    }
}

#[tokio::test]
async fn a_secret_that_is_not_in_base64_is_refused() {
    let refused = read_of(&secret_of(SECRET, "content!", &crc())).await.err();
    assert_eq!(refused, Some(Failure::Corrupt(Corrupt::Form)));
}

#[tokio::test]
async fn what_was_encrypted_is_decrypted() {
    let crc = crc();
    let body = format!(r#"{{"plaintext":"{CONTENT}","plaintextCrc32c":"{crc}"}}"#);
    let service = Service::answering(200, &body).await;
    let opened = opened(&service.endpoint).await.unwrap();
    // To compare it.
    assert_eq!(opened.expose_secret(), b"content");
    let asked = service.asked().await;
    let line = format!("POST /v1/{KEY}:decrypt HTTP/1.1\r\n");
    assert!(asked.starts_with(&line), "{asked}");
    let body = format!(
        r#"{{"ciphertext":"c2VhbGVk","ciphertextCrc32c":"{}","additionalAuthenticatedData":"bGFiZWw=","additionalAuthenticatedDataCrc32c":"{}"}}"#,
        checksum::of(b"sealed"),
        checksum::of(b"label"),
    );
    assert!(asked.ends_with(&body), "{asked}");
}

#[tokio::test]
async fn a_plaintext_whose_checksum_is_another_is_refused() {
    for more in [r#","plaintextCrc32c":"1""#, ""] {
        let body = format!(r#"{{"plaintext":"{CONTENT}"{more}}}"#);
        let service = Service::answering(200, &body).await;
        let refused = opened(&service.endpoint).await.err();
        assert_eq!(refused, Some(Failure::Corrupt(Corrupt::Checksum)), "{body}");
    }
}

#[tokio::test]
async fn an_answer_in_another_form_is_refused() {
    for body in [
        "",
        "<html>",
        "{}",
        r#"{"access_token":1,"name":1,"plaintext":1}"#,
    ] {
        let expected = [(); 3].map(|()| Failure::Corrupt(Corrupt::Form));
        assert_eq!(each(200, body).await, expected, "{body}");
    }
}

#[tokio::test]
async fn a_service_that_refuses_says_why() {
    let body = r#"{"error":{"code":403,"message":"not you","status":"PERMISSION_DENIED"}}"#;
    let [_, secrets, kms] = each(403, body).await;
    for failure in [secrets, kms] {
        assert_eq!(failure.to_string(), "permission denied: not you");
    }
}

#[tokio::test]
async fn what_refuses_on_the_way_is_known_by_its_status() {
    for (status, reasons) in [
        (302, ["access_token_refused", "rejected"]),
        (401, ["access_token_refused", "unauthenticated"]),
        (404, ["access_token_refused", "not_found"]),
        (429, ["no_access_token", "too_many_requests"]),
        (502, ["no_access_token", "unavailable"]),
    ] {
        let [sts, secrets, kms] = each(status, "<html>").await;
        assert_eq!([sts.reason(), secrets.reason()], reasons, "{status}");
        assert_eq!(kms, secrets);
        assert!(
            secrets
                .to_string()
                .ends_with(&format!(": HTTP status {status}"))
        );
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_away() {
    let nobody = Nobody::there();
    let at = &nobody.endpoint;
    let failures = [
        exchanged(at).await.err(),
        read(at).await.err(),
        opened(at).await.err(),
    ];
    for failure in failures {
        assert_eq!(failure.unwrap().reason(), "unavailable");
    }
}
