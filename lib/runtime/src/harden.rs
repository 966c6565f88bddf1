//! What a program does to itself before it holds a secret.
//!
//! No core dump and no attached debugger of the same user can then read its memory, no file that it creates can be
//! read by another user, and a burst of connections does not meet a low limit of descriptors. A step that fails ends
//! the program: running half hardened would be a promise that is not kept.

use crate::exit::{Exit, Failure};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask,
};
use std::error::Error;
use std::fmt::{self, Display};

/// Every step is done. Nothing runs without it.
#[derive(Debug)]
pub struct Hardened(());

/// The steps, in order. They cannot be undone by an unprivileged process (umask and dumpable aside).
pub fn harden() -> Result<Hardened, NotHardened> {
    // It cannot fail.
    umask(Mode::RWXG | Mode::RWXO);
    each(&[
        (Step::CoreLimit, no_core_dumps),
        (Step::Dumpable, not_dumpable),
        (Step::Descriptors, all_descriptors),
    ])
}

type Take = fn() -> Result<(), Errno>;

fn each(steps: &[(Step, Take)]) -> Result<Hardened, NotHardened> {
    for &(step, take) in steps {
        take().map_err(|errno| NotHardened { step, errno })?;
    }
    Ok(Hardened(()))
}

fn no_core_dumps() -> Result<(), Errno> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)
}

fn not_dumpable() -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

fn all_descriptors() -> Result<(), Errno> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, all)
}

/// The operating system refused a step of the hardening.
#[derive(Debug)]
pub struct NotHardened {
    step: Step,
    errno: Errno,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    CoreLimit,
    Dumpable,
    Descriptors,
}

impl Display for NotHardened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.step {
            Step::CoreLimit => "cannot set the limit of core dumps to zero (RLIMIT_CORE)",
            Step::Dumpable => {
                "cannot close this process to debuggers and core dumps (PR_SET_DUMPABLE)"
            }
            Step::Descriptors => {
                "cannot raise the limit of open files to its maximum (RLIMIT_NOFILE)"
            }
        })
    }
}

impl Error for NotHardened {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.errno)
    }
}

impl Failure for NotHardened {
    fn exit(&self) -> Exit {
        Exit::Platform
    }

    fn hint(&self) -> Option<String> {
        Some("the container's system call filter must allow prctl and prlimit64".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_step_that_fails_is_named_and_ends_the_program() {
        static WENT_ON: AtomicBool = AtomicBool::new(false);
        fn refused() -> Result<(), Errno> {
            Err(Errno::PERM)
        }
        fn goes_on() -> Result<(), Errno> {
            WENT_ON.store(true, Ordering::Relaxed);
            Ok(())
        }
        for (step, named) in [
            (Step::CoreLimit, "RLIMIT_CORE"),
            (Step::Dumpable, "PR_SET_DUMPABLE"),
            (Step::Descriptors, "RLIMIT_NOFILE"),
        ] {
            let failure = each(&[(step, refused), (Step::Descriptors, goes_on)]).unwrap_err();
            assert!(failure.to_string().contains(named), "{failure}");
            let source = failure.source().expect("the system's reason");
            assert_eq!(source.to_string(), Errno::PERM.to_string());
            assert_eq!(failure.exit(), Exit::Platform);
            assert!(failure.hint().unwrap().contains("system call filter"));
        }
        assert!(!WENT_ON.load(Ordering::Relaxed));
        each(&[(Step::Descriptors, goes_on)]).unwrap();
    }
}
