//! Each demand of a manifest: a token that meets it, and one that does not.

mod support;

use mcbn_attest::{Accepted, Demand, Finding, Report, Verdict, examine, judge};
use mcbn_manifest::Manifest;
use serde_json::{Value, json};
use support::*;

const HEAD: &str = r#"
version = 1
network = "house"
rule = "unanimous"
lease = 300

[[participant]]
name = "alice"
keeper = "alice.example:7400"
pin = "K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA"

[[participant]]
name = "bob"
keeper = "bob.example:7400"
pin = "gbY32PzSxtpjWeaWMROhFw3nleS3JbhNHgtM_Z7FjOk"

[[workload]]
name = "psk-client"
images = ["sha256:f2484d4358ebe74b0b9e1051d8852389d5f5481681a4933fd58a61817aee76da"]
args = ["/another"]

[[workload]]
name = "psk-server"
images = ["sha256:38506197449fb101820f5704c51ed40af3cd41742a1fce27a01ba3ba0f689cc7"]
"#;

const MACHINE: &str = r#"
hardware = ["GCP_AMD_SEV_SNP", "GCP_INTEL_TDX"]
support = ["STABLE"]
"#;

/// With these demands beside the least that there are, on the workload and on the machine.
fn manifest(workload: &str, machine: &str) -> Manifest {
    // A key of `machine` stands in place of the usual one.
    let is_replaced = |line: &&str| {
        let key = line.split('=').next().unwrap_or("");
        key.is_empty() || !machine.contains(key)
    };
    let usual: Vec<&str> = MACHINE.lines().filter(is_replaced).collect();
    let text = format!(
        "{HEAD}{workload}\n[attestation]\n{}\n{machine}\n",
        usual.join("\n")
    );
    Manifest::parse(text.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn plain() -> Manifest {
    manifest("", "")
}

fn judged(claims: &Value, manifest: &Manifest) -> Result<Accepted, Report> {
    judge(&verify(&KEY.token(claims)).unwrap(), manifest)
}

#[track_caller]
fn holds(demand: Demand, claims: &Value, manifest: &Manifest) {
    let accepted = match judged(claims, manifest) {
        Ok(accepted) => accepted,
        Err(report) => panic!("refused: {report:?}"),
    };
    let verdict = finding(accepted.report(), demand).verdict;
    assert_eq!(verdict, Verdict::Holds);
}

/// This demand fails, and no other.
#[track_caller]
fn fails(demand: Demand, claims: &Value, manifest: &Manifest) -> Finding {
    let report = judged(claims, manifest).expect_err("accepted");
    let failed: Vec<Demand> = report.failed().collect();
    assert_eq!(failed, [demand]);
    finding(&report, demand).clone()
}

fn finding(report: &Report, demand: Demand) -> &Finding {
    let mut findings = report.findings().iter();
    findings.find(|f| f.demand == demand).expect("every demand")
}

#[test]
fn a_machine_that_meets_every_demand_is_accepted() {
    let accepted = judged(&claims(), &plain()).unwrap();
    assert_eq!(accepted.workload().as_str(), "psk-server");
    assert_eq!(accepted.image().to_string(), IMAGE);
    assert!(accepted.instance().ends_with("/instances/one"));
    assert!(accepted.report().is_clean());
}

#[test]
fn every_demand_has_its_finding() {
    let of = |claims: &Value| {
        let report = judged(claims, &plain());
        let report = report.map_or_else(|report| report, |a| a.report().clone());
        let demands: Vec<Demand> = report.findings().iter().map(|f| f.demand).collect();
        assert_eq!(demands, Demand::ALL);
        report
    };
    of(&claims());
    // Nothing is there to be judged, and everything that is demanded fails.
    let bare = json!({
        "iss": "https://confidentialcomputing.googleapis.com", "aud": AUDIENCE, "sub": "x",
        "iat": NOW, "nbf": NOW, "exp": NOW + 1, "eat_nonce": NONCES,
    });
    let failed: Vec<&str> = of(&bare).failed().map(Demand::as_str).collect();
    assert_eq!(
        failed,
        [
            "image-digest",
            "debug",
            "software",
            "support",
            "hardware",
            "secure-boot"
        ]
    );
}

/// What the manifest leaves open is shown, and not judged.
#[test]
fn what_is_not_demanded_is_not_judged() {
    let accepted = judged(&claims(), &plain()).unwrap();
    for (demand, found) in [
        (Demand::Swversion, "240900"),
        (Demand::Project, "house"),
        (Demand::Zone, "us-central1-a"),
        (
            Demand::ServiceAccounts,
            "runner@house.iam.gserviceaccount.com",
        ),
        (Demand::RestartPolicy, "Never"),
        (Demand::Args, r#"["/psk-server"]"#),
        (Demand::Env, r#"{"HOSTNAME": "one", "PATH": "/bin"}"#),
        (Demand::Monitoring, "no memory"),
        (Demand::Signatures, "(nothing)"),
    ] {
        let finding = finding(accepted.report(), demand);
        assert_eq!(finding.verdict, Verdict::NotJudged, "{demand}");
        assert_eq!(finding.demanded, "(anything)");
        assert_eq!(finding.found, found);
    }
}

#[test]
fn the_kind_of_token_is_demanded() {
    holds(Demand::Token, &claims(), &manifest("", "token = \"oidc\""));
    let finding = fails(Demand::Token, &claims(), &manifest("", "token = \"pki\""));
    assert_eq!(
        (finding.demanded.as_str(), finding.found.as_str()),
        ("pki", "oidc")
    );
}

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
fn a_machine_without_debugging_is_demanded() {
    holds(Demand::Debug, &claims(), &plain());
    for dbgstat in ["enabled", "enable", "disabled", "disabled-since-boot ", ""] {
        let claims = with(claims(), "/dbgstat", json!(dbgstat));
        let finding = fails(Demand::Debug, &claims, &plain());
        assert_eq!(finding.demanded, "disabled-since-boot");
    }
    fails(Demand::Debug, &without(claims(), "/dbgstat"), &plain());
}

#[test]
fn a_debug_image_is_refused() {
    let report = judged(&debug_claims(), &plain()).unwrap_err();
    let failed: Vec<Demand> = report.failed().collect();
    assert_eq!(failed, [Demand::Debug, Demand::Support]);
}

#[test]
fn a_debug_image_is_accepted_where_the_manifest_says_insecure() {
    let insecure = manifest("", "insecure-debug = true");
    for spelling in ["enabled", "enable"] {
        let claims = with(debug_claims(), "/dbgstat", json!(spelling));
        holds(Demand::Debug, &claims, &insecure);
    }
    holds(Demand::Debug, &claims(), &insecure);
    // No other word passes, and a production image must still be a supported one.
    let other = with(claims(), "/dbgstat", json!("disabled"));
    fails(Demand::Debug, &other, &insecure);
    let unsupported = without(claims(), "/submods/confidential_space/support_attributes");
    fails(Demand::Support, &unsupported, &insecure);
}

#[test]
fn confidential_space_is_demanded() {
    holds(Demand::Software, &claims(), &plain());
    for name in ["GCE", "confidential_space", ""] {
        let claims = with(claims(), "/swname", json!(name));
        fails(Demand::Software, &claims, &plain());
    }
    fails(Demand::Software, &without(claims(), "/swname"), &plain());
}

#[test]
fn a_supported_image_is_demanded() {
    let attributes = "/submods/confidential_space/support_attributes";
    holds(Demand::Support, &claims(), &plain());
    let only = with(claims(), attributes, json!(["STABLE"]));
    holds(Demand::Support, &only, &plain());
    let experimental = with(claims(), attributes, json!(["EXPERIMENTAL"]));
    let either = manifest("", r#"support = ["LATEST", "EXPERIMENTAL"]"#);
    holds(Demand::Support, &experimental, &either);
    fails(Demand::Support, &experimental, &plain());
    for other in [
        json!(["USABLE"]),
        json!([]),
        json!(null),
        json!(["stable"]),
        json!(["STABLE2"]),
    ] {
        let claims = with(claims(), attributes, other);
        let finding = fails(Demand::Support, &claims, &plain());
        assert_eq!(finding.demanded, "any of STABLE");
    }
}

#[test]
fn each_model_is_accepted_where_it_is_listed() {
    let models = [
        "GCP_AMD_SEV",
        "GCP_AMD_SEV_ES",
        "GCP_AMD_SEV_SNP",
        "GCP_INTEL_TDX",
    ];
    for listed in models {
        let manifest = manifest("", &format!("hardware = [\"{listed}\"]"));
        for model in models {
            let claims = with(claims(), "/hwmodel", json!(model));
            match model == listed {
                true => holds(Demand::Hardware, &claims, &manifest),
                false => drop(fails(Demand::Hardware, &claims, &manifest)),
            }
        }
    }
    let tdx = manifest("", "hardware = [\"GCP_INTEL_TDX\"]");
    holds(Demand::Hardware, &tdx_claims(), &tdx);
    let other_spelling = with(tdx_claims(), "/hwmodel", json!("INTEL_TDX"));
    holds(Demand::Hardware, &other_spelling, &tdx);
}

#[test]
fn another_model_is_refused() {
    for model in [
        json!("GCP_SHIELDED_VM"),
        json!("GCP_AMD_SEV"),
        json!("A_MODEL_TO_COME"),
        json!(null),
    ] {
        let claims = with(claims(), "/hwmodel", model);
        fails(Demand::Hardware, &claims, &plain());
    }
}

#[test]
fn secure_boot_is_demanded() {
    holds(Demand::SecureBoot, &claims(), &plain());
    let off = with(claims(), "/secboot", json!(false));
    assert_eq!(fails(Demand::SecureBoot, &off, &plain()).found, "off");
    fails(Demand::SecureBoot, &without(claims(), "/secboot"), &plain());
    let insecure = manifest("", "insecure-no-secure-boot = true");
    let accepted = judged(&off, &insecure).unwrap();
    let finding = finding(accepted.report(), Demand::SecureBoot);
    assert_eq!(finding.verdict, Verdict::NotJudged);
}

#[test]
fn a_recent_version_is_demanded() {
    let manifest = manifest("", "minimum-swversion = 240900");
    let of = |versions: Value| with(claims(), "/swversion", versions);
    for recent in [
        json!(["240900"]),
        json!(["250301"]),
        json!("240901"),
        json!(["240900", "250000"]),
    ] {
        holds(Demand::Swversion, &of(recent), &manifest);
    }
    for old in [
        json!(["240899"]),
        json!(["250301", "240899"]),
        json!([]),
        json!(null),
        json!([""]),
        json!(["+240900"]),
        json!(["240900.1"]),
        json!(["0x999999"]),
        json!(["99999999999999999999999"]),
    ] {
        fails(Demand::Swversion, &of(old), &manifest);
    }
}

#[test]
fn a_listed_project_is_demanded() {
    let manifest = manifest("", r#"projects = ["garden", "house"]"#);
    holds(Demand::Project, &claims(), &manifest);
    for other in [json!("houses"), json!("House"), json!(""), json!(null)] {
        let claims = with(claims(), "/submods/gce/project_id", other);
        fails(Demand::Project, &claims, &manifest);
    }
    fails(
        Demand::Project,
        &without(claims(), "/submods/gce"),
        &manifest,
    );
}

#[test]
fn a_listed_zone_is_demanded() {
    let manifest = manifest("", r#"zones = ["us-central1-a"]"#);
    holds(Demand::Zone, &claims(), &manifest);
    for other in [json!("us-central1-b"), json!("us-central1"), json!(null)] {
        let claims = with(claims(), "/submods/gce/zone", other);
        fails(Demand::Zone, &claims, &manifest);
    }
}

#[test]
fn listed_service_accounts_and_no_others_are_demanded() {
    let manifest = manifest("", r#"service-accounts = ["a@x", "b@x"]"#);
    let of = |accounts: Value| with(claims(), "/google_service_accounts", accounts);
    for listed in [json!(["a@x"]), json!(["b@x", "a@x"]), json!("a@x")] {
        holds(Demand::ServiceAccounts, &of(listed), &manifest);
    }
    for other in [
        json!(["a@x", "c@x"]),
        json!(["c@x"]),
        json!([]),
        json!(null),
        json!("A@x"),
    ] {
        fails(Demand::ServiceAccounts, &of(other), &manifest);
    }
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
fn monitoring_is_demanded_on_or_off() {
    let memory = "/submods/confidential_space/monitoring_enabled/memory";
    for demanded in [true, false] {
        let manifest = manifest("", &format!("memory-monitoring = {demanded}"));
        let of = |value: Value| with(claims(), memory, value);
        holds(Demand::Monitoring, &of(json!(demanded)), &manifest);
        fails(Demand::Monitoring, &of(json!(!demanded)), &manifest);
        fails(Demand::Monitoring, &of(json!(null)), &manifest);
        let silent = without(claims(), "/submods/confidential_space/monitoring_enabled");
        fails(Demand::Monitoring, &silent, &manifest);
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

/// Who starts a machine writes some of its claims, and a person reads them at a terminal.
#[test]
fn what_is_found_acts_on_no_terminal() {
    let evil = "\u{1b}[2J\r\n\u{202e}\u{9b}31m\0\u{7f}";
    let claims = with(claims(), "/dbgstat", json!(evil));
    let claims = with(claims, "/swversion", json!([evil]));
    let claims = with(claims, "/submods/container/args", json!([evil]));
    let claims = with(claims, "/submods/container/env", json!({evil: evil}));
    let report = judged(&claims, &plain()).unwrap_err();
    for finding in report.findings() {
        let is_plain = |c: char| c == ' ' || c.is_ascii_graphic();
        assert!(finding.found.chars().all(is_plain), "{:?}", finding.found);
    }
}

#[test]
fn what_is_found_is_bounded() {
    let long = "é".repeat(20_000);
    let claims = with(claims(), "/dbgstat", json!(long));
    let finding = fails(Demand::Debug, &claims, &plain());
    assert_eq!(finding.found.chars().count(), Finding::MAX_TEXT);
    assert!(finding.found.ends_with('…'));
}

#[test]
fn claims_that_nobody_verified_are_examined_but_prove_nothing() {
    let forged = OTHER_KEY.token(&claims());
    let shown = mcbn_attest::Unverified::parse(&forged).unwrap();
    let report = examine(shown.insecure_claims(), shown.kind(), &plain());
    assert!(report.is_clean());
}

#[test]
fn a_report_is_written_for_a_ledger() {
    let off = with(claims(), "/secboot", json!(false));
    let report = judged(&off, &plain()).unwrap_err();
    let written = serde_json::to_value(&report).unwrap();
    let row = written["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["demand"] == "secure-boot");
    assert_eq!(
        row.unwrap(),
        &json!({"demand": "secure-boot", "verdict": "fails", "demanded": "on", "found": "off"})
    );
}
