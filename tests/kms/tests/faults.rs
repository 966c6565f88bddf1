//! A Cloud KMS that is slow, absent, or wrong.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use mcbn_tests_kms::{REFUSED, Scene, UNAVAILABLE};
use mcbn_tests_support::google_cloud::{Call, Fault};
use mcbn_tests_support::plain::Plain;

/// What a server says that starts while this is so.
#[track_caller]
fn starts_not(fault: Fault, code: i32, saying: &str) {
    let scene = Scene::new();
    let own = scene.p256("own");
    scene.cloud.kms().set_fault(fault);
    let said = scene.server(&own, &["--kms-timeout=1s"]).end();
    let said = said.expect_code(code).stderr();
    assert!(said.contains(saying), "{fault:?}: {said}");
}

#[test]
fn a_service_that_is_away_is_waited_for_until_the_deadline() {
    starts_not(Fault::Unavailable, UNAVAILABLE, "cannot use the key");
    let busy = Fault::TooManyRequests { retry_after: None };
    starts_not(busy, UNAVAILABLE, "cannot use the key");
    starts_not(Fault::Stalled, UNAVAILABLE, "took too long");
    starts_not(
        Fault::Slow(Duration::from_secs(5)),
        UNAVAILABLE,
        "took too long",
    );
}

#[test]
fn a_service_that_refuses_is_told_so() {
    starts_not(Fault::PermissionDenied, REFUSED, "permission denied");
    starts_not(Fault::Disabled, REFUSED, "cannot use the key");
    starts_not(
        Fault::ExpiredToken,
        REFUSED,
        "the access token is not taken",
    );
}

#[test]
fn an_answer_that_is_not_whole_is_refused() {
    starts_not(Fault::WrongChecksum, REFUSED, "checksum");
    starts_not(Fault::OtherName, REFUSED, "of another resource");
    starts_not(Fault::OtherProtection, REFUSED, "protection level");
    starts_not(
        Fault::Unverified,
        REFUSED,
        "something else than what was sent",
    );
    starts_not(Fault::Truncated, REFUSED, "in no form that is known");
    // Of the public key, which is asked for first.
    starts_not(Fault::WrongBytes, REFUSED, "in no form that is known");
}

#[test]
fn a_service_that_is_busy_for_a_moment_is_asked_again() {
    for fault in [
        Fault::Unavailable,
        Fault::TooManyRequests {
            retry_after: Some(0),
        },
    ] {
        let scene = Scene::new();
        let own = scene.p256("own");
        scene.cloud.kms().set_fault_for(2, fault);
        scene.serve(&own, &[]);
        let requests = scene.cloud.kms().requests();
        assert_eq!(requests.of(Call::PublicKey) + requests.of(Call::Sign), 4);
    }
}

/// One handshake after the other.
#[test]
fn a_server_outlives_what_is_wrong_for_a_time() {
    let scene = Scene::new();
    let (own, other) = (scene.p256("server"), scene.p256("client"));
    let server = scene.serve(&own, &["--kms-timeout=1s", "--log-level=debug"]);
    // The client's own start is not to meet it.
    let faults = [
        // Its checksum is right: only the public key shows it.
        (Fault::WrongBytes, "kms_foreign_signature"),
        (Fault::WrongChecksum, "kms_corrupt"),
        (Fault::OtherName, "kms_corrupt"),
        (Fault::PermissionDenied, "kms_permission_denied"),
        (Fault::Disabled, "kms_disabled"),
        (Fault::Stalled, "kms_deadline"),
    ];
    for (fault, reason) in faults {
        let tunnel = scene.tunnel(&other, &server, &["--connect-timeout=1s"]);
        scene.cloud.kms().set_fault(fault);
        let mut plain = TcpStream::connect(tunnel.address).unwrap();
        let log = server.process.wait_for_log(|line| {
            let text = line.to_string();
            (text.contains("handshake failed") && text.contains(reason)).then_some(text)
        });
        assert!(!log.contains("ya29"), "{log}");
        // Nothing comes through.
        let _ = plain.write_all(b"GET / HTTP/1.1\r\n\r\n");
        let mut heard = Vec::new();
        let _ = plain.read_to_end(&mut heard);
        assert!(heard.is_empty(), "{fault:?}");
        scene.cloud.kms().mend();
    }
    let ended = scene.get(&other, &server, &[]);
    assert_eq!(ended.expect_code(0).stdout(), "ok\n");
}

#[test]
fn a_service_that_stalls_holds_up_no_connection_that_is_open() {
    let scene = Scene::new();
    let (own, other) = (scene.p256("server"), scene.p256("client"));
    let echo = Plain::echoing();
    let forward = format!("--forward={}", echo.address());
    let server = scene.serve(&own, &[&forward, "--kms-concurrency=2"]);
    let tunnel = scene.tunnel(&other, &server, &["--resumption-lifetime=0"]);
    let mut open = TcpStream::connect(tunnel.address).unwrap();
    let mut heard = [0];
    open.write_all(b"a").unwrap();
    open.read_exact(&mut heard).unwrap();

    scene.cloud.kms().set_fault(Fault::Stalled);
    let before = scene.signatures();
    let waiting: Vec<_> = (0..10)
        .map(|_| TcpStream::connect(tunnel.address).unwrap())
        .collect();
    let kms = scene.cloud.kms();
    kms.wait_for_requests(|requests| requests.of(Call::Sign) >= before + 2);
    for _ in 0..20 {
        open.write_all(b"b").unwrap();
        open.read_exact(&mut heard).unwrap();
    }
    kms.mend();
    for mut stream in waiting {
        stream.write_all(b"c").unwrap();
        stream.read_exact(&mut heard).unwrap();
    }
}

#[test]
fn handshakes_sign_at_one_time() {
    let scene = Scene::new();
    let (own, other) = (scene.p256("server"), scene.p256("client"));
    let echo = Plain::echoing();
    let forward = format!("--forward={}", echo.address());
    let server = scene.serve(&own, &[&forward]);
    let tunnel = scene.tunnel(&other, &server, &["--resumption-lifetime=0"]);
    scene
        .cloud
        .kms()
        .set_signers(100, Duration::from_millis(200));
    let streams: Vec<_> = (0..20)
        .map(|_| TcpStream::connect(tunnel.address).unwrap())
        .collect();
    for mut stream in streams {
        stream.write_all(b"x").unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }
    let most = scene.cloud.kms().most_signing();
    assert!(most > 5, "{most} at one time");
}
