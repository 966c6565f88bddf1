//! Google's own clients against the double of Google Cloud: what they ask for, they get.

mod google;

use std::time::Duration;

use google::{KEY, PROVIDER, SECRET, SHARE, crc, is_signed, kms, p256, secrets, sign};
use google_cloud_auth::credentials::{external_account, mds, service_account, user_account};
use google_cloud_kms_v1::model::{
    Digest, ProtectionLevel, crypto_key_version::CryptoKeyVersionAlgorithm,
    public_key::PublicKeyFormat,
};
use mcbn_tests_support::confidential_space::{Machine, Profile};
use mcbn_tests_support::google_cloud::{Algorithm, Call, Condition, Protection, Role, SCOPE};
use openssl::pkey::PKey;
use openssl::sha::sha256;
use serde_json::Value;

#[tokio::test]
async fn a_public_key_is_given_with_what_is_known_of_it() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let member = google::caller(&cloud, &version, Role::PublicKeyViewer);
    let answer = kms(&cloud, &member)
        .await
        .get_public_key()
        .set_name(&version)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.name, version);
    assert_eq!(answer.pem, cloud.kms().public_key_pem(&version));
    assert_eq!(answer.pem_crc32c, Some(crc(answer.pem.as_bytes())));
    assert_eq!(
        answer.algorithm,
        CryptoKeyVersionAlgorithm::EcSignP256Sha256
    );
    assert_eq!(answer.protection_level, ProtectionLevel::Hsm);
    let requests = cloud.kms().requests();
    assert_eq!((requests.of(Call::PublicKey), requests.total()), (1, 1));
}

#[tokio::test]
async fn a_public_key_is_given_in_der_too() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let member = google::caller(&cloud, &version, Role::PublicKeyViewer);
    let answer = kms(&cloud, &member)
        .await
        .get_public_key()
        .set_name(&version)
        .set_public_key_format(PublicKeyFormat::Der)
        .send()
        .await
        .unwrap();
    let key = answer.public_key.unwrap();
    let pem = cloud.kms().public_key_pem(&version);
    let expected = PKey::public_key_from_pem(pem.as_bytes()).unwrap();
    assert_eq!(key.data, expected.public_key_to_der().unwrap());
    assert_eq!(key.crc32c_checksum, Some(crc(&key.data)));
    assert_eq!(answer.public_key_format, PublicKeyFormat::Der);
}

#[tokio::test]
async fn a_digest_is_signed() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let member = google::caller(&cloud, &version, Role::Signer);
    let answer = sign(&kms(&cloud, &member).await, &version).await.unwrap();
    assert!(is_signed(&cloud, &version, &answer.signature));
    assert_eq!(answer.signature_crc32c, Some(crc(&answer.signature)));
    assert!(answer.verified_digest_crc32c);
    assert_eq!(answer.name, version);
    assert_eq!(answer.protection_level, ProtectionLevel::Hsm);
    assert_eq!(cloud.kms().requests().of(Call::Sign), 1);
    assert_eq!((cloud.kms().signing(), cloud.kms().most_signing()), (0, 1));
}

#[tokio::test]
async fn a_checksum_that_was_not_sent_was_not_verified() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let member = google::caller(&cloud, &version, Role::Signer);
    let answer = kms(&cloud, &member)
        .await
        .asymmetric_sign()
        .set_name(&version)
        .set_digest(Digest::new().set_sha256(sha256(b"a message").to_vec()))
        .send()
        .await
        .unwrap();
    assert!(!answer.verified_digest_crc32c);
}

#[tokio::test]
async fn a_ciphertext_for_a_public_key_is_decrypted() {
    let cloud = google::cloud();
    let kms_of_cloud = cloud.kms();
    let version = kms_of_cloud.add_key(KEY, Algorithm::RsaOaep2048Sha256, Protection::Software);
    let member = google::caller(&cloud, KEY, Role::Decrypter);
    let ciphertext = kms_of_cloud.encrypt_to(&version, b"secret");
    let answer = kms(&cloud, &member)
        .await
        .asymmetric_decrypt()
        .set_name(&version)
        .set_ciphertext(ciphertext.clone())
        .set_ciphertext_crc32c(crc(&ciphertext))
        .send()
        .await
        .unwrap();
    assert_eq!(&answer.plaintext[..], b"secret");
    assert_eq!(answer.plaintext_crc32c, Some(crc(b"secret")));
    assert!(answer.verified_ciphertext_crc32c);
    assert_eq!(answer.protection_level, ProtectionLevel::Software);
}

#[tokio::test]
async fn what_a_symmetric_key_encrypted_it_decrypts() {
    let cloud = google::cloud();
    cloud.kms().add_symmetric_key(SHARE, Protection::Hsm);
    let member = google::caller(&cloud, SHARE, Role::Decrypter);
    cloud.iam().bind(&member, SHARE, Role::Encrypter);
    let client = kms(&cloud, &member).await;
    let encrypted = client
        .encrypt()
        .set_name(SHARE)
        .set_plaintext(b"share".to_vec())
        .set_plaintext_crc32c(crc(b"share"))
        .set_additional_authenticated_data(b"of bob".to_vec())
        .send()
        .await
        .unwrap();
    assert!(encrypted.verified_plaintext_crc32c);
    let here = cloud.kms().encrypt(SHARE, b"share", b"of bob");
    for ciphertext in [encrypted.ciphertext.to_vec(), here] {
        let answer = client
            .decrypt()
            .set_name(SHARE)
            .set_ciphertext_crc32c(crc(&ciphertext))
            .set_ciphertext(ciphertext)
            .set_additional_authenticated_data(b"of bob".to_vec())
            .set_additional_authenticated_data_crc32c(crc(b"of bob"))
            .send()
            .await
            .unwrap();
        assert_eq!(&answer.plaintext[..], b"share");
        assert_eq!(answer.plaintext_crc32c, Some(crc(b"share")));
        assert!(answer.used_primary);
    }
}

#[tokio::test]
async fn a_secret_is_given_by_its_project_s_number() {
    let cloud = google::cloud();
    let regional = "projects/example-project/locations/europe-west3/secrets/share";
    for secret in [SECRET, regional] {
        let version = cloud.secrets().add_version(secret, b"payload");
        assert!(version.starts_with("projects/123456789012/"), "{version}");
        let member = google::caller(&cloud, secret, Role::SecretAccessor);
        let client = secrets(&cloud, &member).await;
        for number in ["1", "latest"] {
            let name = format!("{secret}/versions/{number}");
            let request = client.access_secret_version().set_name(name);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.name, version);
            let payload = answer.payload.unwrap();
            assert_eq!(&payload.data[..], b"payload");
            assert_eq!(payload.data_crc32c, Some(crc(b"payload")));
        }
    }
}

#[tokio::test]
async fn an_attested_image_gets_its_secret() {
    let (cloud, issuer) = google::cloud_and_issuer();
    let profile = Profile::production();
    let digest = profile.image.digest.clone();
    let machine = Machine::start(&issuer, profile);
    let provider = cloud
        .sts()
        .set_provider(PROVIDER, Condition::image(&digest));
    let version = cloud.secrets().add_version(SECRET, b"payload");
    let member = provider.image(&digest);
    cloud.iam().bind(&member, SECRET, Role::SecretAccessor);

    let token = machine.write_default_token();
    let file = cloud.external_account_file("bob.json", &provider, &token);
    let credentials = external_account::Builder::new(json(&file)).build().unwrap();
    let client = google::secrets_with(&cloud, credentials).await;
    let request = client.access_secret_version().set_name(&version);
    let answer = request.send().await.unwrap();
    assert_eq!(&answer.payload.unwrap().data[..], b"payload");
    assert_eq!(cloud.sts().requests().of(Call::ExchangeToken), 1);
}

#[tokio::test]
async fn a_service_account_signs_its_own_tokens() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let account = cloud
        .iam()
        .add_service_account("signer@example-project.iam.gserviceaccount.com");
    cloud
        .iam()
        .bind(&account.member(), KEY, Role::SignerVerifier);
    let file = json(&cloud.service_account_file(&account));
    let ours = "https://cloudkms.googleapis.com/";
    for access in [
        service_account::AccessSpecifier::from_scopes([SCOPE]),
        service_account::AccessSpecifier::from_audience(ours),
    ] {
        let credentials = service_account::Builder::new(file.clone())
            .with_access_specifier(access)
            .build()
            .unwrap();
        let client = google::kms_with(&cloud, credentials).await;
        let request = client.get_public_key().set_name(&version);
        assert_eq!(request.send().await.unwrap().name, version);
    }
    // They are exchanged with nobody.
    assert_eq!(cloud.sts().requests().total(), 0);
}

#[tokio::test]
async fn a_machine_s_account_is_its_metadata_server_s() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let member = cloud.metadata().member().unwrap();
    cloud.iam().bind(&member, &version, Role::PublicKeyViewer);
    let credentials = mds::Builder::default()
        .with_endpoint(cloud.metadata().endpoint())
        .build()
        .unwrap();
    let client = google::kms_with(&cloud, credentials).await;
    let request = client.get_public_key().set_name(&version);
    assert_eq!(request.send().await.unwrap().name, version);
    assert_eq!(cloud.metadata().requests().of(Call::MetadataToken), 1);
}

#[tokio::test]
async fn a_person_s_refresh_token_becomes_an_access_token() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let user = cloud.oauth().add_user("carol@example.com");
    cloud.iam().bind(&user.member(), KEY, Role::PublicKeyViewer);
    let file = json(&cloud.authorized_user_file(&user));
    for builder in [
        user_account::Builder::new(file.clone()),
        user_account::Builder::new(file).with_scopes([SCOPE]),
    ] {
        let client = google::kms_with(&cloud, builder.build().unwrap()).await;
        let request = client.get_public_key().set_name(&version);
        assert_eq!(request.send().await.unwrap().name, version);
    }
    assert_eq!(cloud.oauth().requests().of(Call::RefreshToken), 2);
}

#[tokio::test]
async fn requests_for_signatures_are_counted_while_they_wait() {
    let cloud = google::cloud();
    let version = p256(&cloud);
    let member = google::caller(&cloud, &version, Role::Signer);
    // Nobody signs, until three ask.
    cloud.kms().set_signers(0, Duration::ZERO);
    let client = kms(&cloud, &member).await;
    let asking: Vec<_> = (0..3)
        .map(|_| {
            let (client, version) = (client.clone(), version.clone());
            tokio::spawn(async move { sign(&client, &version).await.unwrap() })
        })
        .collect();
    let cloud = google::wait(cloud, |cloud| cloud.kms().wait_for_signing(3)).await;
    assert_eq!(cloud.kms().signing(), 3);
    asking.iter().for_each(tokio::task::JoinHandle::abort);
    let cloud = google::wait(cloud, |cloud| cloud.kms().wait_for_quiet()).await;
    cloud.kms().set_signers(1, Duration::ZERO);
    sign(&client, &version).await.unwrap();
    assert_eq!(cloud.kms().most_signing(), 3);
}

fn json(path: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
