//! The demonstration, as a play in scenes: people found a network, consent, take their consent back; and what is not
//! what they agreed on gets nothing.
//!
//! The program `demo` tells it to a person; a test runs the same scenes and listens to nothing. Where the workloads
//! run is left to the caller: as plain programs, or as the real images.

#![forbid(unsafe_code)]

pub mod network;
pub mod scenes;
pub mod visitor;

use std::any::Any;
use std::collections::BTreeMap;

use mcbn_tests_support::confidential_space::Machine;
use mcbn_tests_support::process::{Captured, Process, log};
use mcbn_tests_support::workload::workload;

/// What the operator sets: the variables of a workload, by name.
pub type Variables = BTreeMap<String, String>;

/// Where workloads run.
pub trait Host {
    /// Starts the workload on this machine with these variables, as its operator would.
    fn start(&self, name: &str, machine: Machine, variables: &Variables) -> Running;
}

/// A workload, and what must be there until it ends: the machine that vouches for it, its files.
pub struct Running {
    pub process: Process,
    pub kept: Box<dyn Any>,
}

/// Plain programs of this machine. Their digests are those of `digests.lock`, because the simulator says so.
pub struct Programs;

impl Host for Programs {
    fn start(&self, name: &str, machine: Machine, variables: &Variables) -> Running {
        let mut command = workload(name);
        command
            .envs(variables)
            .arg("--token-socket")
            .arg(machine.socket());
        Running {
            process: Process::start(command),
            kept: Box::new(machine),
        }
    }
}

/// Waits until it logged this of a participant.
pub fn hears(process: &Process, message: &str, participant: &str) {
    let is_it = |seen: &Captured| {
        log(&seen.stderr)
            .any(|event| event["message"] == message && event["participant"] == participant)
            .then_some(())
    };
    process.wait(is_it);
}
