//! Tests that change what belongs to the whole machine: its network, its file systems.

use crate::peer::peer;
use crate::process::Process;

/// Runs a test of the calling program again, in a new user namespace and in those that `unshare` makes for these flags.
/// No rights are needed. The test is marked as ignored, so that it runs in no other way.
pub fn apart(test: &str, flags: &[&str]) {
    let own = std::env::current_exe().expect("a test has a path");
    let mut command = peer("unshare");
    command
        .args(["--user", "--map-root-user"])
        .args(flags)
        .arg("--")
        .arg(own)
        .args(["--exact", test, "--ignored", "--nocapture"])
        .envs(std::env::vars_os());
    let ended = Process::start(command).end();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stdout().contains("1 passed"), "{ended}");
}
