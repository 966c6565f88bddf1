//! The permanent key where it can be used.

use std::time::Duration;

use mcbn_secret::Psk;
use tss_esapi::constants::SessionType;
use tss_esapi::handles::{KeyHandle, ObjectHandle};
use tss_esapi::interface_types::algorithm::HashingAlgorithm;
use tss_esapi::interface_types::session_handles::{AuthSession, PolicySession};
use tss_esapi::structures::{Digest, MaxBuffer, Private};

use crate::auth::AuthValue;
use crate::error::{Error, Step};
use crate::key::{KeyFile, Name, Parent, PersistentHandle, Policy, Public};
use crate::layout::Message;
use crate::opened::{TEMPLATES, Tpm};
use crate::transport::Tcti;

/// All that it takes to load a key, again and again.
#[derive(Debug)]
pub struct KeyConfig {
    pub tcti: Tcti,
    pub key: KeyPlace,
    pub key_auth: Option<AuthValue>,
    pub parent_auth: Option<AuthValue>,
    /// How long the TPM may take for one command.
    pub limit: Duration,
}

/// Where the key is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyPlace {
    File(Box<KeyFile>),
    Persistent(PersistentHandle),
}

/// A key in a TPM, and the session in which it is used.
pub struct LoadedKey {
    tpm: Tpm,
    key: KeyHandle,
    name: Name,
    lock: Lock,
}

/// How the key's use is authorized.
enum Lock {
    Auth(AuthSession),
    Policy(PolicySession, Policy),
}

impl LoadedKey {
    /// Loads the key, and tries it.
    pub fn load(config: &KeyConfig) -> Result<Self, Error> {
        let mut tpm = Tpm::open(&config.tcti, config.limit)?;
        let (key, public, policy) = match &config.key {
            KeyPlace::File(file) => {
                let key = load(&mut tpm, file, config.parent_auth.as_ref())?;
                (key, file.public.clone(), file.policy.clone())
            }
            KeyPlace::Persistent(handle) => {
                let key = KeyHandle::from(tpm.persistent(*handle)?);
                let (public, ..) = tpm.ask(Step::ReadPersistent, None, |context| {
                    context.read_public(key)
                })?;
                let public = Public::of(public).map_err(Error::NotForThis)?;
                if !public.is_opened_by_auth() {
                    // What the policy is stands in a file alone.
                    return Err(Error::NotForThis(crate::key::NotForThis::Policy));
                }
                (key, public, None)
            }
        };
        if let Some(auth) = &config.key_auth {
            tpm.ask(Step::Load, None, |context| {
                context.tr_set_auth(ObjectHandle::from(key), auth.for_the_tpm())
            })?;
        }
        let lock = match policy {
            None => Lock::Auth(tpm.session()),
            Some(policy) => Lock::Policy(tpm.policy_session(SessionType::Policy)?, policy),
        };
        tpm.flush_salt()?;
        let mut loaded = Self {
            tpm,
            key,
            name: public.name(),
            lock,
        };
        loaded.hmac(&Message::probe())?;
        loaded.tpm.take_busy();
        Ok(loaded)
    }

    pub fn name(&self) -> &Name {
        &self.name
    }

    /// HMAC-SHA256 of the message under the key.
    pub fn hmac(&mut self, message: &Message) -> Result<Psk, Error> {
        let session = match &self.lock {
            Lock::Auth(session) => *session,
            Lock::Policy(session, policy) => {
                let session = *session;
                let (digest, selection) = (policy.digest, policy.pcrs.selection());
                let with_auth = policy.with_auth;
                self.tpm.ask(Step::Policy, None, |context| {
                    let digest = Digest::try_from(&digest[..])?;
                    context.policy_pcr(session, digest, selection)?;
                    match with_auth {
                        true => context.policy_auth_value(session),
                        false => Ok(()),
                    }
                })?;
                AuthSession::PolicySession(session)
            }
        };
        let key = ObjectHandle::from(self.key);
        let digest = self.tpm.ask(Step::Hmac, Some(session), |context| {
            let message = MaxBuffer::try_from(message.as_bytes())?;
            context.hmac(key, message, HashingAlgorithm::Sha256)
        })?;
        let bytes = digest.value().try_into().map_err(|_| {
            let kind = tss_esapi::WrapperErrorKind::WrongValueFromTpm;
            Error::Refused(Step::Hmac, tss_esapi::Error::WrapperError(kind))
        })?;
        Ok(Psk::copied_from(bytes))
    }

    /// How long the TPM was at work since this was last asked.
    pub fn take_busy(&self) -> Duration {
        self.tpm.take_busy()
    }
}

/// Under whichever primary key it was made.
fn load(
    tpm: &mut Tpm,
    file: &KeyFile,
    parent_auth: Option<&AuthValue>,
) -> Result<KeyHandle, Error> {
    let templates = match file.parent {
        Parent::Primary(_) => &TEMPLATES[..],
        Parent::Persistent(_) => &TEMPLATES[..1],
    };
    let mut refused = Error::AnotherTpms;
    for template in templates {
        let parent = tpm.parent(file.parent, *template, parent_auth)?;
        let session = Some(tpm.session());
        let loaded = tpm.ask(Step::Load, session, |context| {
            let private = Private::try_from(file.private())?;
            context.load(parent, private, file.public.parsed())
        });
        if let Parent::Primary(_) = file.parent {
            tpm.flush(parent.into())?;
        }
        match loaded {
            Ok(key) => return Ok(key),
            Err(Error::AnotherTpms) => refused = Error::AnotherTpms,
            Err(error) => return Err(error),
        }
    }
    Err(refused)
}
