//! What a participant of a network runs.

#![forbid(unsafe_code)]

mod keeper;
mod key_file;
mod kms;
mod manifest;
mod secret_file;
mod share;
mod threshold;
mod token;
mod trust;

use keeper::{command, page, run};
use mcbn_runtime::settings::Setting;
use mcbn_runtime::suite::Suite;
use std::process::ExitCode;

const NAME: &str = "mcbn";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every command passes over the others' variables, so that one environment can do for all of them.
const BESIDE: &[&[Setting]] = &[keeper::settings::OF_RUN, keeper::settings::OF_OTHERS];

static SUITE: Suite = Suite {
    name: NAME,
    version: VERSION,
    about: "What a participant of a consent based network runs.",
    default: None,
    commands: &[
        manifest::CHECK,
        share::NEW,
        share::SPLIT,
        kms::IMPORT_WRAP,
        threshold::KEY,
        threshold::GENERATE,
        threshold::STATUS,
        threshold::VERIFY,
        threshold::FINISH,
        threshold::sign::ANNOUNCE,
        threshold::sign::STATUS,
        threshold::sign::APPROVE,
        threshold::sign::VERIFY,
        token::SHOW,
        command::MAKE_KEY,
        command::SHOW_PIN,
        run::RUN,
        command::LIST,
        command::APPROVE,
        command::DENY,
        command::REVOKE,
        command::RESTORE,
        command::LOG,
        command::VERIFY,
        page::PAGE,
    ],
};

fn main() -> ExitCode {
    SUITE.main()
}
