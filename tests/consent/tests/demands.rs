//! Simulated machines against manifests: which are accepted, and which demand refuses the others.

use mcbn_attest::{Demand, judge};
use mcbn_manifest::Manifest;
use mcbn_tests_consent::{Space, failed, manifest, verify};
use mcbn_tests_support::confidential_space::{
    Hardware, Image, ImageSignature, Instance, Overrides, Profile, RestartPolicy,
};

/// The least that a manifest may demand of a production machine.
const PLAIN: &str = r#"
support = ["STABLE"]
hardware = ["GCP_AMD_SEV_SNP", "GCP_INTEL_TDX"]
"#;

/// Every demand that there is.
const STRICT: &str = r#"
support = ["STABLE"]
hardware = ["GCP_AMD_SEV_SNP", "GCP_INTEL_TDX"]
minimum-swversion = 250800
projects = ["example-project"]
zones = ["us-central1-a"]
service-accounts = ["workload@example-project.iam.gserviceaccount.com"]
restart-policy = ["Never"]
memory-monitoring = false
signatures = { threshold = 2, keys = [
    "1111111111111111111111111111111111111111111111111111111111111111",
    "2222222222222222222222222222222222222222222222222222222222222222",
    "3333333333333333333333333333333333333333333333333333333333333333",
] }
"#;

const STRICT_WORKLOAD: &str = r#"
args = ["/psk-server"]
env = { PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" }
"#;

fn key(digit: &str) -> ImageSignature {
    ImageSignature::by(&digit.repeat(64))
}

/// One that a strict manifest accepts.
fn signed() -> Profile {
    Profile {
        signatures: vec![key("1"), key("3")],
        ..Profile::production()
    }
}

fn with(workload: &str, attestation: &str) -> Manifest {
    manifest(&[&Image::named("psk-server").digest], workload, attestation)
}

fn plain() -> Manifest {
    with("", PLAIN)
}

#[test]
fn a_production_machine_is_accepted() {
    let space = Space::production();
    let token = verify(&space.offline(), &space.oidc()).unwrap();
    let accepted = judge(&token, &plain()).unwrap();
    assert_eq!(accepted.workload().as_str(), "psk-server");
    assert_eq!(
        accepted.image().to_string(),
        Image::named("psk-server").digest
    );
    assert_eq!(
        accepted.instance(),
        Instance::named("workload-1").self_link()
    );
    assert!(accepted.report().is_clean());
}

#[test]
fn each_hardware_model_is_accepted_where_it_is_listed_and_refused_elsewhere() {
    let space = Space::production();
    let verifier = space.offline();
    for hardware in Hardware::ALL {
        space.machine.change(|profile| profile.hardware = hardware);
        // What is not confidential no manifest can list, and TDX has one name there.
        for listed in [
            Hardware::AmdSev,
            Hardware::AmdSevEs,
            Hardware::AmdSevSnp,
            Hardware::IntelTdx,
        ] {
            let name = listed.claim();
            let is_listed = match hardware {
                Hardware::IntelTdxShort => listed == Hardware::IntelTdx,
                other => listed == other,
            };
            let attestation = format!("support = [\"STABLE\"]\nhardware = [{name:?}]");
            let expected: &[Demand] = if is_listed { &[] } else { &[Demand::Hardware] };
            let found = failed(&space, &verifier, &with("", &attestation));
            assert_eq!(found, expected, "{hardware:?}, listed {listed:?}");
        }
    }
}

#[test]
fn a_debug_image_is_refused_for_what_it_is() {
    let space = Space::of(Profile::debug());
    let found = failed(&space, &space.offline(), &plain());
    assert_eq!(found, [Demand::Debug, Demand::Support]);
    // The older spelling.
    space
        .machine
        .change(|profile| profile.debug_status = "enable".into());
    let found = failed(&space, &space.offline(), &plain());
    assert_eq!(found, [Demand::Debug, Demand::Support]);
}

#[test]
fn a_debug_image_is_accepted_by_a_manifest_that_says_the_danger() {
    let insecure = with("", &format!("{PLAIN}\ninsecure-debug = true"));
    for status in ["enabled", "enable"] {
        let space = Space::of(Profile {
            debug_status: status.into(),
            ..Profile::debug()
        });
        assert_eq!(failed(&space, &space.offline(), &insecure), []);
    }
}

#[test]
fn a_machine_that_meets_every_demand_is_accepted() {
    let space = Space::of(signed());
    let strict = with(STRICT_WORKLOAD, STRICT);
    assert_eq!(failed(&space, &space.offline(), &strict), []);
    // With either mark of no override.
    space.machine.change(|profile| {
        profile.cmd_override = Overrides::Null;
        profile.env_override = Overrides::Null;
    });
    assert_eq!(failed(&space, &space.offline(), &strict), []);
    // On TDX, in each spelling.
    for hardware in [Hardware::IntelTdx, Hardware::IntelTdxShort] {
        space.machine.change(|profile| profile.hardware = hardware);
        assert_eq!(failed(&space, &space.offline(), &strict), []);
    }
}

#[test]
fn a_machine_that_misses_one_demand_is_refused_for_that_one() {
    let space = Space::of(signed());
    let verifier = space.offline();
    let strict = with(STRICT_WORKLOAD, STRICT);
    let refuses = |demands: &[Demand], change: &dyn Fn(&mut Profile)| {
        space.machine.change(change);
        assert_eq!(failed(&space, &verifier, &strict), demands);
        space.machine.change(|profile| *profile = signed());
        assert_eq!(failed(&space, &verifier, &strict), []);
    };
    refuses(&[Demand::Debug], &|profile| {
        profile.debug_status = "enabled".into();
    });
    refuses(&[Demand::Software], &|profile| {
        profile.software = "GCE".into();
    });
    for support in [None, Some(vec![]), Some(vec!["USABLE".to_owned()])] {
        refuses(&[Demand::Support], &|profile| {
            profile.support = support.clone();
        });
    }
    refuses(&[Demand::SecureBoot], &|profile| {
        profile.secure_boot = false;
    });
    refuses(&[Demand::Swversion], &|profile| {
        profile.software_version = "250799".into();
    });
    refuses(&[Demand::Project], &|profile| {
        profile.instance.project = "another".into();
    });
    refuses(&[Demand::Zone], &|profile| {
        profile.instance.zone = "europe-west4-a".into();
    });
    for accounts in [vec![], vec!["another@example.com".to_owned()]] {
        refuses(&[Demand::ServiceAccounts], &|profile| {
            profile.service_accounts = accounts.clone();
        });
    }
    for policy in [RestartPolicy::Always, RestartPolicy::OnFailure] {
        refuses(&[Demand::RestartPolicy], &|profile| {
            profile.restart_policy = policy;
        });
    }
    refuses(&[Demand::Monitoring], &|profile| {
        profile.memory_monitoring = true;
    });
    refuses(&[Demand::CmdOverride], &|profile| {
        profile.cmd_override = Overrides::Set(vec!["--insecure".into()]);
    });
    refuses(&[Demand::EnvOverride, Demand::Env], &|profile| {
        profile.env_override = Overrides::Set([("MCBN_DEBUG".into(), "1".into())].into());
    });
    refuses(&[Demand::Env], &|profile| {
        profile.env.insert("LD_PRELOAD".into(), "/evil".into());
    });
    refuses(&[Demand::Args], &|profile| {
        profile.args.push("--insecure".into());
    });
    // One key, and one key twice, are one key.
    for signatures in [
        vec![],
        vec![key("1")],
        vec![key("1"), key("1")],
        vec![key("1"), key("4")],
    ] {
        refuses(&[Demand::Signatures], &|profile| {
            profile.signatures = signatures.clone();
        });
    }
}

#[test]
fn an_image_that_is_not_in_the_manifest_is_refused() {
    let space = Space::of(Profile {
        image: Image::named("tampered"),
        ..Profile::production()
    });
    let found = failed(&space, &space.offline(), &plain());
    assert!(found.contains(&Demand::ImageDigest), "{found:?}");
}

/// The digest of the configuration is no digest of an image.
#[test]
fn an_image_is_not_known_by_its_configuration() {
    let space = Space::production();
    let by_configuration = manifest(&[&Image::named("psk-server").id], "", PLAIN);
    let found = failed(&space, &space.offline(), &by_configuration);
    assert!(found.contains(&Demand::ImageDigest), "{found:?}");
}

#[test]
fn overrides_are_accepted_where_they_are_exactly_listed() {
    let listed = with(
        r#"
cmd-override = ["--listen=0.0.0.0:8443"]
env-override = { MCBN_SERVER = "10.0.0.2:8443" }
"#,
        PLAIN,
    );
    let space = Space::of(Profile {
        cmd_override: Overrides::Set(vec!["--listen=0.0.0.0:8443".into()]),
        env_override: Overrides::Set([("MCBN_SERVER".into(), "10.0.0.2:8443".into())].into()),
        ..Profile::production()
    });
    assert_eq!(failed(&space, &space.offline(), &listed), []);
    space.machine.change(|profile| {
        profile.cmd_override = Overrides::Absent;
        profile.env_override = Overrides::Absent;
    });
    let found = failed(&space, &space.offline(), &listed);
    assert_eq!(found, [Demand::CmdOverride, Demand::EnvOverride]);
}

#[test]
fn the_kind_of_token_is_a_demand_too() {
    let space = Space::production();
    let certified = verify(&space.pinned(), &space.pki()).unwrap();
    let refused = judge(&certified, &plain()).unwrap_err();
    assert_eq!(refused.failed().collect::<Vec<_>>(), [Demand::Token]);
    let pki = with("", &format!("{PLAIN}\ntoken = \"pki\""));
    judge(&certified, &pki).unwrap();
    let published = verify(&space.offline(), &space.oidc()).unwrap();
    let refused = judge(&published, &pki).unwrap_err();
    assert_eq!(refused.failed().collect::<Vec<_>>(), [Demand::Token]);
}
