//! What both ends do with a connection, and whom they do it for.

use std::io::{Read, Write};
use std::net::TcpStream;

use mcbn_tests_kms::{Ca, REFUSED, Scene};
use mcbn_tests_support::google_cloud::{Call, Role};
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::process::Process;

#[test]
fn a_tunnel_joins_a_client_and_a_service() {
    let scene = Scene::new();
    let (own, other) = (scene.p256("server"), scene.p256("client"));
    let echo = Plain::echoing();
    let server = scene.serve(&own, &[&format!("--forward={}", echo.address())]);
    let tunnel = scene.tunnel(&other, &server, &[]);
    let mut stream = TcpStream::connect(tunnel.address).unwrap();
    stream.write_all(b"ping").unwrap();
    let mut heard = [0; 4];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"ping");
}

#[test]
fn standard_streams_are_joined_to_a_service() {
    let scene = Scene::new();
    let (own, other) = (scene.p256("server"), scene.p256("client"));
    let service = Plain::reversing();
    let server = scene.serve(&own, &[&format!("--forward={}", service.address())]);
    let mut client = Process::start(scene.client(&other, &server, &["--stdio"]));
    client.write(b"abc");
    let ended = client.end();
    assert_eq!(ended.expect_code(0).stdout(), "cba");
}

#[test]
fn certificates_come_from_secret_manager() {
    let scene = Scene::new();
    let secrets = scene.cloud.secrets();
    let mut keys = Vec::new();
    for key in ["server", "client"] {
        let own = scene.p256(key);
        let chain = std::fs::read(&own.certificate).unwrap();
        let secret = format!("projects/example-project/secrets/{key}");
        let chain = secrets.add_version(&secret, &chain);
        scene.bind(&secret, Role::SecretAccessor);
        keys.push((own, chain));
    }
    let roots = "projects/example-project/secrets/roots";
    let cas = secrets.add_version(roots, &scene.ca.pem());
    scene.bind(roots, Role::SecretAccessor);
    let arguments = |(own, chain): &(mcbn_tests_kms::Own, String), more: &[&str]| {
        let mut command = scene.command();
        command
            .arg(format!("--key={}", own.version))
            .arg(format!("--certificate=gcp-secret:{chain}"))
            .arg(format!("--peer-ca=gcp-secret:{cas}"))
            .arg(format!("--kms-endpoint={}", scene.cloud.kms().endpoint()))
            .arg(format!("--secret-manager-endpoint={}", secrets.endpoint()))
            .arg(format!("--google-credentials={}", scene.credentials))
            .args(more);
        Process::start(command)
    };
    let server = arguments(&keys[0], &["--role=server", "--listen=127.0.0.1:0"]);
    let listening = server.wait_for_message("listening").to_string();
    let address = listening.split("127.0.0.1:").nth(1).unwrap();
    let port: String = address.chars().take_while(char::is_ascii_digit).collect();
    let client = arguments(
        &keys[1],
        &[
            "--role=client",
            "--peer-name=localhost",
            "--get=/",
            &format!("--server=127.0.0.1:{port}"),
        ],
    );
    assert_eq!(client.end().expect_code(0).stdout(), "ok\n");
    assert_eq!(secrets.requests().of(Call::AccessSecret), 4);
}

#[test]
fn a_secret_that_may_not_be_read_is_refused() {
    let scene = Scene::new();
    let own = scene.p256("server");
    let secret = "projects/example-project/secrets/roots";
    let cas = scene.cloud.secrets().add_version(secret, &scene.ca.pem());
    let mut command = scene.command();
    command
        .args(["--role=server", "--listen=127.0.0.1:0"])
        .arg(format!("--key={}", own.version))
        .arg(format!("--certificate=file:{}", own.certificate.display()))
        .arg(format!("--peer-ca=gcp-secret:{cas}"))
        .arg(format!("--kms-endpoint={}", scene.cloud.kms().endpoint()))
        .arg(format!(
            "--secret-manager-endpoint={}",
            scene.cloud.secrets().endpoint()
        ))
        .arg(format!("--google-credentials={}", scene.credentials));
    let said = Process::start(command).end();
    let said = said.expect_code(REFUSED).stderr();
    assert!(
        said.contains("cannot read the secret of --peer-ca"),
        "{said}"
    );
    assert!(
        said.contains("roles/secretmanager.secretAccessor"),
        "{said}"
    );
}

#[test]
fn a_client_of_another_ca_is_refused() {
    let scene = Scene::new();
    let (own, mut other) = (scene.p256("server"), scene.p256("client"));
    let server = scene.serve(&own, &[]);
    let public = scene.cloud.kms().public_key_pem(&other.version);
    let certificate = Ca::new().issue(&public);
    other.certificate = scene.folder.file("stranger.pem", certificate);
    let ended = scene.get(&other, &server, &[]);
    ended.expect_code(REFUSED);
    assert_eq!(ended.stdout(), "");
}

#[test]
fn a_server_of_another_name_is_refused() {
    let scene = Scene::new();
    let (own, other) = (scene.p256("server"), scene.p256("client"));
    let server = scene.serve(&own, &[]);
    let mut command = scene.end(&other, &["--role=client", "--get=/"]);
    command
        .arg("--peer-name=other.example")
        .arg(format!("--server={}", server.address));
    let ended = Process::start(command).end();
    let said = ended.expect_code(REFUSED).stderr();
    assert!(said.contains("for another name"), "{said}");
}

#[test]
fn a_client_of_another_name_is_refused_where_the_server_asks() {
    let scene = Scene::new();
    let (own, other) = (scene.p256("server"), scene.p256("client"));
    let server = scene.serve(&own, &["--peer-name=other.example"]);
    scene.get(&other, &server, &[]).expect_code(REFUSED);
    let server = scene.serve(
        &own,
        &["--peer-name=other.example", "--peer-name=localhost"],
    );
    scene.get(&other, &server, &[]).expect_code(0);
}
