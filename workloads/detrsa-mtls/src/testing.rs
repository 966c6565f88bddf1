//! The program as it is configured, for the tests of its parts.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::IntoRawFd;

use mcbn_runtime::admin;
use mcbn_runtime::log;
use mcbn_runtime::settings::{Asked, Given};
use mcbn_runtime::shutdown;

use crate::config::{Config, PROGRAM};

const SHARE: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";

/// What these arguments mean, beside a share and the smallest size, which is quick.
pub fn parsed(more: &[&str]) -> Result<Config, String> {
    let (share, mut writer) = io::pipe().unwrap();
    writer.write_all(SHARE.as_bytes()).unwrap();
    let share = format!("--share=alice=fd:{}", share.into_raw_fd());
    let arguments = [&share, "--bits=2048"]
        .into_iter()
        .chain(more.iter().copied());
    let arguments: Vec<OsString> = arguments.map(OsString::from).collect();
    let read = |given: &mut Given| {
        // What every program has is read before, by whoever starts it.
        for row in [log::LEVEL, admin::LISTEN, shutdown::DRAIN] {
            given.is_given(&row);
        }
        Config::read(given)
    };
    match PROGRAM.parse(arguments, [], read) {
        Ok(Asked::Run(config)) => Ok(config),
        Ok(other) => panic!("{other:?}"),
        Err(faults) => Err(format!("{faults:?}")),
    }
}

pub fn config(more: &[&str]) -> Config {
    parsed(more).unwrap()
}
