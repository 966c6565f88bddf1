//! Whom both ends refuse, in which words, and with which alert.

mod support;

use mcbn_mtls::{Checks, PeerFault};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyUsagePurpose};
use rustls::{AlertDescription, Error};
use rustls_pki_types::ServerName;
use std::time::Duration;
use support::{
    Ca, Stranger, acceptor, another, ca, connector, credentials_of, good, ours,
    ours_with_another_exponent,
};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Both ends of ours refuse the stranger so.
async fn is_refused(
    stranger: &Stranger,
    checks: &Checks,
    fault: PeerFault,
    alert: AlertDescription,
) {
    let expected = (fault, Some(Error::AlertReceived(alert)));
    assert_eq!(
        stranger.connects_to(&acceptor(checks.clone())).await,
        expected
    );
    assert_eq!(stranger.serves(&connector(checks.clone())).await, expected);
}

/// Our key, and all of a certificate that is as it should be but for this.
fn with(ca: &Ca, spoil: impl FnOnce(&mut CertificateParams)) -> Stranger {
    let mut params = good();
    spoil(&mut params);
    Stranger::certified(&ours(), ca, &params)
}

#[tokio::test]
async fn another_key_of_the_same_ca_is_refused() {
    let ca = ca();
    let stranger = Stranger::certified(&another(), &ca, &good());
    let trusts_the_ca = Checks::default().with_roots(ca.pem.as_bytes()).unwrap();
    for checks in [Checks::default(), trusts_the_ca] {
        let alert = AlertDescription::CertificateUnknown;
        is_refused(&stranger, &checks, PeerFault::OtherKey, alert).await;
    }
}

#[tokio::test]
async fn our_modulus_with_another_exponent_is_refused() {
    let key = ours_with_another_exponent();
    assert_eq!(key.spki().len(), ours().spki().len());
    let stranger = Stranger::certified(&key, &ca(), &good());
    let alert = AlertDescription::CertificateUnknown;
    is_refused(&stranger, &Checks::default(), PeerFault::OtherKey, alert).await;
}

#[tokio::test]
async fn our_certificate_without_our_key_is_refused() {
    let certificate = credentials_of(ours(), &ca()).chain().remove(0);
    let stranger = Stranger::showing(&certificate, &another());
    let alert = AlertDescription::DecryptError;
    is_refused(&stranger, &Checks::default(), PeerFault::Signature, alert).await;
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let stranger = Stranger::without_a_certificate();
    let expected = Error::AlertReceived(AlertDescription::CertificateRequired);
    let met = stranger.connects_to(&acceptor(Checks::default())).await;
    assert_eq!(met, (PeerFault::NoCertificate, Some(expected)));
}

#[tokio::test]
async fn a_certificate_without_a_usage_is_refused() {
    let ca = ca();
    for stranger in [
        with(&ca, |params| params.key_usages.clear()),
        with(&ca, |params| {
            params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]
        }),
        with(&ca, |params| params.extended_key_usages.clear()),
        with(&ca, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        }),
    ] {
        let alert = AlertDescription::UnsupportedCertificate;
        is_refused(&stranger, &Checks::default(), PeerFault::Usage, alert).await;
    }
}

#[tokio::test]
async fn a_certificate_for_the_other_end_is_refused() {
    let ca = ca();
    let refused = Some(Error::AlertReceived(
        AlertDescription::UnsupportedCertificate,
    ));
    let for_servers = with(&ca, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let met = for_servers.connects_to(&acceptor(Checks::default())).await;
    assert_eq!(met, (PeerFault::Usage, refused.clone()));
    let for_clients = with(&ca, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let met = for_clients.serves(&connector(Checks::default())).await;
    assert_eq!(met, (PeerFault::Usage, refused));
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_refused() {
    let ca = ca();
    let minute = Duration::from_secs(60);
    let expired = with(&ca, |params| {
        params.not_after = OffsetDateTime::now_utc() - minute
    });
    let early = with(&ca, |params| {
        params.not_before = OffsetDateTime::now_utc() + minute
    });
    let alert = AlertDescription::CertificateExpired;
    is_refused(&expired, &Checks::default(), PeerFault::Expired, alert).await;
    is_refused(&early, &Checks::default(), PeerFault::NotYetValid, alert).await;
}

#[tokio::test]
async fn a_chain_from_elsewhere_is_refused_where_that_is_asked_for() {
    let (trusted, other) = (ca(), ca());
    let checks = Checks::default()
        .with_roots(trusted.pem.as_bytes())
        .unwrap();
    let stranger = with(&other, |_| ());
    let alert = AlertDescription::UnknownCA;
    is_refused(&stranger, &checks, PeerFault::Chain, alert).await;
}

#[tokio::test]
async fn another_name_is_refused_where_that_is_asked_for() {
    let name = ServerName::try_from("other.example").unwrap();
    let checks = Checks::default().with_name(name);
    let stranger = with(&ca(), |_| ());
    let alert = AlertDescription::BadCertificate;
    is_refused(&stranger, &checks, PeerFault::Name, alert).await;
}

#[tokio::test]
async fn what_is_not_a_certificate_is_refused() {
    let stranger = Stranger::showing(&vec![0x30, 0x03, 0x02, 0x01, 0x00].into(), &ours());
    let alert = AlertDescription::BadCertificate;
    is_refused(&stranger, &Checks::default(), PeerFault::Certificate, alert).await;
}

/// Its client learns so when it reads.
#[tokio::test]
async fn a_server_that_refuses_us_is_told_from_a_break() {
    let checks = Checks::default().with_roots(ca().pem.as_bytes()).unwrap();
    let (acceptor, connector) = (acceptor(checks), connector(Checks::default()));
    let (near, far) = tokio::io::duplex(1 << 16);
    let (near, far) = tokio::join!(connector.connect(near), acceptor.accept(far));
    far.unwrap_err();
    let error = near.unwrap().read_u8().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("alert 48"), "{error}");
}

/// Whoever writes first learns it as well, although the server has closed.
#[tokio::test]
async fn a_refusal_is_found_behind_a_write_that_fails() {
    let checks = Checks::default().with_roots(ca().pem.as_bytes()).unwrap();
    let (acceptor, connector) = (acceptor(checks), connector(Checks::default()));
    let (near, far) = tokio::io::duplex(1 << 16);
    let (near, far) = tokio::join!(connector.connect(near), acceptor.accept(far));
    far.unwrap_err();
    let error = near.unwrap().write_all(b"GET /").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
}
