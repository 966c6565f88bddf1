//! kms-mtls' image, as it would run on Confidential Space: known to Google Cloud by its attestation tokens, and with
//! services that have names.

use mcbn_tests_image::{Container, digest, listening};
use mcbn_tests_kms::{Own, Scene};
use mcbn_tests_support::confidential_space::{Image, Machine, Profile};
use mcbn_tests_support::google_cloud::{Condition, NAME, Role};
use mcbn_tests_support::process::Process;

const IMAGE: &str = "kms-mtls";

const PROVIDER: &str =
    "projects/123456789012/locations/global/workloadIdentityPools/mcbn/providers/attested";
const RING: &str = "projects/example-project/locations/europe-west3/keyRings/mcbn";

/// A server in a container, on a machine that runs an image of this digest.
fn serve(scene: &Scene, own: &Own, attested: &str) -> Container {
    let profile = Profile {
        image: Image::with_digest(IMAGE, attested, "sha256:0"),
        ..Profile::production()
    };
    let machine = Machine::start(&scene.issuer, profile);
    let by_name = |endpoint: &str| endpoint.replace("127.0.0.1", NAME);
    let kms = by_name(scene.cloud.kms().endpoint());
    let sts = by_name(scene.cloud.sts().endpoint());
    let credentials = format!("attested:{PROVIDER}");
    let variables = [
        ("MCBN_ROLE", "server"),
        ("MCBN_LISTEN", "127.0.0.1:0"),
        ("MCBN_KEY", &own.version),
        ("MCBN_CERTIFICATE", "file:/files/own.pem"),
        ("MCBN_PEER_CA", "file:/files/ca.pem"),
        ("MCBN_GOOGLE_CREDENTIALS", &credentials),
        ("MCBN_KMS_ENDPOINT", &kms),
        ("MCBN_STS_ENDPOINT", &sts),
        ("SSL_CERT_FILE", "/files/root.pem"),
    ];
    let files = [
        ("own.pem", own.certificate.as_path()),
        ("ca.pem", &scene.folder.path().join("ca.pem")),
        ("root.pem", scene.cloud.root_pem()),
    ];
    let container = Container::start_on(&machine, IMAGE, &variables, &files);
    // Whether it comes to its port or ends before, it has asked by then.
    container.process().wait(|seen| {
        let said = String::from_utf8_lossy(&seen.stderr);
        (said.contains("\"listening\"") || said.contains("error: ")).then_some(())
    });
    container
}

/// Whom Cloud KMS signs for: the image as it was built.
fn scene() -> (Scene, Own) {
    let scene = Scene::new();
    let own = scene.p256("server");
    let image = digest(IMAGE);
    let provider = scene
        .cloud
        .sts()
        .set_provider(PROVIDER, Condition::image(&image));
    let member = provider.image(&image);
    scene.cloud.iam().bind(&member, RING, Role::SignerVerifier);
    (scene, own)
}

#[test]
fn cloud_kms_signs_for_the_image_that_was_built() {
    let (scene, own) = scene();
    let server = serve(&scene, &own, &digest(IMAGE));
    let address = listening(&server);
    server.expect_confined();
    let client = scene.p256("client");
    let mut command = scene.end(&client, &["--role=client", "--peer-name=localhost"]);
    command.args([format!("--server={address}"), "--get=/".into()]);
    let answered = Process::start(command).end();
    assert_eq!(answered.expect_code(0).stdout(), "ok\n");
    server.stop();
}

#[test]
fn cloud_kms_signs_for_no_other_image() {
    let (scene, own) = scene();
    let other = format!("sha256:{}", "b".repeat(64));
    let (process, _folder) = serve(&scene, &own, &other).into_process();
    let ended = process.end();
    assert_eq!(ended.code, Some(77), "{ended}");
    assert!(ended.stderr().contains("unauthorized_client"), "{ended}");
    assert_eq!(scene.signatures(), 0);
}
