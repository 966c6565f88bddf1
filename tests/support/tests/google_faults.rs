//! What may go wrong with the double of Google Cloud, as Google's clients meet it.

mod google;

use std::process::Command;
use std::time::Duration;

use google::raw::ask_json;
use google::{KEY, SECRET, caller, crc, is_signed, kms, p256, secrets, sign};
use google_cloud_auth::credentials::mds;
use google_cloud_gax::error::rpc::Code;
use google_cloud_kms_v1::model::ProtectionLevel;
use mcbn_tests_support::confidential_space::Issuer;
use mcbn_tests_support::google_cloud::{Call, Cloud, Fault, Health, Role};

#[tokio::test]
async fn faults_are_told_in_google_s_shape() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let client = kms(&cloud, &caller(&cloud, KEY, Role::Signer)).await;
    for (fault, expected) in [
        (
            Fault::TooManyRequests { retry_after: None },
            Code::ResourceExhausted,
        ),
        (Fault::Unavailable, Code::Unavailable),
        (Fault::Internal, Code::Internal),
        (Fault::ExpiredToken, Code::Unauthenticated),
        (Fault::PermissionDenied, Code::PermissionDenied),
        (Fault::Disabled, Code::FailedPrecondition),
    ] {
        cloud.kms().set_fault(fault);
        let refused = sign(&client, &version).await.unwrap_err();
        assert_eq!(refused.status().unwrap().code, expected, "{fault:?}");
    }
    cloud.kms().mend();
    assert!(sign(&client, &version).await.is_ok());
    assert_eq!(cloud.kms().requests().of(Call::Sign), 7);
}

#[tokio::test]
async fn a_fault_meets_the_next_requests_only() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let client = kms(&cloud, &caller(&cloud, KEY, Role::Signer)).await;
    cloud.kms().set_fault_for(2, Fault::Unavailable);
    assert!(sign(&client, &version).await.is_err());
    assert_eq!(cloud.kms().faults_left(), Some(1));
    assert!(sign(&client, &version).await.is_err());
    assert!(sign(&client, &version).await.is_ok());
    assert_eq!(cloud.kms().faults_left(), Some(0));
}

#[test]
fn how_long_to_wait_is_said() {
    let cloud = google::cloud();
    cloud.secrets().set_fault(Fault::TooManyRequests {
        retry_after: Some(7),
    });
    let line = format!("GET /v1/{SECRET}/versions/1:access");
    let reply = ask_json(cloud.secrets().endpoint(), &line, "", "");
    assert_eq!(reply.refusal(), (429, "RESOURCE_EXHAUSTED".to_owned()));
    assert!(
        reply.headers.contains("retry-after: 7"),
        "{}",
        reply.headers
    );
}

#[tokio::test]
async fn a_connection_that_ends_is_no_answer() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let client = kms(&cloud, &caller(&cloud, KEY, Role::Signer)).await;
    cloud.kms().set_fault_for(1, Fault::HangingUp);
    let broken = sign(&client, &version).await.unwrap_err();
    assert!(broken.is_io() && broken.status().is_none(), "{broken:?}");
    assert_eq!(cloud.kms().requests().of(Call::Sign), 1);
    assert!(sign(&client, &version).await.is_ok());
    cloud.kms().set_health(Health::Dead);
    let refused = sign(&client, &version).await.unwrap_err();
    assert!(refused.is_connect() || refused.is_io(), "{refused:?}");
    cloud.kms().set_health(Health::Well);
    assert!(sign(&client, &version).await.is_ok());
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let client = kms(&cloud, &caller(&cloud, KEY, Role::Signer)).await;
    cloud.kms().set_fault(Fault::Truncated);
    let broken = sign(&client, &version).await.unwrap_err();
    assert!(broken.status().is_none(), "{broken:?}");
}

#[tokio::test]
async fn a_stalled_request_is_answered_when_the_fault_is_taken_away() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let client = kms(&cloud, &caller(&cloud, KEY, Role::Signer)).await;
    cloud.kms().set_fault(Fault::Stalled);
    let asking = tokio::spawn(async move { sign(&client, &version).await });
    let cloud = google::wait(cloud, |cloud| cloud.kms().wait_for_signing(1)).await;
    assert!(!asking.is_finished());
    cloud.kms().mend();
    asking.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_answer_is_wrong_in_the_one_thing_that_was_said() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let client = kms(&cloud, &caller(&cloud, KEY, Role::Signer)).await;
    for fault in [
        None,
        Some(Fault::WrongChecksum),
        Some(Fault::WrongBytes),
        Some(Fault::OtherName),
        Some(Fault::OtherProtection),
        Some(Fault::Unverified),
    ] {
        match fault {
            Some(fault) => cloud.kms().set_fault(fault),
            None => cloud.kms().mend(),
        }
        let answer = sign(&client, &version).await.unwrap();
        let wrong = [
            (
                Fault::WrongChecksum,
                answer.signature_crc32c != Some(crc(&answer.signature)),
            ),
            (
                Fault::WrongBytes,
                !is_signed(&cloud, &version, &answer.signature),
            ),
            (Fault::OtherName, answer.name != version),
            (
                Fault::OtherProtection,
                answer.protection_level != ProtectionLevel::Hsm,
            ),
            (Fault::Unverified, !answer.verified_digest_crc32c),
        ];
        for (of, is_wrong) in wrong {
            assert_eq!(is_wrong, fault == Some(of), "{of:?} under {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_secret_is_wrong_in_the_one_thing_that_was_said() {
    let cloud = google::cloud();
    let version = cloud.secrets().add_version(SECRET, b"payload");
    let client = secrets(&cloud, &caller(&cloud, SECRET, Role::SecretAccessor)).await;
    for fault in [Fault::WrongChecksum, Fault::WrongBytes, Fault::OtherName] {
        cloud.secrets().set_fault(fault);
        let request = client.access_secret_version().set_name(&version);
        let answer = request.send().await.unwrap();
        let payload = answer.payload.unwrap();
        let is_of_data = payload.data_crc32c == Some(crc(&payload.data));
        assert_eq!(is_of_data, fault != Fault::WrongChecksum);
        assert_eq!(&payload.data[..] == b"payload", fault != Fault::WrongBytes);
        assert_eq!(answer.name == version, fault != Fault::OtherName);
    }
}

#[tokio::test]
async fn each_service_has_faults_of_its_own() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    cloud.secrets().set_fault(Fault::Unavailable);
    cloud.sts().set_fault(Fault::Unavailable);
    let client = kms(&cloud, &caller(&cloud, KEY, Role::Signer)).await;
    assert!(sign(&client, &version).await.is_ok());
}

/// Two signers of 5 ms each: ten signatures take 25 ms or more, and no two signers more than ten turns.
#[tokio::test]
async fn signatures_take_turns() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let client = kms(&cloud, &caller(&cloud, KEY, Role::Signer)).await;
    sign(&client, &version).await.unwrap();
    let each = Duration::from_millis(5);
    cloud.kms().set_signers(2, each);
    let start = std::time::Instant::now();
    let asking: Vec<_> = (0..10)
        .map(|_| {
            let (client, version) = (client.clone(), version.clone());
            tokio::spawn(async move { sign(&client, &version).await.unwrap() })
        })
        .collect();
    for asked in asking {
        asked.await.unwrap();
    }
    assert!(start.elapsed() >= 5 * each, "{:?}", start.elapsed());
    assert!(cloud.kms().most_signing() > 2);
}

/// Over HTTPS, where the root is the process's to trust and the metadata server's place its to know: in a process of its
/// own, which has them in its variables.
#[test]
fn google_s_client_trusts_the_run_s_root_and_no_other() {
    let issuer = Issuer::start();
    let cloud = Cloud::start(&issuer);
    let version = p256(&cloud);
    let member = cloud.metadata().member().unwrap();
    cloud.iam().bind(&member, KEY, Role::Signer);
    let run = |root: &std::path::Path| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "in_a_process_of_its_own"])
            .env("SSL_CERT_FILE", root)
            .env("GCE_METADATA_HOST", cloud.metadata().host())
            .env("KMS", cloud.kms().endpoint())
            .env("VERSION", &version)
            .output()
            .unwrap()
    };
    let trusted = run(cloud.root_pem());
    assert!(
        trusted.status.success(),
        "{}",
        String::from_utf8_lossy(&trusted.stdout)
    );
    assert_eq!(cloud.kms().requests().of(Call::Sign), 1);
    let other = Cloud::start(&issuer);
    let untrusted = run(other.root_pem());
    let said = String::from_utf8_lossy(&untrusted.stdout).into_owned();
    assert!(
        !untrusted.status.success() && said.contains("InvalidCertificate"),
        "{said}"
    );
    assert_eq!(cloud.kms().requests().of(Call::Sign), 1);
}

#[tokio::test]
#[ignore = "another test runs it, with variables"]
async fn in_a_process_of_its_own() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let [endpoint, version] = ["KMS", "VERSION"].map(|name| std::env::var(name).unwrap());
    let client = google_cloud_kms_v1::client::KeyManagementService::builder()
        .with_endpoint(endpoint)
        .with_credentials(mds::Builder::default().build().unwrap())
        .with_retry_policy(google_cloud_gax::retry_policy::NeverRetry)
        .build()
        .await
        .unwrap();
    sign(&client, &version).await.unwrap();
}
