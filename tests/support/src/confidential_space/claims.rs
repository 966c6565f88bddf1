//! The claims of a token, in the shapes of real ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::profile::{Overrides, Placement, Profile};

const EAT_PROFILE: &str = "https://cloud.google.com/confidential-computing/confidential-space/docs/reference/token-claims";

/// Google's number at the IANA.
const OEM_ID: u32 = 11129;

/// What a token says beside what its machine is. Times are seconds since 1970.
pub(super) struct Frame {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) nonces: Vec<String>,
    pub(super) issued: u64,
    pub(super) not_before: u64,
    pub(super) expires: u64,
}

pub(super) fn claims(frame: &Frame, profile: &Profile) -> Value {
    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    claim("aud", json!(frame.audience));
    claim("exp", json!(frame.expires));
    claim("iat", json!(frame.issued));
    claim("iss", json!(frame.issuer));
    claim("nbf", json!(frame.not_before));
    claim("sub", json!(profile.instance.self_link()));
    claim("eat_profile", json!(EAT_PROFILE));
    // One nonce is a string, more are an array, none is no claim.
    match frame.nonces.as_slice() {
        [] => None,
        [nonce] => claim("eat_nonce", json!(nonce)),
        nonces => claim("eat_nonce", json!(nonces)),
    };
    claim("secboot", json!(profile.secure_boot));
    claim("oemid", json!(OEM_ID));
    claim("hwmodel", json!(profile.hardware.claim()));
    claim("swname", json!(profile.software));
    claim("swversion", json!([profile.software_version]));
    claim("dbgstat", json!(profile.debug_status));

    let mut submods = submods(profile);
    let mut placed = vec![("google_service_accounts", json!(profile.service_accounts))];
    if profile.hardware.is_tdx() {
        claim("attester_tcb", json!(["INTEL"]));
        let tdx = json!({
            "gcp_attester_tcb_date": "2024-03-13T00:00:00Z",
            "gcp_attester_tcb_status": "UpToDate",
        });
        placed.push(("tdx", tdx));
    }
    for (name, value) in placed {
        if profile.placement != Placement::Top {
            submods.insert(name.to_owned(), value.clone());
        }
        if profile.placement != Placement::Submods {
            claim(name, value);
        }
    }
    claim("submods", submods.into());
    claims.into()
}

fn submods(profile: &Profile) -> Map<String, Value> {
    let mut space = Map::new();
    space.insert(
        "monitoring_enabled".to_owned(),
        json!({ "memory": profile.memory_monitoring }),
    );
    if let Some(support) = &profile.support {
        space.insert("support_attributes".to_owned(), json!(support));
    }

    let instance = &profile.instance;
    let mut submods = Map::new();
    let mut submod = |name: &str, value: Value| submods.insert(name.to_owned(), value);
    submod("confidential_space", space.into());
    submod("container", container(profile));
    submod(
        "gce",
        json!({
            "instance_id": instance.id,
            "instance_name": instance.name,
            "project_id": instance.project,
            "project_number": instance.project_number,
            "zone": instance.zone,
        }),
    );
    if profile.gpu {
        submod(
            "nvidia_gpu",
            json!({
                "cc_feature": "SPT",
                "cc_mode": "ON",
                "gpus": [{
                    "driver_version": "570.86.15",
                    "hwmodel": "GCP_NVIDIA_H100",
                    "ueid": "5340650110430081",
                    "vbios_version": "96.00.A5.00.01",
                }],
            }),
        );
    }
    submods
}

fn container(profile: &Profile) -> Value {
    let image = &profile.image;
    let mut container = Map::new();
    let mut claim = |name: &str, value: Value| container.insert(name.to_owned(), value);
    claim("image_reference", json!(image.reference));
    claim("image_digest", json!(image.digest));
    claim("image_id", json!(image.id));
    claim("restart_policy", json!(profile.restart_policy.claim()));
    claim("args", json!(profile.args));
    claim("env", json!(environment(profile)));
    match &profile.cmd_override {
        Overrides::Absent => None,
        Overrides::Null => claim("cmd_override", Value::Null),
        Overrides::Set(args) => claim("cmd_override", json!(args)),
    };
    match &profile.env_override {
        Overrides::Absent => None,
        Overrides::Null => claim("env_override", Value::Null),
        Overrides::Set(env) => claim("env_override", json!(env)),
    };
    if !profile.signatures.is_empty() {
        let signatures: Vec<_> = profile
            .signatures
            .iter()
            .map(|signature| {
                json!({
                    "key_id": signature.key_id,
                    "signature": signature.signature,
                    "signature_algorithm": signature.algorithm,
                })
            })
            .collect();
        claim("image_signatures", signatures.into());
    }
    container.into()
}

/// The image's variables, the operator's over them, and the launcher's own.
fn environment(profile: &Profile) -> BTreeMap<&str, &str> {
    let overrides = match &profile.env_override {
        Overrides::Set(env) => Some(env),
        Overrides::Absent | Overrides::Null => None,
    };
    [(&profile.instance.name, "HOSTNAME")]
        .map(|(value, name)| (name, value.as_str()))
        .into_iter()
        .chain(
            profile
                .env
                .iter()
                .chain(overrides.into_iter().flatten())
                .map(|(name, value)| (name.as_str(), value.as_str())),
        )
        .collect()
}
