//! What a token says of a machine, as types. Fields are named as the claims are.
//!
//! Reading is strict about types and lenient about absence: a claim of another type than it should have is a fault of
//! the token, an absent or null one is `None` or empty, and no demand takes that for a yes. Unknown claims are left
//! out. Where public descriptions differ (one text or a list of them, one place or another), both are read.

mod read;

use crate::error::TokenFault;
use read::Object;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Every claim that a policy may judge, and those that name the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub iss: String,
    /// One or more.
    pub aud: Vec<String>,
    /// The machine: 1 to 1024 printable ASCII characters.
    pub sub: String,
    /// Seconds since 1970, as all times here.
    pub exp: u64,
    pub iat: u64,
    pub nbf: u64,
    pub eat_nonce: Vec<String>,
    pub eat_profile: Option<String>,
    pub secboot: Option<bool>,
    pub oemid: Option<u64>,
    pub hwmodel: Option<String>,
    pub swname: Option<String>,
    pub swversion: Vec<String>,
    pub dbgstat: Option<String>,
    /// Of the claims themselves, or else of `submods`.
    pub google_service_accounts: Vec<String>,
    /// Of the claims themselves, or else of `submods`.
    pub tdx: Option<Tdx>,
    pub confidential_space: ConfidentialSpace,
    pub container: Option<Container>,
    pub gce: Gce,
    pub nvidia_gpu: Option<NvidiaGpu>,
}

/// `tdx`. Shown, not judged: `hwmodel` is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tdx {
    pub gcp_attester_tcb_status: Option<String>,
    pub gcp_attester_tcb_date: Option<String>,
}

/// `submods.confidential_space`: the image of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfidentialSpace {
    /// Empty on debug images.
    pub support_attributes: Vec<String>,
    /// `monitoring_enabled.memory`.
    pub monitoring_memory: Option<bool>,
}

/// `submods.container`: what the machine runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    pub image_reference: Option<String>,
    /// Of the index where one was referenced, else of the manifest.
    pub image_digest: Option<String>,
    /// Of the image's configuration.
    pub image_id: Option<String>,
    pub restart_policy: Option<String>,
    pub args: Option<Vec<String>>,
    pub env: Option<BTreeMap<String, String>>,
    pub cmd_override: Vec<String>,
    pub env_override: BTreeMap<String, String>,
    pub image_signatures: Vec<ImageSignature>,
}

/// A signature of the image that the issuer of the token verified. The bytes of the signature are not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSignature {
    /// SHA-256 of the public key (DER), in hex.
    pub key_id: Option<String>,
    pub signature_algorithm: Option<String>,
}

/// `submods.gce`: where the machine runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gce {
    pub zone: Option<String>,
    pub project_id: Option<String>,
    pub project_number: Option<String>,
    pub instance_name: Option<String>,
    pub instance_id: Option<String>,
}

/// `submods.nvidia_gpu`. Shown, not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NvidiaGpu {
    pub cc_mode: Option<String>,
}

/// The subject is shown, logged and kept.
const MAX_SUB: usize = 1024;

impl Claims {
    pub(crate) fn read(payload: &Map<String, Value>) -> Result<Claims, TokenFault> {
        let top = Object::new(payload);
        let submods = top.object("submods")?;
        let anywhere = |name: &'static str| match payload.get(name) {
            None | Some(Value::Null) => submods,
            Some(_) => top,
        };
        Ok(Claims {
            iss: top.text("iss")?.ok_or(TokenFault::Missing("iss"))?,
            aud: match top.texts("aud")? {
                Some(audiences) if !audiences.is_empty() => audiences,
                _ => return Err(TokenFault::Missing("aud")),
            },
            sub: subject(top)?,
            exp: top.time("exp")?,
            iat: top.time("iat")?,
            nbf: top.time("nbf")?,
            eat_nonce: top.texts("eat_nonce")?.unwrap_or_default(),
            eat_profile: top.text("eat_profile")?,
            secboot: top.boolean("secboot")?,
            oemid: top.number("oemid")?,
            hwmodel: top.text("hwmodel")?,
            swname: top.text("swname")?,
            swversion: top.texts("swversion")?.unwrap_or_default(),
            dbgstat: top.text("dbgstat")?,
            google_service_accounts: anywhere("google_service_accounts")
                .texts("google_service_accounts")?
                .unwrap_or_default(),
            tdx: anywhere("tdx").some("tdx", tdx)?,
            confidential_space: confidential_space(submods.object("submods.confidential_space")?)?,
            container: submods.some("submods.container", container)?,
            gce: gce(submods.object("submods.gce")?)?,
            nvidia_gpu: submods.some("submods.nvidia_gpu", nvidia_gpu)?,
        })
    }
}

fn subject(top: Object<'_>) -> Result<String, TokenFault> {
    let subject = top.text("sub")?.ok_or(TokenFault::Missing("sub"))?;
    let is_formed =
        (1..=MAX_SUB).contains(&subject.len()) && subject.bytes().all(|b| b.is_ascii_graphic());
    match is_formed {
        true => Ok(subject),
        false => Err(TokenFault::Form("sub")),
    }
}

fn tdx(tdx: Object<'_>) -> Result<Tdx, TokenFault> {
    Ok(Tdx {
        gcp_attester_tcb_status: tdx.text("tdx.gcp_attester_tcb_status")?,
        gcp_attester_tcb_date: tdx.text("tdx.gcp_attester_tcb_date")?,
    })
}

fn confidential_space(space: Object<'_>) -> Result<ConfidentialSpace, TokenFault> {
    Ok(ConfidentialSpace {
        support_attributes: space
            .texts("submods.confidential_space.support_attributes")?
            .unwrap_or_default(),
        monitoring_memory: space
            .object("submods.confidential_space.monitoring_enabled")?
            .boolean("submods.confidential_space.monitoring_enabled.memory")?,
    })
}

fn container(container: Object<'_>) -> Result<Container, TokenFault> {
    Ok(Container {
        image_reference: container.text("submods.container.image_reference")?,
        image_digest: container.text("submods.container.image_digest")?,
        image_id: container.text("submods.container.image_id")?,
        restart_policy: container.text("submods.container.restart_policy")?,
        args: container.list("submods.container.args")?,
        env: container.map("submods.container.env")?,
        cmd_override: container
            .list("submods.container.cmd_override")?
            .unwrap_or_default(),
        env_override: container
            .map("submods.container.env_override")?
            .unwrap_or_default(),
        image_signatures: container
            .objects("submods.container.image_signatures", image_signature)?,
    })
}

fn image_signature(signature: Object<'_>) -> Result<ImageSignature, TokenFault> {
    Ok(ImageSignature {
        key_id: signature.text("submods.container.image_signatures.key_id")?,
        signature_algorithm: signature
            .text("submods.container.image_signatures.signature_algorithm")?,
    })
}

fn gce(gce: Object<'_>) -> Result<Gce, TokenFault> {
    Ok(Gce {
        zone: gce.text("submods.gce.zone")?,
        project_id: gce.text("submods.gce.project_id")?,
        project_number: gce.text("submods.gce.project_number")?,
        instance_name: gce.text("submods.gce.instance_name")?,
        instance_id: gce.text("submods.gce.instance_id")?,
    })
}

fn nvidia_gpu(gpu: Object<'_>) -> Result<NvidiaGpu, TokenFault> {
    Ok(NvidiaGpu {
        cc_mode: gpu.text("submods.nvidia_gpu.cc_mode")?,
    })
}
