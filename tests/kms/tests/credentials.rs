//! Who the program is to Google Cloud, and that nobody else learns it.

use std::fs;

use mcbn_tests_kms::{REFUSED, Scene, UNAVAILABLE};
use mcbn_tests_support::confidential_space::{Image, Machine, Profile};
use mcbn_tests_support::google_cloud::{Call, Condition, Fault, Role, User};
use mcbn_tests_support::process::Process;

const PROVIDER: &str =
    "projects/123456789012/locations/global/workloadIdentityPools/mcbn/providers/attested";

/// A server and a client come to each other with what the scene's credentials are.
#[track_caller]
fn meet(scene: &Scene) {
    let (own, other) = (scene.p256("server"), scene.p256("client"));
    let server = scene.serve(&own, &[]);
    let ended = scene.get(&other, &server, &[]);
    assert_eq!(ended.expect_code(0).stdout(), "ok\n");
}

#[test]
fn a_service_account_s_file_does() {
    meet(&Scene::new());
}

#[test]
fn the_machine_s_account_does() {
    let mut scene = Scene::new();
    scene.credentials = "metadata".into();
    let member = scene.cloud.metadata().member().expect("it has one");
    let key = "projects/example-project/locations/europe-west3/keyRings/mcbn";
    scene.cloud.iam().bind(&member, key, Role::SignerVerifier);
    meet(&scene);
}

#[test]
fn the_default_is_the_machine_s_account_where_there_is_nothing_else() {
    let mut scene = Scene::new();
    scene.credentials = "default".into();
    let member = scene.cloud.metadata().member().expect("it has one");
    let key = "projects/example-project/locations/europe-west3/keyRings/mcbn";
    scene.cloud.iam().bind(&member, key, Role::SignerVerifier);
    meet(&scene);
}

#[test]
fn the_default_is_the_file_that_the_environment_names() {
    let mut scene = Scene::new();
    let file = scene.credentials.trim_start_matches("file:").to_owned();
    scene.credentials = "default".into();
    let own = scene.p256("server");
    let mut command = scene.end(&own, &["--role=server", "--listen=127.0.0.1:0"]);
    command.env("GOOGLE_APPLICATION_CREDENTIALS", file);
    let server = Process::start(command);
    server.wait_for_message("listening");
}

#[test]
fn a_workload_identity_pool_does() {
    let mut scene = Scene::new();
    let machine = Machine::start(&scene.issuer, Profile::production());
    let token = machine.default_token();
    let token = scene.folder.file("token", token);
    let provider = scene.cloud.sts().set_provider(PROVIDER, Condition::none());
    let file = scene
        .cloud
        .external_account_file("external.json", &provider, &token);
    scene.credentials = format!("file:{}", file.display());
    let key = "projects/example-project/locations/europe-west3/keyRings/mcbn";
    let everyone = provider.everyone();
    scene.cloud.iam().bind(&everyone, key, Role::SignerVerifier);
    meet(&scene);
}

/// A person who may sign, as whom the scene's programs come from now on.
fn person(scene: &mut Scene) -> User {
    let user = scene.cloud.oauth().add_user("carol@example.com");
    let file = scene.cloud.authorized_user_file(&user);
    scene.credentials = format!("file:{}", file.display());
    let key = "projects/example-project/locations/europe-west3/keyRings/mcbn";
    let role = Role::SignerVerifier;
    scene.cloud.iam().bind(&user.member(), key, role);
    user
}

#[track_caller]
fn expect_hidden(user: &User, said: &str) {
    // Access tokens, and the headers that have them, too.
    for secret in [user.refresh_token(), user.client_secret(), "ya29", "earer"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

#[test]
fn a_person_s_file_does() {
    let mut scene = Scene::new();
    let user = person(&mut scene);
    let (own, other) = (scene.p256("server"), scene.p256("client"));
    let server = scene.serve(&own, &["--log-level=trace"]);
    let client = scene.get(&other, &server, &["--log-level=trace"]);
    assert_eq!(client.expect_code(0).stdout(), "ok\n");
    server.process.signal(rustix::process::Signal::TERM);
    for ended in [client, server.process.end()] {
        expect_hidden(&user, &ended.all());
    }
    // One for each of them, and nobody else was asked.
    assert_eq!(scene.cloud.oauth().requests().of(Call::RefreshToken), 2);
    assert_eq!(scene.cloud.sts().requests().total(), 0);
}

#[test]
fn a_person_who_took_it_back_is_refused_without_showing_it() {
    let mut scene = Scene::new();
    let user = person(&mut scene);
    let own = scene.p256("own");
    scene.cloud.oauth().revoke(&user);
    let ended = scene.server(&own, &["--log-level=trace"]).end();
    let said = ended.expect_code(REFUSED).all();
    let error = "an access token is refused: invalid_grant: Token has been expired or revoked.";
    assert!(said.contains(error), "{said}");
    assert!(said.contains("hint: see --google-credentials"), "{said}");
    expect_hidden(&user, &said);
    assert_eq!(scene.signatures(), 0);
}

#[test]
fn an_authorization_server_that_is_away_is_said_so() {
    let mut scene = Scene::new();
    let user = person(&mut scene);
    let own = scene.p256("own");
    scene.cloud.oauth().set_fault(Fault::Unavailable);
    let more = ["--kms-timeout=2s", "--log-level=trace"];
    let ended = scene.server(&own, &more).end();
    expect_hidden(&user, &ended.expect_code(UNAVAILABLE).all());
}

/// A server by the attestation tokens of a machine that runs this image, and a pool that takes no other than `IMAGE`.
fn attested(scene: &Scene, image: &str) -> Process {
    let provider = scene
        .cloud
        .sts()
        .set_provider(PROVIDER, Condition::image(IMAGE));
    let key = "projects/example-project/locations/europe-west3/keyRings/mcbn";
    let role = Role::SignerVerifier;
    scene.cloud.iam().bind(&provider.image(IMAGE), key, role);
    let profile = Profile {
        image: Image::with_digest("kms-mtls", image, "sha256:0"),
        ..Profile::production()
    };
    let machine = Machine::start(&scene.issuer, profile);
    let own = scene.p256("server");
    let credentials = format!("--google-credentials=attested:{PROVIDER}");
    let mut command = scene.command();
    command.args([
        "--role=server",
        "--listen=127.0.0.1:0",
        &credentials,
        &format!("--sts-endpoint={}", scene.cloud.sts().endpoint()),
        &format!("--kms-endpoint={}", scene.cloud.kms().endpoint()),
        &format!("--key={}", own.version),
        &format!("--certificate=file:{}", own.certificate.display()),
        &format!(
            "--peer-ca=file:{}",
            scene.folder.path().join("ca.pem").display()
        ),
        &format!("--token-socket={}", machine.socket().display()),
    ]);
    let process = Process::start(command);
    process.wait(|seen| {
        let text = String::from_utf8_lossy(&seen.stderr);
        (text.contains("\"listening\"") || text.contains("error: ")).then_some(())
    });
    process
}

const IMAGE: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[test]
fn the_attested_image_may_use_the_key() {
    let scene = Scene::new();
    let server = attested(&scene, IMAGE);
    server.wait_for_message("listening");
}

#[test]
fn another_image_is_refused() {
    let scene = Scene::new();
    let server = attested(&scene, &IMAGE.replace('a', "b"));
    let ended = server.end();
    assert_eq!(ended.code, Some(REFUSED), "{ended}");
    assert!(ended.stderr().contains("unauthorized_client"), "{ended}");
    assert_eq!(scene.signatures(), 0);
}

#[test]
fn somebody_without_a_role_is_refused() {
    let scene = Scene::new();
    let own = scene.p256("own");
    let member = scene.account.member();
    let role = Role::SignerVerifier;
    scene.cloud.iam().unbind(&member, &own.version, role);
    let said = scene.server(&own, &[]).end();
    let said = said.expect_code(REFUSED).stderr();
    assert!(said.contains("permission denied"), "{said}");
    assert!(
        said.contains("hint: whoever --google-credentials is"),
        "{said}"
    );
}

/// It may read the public key, and the trial shows that this is not enough.
#[test]
fn somebody_who_may_not_sign_is_refused_at_the_start() {
    let scene = Scene::new();
    let own = scene.p256("own");
    let member = scene.account.member();
    let iam = scene.cloud.iam();
    iam.unbind(&member, &own.version, Role::SignerVerifier);
    iam.bind(&member, &own.version, Role::PublicKeyViewer);
    let said = scene.server(&own, &[]).end();
    let said = said.expect_code(REFUSED).stderr();
    assert!(said.contains("permission denied"), "{said}");
    assert_eq!(scene.signatures(), 1);
}

#[test]
fn an_account_whose_key_was_deleted_is_refused() {
    let scene = Scene::new();
    let own = scene.p256("own");
    scene.cloud.iam().remove_service_account(&scene.account);
    scene.server(&own, &[]).end().expect_code(REFUSED);
}

#[test]
fn a_file_that_is_none_is_refused_without_showing_it() {
    let mut scene = Scene::new();
    let own = scene.p256("own");
    let file = scene.folder.file("bad.json", r#"{"type": "private-bits"}"#);
    scene.credentials = format!("file:{}", file.display());
    let said = scene.server(&own, &["--log-level=trace"]).end();
    let said = said.expect_code(REFUSED).stderr();
    assert!(!said.contains("private-bits"), "{said}");
}

/// Neither tokens nor keys, whatever is logged.
#[test]
fn nothing_secret_is_logged_at_any_level() {
    let scene = Scene::new();
    let (own, other) = (scene.p256("server"), scene.p256("client"));
    let server = scene.serve(&own, &["--log-level=trace"]);
    let client = scene.get(&other, &server, &["--log-level=trace"]);
    assert_eq!(client.expect_code(0).stdout(), "ok\n");
    server.process.signal(rustix::process::Signal::TERM);
    let served = server.process.end();
    let file = scene.credentials.trim_start_matches("file:");
    let account = fs::read_to_string(file).unwrap();
    let private: String = account
        .split("BEGIN PRIVATE KEY-----\\n")
        .nth(1)
        .expect("it has a key")
        .chars()
        .take(60)
        .collect();
    for ended in [&client, &served] {
        let said = ended.stderr();
        // A JWT, an access token, a header with one, and a key.
        for secret in ["eyJ", "ya29", "Bearer", "bearer", &private] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
    }
    assert!(!served.stderr().is_empty());
}
