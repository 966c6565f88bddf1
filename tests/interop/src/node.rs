//! Node.js, whose `tls` and `https` modules take a key by `pskCallback`, in TLS 1.3 as well.

use std::process::Command;

use mcbn_tests_support::peer::peer;

use crate::scripts::Script;

pub struct Node;

impl Script for Node {
    const PAGE: &'static str = "a page of node";

    fn command() -> Command {
        let mut command = peer("node");
        command
            .args(["--input-type=module", "--eval"])
            .arg(include_str!("../testdata/peer.mjs"))
            .arg("--");
        command
    }
}
