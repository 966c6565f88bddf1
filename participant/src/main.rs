//! What a participant of a network runs.

#![forbid(unsafe_code)]

// The commands that use it follow.
#[allow(dead_code)]
mod keeper;
mod manifest;
mod share;
mod token;

use mcbn_runtime::suite::Suite;
use std::process::ExitCode;

static SUITE: Suite = Suite {
    name: "mcbn",
    version: env!("CARGO_PKG_VERSION"),
    about: "What a participant of a consent based network runs.",
    commands: &[manifest::CHECK, share::NEW, share::SPLIT, token::SHOW],
};

fn main() -> ExitCode {
    SUITE.main()
}
