//! The program as it is configured, for the tests of its parts.

use std::io::{self, Write};
use std::os::fd::IntoRawFd;

use crate::config::{Config, PROGRAM};

const SHARE: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";

/// What these arguments mean, beside a share and the smallest size, which is quick.
pub fn parsed(more: &[&str]) -> Result<Config, String> {
    let (share, mut writer) = io::pipe().unwrap();
    writer.write_all(SHARE.as_bytes()).unwrap();
    let share = format!("--share=alice=fd:{}", share.into_raw_fd());
    let arguments = [&[share.as_str(), "--bits=2048"][..], more].concat();
    let config = PROGRAM.own_config(&arguments, Config::read);
    config.map_err(|faults| format!("{faults:?}"))
}

pub fn config(more: &[&str]) -> Config {
    parsed(more).unwrap()
}
