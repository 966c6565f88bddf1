//! The commands that make permanent keys and show them: `key create`, `key import`, `key show`.

mod make;
mod show;

use mcbn_runtime::settings::Setting;
use mcbn_runtime::suite::Command;

pub const COMMANDS: &[Command] = &[make::CREATE, make::IMPORT, show::SHOW];

/// Every command passes over the variables of the others, so that one environment can do for all of them.
const BESIDE: &[&[Setting]] = &[crate::config::ROWS_OF_RUN, make::ROWS, show::ROWS];
