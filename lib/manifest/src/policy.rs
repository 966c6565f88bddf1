//! What a machine must prove before it gets a share: typed demands, and nothing that judges them.
//!
//! The issuer of tokens is not among them: whom to trust is each keeper's own setting, or a manifest could name an
//! issuer of its author's.
//!
//! Every list names what is accepted, so an empty one accepts nothing. `None` is the one way of saying that something
//! is not judged.

use crate::digest::KeyId;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::num::NonZeroU8;
use std::str::FromStr;

/// The demands on the machine, equal for all workloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which kind of token vouches for the machine.
    pub token: TokenKind,
    pub software: Vec<Software>,
    /// An image of the machine that has a shell for its operator is accepted, too. Nothing is said of the support of
    /// such images, so `support` is not judged where one runs.
    pub insecure_debug: bool,
    /// One of these must be among what is said of the image.
    pub support: Vec<Support>,
    pub hardware: Vec<Hardware>,
    /// A machine that did not verify what it booted is accepted.
    pub insecure_no_secure_boot: bool,
    pub minimum_swversion: Option<u64>,
    /// By id, not by number.
    pub projects: Option<Vec<String>>,
    pub zones: Option<Vec<String>>,
    /// There must be one in the token, and each that is there must be in this list.
    pub service_accounts: Option<Vec<String>>,
    pub restart_policy: Option<Vec<RestartPolicy>>,
    /// Memory monitoring must be just so.
    pub memory_monitoring: Option<bool>,
    pub signatures: Option<Signatures>,
}

/// The demands on how a workload's image was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Exactly these, the program's name among them.
    pub args: Option<Vec<String>>,
    /// Exactly these in place of the image's own; mostly none.
    pub cmd_override: Vec<String>,
    /// Exactly these beside or in place of the image's own; mostly none.
    pub env_override: BTreeMap<String, String>,
    /// Exactly these; `HOSTNAME`, which the launcher adds, may stand beside them.
    pub env: Option<BTreeMap<String, String>>,
}

/// So many distinct keys of the list must have signed the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatures {
    /// Distinct keys, never signatures.
    pub threshold: NonZeroU8,
    pub keys: BTreeSet<KeyId>,
}

/// Enums whose values have one name each, under which they stand in manifests and tokens.
macro_rules! named {
    ($($(#[$doc:meta])* $kind:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
            pub enum $kind {
                $($(#[$variant_doc])* $variant,)*
            }

            impl $kind {
                pub const ALL: &[$kind] = &[$($kind::$variant,)*];

                pub const fn as_str(self) -> &'static str {
                    match self {
                        $($kind::$variant => $name,)*
                    }
                }
            }

            impl Display for $kind {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(self.as_str())
                }
            }

            impl FromStr for $kind {
                type Err = Unknown;

                fn from_str(name: &str) -> Result<$kind, Unknown> {
                    let known = $kind::ALL.iter().find(|known| known.as_str() == name);
                    known.copied().ok_or(Unknown)
                }
            }
        )*
    };
}

/// A name that this version does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

impl Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an unknown name")
    }
}

impl std::error::Error for Unknown {}

named! {
    TokenKind {
        /// Signed by a key of the issuer's published set.
        Oidc = "oidc",
        /// Signed by a key that a chain of certificates ties to a pinned root: verified without a network.
        Pki = "pki",
    }

    /// `swname`.
    Software {
        ConfidentialSpace = "CONFIDENTIAL_SPACE",
        /// Any machine; no manifest may ask for it, as its tokens speak of no container.
        Gce = "GCE",
    }

    /// `support_attributes`.
    Support {
        Latest = "LATEST",
        Stable = "STABLE",
        Usable = "USABLE",
        Experimental = "EXPERIMENTAL",
    }

    /// `hwmodel`. A token may also write `INTEL_TDX`; [`Hardware::from_claim`] takes both.
    Hardware {
        AmdSev = "GCP_AMD_SEV",
        AmdSevEs = "GCP_AMD_SEV_ES",
        AmdSevSnp = "GCP_AMD_SEV_SNP",
        IntelTdx = "GCP_INTEL_TDX",
        /// Encrypts no memory; no manifest may ask for it.
        ShieldedVm = "GCP_SHIELDED_VM",
    }

    /// `restart_policy`.
    RestartPolicy {
        Never = "Never",
        Always = "Always",
        OnFailure = "OnFailure",
    }

    /// The name of each demand, as reports and refusals write it. On the right of each: what it answers.
    Demand {
        /// The participants agreed on another way to know a machine.
        Token = "token",
        /// The operator runs another program.
        ImageDigest = "image-digest",
        /// The operator has a shell in the machine.
        Debug = "debug",
        /// The machine does not measure its container at all.
        Software = "software",
        /// An image of the machine with known holes, or one that never was made for use.
        Support = "support",
        /// The host reads or writes the machine's memory.
        Hardware = "hardware",
        /// Something was put in before the measured system started.
        SecureBoot = "secure-boot",
        /// An old image of the machine, with holes closed since.
        Swversion = "swversion",
        /// Somebody else runs the same image.
        Project = "project",
        /// The machine stands where it must not: another place, another law.
        Zone = "zone",
        /// The program acts in the name of an account that it must not have.
        ServiceAccounts = "service-accounts",
        /// The operator has the program started over and over, and watches for what differs.
        RestartPolicy = "restart-policy",
        /// The operator gives the program other arguments.
        CmdOverride = "cmd-override",
        /// The operator gives the program other variables.
        EnvOverride = "env-override",
        /// The arguments are not those that were agreed on, wherever they came from.
        Args = "args",
        /// The variables are not those that were agreed on, wherever they came from.
        Env = "env",
        /// The operator learns from the use of memory what the program does.
        Monitoring = "monitoring",
        /// Nobody who was named vouches for the image.
        Signatures = "signatures",
    }
}

impl Hardware {
    /// As a token writes it.
    pub fn from_claim(name: &str) -> Option<Hardware> {
        match name {
            "INTEL_TDX" => Some(Hardware::IntelTdx),
            _ => name.parse().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for demand in Demand::ALL {
            assert_eq!(demand.as_str().parse(), Ok(*demand));
        }
        assert_eq!("Debug".parse::<Demand>(), Err(Unknown));
    }

    #[test]
    fn tokens_have_two_spellings_of_one_model() {
        for model in Hardware::ALL {
            assert_eq!(Hardware::from_claim(model.as_str()), Some(*model));
        }
        assert_eq!(Hardware::from_claim("INTEL_TDX"), Some(Hardware::IntelTdx));
        assert_eq!(Hardware::from_claim("AMD_SEV"), None);
        assert_eq!(Hardware::from_claim("gcp_amd_sev"), None);
    }
}
