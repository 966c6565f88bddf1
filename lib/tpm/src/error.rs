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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi;
    use crate::link::Link;
    use crate::transport::Transport;
    use std::sync::Arc;
    use std::time::Duration;
    use zeroize::Zeroizing;

    /// A TPM that refuses whatever it is asked.
    struct Refusing(u32);

    impl Transport for Refusing {
        fn transmit(&mut self, _: &[u8]) -> io::Result<()> {
            Ok(())
        }

        fn receive(&mut self, _: Duration) -> io::Result<Zeroizing<Vec<u8>>> {
            let head = [0x80, 0x01, 0, 0, 0, 10];
            let answer = [&head[..], &self.0.to_be_bytes()].concat();
            Ok(Zeroizing::new(answer))
        }
    }

    /// What becomes of its code.
    fn told(step: Step, code: u32) -> Error {
        let link = Arc::<Link>::default();
        let context = ffi::context(Box::new(Refusing(code)), link, Duration::from_secs(20));
        let refused = context.unwrap().get_random(8).unwrap_err();
        Error::at(step, refused)
    }

    #[test]
    fn each_code_is_somebodys_fault() {
        // Of TPM_RC: with the number of a session, a parameter or a handle where a TPM adds one.
        for (step, code, expected) in [
            (Step::Hmac, 0x921, Error::Lockout),
            (Step::Load, 0x921, Error::Lockout),
            (Step::Hmac, 0x98e, Error::WrongAuth(Whose::Key)),
            (Step::Hmac, 0x9a2, Error::WrongAuth(Whose::Key)),
            (Step::Hmac, 0x125, Error::WrongAuth(Whose::Key)),
            (Step::MakePrimary, 0x9a2, Error::WrongAuth(Whose::Parent)),
            (Step::Load, 0x98e, Error::WrongAuth(Whose::Parent)),
            (Step::Create, 0x98e, Error::WrongAuth(Whose::Parent)),
            (Step::Hmac, 0x12f, Error::OtherPcrs),
            (Step::Hmac, 0x99d, Error::OtherPcrs),
            (Step::Hmac, 0x128, Error::OtherPcrs),
            (Step::Policy, 0x1c4, Error::OtherPcrs),
            (Step::Load, 0x1df, Error::AnotherTpms),
            (Step::ReadPersistent, 0x18b, Error::NoSuchHandle),
            (Step::MakePrimary, 0x902, Error::Full),
            (Step::StartSession, 0x903, Error::Full),
            (Step::StartSession, 0x905, Error::Full),
            (Step::Hmac, 0x18b, Error::Reset),
            (Step::Hmac, 0x910, Error::Reset),
            (Step::Hmac, 0x918, Error::Reset),
            (Step::MakePrimary, 0x100, Error::Reset),
        ] {
            let error = told(step, code);
            assert_eq!(error.phrase(), expected.phrase(), "{step:?}, {code:#x}");
        }
    }

    #[test]
    fn another_code_is_told_as_it_is() {
        for (step, code) in [
            // Integrity and value mean something else elsewhere.
            (Step::Hmac, 0x1df),
            (Step::Create, 0x1c4),
            // Sizes, hierarchies that are switched off, a failed self-test.
            (Step::Load, 0x1d5),
            (Step::MakePrimary, 0x185),
            (Step::Begin, 0x101),
        ] {
            let error = told(step, code);
            assert!(matches!(error, Error::Refused(..)), "{code:#x}: {error:?}");
        }
    }

    #[test]
    fn a_wrong_authorization_is_never_tried_again() {
        // Each counts, until nobody can use the TPM.
        for whose in [Whose::Key, Whose::Parent] {
            assert!(!Error::WrongAuth(whose).may_pass());
        }
        assert!(Error::Lockout.may_pass() && Error::Reset.may_pass());
    }
}
