//! curl, with the exported key and a certificate that an outside CA made of our request.

use std::net::SocketAddr;
use std::process::Command;

use mcbn_tests_interop::mtls::Material;
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::plain::{PAGE, Plain};
use mcbn_tests_support::process::Process;

fn curl(material: &Material, server: SocketAddr) -> Command {
    let mut command = peer("curl");
    command
        .current_dir(material.folder())
        .args(["--silent", "--show-error", "--fail", "--cacert", "ca.pem"])
        .arg(format!("https://localhost:{}/", server.port()))
        // Whatever this machine takes the name for.
        .arg("--resolve")
        .arg(format!("localhost:{}:127.0.0.1", server.port()));
    command
}

#[test]
fn it_is_answered_ok() {
    let material = Material::new();
    let server = material.checking_server(&[]);
    let mut command = curl(&material, server.address());
    command.args(["--cert", "certificate.pem", "--key", "key.pem"]);
    let ended = Process::start(command).end();
    ended.expect_code(0);
    assert_eq!(ended.stdout(), "ok\n");
    server.drain();
}

#[test]
fn it_reaches_the_service_behind_our_server() {
    let service = Plain::http();
    let forward = format!("--forward={}", service.address());
    let material = Material::new();
    let server = material.checking_server(&[&forward]);
    let mut command = curl(&material, server.address());
    command.args(["--cert", "certificate.pem", "--key", "key.pem"]);
    let ended = Process::start(command).end();
    ended.expect_code(0);
    assert_eq!(ended.stdout(), PAGE);
}

#[test]
fn it_is_refused_without_the_key() {
    let service = Plain::http();
    let forward = format!("--forward={}", service.address());
    let material = Material::new();
    let server = material.checking_server(&[&forward]);
    let ended = Process::start(curl(&material, server.address())).end();
    assert_ne!(ended.code, Some(0), "{ended}");
    assert_eq!(ended.stdout(), "");
    assert_eq!(server.refusal(), "no_certificate");
    assert_eq!(service.connections(), 0);
}
