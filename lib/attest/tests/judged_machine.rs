//! Each demand on the machine: a token that meets it, and one that does not.

mod support;

use mcbn_attest::{Demand, Verdict};
use serde_json::{Value, json};
use support::judging::*;
use support::*;

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
