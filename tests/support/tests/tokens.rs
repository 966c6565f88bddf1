//! The simulated tokens: the shapes of their claims, and who signs them.

mod raw;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mcbn_tests_support::confidential_space::{
    Hardware, Image, ImageSignature, Instance, Issuer, Machine, Overrides, Placement, Profile,
    RestartPolicy,
};
use raw::{AUDIENCE, HOUR, NONCES, oidc, pki};
use serde_json::{Value, json};

fn claims_of(profile: Profile) -> Value {
    let issuer = Issuer::start();
    oidc(&Machine::start(&issuer, profile)).claims
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

#[test]
fn a_production_token_has_every_claim_in_its_shape() {
    let issuer = Issuer::start();
    let mut claims = oidc(&Machine::start(&issuer, Profile::production())).claims;
    let mut time = |name: &str| {
        let claims = claims.as_object_mut().unwrap();
        claims.remove(name).unwrap().as_u64().unwrap()
    };
    let [issued, not_before, expires] = ["iat", "nbf", "exp"].map(&mut time);
    assert!(issued.abs_diff(now()) < 60);
    assert_eq!([not_before, expires], [issued, issued + HOUR]);
    let image = Image::named("psk-server");
    let instance = Instance::named("workload-1");
    let expected = json!({
        "aud": AUDIENCE,
        "iss": issuer.url(),
        "sub": "https://www.googleapis.com/compute/v1/projects/example-project/zones/us-central1-a/instances/workload-1",
        "eat_nonce": NONCES,
        "eat_profile":
            "https://cloud.google.com/confidential-computing/confidential-space/docs/reference/token-claims",
        "secboot": true,
        "oemid": 11129,
        "hwmodel": "GCP_AMD_SEV_SNP",
        "swname": "CONFIDENTIAL_SPACE",
        "swversion": ["250800"],
        "dbgstat": "disabled-since-boot",
        "google_service_accounts": ["workload@example-project.iam.gserviceaccount.com"],
        "submods": {
            "confidential_space": {
                "monitoring_enabled": { "memory": false },
                "support_attributes": ["LATEST", "STABLE", "USABLE"],
            },
            "container": {
                "image_reference": format!("registry.example/psk-server@{}", image.digest),
                "image_digest": image.digest,
                "image_id": image.id,
                "restart_policy": "Never",
                "args": ["/psk-server"],
                "env": {
                    "HOSTNAME": "workload-1",
                    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                },
            },
            "gce": {
                "zone": "us-central1-a",
                "project_id": "example-project",
                "project_number": "123456789012",
                "instance_name": "workload-1",
                "instance_id": instance.id,
            },
        },
    });
    assert_eq!(claims, expected);
}

#[test]
fn a_debug_image_says_so_and_has_no_support_attributes() {
    let claims = claims_of(Profile::debug());
    assert_eq!(claims["dbgstat"], "enabled");
    let space = &claims["submods"]["confidential_space"];
    assert_eq!(*space, json!({ "monitoring_enabled": { "memory": false } }));
}

#[test]
fn every_hardware_model_is_written_as_it_is_seen() {
    let issuer = Issuer::start();
    let machine = Machine::start(&issuer, Profile::production());
    let models = Hardware::ALL.map(|hardware| {
        machine.change(|profile| profile.hardware = hardware);
        let claims = oidc(&machine).claims;
        assert_eq!(claims["hwmodel"], hardware.claim());
        // Only TDX has these.
        let is_tdx = hardware.claim().contains("TDX");
        assert_eq!(claims.get("tdx").is_some(), is_tdx);
        assert_eq!(
            claims.get("attester_tcb"),
            is_tdx.then_some(&json!(["INTEL"]))
        );
        hardware.claim()
    });
    assert_eq!(
        models,
        [
            "GCP_AMD_SEV",
            "GCP_AMD_SEV_ES",
            "GCP_AMD_SEV_SNP",
            "GCP_SHIELDED_VM",
            "GCP_INTEL_TDX",
            "INTEL_TDX",
        ]
    );
}

#[test]
fn accounts_and_tdx_stand_above_or_under_the_submods_or_both() {
    for (placement, above, under) in [
        (Placement::Top, true, false),
        (Placement::Submods, false, true),
        (Placement::Both, true, true),
    ] {
        let claims = claims_of(Profile {
            hardware: Hardware::IntelTdx,
            placement,
            ..Profile::production()
        });
        for name in ["google_service_accounts", "tdx"] {
            assert_eq!(claims.get(name).is_some(), above, "{placement:?} {name}");
            let found = claims["submods"].get(name).is_some();
            assert_eq!(found, under, "{placement:?} {name}");
        }
    }
}

#[test]
fn no_override_is_an_absent_claim_or_a_null() {
    let none = claims_of(Profile {
        cmd_override: Overrides::Null,
        env_override: Overrides::Null,
        ..Profile::production()
    });
    let container = none["submods"]["container"].as_object().unwrap();
    assert_eq!(container.get("cmd_override"), Some(&Value::Null));
    assert_eq!(container.get("env_override"), Some(&Value::Null));
    let absent = claims_of(Profile::production());
    let container = absent["submods"]["container"].as_object().unwrap();
    assert_eq!(container.get("cmd_override"), None);
    assert_eq!(container.get("env_override"), None);
}

#[test]
fn an_override_of_the_environment_is_in_the_environment_too() {
    let set = [
        ("MCBN_SERVER".to_owned(), "keeper.example:1".to_owned()),
        ("PATH".to_owned(), "/elsewhere".to_owned()),
    ];
    let claims = claims_of(Profile {
        cmd_override: Overrides::Set(vec!["--insecure".to_owned()]),
        env_override: Overrides::Set(set.into()),
        ..Profile::production()
    });
    let container = &claims["submods"]["container"];
    assert_eq!(container["cmd_override"], json!(["--insecure"]));
    assert_eq!(
        container["env_override"],
        json!({ "MCBN_SERVER": "keeper.example:1", "PATH": "/elsewhere" })
    );
    assert_eq!(
        container["env"],
        json!({ "HOSTNAME": "workload-1", "MCBN_SERVER": "keeper.example:1", "PATH": "/elsewhere" })
    );
}

#[test]
fn the_rest_of_a_profile_is_in_its_claims() {
    let key = "ab".repeat(32);
    let claims = claims_of(Profile {
        restart_policy: RestartPolicy::OnFailure,
        signatures: vec![ImageSignature::by(&key)],
        software: "GCE".to_owned(),
        secure_boot: false,
        memory_monitoring: true,
        gpu: true,
        ..Profile::production()
    });
    assert_eq!(claims["swname"], "GCE");
    assert_eq!(claims["secboot"], false);
    let submods = &claims["submods"];
    assert_eq!(submods["container"]["restart_policy"], "OnFailure");
    let signature = &submods["container"]["image_signatures"][0];
    assert_eq!(signature["key_id"], key.as_str());
    assert_eq!(signature["signature_algorithm"], "ECDSA_P256_SHA256");
    assert!(signature["signature"].is_string());
    let monitoring = &submods["confidential_space"]["monitoring_enabled"];
    assert_eq!(monitoring["memory"], true);
    assert_eq!(submods["nvidia_gpu"]["cc_mode"], "ON");
}

#[test]
fn claims_can_be_given_shapes_that_no_profile_has() {
    let issuer = Issuer::start();
    let machine = Machine::start(&issuer, Profile::production());
    machine.edit_claims(|claims| claims["aud"] = json!([AUDIENCE]));
    let token = oidc(&machine);
    assert_eq!(token.claims["aud"], json!([AUDIENCE]));
    assert!(token.is_valid_under(&issuer.jwks()));
}

#[test]
fn the_issuers_clock_can_be_wrong() {
    let issuer = Issuer::start();
    let machine = Machine::start(&issuer, Profile::production());
    machine.set_clock_ahead(Duration::from_secs(10 * HOUR));
    let ahead = oidc(&machine).claims["iat"].as_u64().unwrap();
    assert!(ahead.abs_diff(now() + 10 * HOUR) < 60);
    machine.set_clock_behind(Duration::from_secs(10 * HOUR));
    let behind = oidc(&machine).claims["iat"].as_u64().unwrap();
    assert!(behind.abs_diff(now() - 10 * HOUR) < 60);
}

#[test]
fn a_pki_token_carries_a_chain_of_rsa_keys_to_the_root() {
    let issuer = Issuer::start();
    let token = pki(&Machine::start(&issuer, Profile::production()));
    assert!(token.is_valid_under_root(&issuer.root_pem()));
    assert!(!token.is_valid_under_root(&Issuer::start().root_pem()));
    let chain = token.x5c();
    assert_eq!(chain.len(), 3);
    assert!(
        chain
            .iter()
            .all(|one| one.public_key().unwrap().rsa().is_ok())
    );
    let root = chain[2].to_pem().unwrap();
    assert_eq!(root, issuer.root_pem().into_bytes());
    // An OIDC token has none.
    let oidc = oidc(&Machine::start(&issuer, Profile::production()));
    assert_eq!(oidc.header.get("x5c"), None);
}
