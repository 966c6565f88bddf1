//! Every kind of key, at each end, in each version.

mod support;

use mcbn_gcp::{Algorithm, Hash};
use mcbn_kms::{End, Key, Setup, Unfit, Version};
use support::*;

async fn every_key_signs(algorithms: &[Algorithm], version: Version) {
    let ca = Ca::new();
    let other = Setting::new(P256, &ca).with(version);
    for algorithm in algorithms {
        let own = Setting::new(*algorithm, &ca).with(version);
        let acceptor = own.acceptor(ca.peers(), None).await;
        let connector = other.connector(ca.peers(), None).await;
        meet(&acceptor, &connector).await;
        assert_eq!(
            own.local.asked(),
            2,
            "{algorithm}, at the start and for the peer"
        );

        let acceptor = other.acceptor(ca.peers(), None).await;
        let connector = own.connector(ca.peers(), None).await;
        meet(&acceptor, &connector).await;
        assert_eq!(own.local.asked(), 4, "{algorithm}");
        assert_eq!(own.metrics.signatures("made"), 4);
        assert_eq!(own.metrics.handshakes("full"), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_modern_key_signs_in_tls_1_3() {
    every_key_signs(&MODERN, Version::Tls13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_signs_in_tls_1_2() {
    every_key_signs(&MODERN, Version::Tls12).await;
    every_key_signs(&OLD, Version::Tls12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pkcs1_in_tls_1_3_is_refused() {
    let ca = Ca::new();
    for algorithm in OLD {
        for own in [End::Client, End::Server] {
            let setting = Setting::new(algorithm, &ca);
            let refused = setting.credentials(own).await.unwrap_err();
            assert!(matches!(refused, Setup::Pkcs1InTls13(_)), "{refused}");
            assert!(refused.to_string().contains("RFC 8446"), "{refused}");
            assert_eq!(setting.local.asked(), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_decrypts_is_refused() {
    let algorithm = Algorithm::RsaOaep {
        bits: 2048,
        hash: Hash::Sha256,
    };
    let refused = Key::new(Vec::new(), algorithm).unwrap_err();
    assert!(matches!(refused, Setup::NotASigner(_)), "{refused}");
    assert!(
        refused.to_string().contains("RSA_DECRYPT_OAEP_2048_SHA256"),
        "{refused}"
    );
}

/// Whatever its certificate says, and whichever end it is.
async fn refused(says: Says, own: End) -> Unfit {
    let ca = Ca::new();
    let mut setting = Setting::new(P256, &ca);
    setting.chain = ca.issue(&setting.local, &says);
    match setting.credentials(own).await.unwrap_err() {
        Setup::Certificate(why) => {
            assert_eq!(setting.local.asked(), 0, "it is seen before");
            why
        }
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_our_own_out_of_its_time_is_refused() {
    for own in [End::Client, End::Server] {
        let expired = Says { ends: -1, ..GOOD };
        assert_eq!(refused(expired, own).await, Unfit::Expired);
        let early = Says { begins: 60, ..GOOD };
        assert_eq!(refused(early, own).await, Unfit::NotYetValid);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_our_own_for_another_use_is_refused() {
    let of_client = || Says {
        server: false,
        ..GOOD
    };
    let of_server = || Says {
        client: false,
        ..GOOD
    };
    let of_none = || Says {
        client: false,
        ..of_client()
    };
    assert_eq!(
        refused(of_client(), End::Server).await,
        Unfit::Usage(End::Server)
    );
    assert_eq!(
        refused(of_server(), End::Client).await,
        Unfit::Usage(End::Client)
    );
    for own in [End::Client, End::Server] {
        assert_eq!(refused(of_none(), own).await, Unfit::Usage(own));
        let enciphers = Says {
            signs: false,
            ..GOOD
        };
        assert_eq!(refused(enciphers, own).await, Unfit::Usage(own));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_key_is_refused() {
    let ca = Ca::new();
    let mut setting = Setting::new(P256, &ca);
    setting.chain = ca.issue(&Local::new(P256), &GOOD);
    let refused = setting.credentials(End::Server).await.unwrap_err();
    assert!(
        matches!(refused, Setup::Certificate(Unfit::OtherKey)),
        "{refused}"
    );
}
