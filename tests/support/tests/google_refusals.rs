//! What Cloud KMS and Secret Manager refuse, the double refuses.

mod google;

use google::raw::{Reply, ask, ask_json};
use google::{KEY, SECRET, SHARE, caller, crc, credentials, kms, kms_with, p256, secrets, sign};
use google_cloud_gax::error::Error;
use google_cloud_gax::error::rpc::Code;
use google_cloud_kms_v1::model::Digest;
use mcbn_tests_support::confidential_space::Issuer;
use mcbn_tests_support::google_cloud::{
    Algorithm, Call, Cloud, Protection, Role, ServiceAccount, State,
};
use openssl::base64::encode_block;
use openssl::sha::sha256;
use serde_json::json;

fn code(error: Error) -> Code {
    error.status().expect("an error in Google's shape").code
}

/// A key, and a token of somebody who may use it.
fn signer(cloud: &Cloud) -> (String, String) {
    let version = p256(cloud);
    let member = caller(cloud, KEY, Role::SignerVerifier);
    let token = cloud.iam().issue_token(&member);
    (version, token)
}

fn ask_to_sign(cloud: &Cloud, version: &str, token: &str, body: &str) -> Reply {
    let line = format!("POST /v1/{version}:asymmetricSign");
    ask_json(cloud.kms().endpoint(), &line, token, body)
}

#[tokio::test]
async fn a_version_that_is_not_there_is_refused() {
    let cloud = google::cloud();
    let (version, token) = signer(&cloud);
    let client = kms_with(&cloud, credentials(&token)).await;
    for other in ["2", "0", "01", "x"] {
        let name = format!("{KEY}/cryptoKeyVersions/{other}");
        let refused = sign(&client, &name).await.unwrap_err();
        assert_eq!(code(refused), Code::NotFound, "{other}");
    }
    // Whoever has no role there may not know whether it is.
    let elsewhere = version.replace("/tls/", "/other/");
    let refused = sign(&client, &elsewhere).await.unwrap_err();
    assert_eq!(code(refused), Code::PermissionDenied);
}

#[tokio::test]
async fn a_digest_of_another_hash_is_refused() {
    let cloud = google::cloud();
    let (version, token) = signer(&cloud);
    let client = kms_with(&cloud, credentials(&token)).await;
    for digest in [
        Digest::new().set_sha384([0; 48].to_vec()),
        Digest::new().set_sha512([0; 64].to_vec()),
        Digest::new().set_sha256([0; 31].to_vec()),
        Digest::new().set_sha256([0; 48].to_vec()),
        Digest::new(),
    ] {
        let request = client
            .asymmetric_sign()
            .set_name(&version)
            .set_digest(digest);
        let refused = request.send().await.unwrap_err();
        assert_eq!(code(refused), Code::InvalidArgument);
    }
    let body = json!({ "digest": {
        "sha256": encode_block(&[0; 32]),
        "sha384": encode_block(&[0; 48]),
    }});
    let refused = ask_to_sign(&cloud, &version, &token, &body.to_string()).refusal();
    assert_eq!(refused, (400, "INVALID_ARGUMENT".to_owned()));
}

#[tokio::test]
async fn a_checksum_of_another_request_is_refused() {
    let cloud = google::cloud();
    let (version, token) = signer(&cloud);
    let client = kms_with(&cloud, credentials(&token)).await;
    for wrong in [crc(b"another"), -1, crc(&sha256(b"x")) + (1 << 32)] {
        let request = client
            .asymmetric_sign()
            .set_name(&version)
            .set_digest(Digest::new().set_sha256(sha256(b"x").to_vec()))
            .set_digest_crc32c(wrong);
        let refused = request.send().await.unwrap_err();
        assert_eq!(code(refused), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn a_checksum_of_another_ciphertext_is_refused() {
    let cloud = google::cloud();
    cloud.kms().add_symmetric_key(SHARE, Protection::Hsm);
    let member = caller(&cloud, SHARE, Role::Decrypter);
    let ciphertext = cloud.kms().encrypt(SHARE, b"share", b"of bob");
    let client = kms(&cloud, &member).await;
    let request = || {
        let request = client.decrypt().set_name(SHARE);
        request
            .set_ciphertext(ciphertext.clone())
            .set_additional_authenticated_data(b"of bob".to_vec())
    };
    let wrong_ciphertext = request().set_ciphertext_crc32c(7);
    let wrong_data = request().set_additional_authenticated_data_crc32c(7);
    for request in [wrong_ciphertext, wrong_data] {
        let refused = request.send().await.unwrap_err();
        assert_eq!(code(refused), Code::InvalidArgument);
    }
    assert!(request().send().await.is_ok());
}

#[tokio::test]
async fn a_ciphertext_for_other_data_is_refused() {
    let cloud = google::cloud();
    cloud.kms().add_symmetric_key(SHARE, Protection::Hsm);
    cloud.kms().add_symmetric_key(KEY, Protection::Hsm);
    let member = caller(&cloud, "projects/example-project", Role::Decrypter);
    let client = kms(&cloud, &member).await;
    let ciphertext = cloud.kms().encrypt(SHARE, b"share", b"of bob");
    for (name, data) in [(SHARE, "of eve"), (SHARE, ""), (KEY, "of bob")] {
        let request = client
            .decrypt()
            .set_name(name)
            .set_ciphertext(ciphertext.clone())
            .set_additional_authenticated_data(data.as_bytes().to_vec());
        let refused = request.send().await.unwrap_err();
        assert_eq!(code(refused), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn a_ciphertext_for_another_key_is_refused() {
    let cloud = google::cloud();
    let algorithm = Algorithm::RsaOaep2048Sha256;
    let version = cloud.kms().add_key(KEY, algorithm, Protection::Hsm);
    let client = kms(&cloud, &caller(&cloud, KEY, Role::Decrypter)).await;
    for length in [0, 255, 256, 257] {
        let request = client.asymmetric_decrypt().set_name(&version);
        let request = request.set_ciphertext(vec![1; length]);
        let refused = request.send().await.unwrap_err();
        assert_eq!(code(refused), Code::InvalidArgument, "{length}");
    }
}

#[tokio::test]
async fn a_use_that_is_not_the_key_s_is_refused() {
    let cloud = google::cloud();
    let (signing, token) = signer(&cloud);
    let other = format!("{KEY}-decrypting");
    let algorithm = Algorithm::RsaOaep2048Sha256;
    let decrypting = cloud.kms().add_key(&other, algorithm, Protection::Hsm);
    cloud.kms().add_symmetric_key(SHARE, Protection::Hsm);
    let member = caller(&cloud, "projects/example-project", Role::Decrypter);
    cloud
        .iam()
        .bind(&member, "projects/example-project", Role::SignerVerifier);
    let client = kms_with(&cloud, credentials(&token)).await;
    let symmetric = format!("{SHARE}/cryptoKeyVersions/1");
    let mut refused = vec![
        sign(&client, &decrypting).await.unwrap_err(),
        sign(&client, &symmetric).await.unwrap_err(),
    ];
    let request = client.asymmetric_decrypt().set_name(&signing);
    let request = request.set_ciphertext(vec![0; 256]);
    refused.push(request.send().await.unwrap_err());
    let request = client.decrypt().set_name(KEY).set_ciphertext(vec![0; 99]);
    refused.push(request.send().await.unwrap_err());
    let request = client.get_public_key().set_name(symmetric);
    refused.push(request.send().await.unwrap_err());
    for refused in refused {
        assert_eq!(code(refused), Code::FailedPrecondition);
    }
}

#[tokio::test]
async fn a_version_that_is_disabled_or_destroyed_is_refused() {
    let cloud = google::cloud();
    let (version, token) = signer(&cloud);
    let client = kms_with(&cloud, credentials(&token)).await;
    cloud.kms().add_symmetric_key(SHARE, Protection::Hsm);
    caller(&cloud, SHARE, Role::Decrypter);
    let ciphertext = cloud.kms().encrypt(SHARE, b"share", b"");
    let share = format!("{SHARE}/cryptoKeyVersions/1");
    for state in [State::Disabled, State::Destroyed] {
        cloud.kms().set_state(&version, state);
        cloud.kms().set_state(&share, state);
        let refused = sign(&client, &version).await.unwrap_err();
        assert_eq!(code(refused), Code::FailedPrecondition);
        let request = client.get_public_key().set_name(&version);
        let refused = request.send().await.unwrap_err();
        assert_eq!(code(refused), Code::FailedPrecondition);
        let request = client.decrypt().set_name(SHARE);
        let request = request.set_ciphertext(ciphertext.clone());
        let refused = request.send().await.unwrap_err();
        assert_eq!(code(refused), Code::FailedPrecondition);
    }
    cloud.kms().set_state(&version, State::Enabled);
    assert!(sign(&client, &version).await.is_ok());
}

#[tokio::test]
async fn a_secret_that_is_not_there_or_not_enabled_is_refused() {
    let cloud = google::cloud();
    let version = cloud.secrets().add_version(SECRET, b"payload");
    let client = secrets(&cloud, &caller(&cloud, SECRET, Role::SecretAccessor)).await;
    let ask = async |name: &str| {
        let request = client.access_secret_version().set_name(name);
        code(request.send().await.unwrap_err())
    };
    assert_eq!(ask(&format!("{SECRET}/versions/2")).await, Code::NotFound);
    assert_eq!(ask(&format!("{SECRET}/versions/01")).await, Code::NotFound);
    let other = format!("{SECRET}d/versions/1");
    assert_eq!(ask(&other).await, Code::PermissionDenied);
    for state in [State::Disabled, State::Destroyed] {
        cloud.secrets().set_state(&version, state);
        assert_eq!(ask(&version).await, Code::FailedPrecondition);
        let latest = format!("{SECRET}/versions/latest");
        assert_eq!(ask(&latest).await, Code::FailedPrecondition);
    }
}

#[tokio::test]
async fn a_token_that_is_missing_unknown_or_too_old_is_refused() {
    let cloud = google::cloud();
    let (version, token) = signer(&cloud);
    let line = format!("GET /v1/{version}/publicKey");
    let endpoint = cloud.kms().endpoint();
    let unauthenticated = (401, "UNAUTHENTICATED".to_owned());
    let missing = ask(endpoint, &line, &[], "");
    assert_eq!(missing.refusal(), unauthenticated);
    assert!(missing.headers.contains("www-authenticate"));
    let basic = format!("Basic {token}");
    let other_scheme = ask(endpoint, &line, &[("Authorization", &basic)], "");
    assert_eq!(other_scheme.refusal(), unauthenticated);
    let unknown = ask_json(endpoint, &line, "ya29-unknown", "");
    assert_eq!(unknown.refusal(), unauthenticated);
    assert_eq!(ask_json(endpoint, &line, &token, "").status, 200);
    cloud.iam().revoke_tokens();
    assert_eq!(
        ask_json(endpoint, &line, &token, "").refusal(),
        unauthenticated
    );
}

#[tokio::test]
async fn a_role_that_does_not_allow_it_is_refused() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let member = caller(&cloud, KEY, Role::Decrypter);
    let client = kms(&cloud, &member).await;
    let denied = async || code(sign(&client, &version).await.unwrap_err());
    assert_eq!(denied().await, Code::PermissionDenied);
    // Of another key, whose name begins alike.
    cloud
        .iam()
        .bind(&member, &KEY[..KEY.len() - 1], Role::Signer);
    assert_eq!(denied().await, Code::PermissionDenied);
    // Of somebody else.
    cloud
        .iam()
        .bind("serviceAccount:other@example.com", KEY, Role::Signer);
    assert_eq!(denied().await, Code::PermissionDenied);
    cloud.iam().bind(&member, KEY, Role::Signer);
    assert!(sign(&client, &version).await.is_ok());
    // It may sign, and not see.
    let request = client.get_public_key().set_name(&version);
    let refused = request.send().await.unwrap_err();
    assert_eq!(code(refused), Code::PermissionDenied);
    cloud.iam().unbind(&member, KEY, Role::Signer);
    assert_eq!(denied().await, Code::PermissionDenied);
}

#[test]
fn a_request_that_is_in_no_form_of_the_interface_is_refused() {
    let cloud = google::cloud();
    let (version, token) = signer(&cloud);
    let digest = json!({ "sha256": encode_block(&[0; 32]) });
    let bodies = [
        json!({ "digest": digest, "name": version }),
        json!({ "digest": digest, "digestCrc32C": "1" }),
        json!({ "digest": { "sha256": "no Base64" } }),
        json!({ "digest": digest, "digestCrc32c": true }),
        json!({ "data": "" }),
        json!({}),
        json!([]),
    ];
    for body in bodies {
        let refused = ask_to_sign(&cloud, &version, &token, &body.to_string()).refusal();
        assert_eq!(refused, (400, "INVALID_ARGUMENT".to_owned()), "{body}");
    }
    let body = json!({ "digest": digest }).to_string();
    assert_eq!(ask_to_sign(&cloud, &version, &token, &body).status, 200);

    let line = format!("POST /v1/{version}:asymmetricSign");
    let bearer = format!("Bearer {token}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "text/plain"),
    ];
    assert_eq!(
        ask(cloud.kms().endpoint(), &line, &headers, &body).status,
        400
    );
    let line = format!("GET /v1/{version}/publicKey?publicKeyFormat=NIST_PQC");
    assert_eq!(
        ask_json(cloud.kms().endpoint(), &line, &token, "").status,
        400
    );
    let line = format!("GET /v1/{version}/publicKey?format=PEM");
    assert_eq!(
        ask_json(cloud.kms().endpoint(), &line, &token, "").status,
        400
    );
}

#[test]
fn another_path_or_method_is_refused() {
    let cloud = google::cloud();
    let (version, token) = signer(&cloud);
    let secret = cloud.secrets().add_version(SECRET, b"payload");
    caller(&cloud, SECRET, Role::SecretAccessor);
    for line in [
        format!("GET /v1/{version}:asymmetricSign"),
        format!("POST /v1/{version}/publicKey"),
        format!("GET /v1beta1/{version}/publicKey"),
        format!("POST /v1/{version}:sign"),
        format!("POST /v1/{KEY}:asymmetricSign"),
        format!("POST /v1/{version}:decrypt"),
        format!("GET /v1/{version}"),
        format!("GET /v1/{KEY}"),
        "GET /".to_owned(),
    ] {
        let reply = ask_json(cloud.kms().endpoint(), &line, &token, "{}");
        assert_eq!(reply.refusal(), (404, "NOT_FOUND".to_owned()), "{line}");
    }
    assert_eq!(cloud.kms().requests().of(Call::Other), 9);
    for line in [
        format!("POST /v1/{secret}:access"),
        format!("GET /v1/{secret}"),
        format!("GET /v1/{SECRET}:access"),
    ] {
        let reply = ask_json(cloud.secrets().endpoint(), &line, &token, "");
        assert_eq!(reply.refusal(), (404, "NOT_FOUND".to_owned()), "{line}");
    }
}

#[test]
fn enumerations_are_names_unless_numbers_are_asked_for() {
    let cloud = google::cloud();
    let (version, token) = signer(&cloud);
    let line = format!("GET /v1/{version}/publicKey");
    let answer = ask_json(cloud.kms().endpoint(), &line, &token, "").json();
    assert_eq!(answer["algorithm"], "EC_SIGN_P256_SHA256");
    assert_eq!(answer["protectionLevel"], "HSM");
    assert!(answer["pemCrc32c"].is_string());
    let line = format!("{line}?$alt=json;enum-encoding=int");
    let answer = ask_json(cloud.kms().endpoint(), &line, &token, "").json();
    assert_eq!(
        (&answer["algorithm"], &answer["protectionLevel"]),
        (&json!(12), &json!(2))
    );
}

/// The status of a request with a token that an account is made to sign.
fn with_claims(
    cloud: &Cloud,
    version: &str,
    account: &ServiceAccount,
    claims: serde_json::Value,
) -> u16 {
    let line = format!("GET /v1/{version}/publicKey");
    let token = account.sign(&claims);
    ask_json(cloud.kms().endpoint(), &line, &token, "").status
}

#[test]
fn a_token_that_a_service_account_should_not_have_signed_is_refused() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let account = cloud
        .iam()
        .add_service_account("signer@example-project.iam.gserviceaccount.com");
    cloud
        .iam()
        .bind(&account.member(), KEY, Role::SignerVerifier);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    let right = json!({
        "iss": account.email(), "sub": account.email(), "scope": scope, "iat": now - 10, "exp": now + 3610,
    });
    let status = |change: &[(&str, serde_json::Value)]| {
        let mut claims = right.clone();
        for (name, value) in change {
            claims[*name] = value.clone();
        }
        with_claims(&cloud, &version, &account, claims)
    };
    assert_eq!(status(&[]), 200);
    assert_eq!(status(&[("exp", json!(now - 1))]), 401);
    assert_eq!(
        status(&[("iat", json!(now + 120)), ("exp", json!(now + 900))]),
        401
    );
    assert_eq!(status(&[("exp", json!(now + 7200))]), 401);
    assert_eq!(status(&[("iss", json!("other@example.com"))]), 401);
    assert_eq!(status(&[("sub", json!("other@example.com"))]), 401);
    assert_eq!(
        status(&[("aud", json!("https://cloudkms.googleapis.com/"))]),
        401
    );
    assert_eq!(
        status(&[(
            "scope",
            json!("https://www.googleapis.com/auth/devstorage.read_only")
        )]),
        403
    );
    let secrets = json!("https://secretmanager.googleapis.com/");
    assert_eq!(status(&[("scope", json!(null)), ("aud", secrets)]), 401);

    let issuer = Issuer::start();
    let forged = issuer.sign(
        &json!({ "alg": "RS256", "kid": account.key_id() }),
        right.to_string().as_bytes(),
    );
    let line = format!("GET /v1/{version}/publicKey");
    assert_eq!(
        ask_json(cloud.kms().endpoint(), &line, &forged, "").status,
        401
    );
    cloud.iam().remove_service_account(&account);
    assert_eq!(status(&[]), 401);
}
