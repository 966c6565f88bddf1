//! A TPM that answers, and the one session that everything is asked in.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tss_esapi::Context;
use tss_esapi::attributes::{ObjectAttributes, SessionAttributesBuilder};
use tss_esapi::constants::SessionType;
use tss_esapi::handles::{AuthHandle, KeyHandle, ObjectHandle, PersistentTpmHandle, TpmHandle};
use tss_esapi::interface_types::algorithm::{HashingAlgorithm, PublicAlgorithm};
use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::interface_types::resource_handles;
use tss_esapi::interface_types::session_handles::{AuthSession, PolicySession};
use tss_esapi::structures::{
    EccPoint, Public, PublicBuilder, PublicEccParametersBuilder, SymmetricDefinition,
    SymmetricDefinitionObject,
};

use crate::auth::AuthValue;
use crate::error::{Error, Step};
use crate::ffi;
use crate::key::{Hierarchy, Parent, PersistentHandle};
use crate::link::Link;
use crate::sweep::sweep;
use crate::transport::Tcti;

/// Whoever listens on the bus sees neither a secret nor a result: the session's keys come from a salt that is encrypted
/// to a key of the TPM, commands and responses carry MACs, and their first parameters are encrypted.
///
/// When it is dropped everything that was loaded is flushed, as far as the TPM still answers.
pub(crate) struct Tpm {
    context: Context,
    link: Arc<Link>,
    /// To which salts are encrypted.
    salt: KeyHandle,
    session: AuthSession,
}

/// Templates of the primary key. The first is the standard one, of the TCG's storage key but without a unique value; the
/// second is that of `tpm2_createprimary`, which does not switch the lockout off.
pub(crate) const TEMPLATES: [Template; 2] = [Template { no_da: true }, Template { no_da: false }];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Template {
    no_da: bool,
}

impl Template {
    fn public(self) -> Result<Public, tss_esapi::Error> {
        let attributes = ObjectAttributes::builder()
            .with_fixed_tpm(true)
            .with_fixed_parent(true)
            .with_sensitive_data_origin(true)
            .with_user_with_auth(true)
            .with_no_da(self.no_da)
            .with_restricted(true)
            .with_decrypt(true)
            .build()?;
        let parameters = PublicEccParametersBuilder::new_restricted_decryption_key(
            SymmetricDefinitionObject::AES_128_CFB,
            EccCurve::NistP256,
        );
        PublicBuilder::new()
            .with_public_algorithm(PublicAlgorithm::Ecc)
            .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
            .with_object_attributes(attributes)
            .with_ecc_parameters(parameters.build()?)
            .with_ecc_unique_identifier(EccPoint::default())
            .build()
    }
}

impl Tpm {
    /// Connects, and waits for each response for `limit` at most.
    pub(crate) fn open(tcti: &Tcti, limit: Duration) -> Result<Self, Error> {
        let mut transport = tcti.connect(limit).map_err(Error::Unreachable)?;
        if !tcti.has_resource_manager() {
            let flushed = sweep(&mut *transport, limit).map_err(Error::Unreachable)?;
            if flushed > 0 {
                tracing::info!(flushed, "flushed what a user before had left in the TPM");
            }
        }
        let link = Arc::new(Link::default());
        let context = ffi::context(transport, Arc::clone(&link), limit)
            .map_err(|error| fault(&link, Step::Begin, error))?;
        Self::with_session(context, link)
    }

    fn with_session(mut context: Context, link: Arc<Link>) -> Result<Self, Error> {
        // Of the null hierarchy: it has no authorization value that a listener could learn.
        let salt = primary(
            &mut context,
            Some(AuthSession::Password),
            Hierarchy::Null,
            TEMPLATES[0],
        )
        .map_err(|error| fault(&link, Step::MakePrimary, error))?;
        let session = salted(&mut context, salt, SessionType::Hmac)
            .map_err(|error| fault(&link, Step::StartSession, error))?;
        Ok(Self {
            context,
            link,
            salt,
            session,
        })
    }

    /// Asks for one thing. Upstream's errors become ours.
    pub(crate) fn ask<T>(
        &mut self,
        step: Step,
        session: Option<AuthSession>,
        what: impl FnOnce(&mut Context) -> Result<T, tss_esapi::Error>,
    ) -> Result<T, Error> {
        let done = self.context.execute_with_session(session, what);
        done.map_err(|error| fault(&self.link, step, error))
    }

    /// The session for everything that needs no policy.
    pub(crate) fn session(&self) -> AuthSession {
        self.session
    }

    /// One more session, for a policy or to try one.
    pub(crate) fn policy_session(&mut self, kind: SessionType) -> Result<PolicySession, Error> {
        let salt = self.salt;
        let session = self.ask(Step::StartSession, None, |context| {
            salted(context, salt, kind)
        })?;
        match session {
            AuthSession::PolicySession(session) => Ok(session),
            AuthSession::HmacSession(_) | AuthSession::Password => {
                unreachable!("a session is of the kind that was asked for")
            }
        }
    }

    /// The parent of a key: made anew, or there already.
    pub(crate) fn parent(
        &mut self,
        parent: Parent,
        template: Template,
        auth: Option<&AuthValue>,
    ) -> Result<KeyHandle, Error> {
        let session = Some(self.session);
        match parent {
            Parent::Primary(hierarchy) => self.ask(Step::MakePrimary, session, |context| {
                if let (Some(auth), Some(owner)) = (auth, auth_handle(hierarchy)) {
                    context.tr_set_auth(owner.into(), auth.for_the_tpm())?;
                }
                primary(context, session, hierarchy, template)
            }),
            Parent::Persistent(handle) => {
                let object = self.persistent(handle)?;
                if let Some(auth) = auth {
                    self.ask(Step::Load, None, |context| {
                        context.tr_set_auth(object, auth.for_the_tpm())
                    })?;
                }
                Ok(object.into())
            }
        }
    }

    pub(crate) fn persistent(&mut self, handle: PersistentHandle) -> Result<ObjectHandle, Error> {
        self.ask(Step::ReadPersistent, None, |context| {
            let handle = PersistentTpmHandle::new(handle.number())?;
            context.tr_from_tpm_public(TpmHandle::Persistent(handle))
        })
    }

    /// Makes room, if the object takes any.
    pub(crate) fn flush(&mut self, object: ObjectHandle) -> Result<(), Error> {
        self.ask(Step::Load, None, |context| context.flush_context(object))
    }

    /// No more sessions are started after this.
    pub(crate) fn flush_salt(&mut self) -> Result<(), Error> {
        self.flush(self.salt.into())
    }

    /// How long the TPM was at work since this was last asked.
    pub(crate) fn take_busy(&self) -> Duration {
        self.link.take_busy()
    }
}

fn fault(link: &Link, step: Step, error: tss_esapi::Error) -> Error {
    match link.take_fault() {
        Some(fault) => Error::Unreachable(fault),
        // Upstream has its own words for what is asked after that.
        None if link.is_dead() => Error::Unreachable(io::ErrorKind::NotConnected.into()),
        None => Error::at(step, error),
    }
}

fn primary(
    context: &mut Context,
    session: Option<AuthSession>,
    hierarchy: Hierarchy,
    template: Template,
) -> Result<KeyHandle, tss_esapi::Error> {
    let public = template.public()?;
    let hierarchy = match hierarchy {
        Hierarchy::Owner => resource_handles::Hierarchy::Owner,
        Hierarchy::Endorsement => resource_handles::Hierarchy::Endorsement,
        Hierarchy::Platform => resource_handles::Hierarchy::Platform,
        Hierarchy::Null => resource_handles::Hierarchy::Null,
    };
    let made = context.execute_with_session(session, |context| {
        context.create_primary(hierarchy, public, None, None, None, None)
    })?;
    Ok(made.key_handle)
}

/// None for the one that has no authorization value.
fn auth_handle(hierarchy: Hierarchy) -> Option<AuthHandle> {
    match hierarchy {
        Hierarchy::Owner => Some(AuthHandle::Owner),
        Hierarchy::Endorsement => Some(AuthHandle::Endorsement),
        Hierarchy::Platform => Some(AuthHandle::Platform),
        Hierarchy::Null => None,
    }
}

/// A session that encrypts both ways and goes on after each command.
fn salted(
    context: &mut Context,
    salt: KeyHandle,
    kind: SessionType,
) -> Result<AuthSession, tss_esapi::Error> {
    let session = context
        .start_auth_session(
            Some(salt),
            None,
            None,
            kind,
            SymmetricDefinition::AES_128_CFB,
            HashingAlgorithm::Sha256,
        )?
        .ok_or(tss_esapi::Error::WrapperError(
            tss_esapi::WrapperErrorKind::WrongValueFromTpm,
        ))?;
    let (attributes, mask) = SessionAttributesBuilder::new()
        .with_decrypt(true)
        .with_encrypt(true)
        .with_continue_session(true)
        .build();
    context.tr_sess_set_attributes(session, attributes, mask)?;
    Ok(session)
}
