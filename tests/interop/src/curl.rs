//! curl, with a certificate of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use mcbn_tests_support::peer::peer;

/// A request that trusts the folder's `ca.pem`, and shows no certificate.
pub fn curl(folder: &Path, server: SocketAddr) -> Command {
    let mut command = peer("curl");
    command
        .current_dir(folder)
        .args(["--silent", "--show-error", "--fail", "--cacert", "ca.pem"])
        .arg(format!("https://localhost:{}/", server.port()))
        // Whatever this machine takes the name for.
        .arg("--resolve")
        .arg(format!("localhost:{}:127.0.0.1", server.port()));
    command
}

/// The same, and it shows what is in the folder.
pub fn curl_certified(folder: &Path, server: SocketAddr) -> Command {
    let mut command = curl(folder, server);
    command.args(["--cert", "certificate.pem", "--key", "key.pem"]);
    command
}
