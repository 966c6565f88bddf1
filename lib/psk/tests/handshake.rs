//! Who gets a stream and who does not.

mod support;

use std::io::Write;

use mcbn_psk::{PeerFault, Protocol, Versions};
use openssl::ssl::{SslOptions, SslVersion};
use support::*;

#[tokio::test]
async fn the_key_opens_tls13() {
    let (client, server) = connected(Versions::Tls13, Versions::Tls13).await;
    assert_eq!(client.peer().protocol(), Protocol::Tls13);
    assert_eq!(client.peer().cipher_suite(), "TLS_AES_128_GCM_SHA256");
    assert_eq!(client.peer(), server.peer());
}

#[tokio::test]
async fn tls13_is_spoken_wherever_both_can() {
    for (client, server) in [
        (Versions::Tls12And13, Versions::Tls12And13),
        (Versions::Tls12And13, Versions::Tls13),
        (Versions::Tls13, Versions::Tls12And13),
    ] {
        let (client, _server) = connected(client, server).await;
        assert_eq!(client.peer().protocol(), Protocol::Tls13);
    }
}

#[tokio::test]
async fn the_key_opens_tls12_when_it_is_asked_for() {
    let ctx = foreign_client(SslVersion::TLS1_2, Some(KEY)).build();
    let (foreign, ours) = against_server(&acceptor(Versions::Tls12And13), move |s| {
        connect(&ctx, s, None)
    })
    .await;
    foreign.unwrap();
    let ours = ours.unwrap();
    assert_eq!(ours.peer().protocol(), Protocol::Tls12);
    let suite = ours.peer().cipher_suite();
    assert_eq!(suite, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256");

    let ctx = foreign_server(SslVersion::TLS1_2, Some(KEY)).build();
    let client = connector(IDENTITY, KEY, Versions::Tls12And13);
    let (foreign, ours) = against_client(&client, move |s| accept(&ctx, s)).await;
    foreign.unwrap();
    assert_eq!(ours.unwrap().peer().protocol(), Protocol::Tls12);
}

#[tokio::test]
async fn every_suite_of_the_lists_works() {
    for suite in ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"] {
        let mut ctx = foreign_client(SslVersion::TLS1_3, Some(KEY));
        ctx.set_ciphersuites(suite).unwrap();
        let ctx = ctx.build();
        let (foreign, ours) =
            against_server(&acceptor(Versions::Tls13), move |s| connect(&ctx, s, None)).await;
        foreign.unwrap();
        assert_eq!(ours.unwrap().peer().cipher_suite(), suite);
    }
    for suite in [
        "ECDHE-PSK-CHACHA20-POLY1305",
        "ECDHE-PSK-AES128-CBC-SHA256",
        "ECDHE-PSK-AES256-CBC-SHA384",
    ] {
        let mut ctx = foreign_client(SslVersion::TLS1_2, Some(KEY));
        ctx.set_cipher_list(suite).unwrap();
        let ctx = ctx.build();
        let (foreign, ours) = against_server(&acceptor(Versions::Tls12And13), move |s| {
            connect(&ctx, s, None)
        })
        .await;
        foreign.unwrap();
        let named = ours.unwrap().peer().cipher_suite();
        assert!(named.starts_with("TLS_ECDHE_PSK_WITH_"), "{named}");
    }
}

#[tokio::test]
async fn every_group_of_the_list_works() {
    for group in ["X25519MLKEM768", "X25519", "P-256"] {
        let mut ctx = foreign_client(SslVersion::TLS1_3, Some(KEY));
        ctx.set_groups_list(group).unwrap();
        let ctx = ctx.build();
        let (foreign, ours) =
            against_server(&acceptor(Versions::Tls13), move |s| connect(&ctx, s, None)).await;
        foreign.unwrap();
        ours.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_guessed_another_group_is_asked_again() {
    // It sends a share for its first group, which the server does not have.
    for (identity, known) in [("Client1", true), ("nobody", false)] {
        let mut ctx = foreign_client(SslVersion::TLS1_3, None);
        ctx.set_groups_list("P-521:X25519").unwrap();
        ctx.set_psk_client_callback(move |_, _, name, out| {
            name[..identity.len()].copy_from_slice(identity.as_bytes());
            name[identity.len()] = 0;
            out[..KEY.len()].copy_from_slice(&KEY);
            Ok(KEY.len())
        });
        let ctx = ctx.build();
        let (foreign, ours) =
            against_server(&acceptor(Versions::Tls13), move |s| connect(&ctx, s, None)).await;
        assert_eq!(foreign.is_ok(), known);
        assert_eq!(ours.is_ok(), known);
    }
}

#[tokio::test]
async fn a_key_without_an_ephemeral_exchange_is_refused() {
    // TLS 1.3: a client that would do without gets one all the same.
    const ALLOW_NO_DHE_KEX: u64 = 1 << 10;
    let mut ctx = foreign_client(SslVersion::TLS1_3, Some(KEY));
    ctx.set_options(SslOptions::from_bits_retain(ALLOW_NO_DHE_KEX));
    ctx.set_groups_list("X25519").unwrap();
    let ctx = ctx.build();
    let (foreign, ours) =
        against_server(&acceptor(Versions::Tls13), move |s| connect(&ctx, s, None)).await;
    assert!(foreign.unwrap().ssl().peer_tmp_key().is_ok());
    ours.unwrap();

    // TLS 1.2: plain PSK.
    let mut ctx = foreign_client(SslVersion::TLS1_2, Some(KEY));
    ctx.set_cipher_list("PSK-AES128-GCM-SHA256").unwrap();
    let ctx = ctx.build();
    let (foreign, ours) = against_server(&acceptor(Versions::Tls12And13), move |s| {
        connect(&ctx, s, None)
    })
    .await;
    assert!(foreign.is_err());
    assert_eq!(fault(ours), PeerFault::NothingShared);
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let server = acceptor(Versions::Tls13);
    let client = connector(IDENTITY, OTHER_KEY, Versions::Tls13);
    let (client, ours) = meet(&client, &server).await;
    assert_eq!(fault(ours), PeerFault::WrongKey);
    assert_eq!(fault(client), PeerFault::Alert(51));

    let ctx = foreign_client(SslVersion::TLS1_2, Some(OTHER_KEY)).build();
    let (foreign, ours) = against_server(&acceptor(Versions::Tls12And13), move |s| {
        connect(&ctx, s, None)
    })
    .await;
    assert_eq!(alert_seen(foreign), 20);
    assert_eq!(fault(ours), PeerFault::WrongKey);
}

#[tokio::test]
async fn a_server_with_another_key_is_refused() {
    for (versions, version) in BOTH {
        let ctx = foreign_server(version, Some(OTHER_KEY)).build();
        let client = connector(IDENTITY, KEY, versions);
        let (foreign, ours) = against_client(&client, move |s| accept(&ctx, s)).await;
        assert!(foreign.is_err());
        assert!(matches!(fault(ours), PeerFault::Alert(51 | 20)));
    }
}

#[tokio::test]
async fn a_server_with_only_a_certificate_is_refused() {
    for (versions, version) in BOTH {
        let ctx = with_certificate(foreign_server(version, None)).build();
        let client = connector(IDENTITY, KEY, versions);
        let (foreign, ours) = against_client(&client, move |s| accept(&ctx, s)).await;
        assert!(foreign.is_err() || version == SslVersion::TLS1_3);
        match version {
            SslVersion::TLS1_3 => assert_eq!(fault(ours), PeerFault::Certificate),
            // It finds no suite to its taste and says so.
            _ => assert_eq!(fault(ours), PeerFault::Alert(40)),
        }
    }
}

#[tokio::test]
async fn a_server_that_falls_back_from_the_key_to_its_certificate_is_refused() {
    let ctx = with_certificate(foreign_server(SslVersion::TLS1_3, Some(KEY))).build();
    let client = connector("another name", KEY, Versions::Tls13);
    let (_, ours) = against_client(&client, move |s| accept(&ctx, s)).await;
    assert_eq!(fault(ours), PeerFault::Certificate);
}

#[tokio::test]
async fn a_client_without_a_key_is_refused() {
    for (versions, version) in BOTH {
        for ctx in [
            foreign_client(version, None).build(),
            with_certificate(foreign_client(version, None)).build(),
        ] {
            let (foreign, ours) =
                against_server(&acceptor(versions), move |s| connect(&ctx, s, None)).await;
            assert_eq!(alert_seen(foreign), 40);
            assert_eq!(fault(ours), PeerFault::NothingShared);
        }
    }
}

#[tokio::test]
async fn tls12_is_refused_unless_it_is_asked_for() {
    let ctx = foreign_client(SslVersion::TLS1_2, Some(KEY)).build();
    let (foreign, ours) =
        against_server(&acceptor(Versions::Tls13), move |s| connect(&ctx, s, None)).await;
    assert_eq!(alert_seen(foreign), 70);
    assert_eq!(fault(ours), PeerFault::Version);

    let ctx = foreign_server(SslVersion::TLS1_2, Some(KEY)).build();
    let client = connector(IDENTITY, KEY, Versions::Tls13);
    let (_, ours) = against_client(&client, move |s| accept(&ctx, s)).await;
    assert!(matches!(
        fault(ours),
        PeerFault::Version | PeerFault::Alert(70)
    ));
}

#[tokio::test]
async fn suites_bound_to_another_hash_are_refused() {
    let mut ctx = foreign_client(SslVersion::TLS1_3, Some(KEY));
    ctx.set_ciphersuites("TLS_AES_256_GCM_SHA384").unwrap();
    let ctx = ctx.build();
    let (foreign, ours) =
        against_server(&acceptor(Versions::Tls13), move |s| connect(&ctx, s, None)).await;
    assert_eq!(alert_seen(foreign), 40);
    assert_eq!(fault(ours), PeerFault::NothingShared);
}

#[tokio::test]
async fn tls12_without_an_extended_master_secret_is_refused() {
    const NO_EXTENDED_MASTER_SECRET: u64 = 1;
    let mut ctx = foreign_client(SslVersion::TLS1_2, Some(KEY));
    ctx.set_options(SslOptions::from_bits_retain(NO_EXTENDED_MASTER_SECRET));
    let ctx = ctx.build();
    let (_, ours) = against_server(&acceptor(Versions::Tls12And13), move |s| {
        connect(&ctx, s, None)
    })
    .await;
    assert_eq!(fault(ours), PeerFault::NoExtendedMasterSecret);

    let mut ctx = foreign_server(SslVersion::TLS1_2, Some(KEY));
    ctx.set_options(SslOptions::from_bits_retain(NO_EXTENDED_MASTER_SECRET));
    let ctx = ctx.build();
    let client = connector(IDENTITY, KEY, Versions::Tls12And13);
    let (_, ours) = against_client(&client, move |s| accept(&ctx, s)).await;
    assert_eq!(fault(ours), PeerFault::NoExtendedMasterSecret);
}

#[tokio::test]
async fn plain_http_is_refused() {
    let (answer, ours) = against_server(&acceptor(Versions::Tls13), |mut s| {
        s.write_all(b"GET / HTTP/1.1\r\nHost: server.example\r\n\r\n")
            .unwrap();
        s.shutdown(std::net::Shutdown::Write).unwrap();
    })
    .await;
    let () = answer;
    assert_eq!(fault(ours), PeerFault::PlainHttp);
}

#[tokio::test]
async fn garbage_is_refused() {
    for garbage in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], &[0; 64], &[0xff; 4096]] {
        let ((), ours) = against_server(&acceptor(Versions::Tls13), move |mut s| {
            s.write_all(garbage).unwrap();
            s.shutdown(std::net::Shutdown::Write).unwrap();
        })
        .await;
        assert_eq!(fault(ours), PeerFault::NotTls, "{:?}", &garbage[..8]);
    }
}

#[tokio::test]
async fn records_that_make_no_sense_are_refused() {
    for records in [
        // Longer than any may be.
        &[22, 3, 1, 0xff, 0xff, 1, 0, 0, 0][..],
        // A ClientHello of one byte.
        &[22, 3, 1, 0, 5, 1, 0, 0, 1, 0],
        // A ServerHello, from a client.
        &[22, 3, 1, 0, 4, 2, 0, 0, 0],
        // An alert, and application data, before anything else.
        &[21, 3, 1, 0, 2, 2, 40],
        &[23, 3, 3, 0, 2, 0, 0],
    ] {
        let ((), ours) = against_server(&acceptor(Versions::Tls13), move |mut s| {
            s.write_all(records).unwrap();
            s.shutdown(std::net::Shutdown::Write).unwrap();
        })
        .await;
        let fault = fault(ours);
        assert!(
            matches!(fault, PeerFault::Protocol | PeerFault::Alert(40)),
            "{records:?}: {fault:?}"
        );
    }
}

#[tokio::test]
async fn a_peer_that_leaves_early_is_told_apart() {
    let ((), ours) = against_server(&acceptor(Versions::Tls13), drop).await;
    assert_eq!(fault(ours), PeerFault::Closed);
    let client = connector(IDENTITY, KEY, Versions::Tls13);
    let ((), ours) = against_client(&client, drop).await;
    assert_eq!(fault(ours), PeerFault::Closed);
}
