//! Who is believed, and how that ends and begins again.

use mcbn_gcp::name::ProviderName;
use mcbn_gcp::{CredentialSource, Google, Kms};
use mcbn_launcher::Launcher;
use mcbn_tests_gcp::{DEADLINE, Project, sign};
use mcbn_tests_support::confidential_space::{Image, Machine, Profile};
use mcbn_tests_support::google_cloud::{Call, Condition, Fault, Provider, User};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

const PROVIDER: &str =
    "projects/123456789012/locations/global/workloadIdentityPools/mcbn/providers/attested";
const IMAGE: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn provider(project: &Project) -> Provider {
    let provider = project
        .cloud
        .sts()
        .set_provider(PROVIDER, Condition::image(IMAGE));
    project.allow(&provider.image(IMAGE));
    provider
}

fn machine(project: &Project, digest: &str) -> Machine {
    let profile = Profile {
        image: Image::with_digest("psk-server", digest, "sha256:0"),
        ..Profile::production()
    };
    Machine::start(&project.issuer, profile)
}

fn attested(project: &Project, machine: &Machine) -> Google {
    let launcher = Launcher::at(machine.socket(), DEADLINE);
    let provider: ProviderName = PROVIDER.parse().unwrap();
    Google::attested(provider, launcher, project.endpoints(), DEADLINE)
}

#[tokio::test]
async fn a_service_account_is_believed_for_as_long_as_it_is_there() {
    let project = Project::new();
    let kms = project.kms();
    kms.public_key(&project.signing).await.unwrap();
    project.cloud.iam().remove_service_account(&project.account);
    let refused = kms.public_key(&project.signing).await.unwrap_err();
    assert_eq!(refused.reason(), "unauthenticated");
}

#[tokio::test]
async fn the_attested_image_is_believed() {
    let project = Project::new();
    provider(&project);
    let machine = machine(&project, IMAGE);
    let google = attested(&project, &machine);
    google
        .secret_manager()
        .access(&project.secret)
        .await
        .unwrap();
    google.kms().public_key(&project.signing).await.unwrap();
}

#[tokio::test]
async fn another_image_is_refused_with_the_service_s_words() {
    let project = Project::new();
    provider(&project);
    let machine = machine(&project, &IMAGE.replace('a', "b"));
    let google = attested(&project, &machine);
    let refused = google.secret_manager().access(&project.secret).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.reason(), "access_token_refused");
    assert!(refused.is_final());
    assert!(
        refused.to_string().contains("unauthorized_client"),
        "{refused}"
    );
    assert_eq!(project.cloud.secrets().requests().total(), 0);
}

#[tokio::test]
async fn each_secret_that_is_read_is_an_exchange() {
    let project = Project::new();
    let provider = provider(&project);
    let machine = machine(&project, IMAGE);
    let secrets = attested(&project, &machine).secret_manager();
    for exchanges in 1..=3 {
        secrets.access(&project.secret).await.unwrap();
        let requests = project.cloud.sts().requests();
        assert_eq!(requests.of(Call::ExchangeToken), exchanges);
    }
    project.cloud.sts().remove_provider(&provider);
    let refused = secrets.access(&project.secret).await.unwrap_err();
    assert_eq!(refused.reason(), "access_token_refused");
}

#[tokio::test]
async fn a_refusal_is_not_for_ever() {
    let project = Project::new();
    let machine = machine(&project, IMAGE);
    let kms = attested(&project, &machine).kms();
    let refused = kms.public_key(&project.signing).await.unwrap_err();
    assert_eq!(refused.reason(), "access_token_refused");
    provider(&project);
    kms.public_key(&project.signing).await.unwrap();
}

#[tokio::test]
async fn a_token_that_is_taken_back_is_asked_for_anew() {
    let project = Project::new();
    provider(&project);
    let machine = machine(&project, IMAGE);
    let kms = attested(&project, &machine).kms();
    kms.public_key(&project.signing).await.unwrap();
    project.cloud.iam().revoke_tokens();
    kms.public_key(&project.signing).await.unwrap();
    assert_eq!(project.cloud.sts().requests().of(Call::ExchangeToken), 2);
}

#[tokio::test]
async fn external_account_credentials_read_the_launcher_s_file() {
    let project = Project::new();
    let provider = provider(&project);
    let machine = machine(&project, IMAGE);
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("attestation_verifier_claims_token");
    fs::write(&token, machine.default_token()).unwrap();
    let file = project
        .cloud
        .external_account_file("external.json", &provider, &token);
    let google = Google::new(
        CredentialSource::File(file),
        project.endpoints(),
        Duration::from_secs(5),
    );
    let kms = google.kms();
    let signed = sign(&kms, &project.signing);
    signed.await.unwrap();

    project.cloud.iam().revoke_tokens();
    fs::remove_file(&token).unwrap();
    let refused = kms.public_key(&project.signing).await.unwrap_err();
    assert_eq!(refused.reason(), "access_token_refused");
    fs::write(&token, machine.default_token()).unwrap();
    kms.public_key(&project.signing).await.unwrap();
}

/// A person who may do all that is asked for here, and what gcloud left on their machine.
fn person(project: &Project) -> (User, PathBuf) {
    let user = project.cloud.oauth().add_user("carol@example.com");
    project.allow(&user.member());
    let file = project.cloud.authorized_user_file(&user);
    (user, file)
}

fn of_file(project: &Project, file: PathBuf, deadline: Duration) -> Google {
    Google::new(CredentialSource::File(file), project.endpoints(), deadline)
}

#[tokio::test]
async fn a_person_is_believed_until_they_take_it_back() {
    let project = Project::new();
    let (user, file) = person(&project);
    let google = of_file(&project, file, DEADLINE);
    let (kms, secrets) = (google.kms(), google.secret_manager());
    sign(&kms, &project.signing).await.unwrap();
    secrets.access(&project.secret).await.unwrap();
    project.cloud.iam().revoke_tokens();
    kms.public_key(&project.signing).await.unwrap();
    let asked = project.cloud.oauth().requests().of(Call::RefreshToken);
    assert_eq!(asked, 3);

    project.cloud.oauth().revoke(&user);
    project.cloud.iam().revoke_tokens();
    let refused = kms.public_key(&project.signing).await.unwrap_err();
    assert_eq!(refused.reason(), "access_token_refused");
    assert!(refused.is_final());
    assert_eq!(
        refused.to_string(),
        "an access token is refused: invalid_grant: Token has been expired or revoked."
    );
}

#[tokio::test]
async fn a_person_s_file_with_another_s_secrets_is_refused_without_showing_them() {
    let project = Project::new();
    let (carol, file) = person(&project);
    let dave = project.cloud.oauth().add_user("dave@example.com");
    let json = fs::read_to_string(file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, own, other, reason) in [
        ("client", carol.client_id(), "another", "invalid_client"),
        (
            "secret",
            carol.client_secret(),
            dave.client_secret(),
            "invalid_client",
        ),
        (
            "token",
            carol.refresh_token(),
            dave.refresh_token(),
            "invalid_grant",
        ),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, json.replace(own, other)).unwrap();
        let google = of_file(&project, path, DEADLINE);
        let refused = google.kms().public_key(&project.signing).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.reason(), "access_token_refused");
        let shown = format!("{refused} {refused:?}");
        assert!(shown.contains(reason), "{shown}");
        for user in [&carol, &dave] {
            for secret in [user.client_secret(), user.refresh_token()] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }
    assert_eq!(project.cloud.kms().requests().total(), 0);
}

/// Google's client asks for a token again when it thinks fit, which may be later than one deadline.
async fn recovers(kms: &Kms, project: &Project) {
    let answered = async { while kms.public_key(&project.signing).await.is_err() {} };
    timeout(DEADLINE, answered).await.expect("it is well again");
}

#[tokio::test]
async fn an_authorization_server_that_is_away_is_no_refusal() {
    let project = Project::new();
    let (_, file) = person(&project);
    let kms = of_file(&project, file, Duration::from_secs(3)).kms();
    for fault in [Fault::Unavailable, Fault::HangingUp] {
        project.cloud.oauth().set_fault(fault);
        let failed = kms.public_key(&project.signing).await.unwrap_err();
        assert!(!failed.is_final(), "{failed}");
    }
    project.cloud.oauth().mend();
    recovers(&kms, &project).await;
}

#[tokio::test]
async fn a_token_service_that_is_away_is_no_refusal() {
    let project = Project::new();
    provider(&project);
    let machine = machine(&project, IMAGE);
    let launcher = Launcher::at(machine.socket(), DEADLINE);
    let google = Google::attested(
        PROVIDER.parse().unwrap(),
        launcher,
        project.endpoints(),
        Duration::from_secs(3),
    );
    let kms = google.kms();
    project.cloud.sts().set_fault(Fault::Unavailable);
    let failed = kms.public_key(&project.signing).await.unwrap_err();
    assert!(!failed.is_final(), "{failed}");
    project.cloud.sts().mend();
    recovers(&kms, &project).await;
}

#[tokio::test]
async fn no_failure_shows_a_token() {
    let project = Project::new();
    let provider = provider(&project);
    let machine = machine(&project, &IMAGE.replace('a', "b"));
    let token = machine.default_token();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    // In another form than the configuration says: Google's error repeats all of it.
    fs::write(&path, format!(r#"{{"token": "{token}"}}"#)).unwrap();
    let file = project
        .cloud
        .external_account_file("external.json", &provider, &path);
    let json = fs::read_to_string(&file).unwrap();
    let json = json.replace(
        r#""type":"text""#,
        r#""type":"json","subject_token_field_name":"access_token""#,
    );
    let other = folder.path().join("external.json");
    fs::write(&other, &json).unwrap();
    assert!(json.contains("subject_token_field_name"));
    for source in [file, other] {
        let google = Google::new(
            CredentialSource::File(source),
            project.endpoints(),
            Duration::from_secs(2),
        );
        let failed = google.kms().public_key(&project.signing).await.unwrap_err();
        let shown = format!("{failed} {failed:?}");
        assert!(!shown.contains(&token[..20]), "{shown}");
    }
}
