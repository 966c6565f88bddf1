//! A service that is slow, busy or away: what is tried again, and when it is given up.

use mcbn_gcp::Failure;
use mcbn_tests_gcp::{DEADLINE, Project, sign};
use mcbn_tests_support::google_cloud::{Call, Fault, Health};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_service_that_is_busy_or_away_for_a_moment_is_asked_again() {
    let project = Project::new();
    let kms = project.kms();
    for fault in [
        Fault::TooManyRequests { retry_after: None },
        Fault::Unavailable,
        Fault::HangingUp,
    ] {
        let before = project.cloud.kms().requests().of(Call::Sign);
        project.cloud.kms().set_fault_for(2, fault);
        let signed = sign(&kms, &project.signing);
        signed
            .await
            .unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        let calls = project.cloud.kms().requests().of(Call::Sign) - before;
        assert_eq!(calls, 3, "{fault:?}");
    }
}

#[tokio::test]
async fn what_stays_wrong_is_given_up_within_the_deadline() {
    let project = Project::new();
    let deadline = Duration::from_millis(800);
    let kms = project.google(deadline).kms();
    for (fault, reason) in [
        (
            Fault::TooManyRequests { retry_after: None },
            "too_many_requests",
        ),
        (Fault::Unavailable, "unavailable"),
        (Fault::HangingUp, "unavailable"),
        (Fault::Stalled, "deadline"),
        (Fault::Slow(Duration::from_secs(5)), "deadline"),
    ] {
        project.cloud.kms().set_fault(fault);
        let start = Instant::now();
        let failed = sign(&kms, &project.signing).await;
        let failure = failed.unwrap_err();
        assert_eq!(failure.reason(), reason, "{fault:?}: {failure}");
        assert!(!failure.is_final());
        assert!(
            start.elapsed() < deadline + Duration::from_secs(2),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_away() {
    let project = Project::new();
    let kms = project.google(Duration::from_millis(500)).kms();
    project.cloud.kms().set_health(Health::Dead);
    let failed = kms.public_key(&project.signing).await.unwrap_err();
    assert!(
        matches!(failed, Failure::Away(_) | Failure::Slow),
        "{failed}"
    );
    assert!(!failed.to_string().contains("127.0.0.1"), "{failed}");
    project.cloud.kms().set_health(Health::Well);
    let kms = project.google(DEADLINE).kms();
    kms.public_key(&project.signing).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_do_not_wait_for_each_other() {
    let project = Project::new();
    let kms = project.kms();
    kms.public_key(&project.signing).await.unwrap();
    project
        .cloud
        .kms()
        .set_signers(64, Duration::from_millis(300));
    let start = Instant::now();
    let calls: Vec<_> = (0..32)
        .map(|_| {
            let (kms, name) = (kms.clone(), project.signing.clone());
            tokio::spawn(async move { sign(&kms, &name).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    // One after the other they would take 9.6 s.
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(project.cloud.kms().most_signing() > 8);
}
