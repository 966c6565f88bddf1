//! Python's `ssl`, with `set_psk_client_callback` and `set_psk_server_callback`, in TLS 1.3 as well.

use std::process::Command;

use mcbn_tests_support::peer::peer;

use crate::scripts::Script;

pub struct Python;

impl Script for Python {
    const PAGE: &'static str = "a page of python";

    fn command() -> Command {
        let mut command = peer("python3");
        command.arg("-c").arg(include_str!("../testdata/peer.py"));
        command
    }
}
