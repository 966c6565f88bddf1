//! curl, with the exported key and a certificate that an outside CA made of our request.

use mcbn_tests_interop::curl::{curl, curl_certified};
use mcbn_tests_interop::mtls::{Material, Ours};
use mcbn_tests_support::plain::{PAGE, Plain};
use mcbn_tests_support::process::Process;

#[test]
fn it_is_answered_ok() {
    let material = Material::new();
    let server = material.checking_server(&[]);
    let curl = curl_certified(material.folder(), server.address());
    let ended = Process::start(curl).end();
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
    let curl = curl_certified(material.folder(), server.address());
    let ended = Process::start(curl).end();
    ended.expect_code(0);
    assert_eq!(ended.stdout(), PAGE);
}

#[test]
fn it_is_refused_without_the_key() {
    let service = Plain::http();
    let forward = format!("--forward={}", service.address());
    let material = Material::new();
    let server = material.checking_server(&[&forward]);
    let ended = Process::start(curl(material.folder(), server.address())).end();
    assert_ne!(ended.code, Some(0), "{ended}");
    assert_eq!(ended.stdout(), "");
    assert_eq!(server.refusal(), "no_certificate");
    assert_eq!(service.connections(), 0);
}
