//! What a virtual machine is and what it runs: all that its tokens say of it.

use std::collections::BTreeMap;

use openssl::sha::sha256;

use super::key::hex;

/// A virtual machine. [`Profile::production`] is one that a strict policy accepts.
#[derive(Clone, Debug)]
pub struct Profile {
    pub hardware: Hardware,
    pub instance: Instance,
    pub image: Image,
    /// The container's whole command line: entry point and arguments, after overrides.
    pub args: Vec<String>,
    /// The image's own variables. The launcher adds the operator's, and `HOSTNAME`.
    pub env: BTreeMap<String, String>,
    pub cmd_override: Overrides<Vec<String>>,
    pub env_override: Overrides<BTreeMap<String, String>>,
    pub restart_policy: RestartPolicy,
    pub signatures: Vec<ImageSignature>,
    pub service_accounts: Vec<String>,
    /// Where `google_service_accounts` and `tdx` stand.
    pub placement: Placement,
    /// `swname`.
    pub software: String,
    /// `swversion`, YYMMNN.
    pub software_version: String,
    /// None: the claim is absent, as on debug images.
    pub support: Option<Vec<String>>,
    /// `dbgstat`.
    pub debug_status: String,
    pub secure_boot: bool,
    pub memory_monitoring: bool,
    /// Whether a GPU in confidential mode is attached.
    pub gpu: bool,
}

impl Profile {
    /// A hardened image of the stable line on AMD SEV-SNP, which the operator started with no override.
    pub fn production() -> Self {
        Self {
            hardware: Hardware::AmdSevSnp,
            instance: Instance::named("workload-1"),
            image: Image::named("psk-server"),
            args: vec!["/psk-server".to_owned()],
            env: [(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            cmd_override: Overrides::Absent,
            env_override: Overrides::Absent,
            restart_policy: RestartPolicy::Never,
            signatures: Vec::new(),
            service_accounts: vec!["workload@example-project.iam.gserviceaccount.com".to_owned()],
            placement: Placement::Top,
            software: "CONFIDENTIAL_SPACE".to_owned(),
            software_version: "250800".to_owned(),
            support: Some(["LATEST", "STABLE", "USABLE"].map(str::to_owned).into()),
            debug_status: "disabled-since-boot".to_owned(),
            secure_boot: true,
            memory_monitoring: false,
            gpu: false,
        }
    }

    /// The same machine with a debug image: the operator can log in.
    pub fn debug() -> Self {
        Self {
            debug_status: "enabled".to_owned(),
            support: None,
            ..Self::production()
        }
    }
}

/// The processor's technology, as `hwmodel` writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hardware {
    AmdSev,
    AmdSevEs,
    AmdSevSnp,
    /// A virtual machine that is not confidential.
    Shielded,
    IntelTdx,
    /// The same, in the shorter spelling that is seen too.
    IntelTdxShort,
}

impl Hardware {
    pub const ALL: [Self; 6] = [
        Self::AmdSev,
        Self::AmdSevEs,
        Self::AmdSevSnp,
        Self::Shielded,
        Self::IntelTdx,
        Self::IntelTdxShort,
    ];

    pub fn claim(self) -> &'static str {
        match self {
            Self::AmdSev => "GCP_AMD_SEV",
            Self::AmdSevEs => "GCP_AMD_SEV_ES",
            Self::AmdSevSnp => "GCP_AMD_SEV_SNP",
            Self::Shielded => "GCP_SHIELDED_VM",
            Self::IntelTdx => "GCP_INTEL_TDX",
            Self::IntelTdxShort => "INTEL_TDX",
        }
    }

    pub(super) fn is_tdx(self) -> bool {
        matches!(self, Self::IntelTdx | Self::IntelTdxShort)
    }
}

/// The instance, as Compute Engine knows it.
#[derive(Clone, Debug)]
pub struct Instance {
    pub project: String,
    pub project_number: String,
    pub zone: String,
    pub name: String,
    /// A decimal number.
    pub id: String,
}

impl Instance {
    /// One of the example project. Another name is another instance.
    pub fn named(name: &str) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = sha256(name.as_bytes());
        Self {
            project: "example-project".to_owned(),
            project_number: "123456789012".to_owned(),
            zone: "us-central1-a".to_owned(),
            name: name.to_owned(),
            id: u64::from_be_bytes([a, b, c, d, e, f, g, h]).to_string(),
        }
    }

    /// `sub`.
    pub fn self_link(&self) -> String {
        format!(
            "https://www.googleapis.com/compute/v1/projects/{}/zones/{}/instances/{}",
            self.project, self.zone, self.name
        )
    }
}

/// The container's image.
#[derive(Clone, Debug)]
pub struct Image {
    pub reference: String,
    /// Of the index where one was referenced, else of the manifest.
    pub digest: String,
    /// The digest of its configuration.
    pub id: String,
}

impl Image {
    /// An image with digests made from its name.
    pub fn named(name: &str) -> Self {
        let digest = |of: &str| {
            format!(
                "sha256:{}",
                hex(&sha256(format!("{of} of {name}").as_bytes()))
            )
        };
        Self::with_digest(name, &digest("index"), &digest("configuration"))
    }

    /// A built image.
    pub fn with_digest(name: &str, digest: &str, id: &str) -> Self {
        Self {
            reference: format!("registry.example/{name}@{digest}"),
            digest: digest.to_owned(),
            id: id.to_owned(),
        }
    }
}

/// What the operator set instead of the image's own. Where there is nothing, it is written in two ways.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Overrides<T> {
    /// Nothing: no such claim.
    Absent,
    /// Nothing: the claim is null.
    Null,
    Set(T),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestartPolicy {
    Never,
    Always,
    OnFailure,
}

impl RestartPolicy {
    pub(super) fn claim(self) -> &'static str {
        match self {
            Self::Never => "Never",
            Self::Always => "Always",
            Self::OnFailure => "OnFailure",
        }
    }
}

/// A signature of the image that the launcher found and the issuer verified.
#[derive(Clone, Debug)]
pub struct ImageSignature {
    /// SHA-256 of the DER public key, 64 hex digits.
    pub key_id: String,
    pub signature: String,
    pub algorithm: &'static str,
}

impl ImageSignature {
    /// One by this key. Nobody but the issuer verifies it, so its bytes are made up.
    pub fn by(key_id: &str) -> Self {
        Self {
            key_id: key_id.to_owned(),
            signature: "MEUCIQ==".to_owned(),
            algorithm: "ECDSA_P256_SHA256",
        }
    }
}

/// Both are seen in real tokens. Where a claim stands in both places, a reader takes the upper one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placement {
    Top,
    Submods,
    Both,
}
