//! Programs of others, as the PATH has them. The builder root of `./bazelw` has them all.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A command for the peer, with an environment that holds the PATH and nothing else.
///
/// # Panics
///
/// Where the peer is missing: a test that did not run did not pass.
pub fn peer(name: &str) -> Command {
    let mut command = Command::new(find(name));
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

fn find(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        // Where daemons are, which a user's PATH does not have.
        .chain(["/usr/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|candidate| is_program(candidate))
        .unwrap_or_else(|| {
            panic!(
                "the test peer {name} is not on the PATH; ./bazelw test runs in a root that has every peer"
            )
        })
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}
