//! What becomes of a token that is held against a manifest.

mod support;

use mcbn_attest::{Demand, Finding, Verdict, examine};
use serde_json::{Value, json};
use support::judging::*;
use support::*;

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
        (Demand::Env, r#"["HOSTNAME"="one", "PATH"="/bin"]"#),
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

/// Who starts a machine writes some of its claims, and a person reads them at a terminal.
#[test]
fn what_is_found_acts_on_no_terminal() {
    let evil = "é\u{2010}\u{1b}[2J\r\n\u{202e}\u{9b}31m\0\u{7f}";
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
    assert_eq!(finding.found.len(), Finding::MAX_TEXT);
    assert!(finding.found.ends_with("..."));
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
