//! Each demand on what the machine runs: a token that meets it, and one that does not.

mod support;

use mcbn_attest::{Demand, Verdict};
use serde_json::{Value, json};
use support::judging::*;
use support::*;

#[test]
fn an_image_of_a_workload_is_demanded() {
    holds(Demand::ImageDigest, &claims(), &plain());
    let other = "sha256:38506197449fb101820f5704c51ed40af3cd41742a1fce27a01ba3ba0f689cc8";
    for digest in [
        json!(other),
        json!(IMAGE.to_uppercase()),
        json!(&IMAGE[7..]),
        json!(format!("{IMAGE}0")),
        json!(""),
        json!(null),
    ] {
        let claims = with(claims(), "/submods/container/image_digest", digest);
        fails(Demand::ImageDigest, &claims, &plain());
    }
    fails(
        Demand::ImageDigest,
        &without(claims(), "/submods/container"),
        &plain(),
    );
}

/// The digest is the image's, not one that stands somewhere else.
#[test]
fn a_digest_in_another_claim_is_refused() {
    let claims = with(claims(), "/submods/container/image_id", json!(IMAGE));
    let reference = json!(format!("registry.example/psk-server@{IMAGE}"));
    let claims = with(claims, "/submods/container/image_reference", reference);
    let claims = with(claims, "/image_digest", json!(IMAGE));
    let claims = without(claims, "/submods/container/image_digest");
    let finding = fails(Demand::ImageDigest, &claims, &plain());
    assert_eq!(finding.found, "(nothing)");
    assert!(finding.demanded.contains(&format!("{IMAGE} (psk-server)")));
}

#[test]
fn a_listed_restart_policy_is_demanded() {
    let manifest = manifest("", r#"restart-policy = ["Never", "OnFailure"]"#);
    let of = |policy: Value| with(claims(), "/submods/container/restart_policy", policy);
    for listed in ["Never", "OnFailure"] {
        holds(Demand::RestartPolicy, &of(json!(listed)), &manifest);
    }
    for other in [json!("Always"), json!("never"), json!(null)] {
        fails(Demand::RestartPolicy, &of(other), &manifest);
    }
}

#[test]
fn no_overridden_arguments_are_demanded() {
    let of = |list: Value| with(claims(), "/submods/container/cmd_override", list);
    for none in [json!(null), json!([])] {
        holds(Demand::CmdOverride, &of(none), &plain());
    }
    for some in [json!(["--tls12"]), json!([""])] {
        let finding = fails(Demand::CmdOverride, &of(some), &plain());
        assert_eq!(finding.demanded, "none");
    }
}

#[test]
fn overridden_arguments_are_demanded_as_listed() {
    let manifest = manifest(r#"cmd-override = ["--listen", "[::]:7443"]"#, "");
    let of = |list: Value| with(claims(), "/submods/container/cmd_override", list);
    holds(
        Demand::CmdOverride,
        &of(json!(["--listen", "[::]:7443"])),
        &manifest,
    );
    for other in [
        json!(["[::]:7443", "--listen"]),
        json!(["--listen"]),
        json!(["--listen", "[::]:7443", "--tls12"]),
        json!(["--listen [::]:7443"]),
        json!([]),
        json!(null),
    ] {
        fails(Demand::CmdOverride, &of(other), &manifest);
    }
}

#[test]
fn no_overridden_variables_are_demanded() {
    let of = |map: Value| with(claims(), "/submods/container/env_override", map);
    for none in [json!(null), json!({})] {
        holds(Demand::EnvOverride, &of(none), &plain());
    }
    for some in [
        json!({"LD_PRELOAD": "/x"}),
        json!({"": ""}),
        json!({"HOSTNAME": "x"}),
    ] {
        fails(Demand::EnvOverride, &of(some), &plain());
    }
}

#[test]
fn overridden_variables_are_demanded_as_listed() {
    let manifest = manifest(r#"env-override = { MCBN_SERVER = "a:1" }"#, "");
    let of = |map: Value| with(claims(), "/submods/container/env_override", map);
    holds(
        Demand::EnvOverride,
        &of(json!({"MCBN_SERVER": "a:1"})),
        &manifest,
    );
    for other in [
        json!({"MCBN_SERVER": "a:2"}),
        json!({"mcbn_server": "a:1"}),
        json!({"MCBN_SERVER": "a:1", "LD_PRELOAD": "/x"}),
        json!({}),
        json!(null),
    ] {
        fails(Demand::EnvOverride, &of(other), &manifest);
    }
}

#[test]
fn the_manifest_itself_needs_no_listing() {
    for (demand, key, pointer) in [
        (
            Demand::EnvOverride,
            "env-override",
            "/submods/container/env_override",
        ),
        (Demand::Env, "env", "/submods/container/env"),
    ] {
        let lists = format!(r#"{key} = {{ MCBN_SERVER = "a:1" }}"#);
        let (manifest, text) = (manifest(&lists, ""), manifest_text(&lists, ""));
        let carried = |text: &str| mcbn_manifest::carried::encode(text.as_bytes());
        let of = |name: &str, value: &str| {
            with(
                claims(),
                pointer,
                json!({"MCBN_SERVER": "a:1", name: value}),
            )
        };
        holds(demand, &of("MCBN_MANIFEST", &carried(&text)), &manifest);
        fails(demand, &of("MCBN_SHARE", &carried(&text)), &manifest);
        let another = carried(&format!("{text}\n"));
        fails(demand, &of("MCBN_MANIFEST", &another), &manifest);
        fails(demand, &of("MCBN_MANIFEST", "file:/manifest"), &manifest);
    }
}

#[test]
fn arguments_are_demanded_as_listed() {
    let manifest = manifest(r#"args = ["/psk-server", "--tls12"]"#, "");
    let of = |list: Value| with(claims(), "/submods/container/args", list);
    holds(
        Demand::Args,
        &of(json!(["/psk-server", "--tls12"])),
        &manifest,
    );
    for other in [
        json!(["/psk-server"]),
        json!(["--tls12", "/psk-server"]),
        json!(["/psk-server", "--tls12", ""]),
        json!([]),
        json!(null),
    ] {
        fails(Demand::Args, &of(other), &manifest);
    }
}

#[test]
fn variables_are_demanded_as_listed_beside_the_hostname() {
    let of = |map: Value| with(claims(), "/submods/container/env", map);
    let bare = manifest(r#"env = { PATH = "/bin" }"#, "");
    for env in [
        json!({"PATH": "/bin"}),
        json!({"PATH": "/bin", "HOSTNAME": "any"}),
    ] {
        holds(Demand::Env, &of(env), &bare);
    }
    for other in [
        json!({"PATH": "/evil"}),
        json!({"PATH": "/bin", "LD_PRELOAD": "/x"}),
        json!({"PATH": "/bin", "hostname": "x"}),
        json!({"HOSTNAME": "one"}),
        json!({}),
        json!(null),
    ] {
        fails(Demand::Env, &of(other), &bare);
    }
    let named = manifest(r#"env = { PATH = "/bin", HOSTNAME = "one" }"#, "");
    holds(
        Demand::Env,
        &of(json!({"PATH": "/bin", "HOSTNAME": "one"})),
        &named,
    );
    for other in [
        json!({"PATH": "/bin", "HOSTNAME": "two"}),
        json!({"PATH": "/bin"}),
    ] {
        fails(Demand::Env, &of(other), &named);
    }
}

/// Another workload's demands, or none at all, say nothing of an image.
#[test]
fn demands_are_those_of_the_images_own_workload() {
    let client = "sha256:f2484d4358ebe74b0b9e1051d8852389d5f5481681a4933fd58a61817aee76da";
    let of = |digest: &str| with(claims(), "/submods/container/image_digest", json!(digest));
    let server = manifest(r#"args = ["/psk-server"]"#, "");
    holds(Demand::Args, &of(IMAGE), &server);
    fails(Demand::Args, &of(client), &server);
    let another = with(of(client), "/submods/container/args", json!(["/another"]));
    let accepted = judged(&another, &server).unwrap();
    assert_eq!(accepted.workload().as_str(), "psk-client");

    let unknown = of("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    let report = judged(&unknown, &server).unwrap_err();
    for demand in [
        Demand::Args,
        Demand::Env,
        Demand::CmdOverride,
        Demand::EnvOverride,
    ] {
        let finding = finding(&report, demand);
        assert_eq!(finding.verdict, Verdict::NotJudged);
        assert_eq!(finding.demanded, "(unknown: the image plays no part)");
    }
}

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const C: &str = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

#[test]
fn signatures_of_distinct_listed_keys_are_demanded() {
    let keys = format!(r#"signatures = {{ threshold = 2, keys = ["{A}", "{B}"] }}"#);
    let manifest = manifest("", &keys);
    let of = |ids: &[&str]| {
        let signature =
            |id: &&str| json!({"key_id": id, "signature_algorithm": "ECDSA_P256_SHA256"});
        let list: Vec<Value> = ids.iter().map(signature).collect();
        with(claims(), "/submods/container/image_signatures", json!(list))
    };
    holds(Demand::Signatures, &of(&[A, B]), &manifest);
    holds(Demand::Signatures, &of(&[C, B, C, A]), &manifest);
    for ids in [
        &[][..],
        &[A],
        &[A, A, A],
        &[A, C],
        &[A, &A.to_uppercase()],
        &[A, &B[1..]],
        &[A, "", "x"],
    ] {
        fails(Demand::Signatures, &of(ids), &manifest);
    }
    fails(Demand::Signatures, &claims(), &manifest);
}
