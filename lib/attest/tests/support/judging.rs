//! Manifests, and what becomes of a token that is held against one.

use mcbn_attest::{Accepted, Demand, Finding, Report, Verdict, judge};
use mcbn_manifest::Manifest;
use serde_json::Value;

use super::{KEY, verify};

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
pub fn manifest(workload: &str, machine: &str) -> Manifest {
    let text = manifest_text(workload, machine);
    Manifest::parse(text.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

pub fn manifest_text(workload: &str, machine: &str) -> String {
    // A key of `machine` stands in place of the usual one.
    let is_replaced = |line: &&str| {
        let key = line.split('=').next().unwrap_or("");
        key.is_empty() || !machine.contains(key)
    };
    let usual: Vec<&str> = MACHINE.lines().filter(is_replaced).collect();
    format!(
        "{HEAD}{workload}\n[attestation]\n{}\n{machine}\n",
        usual.join("\n")
    )
}

pub fn plain() -> Manifest {
    manifest("", "")
}

pub fn judged(claims: &Value, manifest: &Manifest) -> Result<Accepted, Report> {
    judge(&verify(&KEY.token(claims)).unwrap(), manifest)
}

#[track_caller]
pub fn holds(demand: Demand, claims: &Value, manifest: &Manifest) {
    let accepted = match judged(claims, manifest) {
        Ok(accepted) => accepted,
        Err(report) => panic!("refused: {report:?}"),
    };
    let verdict = finding(accepted.report(), demand).verdict;
    assert_eq!(verdict, Verdict::Holds);
}

/// This demand fails, and no other.
#[track_caller]
pub fn fails(demand: Demand, claims: &Value, manifest: &Manifest) -> Finding {
    let report = judged(claims, manifest).expect_err("accepted");
    let failed: Vec<Demand> = report.failed().collect();
    assert_eq!(failed, [demand]);
    finding(&report, demand).clone()
}

pub fn finding(report: &Report, demand: Demand) -> &Finding {
    let mut findings = report.findings().iter();
    findings.find(|f| f.demand == demand).expect("every demand")
}
