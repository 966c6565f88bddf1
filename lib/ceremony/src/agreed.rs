//! What the manifest says of those who make a key, or sign with it.

use std::error::Error;
use std::fmt;

use mcbn_manifest::{Manifest, Rule};
use mcbn_share::Participant;

use crate::participants::{ParticipantKey, Participants};
use crate::signing::Signers;
use crate::terms::Terms;

impl Terms {
    /// Those of a manifest, for the workload of this name.
    ///
    /// # Errors
    ///
    /// The manifest leaves something open that all must agree on before.
    pub fn agreed(manifest: &Manifest, workload: &str) -> Result<Self, NotAgreed> {
        let Rule::Threshold(threshold) = manifest.rule() else {
            return Err(NotAgreed::NoThreshold);
        };
        let mut workloads = manifest.workloads().iter();
        let workload = workloads.find(|role| role.name.as_str() == workload);
        let [image] = *workload.ok_or(NotAgreed::NoWorkload)?.images else {
            return Err(NotAgreed::SeveralImages);
        };
        let keys = manifest.participants().iter().map(|member| {
            let key = member.signing_key;
            let key = key.ok_or_else(|| NotAgreed::NoKey(member.name.clone()))?;
            ParticipantKey::from_bytes(&key.0).map_err(|_| NotAgreed::NotAKey(member.name.clone()))
        });
        let participants = Participants::new(keys.collect::<Result<_, _>>()?)
            .expect("a manifest with a threshold has two participants, with distinct keys");
        let terms = Terms::new(manifest.digest(), image, threshold, participants);
        Ok(terms.expect("no threshold of a manifest is higher than its participants"))
    }
}

impl Signers {
    /// Those of a manifest, for the workload of this name. The group's key is that of the manifest's commitments.
    ///
    /// # Errors
    ///
    /// The manifest leaves something open that all must agree on before.
    pub fn agreed(manifest: &Manifest, workload: &str) -> Result<Self, NotAgreed> {
        let terms = Terms::agreed(manifest, workload)?;
        let group = manifest.holders().ok_or(NotAgreed::NoGroup)?.group();
        let signers = Self::new(terms, group.clone());
        Ok(signers.expect("a manifest's commitments are of its rule and its participants"))
    }
}

/// The manifest is at fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotAgreed {
    /// All must sign.
    NoThreshold,
    /// It names no such workload.
    NoWorkload,
    /// What is approved is one image.
    SeveralImages,
    /// This participant has no signing key.
    NoKey(Participant),
    /// The signing key of this participant is none.
    NotAKey(Participant),
    /// It says of no key that they sign with it.
    NoGroup,
}

impl fmt::Display for NotAgreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoThreshold => f.write_str("its rule is no threshold"),
            Self::NoWorkload => f.write_str("it does not name this workload"),
            Self::SeveralImages => {
                f.write_str("it names several images of this workload, and one is approved")
            }
            Self::NoKey(name) => write!(f, "participant {name} has no signing-key"),
            Self::NotAKey(name) => write!(
                f,
                "the signing-key of participant {name} is no Ed25519 public key of prime order"
            ),
            Self::NoGroup => {
                f.write_str("it has no commitments, and so no key that is signed with")
            }
        }
    }
}

impl Error for NotAgreed {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{keys, random};
    use mcbn_manifest::SigningKey;

    /// Of alice and bob.
    fn manifest(change: impl Fn(&str) -> String) -> Manifest {
        let mut text =
            "version = 1\nnetwork = \"house\"\nlease = 300\nrule = { threshold = 2 }\n".to_owned();
        for (name, key) in ["alice", "bob"].iter().zip(keys(2)) {
            let pin = key.pin();
            let key = SigningKey(key.to_bytes());
            text += &format!(
                "[[participant]]\nname = \"{name}\"\nkeeper = \"{name}.example:7400\"\npin = \"{pin}\"\nsigning-key = \"{key}\"\n"
            );
        }
        text += &format!(
            "[[workload]]\nname = \"threshold-generate\"\nimages = [\"sha256:{}\"]\n\
             [attestation]\nsupport = [\"STABLE\"]\nhardware = [\"GCP_INTEL_TDX\"]\n",
            "00".repeat(32)
        );
        Manifest::parse(change(&text).as_bytes()).unwrap()
    }

    fn refused(change: impl Fn(&str) -> String) -> NotAgreed {
        Terms::agreed(&manifest(change), "threshold-generate").unwrap_err()
    }

    #[test]
    fn what_all_agreed_on_is_read() {
        let manifest = manifest(str::to_owned);
        let terms = Terms::agreed(&manifest, "threshold-generate").unwrap();
        assert_eq!(*terms.manifest(), manifest.digest());
        assert_eq!(terms.threshold().get(), 2);
        assert_eq!(terms.participants().keys(), keys(2));
        assert_eq!(terms.image().0, [0; 32]);
    }

    #[test]
    fn a_manifest_that_leaves_something_open_is_refused() {
        let unanimous = |text: &str| text.replace("{ threshold = 2 }", "\"unanimous\"");
        assert_eq!(refused(unanimous), NotAgreed::NoThreshold);
        let other = |text: &str| text.replace("threshold-generate", "threshold-sign");
        assert_eq!(refused(other), NotAgreed::NoWorkload);
        let two = format!(
            "\"sha256:{}\", \"sha256:{}\"",
            "00".repeat(32),
            "11".repeat(32)
        );
        let one = format!("\"sha256:{}\"", "00".repeat(32));
        assert_eq!(
            refused(|text| text.replace(&one, &two)),
            NotAgreed::SeveralImages
        );
        let bobs = SigningKey(keys(2)[1].to_bytes());
        let line = format!("signing-key = \"{bobs}\"\n");
        let bob = || "bob".parse().unwrap();
        assert_eq!(
            refused(|text| text.replace(&line, "")),
            NotAgreed::NoKey(bob())
        );
        // The identity, with which one signature fits nearly every message.
        let mut identity = [0; 32];
        identity[0] = 1;
        let small = SigningKey(identity).to_string();
        let with_small = |text: &str| text.replace(&bobs.to_string(), &small);
        assert_eq!(refused(with_small), NotAgreed::NotAKey(bob()));
    }

    #[test]
    fn the_key_that_is_signed_with_is_that_of_the_commitments() {
        let threshold = mcbn_threshold::Threshold::new(2).unwrap();
        let dealt = mcbn_threshold::generate(threshold, 2, random(1)).unwrap();
        let commitments = dealt.group.commitments().iter();
        let commitments: Vec<String> = commitments.map(|key| format!("\"{key}\"")).collect();
        let commitments = commitments.join(", ");
        // Whether or not the shares are kept where they are.
        for derivation in ["bls-prf-v1", "bls-reveal-v1"] {
            let lines = format!(
                "lease = 300\nderivation = \"{derivation}\"\ncommitments = [{commitments}]\n"
            );
            let manifest = manifest(|text| text.replace("lease = 300\n", &lines));
            let signers = Signers::agreed(&manifest, "threshold-generate").unwrap();
            assert_eq!(*signers.group(), dealt.group);
            let terms = Terms::agreed(&manifest, "threshold-generate").unwrap();
            assert_eq!(*signers.terms(), terms);
        }
    }

    #[test]
    fn a_manifest_without_a_key_to_sign_with_is_refused() {
        let manifest = manifest(str::to_owned);
        let refused = Signers::agreed(&manifest, "threshold-generate").unwrap_err();
        assert_eq!(refused, NotAgreed::NoGroup);
    }

    /// Computed with openssl: `openssl pkey -pubin -outform DER | openssl dgst -sha256`, of the key of RFC 8032 §7.1, test 1.
    #[test]
    fn the_pin_is_that_of_the_public_key_info() {
        let key: SigningKey = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
            .parse()
            .unwrap();
        let key = ParticipantKey::from_bytes(&key.0).unwrap();
        assert_eq!(
            key.pin().to_string(),
            "BuP9j9opu2CrWVV95h7bCuzbIxE0vjDnW0Vfjht5L6k"
        );
    }
}
