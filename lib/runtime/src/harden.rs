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

/// The steps, in order. They cannot be undone by an unprivileged process (umask and dumpable aside).
pub fn harden() -> Result<(), NotHardened> {
    let step = |step| move |errno| NotHardened { step, errno };

    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )
    .map_err(step(Step::CoreLimit))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(step(Step::Dumpable))?;
    umask(Mode::RWXG | Mode::RWXO);

    let descriptors = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: descriptors.maximum,
            maximum: descriptors.maximum,
        },
    )
    .map_err(step(Step::Descriptors))
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
