//! What goes wrong between this program and its TPM, by who is at fault.

use std::fmt;
use std::io;

use tss_esapi::constants::response_code::Tss2ResponseCodeKind as Kind;

use crate::key::NotForThis;

/// Why the TPM did not do what it was asked.
#[derive(Debug)]
pub enum Error {
    /// It cannot be reached, or does not answer any more.
    Unreachable(io::Error),
    /// There is no thread to ask it from.
    NoThread(io::Error),
    /// It was reset, and knows nothing of what was loaded.
    Reset,
    /// It refuses every authorization for a while, since there were too many wrong ones.
    Lockout,
    /// The authorization value of this is wrong, or missing.
    WrongAuth(Whose),
    /// The PCRs are not as they were when the key was sealed to them.
    OtherPcrs,
    /// There are no such PCRs to seal a key to.
    NoPcrs,
    /// The key was not wrapped by this TPM under this parent.
    AnotherTpms,
    /// There is no such persistent object.
    NoSuchHandle,
    /// The object is no permanent key.
    NotForThis(NotForThis),
    /// Its memory is full of what others have loaded.
    Full,
    /// It said something else.
    Refused(Step, tss_esapi::Error),
}

/// What an authorization value is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    Key,
    Parent,
}

/// What the TPM was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Begin,
    MakePrimary,
    StartSession,
    ReadPersistent,
    Load,
    Create,
    Policy,
    ReadPcrs,
    Hmac,
}

impl Error {
    /// Sorts what upstream's library says of a step.
    pub(crate) fn at(step: Step, error: tss_esapi::Error) -> Self {
        let tss_esapi::Error::Tss2Error(code) = error else {
            return Self::Refused(step, error);
        };
        match (code.kind(), step) {
            (Some(Kind::Lockout), _) => Self::Lockout,
            (
                Some(Kind::AuthFail | Kind::BadAuth),
                Step::MakePrimary | Step::Load | Step::Create,
            ) => Self::WrongAuth(Whose::Parent),
            (Some(Kind::AuthFail | Kind::BadAuth | Kind::AuthMissing), Step::Hmac) => {
                Self::WrongAuth(Whose::Key)
            }
            (Some(Kind::AuthUnavailable), Step::Hmac) => Self::OtherPcrs,
            (Some(Kind::PolicyFail | Kind::PcrChanged), _) => Self::OtherPcrs,
            // The digest of the PCRs is a parameter of the command.
            (Some(Kind::Value), Step::Policy) => Self::OtherPcrs,
            (Some(Kind::Integrity), Step::Load) => Self::AnotherTpms,
            (Some(Kind::Handle), Step::ReadPersistent) => Self::NoSuchHandle,
            (
                Some(
                    Kind::ObjectMemory | Kind::SessionMemory | Kind::Memory | Kind::SessionHandles,
                ),
                _,
            ) => Self::Full,
            (
                Some(
                    Kind::ReferenceH0
                    | Kind::ReferenceH1
                    | Kind::ReferenceS0
                    | Kind::ReferenceS1
                    | Kind::Initialize
                    | Kind::Handle,
                ),
                _,
            ) => Self::Reset,
            _ => Self::Refused(step, error),
        }
    }

    /// Whether the same could go well when it is begun anew: the TPM is away, or was.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::Reset
            | Self::Lockout
            | Self::Full
            | Self::OtherPcrs
            | Self::Refused(..) => true,
            Self::NoThread(_)
            | Self::WrongAuth(_)
            | Self::NoPcrs
            | Self::AnotherTpms
            | Self::NoSuchHandle
            | Self::NotForThis(_) => false,
        }
    }

    /// A short fixed phrase, for a handshake's failure.
    pub fn phrase(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "the TPM cannot be reached",
            Self::NoThread(_) => "no thread can be started",
            Self::Reset => "the TPM was reset",
            Self::Lockout => "the TPM is in lockout",
            Self::WrongAuth(Whose::Key) => "the key's authorization value is wrong or missing",
            Self::WrongAuth(Whose::Parent) => {
                "the parent's authorization value is wrong or missing"
            }
            Self::OtherPcrs => "the PCRs are not those that the key is sealed to",
            Self::NoPcrs => "the TPM does not have these PCRs in its SHA-256 bank",
            Self::AnotherTpms => "the key was not made by this TPM under this parent",
            Self::NoSuchHandle => "the TPM has no object with this handle",
            Self::NotForThis(_) => "the object is no permanent key",
            Self::Full => "the TPM's memory is full",
            Self::Refused(..) => "the TPM refused",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable(_) => Some("give the way to a TPM that is there with --tcti"),
            Self::NoThread(_) | Self::Reset => None,
            Self::Lockout => Some(
                "wait until the TPM forgives a wrong authorization, or reset its lockout (tpm2_dictionarylockout -c)",
            ),
            Self::WrongAuth(Whose::Key) => {
                Some("name the file with the key's authorization value in --key-auth")
            }
            Self::WrongAuth(Whose::Parent) => {
                Some("name the file with the parent's authorization value in --parent-auth")
            }
            Self::OtherPcrs => Some(
                "the machine was started with other software; make the key anew if that was intended",
            ),
            Self::NoPcrs => Some(
                "tpm2_pcrallocate sha256:all switches the bank on, from the machine's next start on",
            ),
            Self::AnotherTpms => Some(
                "the key works in the TPM that made it, while nobody clears it; its parent is the primary key of the standard P-256 template, or the persistent handle that the file names",
            ),
            Self::NoSuchHandle => Some("tpm2_getcap handles-persistent lists those that are there"),
            Self::NotForThis(_) => Some("tpm-psk key create makes one that is"),
            Self::Full => Some(
                "use a resource manager (device:/dev/tpmrm0), or flush what others left (tpm2_flushcontext)",
            ),
            Self::Refused(..) => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Begin => "begin",
            Self::MakePrimary => "make its primary key",
            Self::StartSession => "start a session",
            Self::ReadPersistent => "read a persistent object",
            Self::Load => "load the key",
            Self::Create => "make the key",
            Self::Policy => "check the policy",
            Self::ReadPcrs => "read its PCRs",
            Self::Hmac => "compute an HMAC",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotForThis(why) => write!(f, "the object is no permanent key: {why}"),
            Self::Refused(step, _) => write!(f, "the TPM refused to {step}"),
            _ => f.write_str(self.phrase()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreachable(source) | Self::NoThread(source) => Some(source),
            Self::Refused(_, source) => Some(source),
            _ => None,
        }
    }
}
