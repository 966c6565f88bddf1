//! Tokens as the issuer makes them, and what is read from them.

mod support;

use mcbn_attest::{Claims, Unverified};
use serde_json::{Value, json};
use support::*;

fn read(claims: &Value) -> Claims {
    verify(&KEY.token(claims)).unwrap().claims().clone()
}

#[test]
fn a_token_of_a_production_machine_is_verified() {
    let claims = read(&claims());
    assert_eq!(claims.iss, "https://confidentialcomputing.googleapis.com");
    assert_eq!(claims.aud, [AUDIENCE]);
    assert!(claims.sub.ends_with("/instances/one"));
    assert_eq!((claims.iat, claims.nbf, claims.exp), (NOW, NOW, NOW + 3600));
    assert_eq!(claims.eat_nonce, NONCES);
    assert!(claims.eat_profile.unwrap().starts_with("https://"));
    assert_eq!(claims.secboot, Some(true));
    assert_eq!(claims.oemid, Some(11129));
    assert_eq!(claims.hwmodel.as_deref(), Some("GCP_AMD_SEV_SNP"));
    assert_eq!(claims.swname.as_deref(), Some("CONFIDENTIAL_SPACE"));
    assert_eq!(claims.swversion, ["240900"]);
    assert_eq!(claims.dbgstat.as_deref(), Some("disabled-since-boot"));
    assert_eq!(
        claims.google_service_accounts,
        ["runner@house.iam.gserviceaccount.com"]
    );
    assert_eq!((claims.tdx, claims.nvidia_gpu), (None, None));
    let space = claims.confidential_space;
    assert_eq!(space.support_attributes, ["LATEST", "STABLE", "USABLE"]);
    assert_eq!(space.monitoring_memory, Some(false));
    let container = claims.container.unwrap();
    assert_eq!(container.image_digest.as_deref(), Some(IMAGE));
    assert!(container.image_id.unwrap().starts_with("sha256:f2"));
    assert!(container.image_reference.unwrap().ends_with("9cc7"));
    assert_eq!(container.restart_policy.as_deref(), Some("Never"));
    assert_eq!(container.args.unwrap(), ["/psk-server"]);
    assert_eq!(container.env.unwrap()["HOSTNAME"], "one");
    assert!(container.cmd_override.is_empty() && container.env_override.is_empty());
    assert!(container.image_signatures.is_empty());
    assert_eq!(claims.gce.zone.as_deref(), Some("us-central1-a"));
    assert_eq!(claims.gce.project_id.as_deref(), Some("house"));
    assert_eq!(claims.gce.project_number.as_deref(), Some("1234567890"));
    assert_eq!(claims.gce.instance_name.as_deref(), Some("one"));
    assert_eq!(claims.gce.instance_id.as_deref(), Some("987654321"));
}

#[test]
fn a_token_of_each_model_is_verified() {
    for model in [
        "GCP_AMD_SEV",
        "GCP_AMD_SEV_ES",
        "GCP_AMD_SEV_SNP",
        "GCP_SHIELDED_VM",
        "GCP_INTEL_TDX",
        "INTEL_TDX",
        "A_MODEL_TO_COME",
    ] {
        let claims = read(&with(claims(), "/hwmodel", json!(model)));
        assert_eq!(claims.hwmodel.as_deref(), Some(model));
    }
}

#[test]
fn a_token_of_a_debug_image_is_verified() {
    for spelling in ["enabled", "enable"] {
        let claims = read(&with(debug_claims(), "/dbgstat", json!(spelling)));
        assert_eq!(claims.dbgstat.as_deref(), Some(spelling));
        assert!(claims.confidential_space.support_attributes.is_empty());
    }
}

#[test]
fn a_token_of_a_machine_without_containers_is_verified() {
    let claims = with(claims(), "/swname", json!("GCE"));
    let claims = without(claims, "/submods/container");
    let claims = without(claims, "/submods/confidential_space");
    assert_eq!(read(&claims).container, None);
    assert_eq!(read(&without(claims, "/submods")).gce, Default::default());
}

#[test]
fn one_text_is_read_as_a_list_of_one() {
    let claims = with(claims(), "/aud", json!([AUDIENCE]));
    let claims = with(claims, "/swversion", json!("240900"));
    let claims = with(claims, "/google_service_accounts", json!("a@b"));
    let claims = with(
        claims,
        "/submods/confidential_space/support_attributes",
        json!("STABLE"),
    );
    let claims = read(&claims);
    assert_eq!(claims.aud, [AUDIENCE]);
    assert_eq!(claims.swversion, ["240900"]);
    assert_eq!(claims.google_service_accounts, ["a@b"]);
    assert_eq!(claims.confidential_space.support_attributes, ["STABLE"]);
}

#[test]
fn a_claim_of_two_places_is_read_from_either_and_rather_from_the_top() {
    let accounts = "/submods/google_service_accounts";
    let both = with(tdx_claims(), accounts, json!(["below@x"]));
    let tcb = json!({"gcp_attester_tcb_status": "OutOfDate"});
    let both = with(both, "/submods/tdx", tcb);
    let status = |claims: &Claims| claims.tdx.clone().unwrap().gcp_attester_tcb_status;

    let top = read(&both);
    assert_eq!(
        top.google_service_accounts,
        ["runner@house.iam.gserviceaccount.com"]
    );
    assert_eq!(status(&top).as_deref(), Some("UpToDate"));

    for below in [
        read(&without(
            without(both.clone(), "/google_service_accounts"),
            "/tdx",
        )),
        read(&with(
            with(both.clone(), "/google_service_accounts", Value::Null),
            "/tdx",
            Value::Null,
        )),
    ] {
        assert_eq!(below.google_service_accounts, ["below@x"]);
        assert_eq!(status(&below).as_deref(), Some("OutOfDate"));
    }
}

#[test]
fn null_says_the_same_as_absence() {
    for pointer in [
        "/secboot",
        "/oemid",
        "/hwmodel",
        "/swname",
        "/swversion",
        "/dbgstat",
        "/eat_profile",
        "/google_service_accounts",
        "/submods",
        "/submods/confidential_space",
        "/submods/confidential_space/support_attributes",
        "/submods/confidential_space/monitoring_enabled",
        "/submods/confidential_space/monitoring_enabled/memory",
        "/submods/container",
        "/submods/container/image_reference",
        "/submods/container/image_digest",
        "/submods/container/image_id",
        "/submods/container/restart_policy",
        "/submods/container/args",
        "/submods/container/env",
        "/submods/container/cmd_override",
        "/submods/container/env_override",
        "/submods/gce",
        "/submods/gce/zone",
        "/submods/gce/project_id",
    ] {
        let null = read(&with(claims(), pointer, Value::Null));
        assert_eq!(null, read(&without(claims(), pointer)), "{pointer}");
    }
}

#[test]
fn lists_of_what_was_overridden_are_read() {
    let claims = with(
        claims(),
        "/submods/container/cmd_override",
        json!(["--tls12", ""]),
    );
    let claims = with(
        claims,
        "/submods/container/env_override",
        json!({"MCBN_LOG_LEVEL": "debug"}),
    );
    let container = read(&claims).container.unwrap();
    assert_eq!(container.cmd_override, ["--tls12", ""]);
    assert_eq!(container.env_override["MCBN_LOG_LEVEL"], "debug");
}

#[test]
fn image_signatures_and_a_gpu_are_read() {
    let claims = with(
        claims(),
        "/submods/container/image_signatures",
        json!([
            {"key_id": "ab", "signature": "MEUC", "signature_algorithm": "ECDSA_P256_SHA256"},
            {"key_id": null},
        ]),
    );
    let claims = with(claims, "/submods/nvidia_gpu", json!({"cc_mode": "ON"}));
    let claims = read(&claims);
    assert_eq!(claims.nvidia_gpu.unwrap().cc_mode.as_deref(), Some("ON"));
    let [first, second] = &claims.container.unwrap().image_signatures[..] else {
        panic!("two signatures");
    };
    assert_eq!(first.key_id.as_deref(), Some("ab"));
    assert_eq!(
        first.signature_algorithm.as_deref(),
        Some("ECDSA_P256_SHA256")
    );
    assert_eq!(second.key_id, None);
}

#[test]
fn unknown_claims_are_kept_to_be_shown_only() {
    let plain = read(&claims());
    let odd = with(claims(), "/a_claim_to_come", json!({"x": [1]}));
    let odd = with(odd, "/submods/container/mounts", json!(["/tmp"]));
    let token = verify(&KEY.token(&odd)).unwrap();
    assert_eq!(*token.claims(), plain);
    assert_eq!(token.payload()["a_claim_to_come"]["x"][0], 1);
}

#[test]
fn one_nonce_is_a_text() {
    let claims = with(claims(), "/eat_nonce", json!(NONCES[0]));
    let expected = mcbn_attest::Expected {
        nonces: &NONCES[..1],
        ..EXPECTED
    };
    assert!(verifier().verify(&KEY.token(&claims), &expected).is_ok());
}

#[test]
fn a_header_without_a_type_is_taken() {
    let header = without(KEY.header(), "/typ");
    assert!(verify(&KEY.token_with(&header, &claims())).is_ok());
}

#[test]
fn a_token_is_shown_without_being_verified() {
    let forged = OTHER_KEY.token(&debug_claims());
    let shown = Unverified::parse(&forged).unwrap();
    assert_eq!(shown.insecure_claims().dbgstat.as_deref(), Some("enabled"));
    assert_eq!(shown.insecure_payload()["oemid"], 11129);
    assert_eq!(shown.kind(), mcbn_attest::TokenKind::Oidc);
}
