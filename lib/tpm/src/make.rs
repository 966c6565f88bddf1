//! A new permanent key.

use mcbn_secret::HmacKey;
use tss_esapi::attributes::ObjectAttributes;
use tss_esapi::constants::SessionType;
use tss_esapi::interface_types::algorithm::{HashingAlgorithm, PublicAlgorithm};
use tss_esapi::structures::{
    Digest, KeyedHashScheme, PublicBuilder, PublicKeyedHashParameters, SensitiveData,
};

use sha2::{Digest as _, Sha256};
use std::time::Duration;

use crate::auth::AuthValue;
use crate::error::{Error, Step};
use crate::key::{KeyFile, Parent, Pcrs, Policy, Public};
use crate::opened::{TEMPLATES, Tpm};
use crate::transport::Tcti;

/// What is asked of a new key.
#[derive(Debug)]
pub struct Order {
    pub tcti: Tcti,
    pub parent: Parent,
    pub parent_auth: Option<AuthValue>,
    pub key_auth: Option<AuthValue>,
    /// The key can be used while these are as they are now.
    pub pcrs: Option<Pcrs>,
    /// How long the TPM may take for one command.
    pub limit: Duration,
}

impl Order {
    /// Has the TPM draw a key, which nobody ever sees.
    pub fn create(&self) -> Result<KeyFile, Error> {
        self.make(None)
    }

    /// Puts a key into the TPM that others have as well. Wiping the original is left to the caller.
    pub fn import(&self, key: &HmacKey) -> Result<KeyFile, Error> {
        self.make(Some(key))
    }

    fn make(&self, key: Option<&HmacKey>) -> Result<KeyFile, Error> {
        let mut tpm = Tpm::open(&self.tcti, self.limit)?;
        let policy = match self.pcrs {
            Some(pcrs) => Some(self.policy(&mut tpm, pcrs)?),
            None => None,
        };
        let policy_digest = match &policy {
            Some(policy) => policy_digest(&mut tpm, policy)?,
            None => Digest::default(),
        };
        let template = TEMPLATES[0];
        let parent = tpm.parent(self.parent, template, self.parent_auth.as_ref())?;
        let session = Some(tpm.session());
        let made = tpm.ask(Step::Create, session, |context| {
            let attributes = ObjectAttributes::builder()
                .with_fixed_tpm(true)
                .with_fixed_parent(true)
                .with_sensitive_data_origin(key.is_none())
                .with_user_with_auth(policy.is_none())
                // Nobody can guess at a value that there is none of.
                .with_no_da(self.key_auth.is_none())
                .with_sign_encrypt(true)
                .build()?;
            let scheme = PublicKeyedHashParameters::new(KeyedHashScheme::HMAC_SHA_256);
            let public = PublicBuilder::new()
                .with_public_algorithm(PublicAlgorithm::KeyedHash)
                .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
                .with_object_attributes(attributes)
                .with_auth_policy(policy_digest)
                .with_keyed_hash_parameters(scheme)
                .with_keyed_hash_unique_identifier(Digest::default())
                .build()?;
            let auth = self.key_auth.as_ref().map(AuthValue::for_the_tpm);
            // The TPM is to have it: it goes encrypted by the session.
            let secret = key.map(|key| SensitiveData::try_from(&key.expose_secret()[..]));
            context.create(parent, public, auth, secret.transpose()?, None, None)
        })?;
        let public = Public::of(made.out_public).map_err(Error::NotForThis)?;
        let private = made.out_private.value().to_vec();
        let empty_auth = self.key_auth.is_none();
        Ok(KeyFile::new(
            empty_auth,
            policy,
            self.parent,
            public,
            private,
        ))
    }

    fn policy(&self, tpm: &mut Tpm, pcrs: Pcrs) -> Result<Policy, Error> {
        let mut all = Sha256::new();
        // A TPM gives a few at a time.
        for pcr in pcrs.each() {
            let (_, _, values) = tpm.ask(Step::ReadPcrs, None, |context| {
                context.pcr_read(pcr.selection())
            })?;
            // A register that is not there has no value, and a policy of none would hold in every state of the machine.
            let [value] = values.value() else {
                return Err(Error::NoPcrs);
            };
            all.update(value.value());
        }
        Ok(Policy {
            pcrs,
            digest: all.finalize().into(),
            with_auth: self.key_auth.is_some(),
        })
    }
}

/// What the TPM makes of the policy's steps.
fn policy_digest(tpm: &mut Tpm, policy: &Policy) -> Result<Digest, Error> {
    let trial = tpm.policy_session(SessionType::Trial)?;
    let digest = tpm.ask(Step::Policy, None, |context| {
        let digest = Digest::try_from(&policy.digest[..])?;
        context.policy_pcr(trial, digest, policy.pcrs.selection())?;
        if policy.with_auth {
            context.policy_auth_value(trial)?;
        }
        context.policy_get_digest(trial)
    })?;
    tpm.flush(tss_esapi::handles::SessionHandle::from(trial).into())?;
    Ok(digest)
}
