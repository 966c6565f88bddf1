//! A challenge, a token, a share, and the lease on it.

use super::*;

#[tokio::test]
async fn a_machine_that_is_vouched_for_gets_the_share_and_a_lease() {
    let running = start().await;
    let released = running.release("i").await.released();
    let share = mcbn_share::text::share(SHARE.as_bytes()).unwrap();
    assert_eq!(released.share, Contribution::Share(share));
    assert_eq!(released.seconds.get(), 300);
    let renewed = running.renew("i", released.lease).await.renewed();
    assert_eq!(renewed.seconds.get(), 300);
    assert_eq!(running.end().await.log(), ["released", "renewed"]);
}

#[tokio::test]
async fn a_share_of_a_groups_key_is_released_as_one_under_a_lease_as_any_other() {
    let share = || mcbn_share::text::signing_share(SHARE.as_bytes()).unwrap();
    let running = start_with(With {
        share: Contribution::Revealed(share()),
        ..With::default()
    })
    .await;
    let answer = running.release("debug-i").await;
    assert_eq!(answer.refusal(), "policy debug");
    let released = running.release("i").await.released();
    assert_eq!(released.share, Contribution::Revealed(share()));
    running.renew("i", released.lease).await.renewed();
    running.folder.say(&Word::Withdraw);
    let answer = running.renew("i", released.lease).await;
    assert_eq!(answer.refusal(), "withdrawn");
}

#[tokio::test]
async fn what_is_released_stands_in_the_ledger_before() {
    let running = start().await;
    let released = running.release("i").await.released();
    match &running.folder.entries()[..] {
        [
            Event::Released {
                instance,
                lease,
                until,
                findings,
            },
        ] => {
            assert_eq!(instance.subject, "i");
            assert_eq!(*lease, released.lease.into());
            assert_eq!(until.0, 1_800_000_300_000);
            assert_eq!(findings.len(), 1);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_release_is_another_lease() {
    let running = start().await;
    let first = running.release("i").await.released();
    let second = running.release("i").await.released();
    assert_ne!(first.lease, second.lease);
    running.renew("i", first.lease).await.renewed();
    running.renew("i", second.lease).await.renewed();
}

#[tokio::test]
async fn another_manifest_is_refused() {
    let running = start().await;
    let mut client = running.connect().await;
    let manifest = ManifestDigest([9; 32]);
    let ask = mcbn_consent::message::AskChallenge { manifest };
    let answer = client.ask("/v1/challenge", &ask).await;
    assert_eq!(answer.refusal(), "manifest");
    assert!(client.is_closed().await);
    assert_eq!(running.end().await.log(), ["1 manifest"]);
}

#[tokio::test]
async fn a_token_for_another_manifest_is_refused() {
    let running = start().await;
    let mut client = running.connect().await;
    let mut token = running.token(&mut client, "i").await;
    token.nonces[2] = token.nonces[0].clone();
    assert_eq!(client.release(&token).await.refusal(), "token nonces");
    assert_eq!(running.end().await.log(), ["1 token nonces"]);
}

#[tokio::test]
async fn a_token_of_another_connection_is_refused() {
    let running = start().await;
    let mut near = running.connect().await;
    let mut far = running.connect().await;
    let challenge = near.challenge(running.keeper.terms.manifest).await;
    // The challenge is right, the exporter is not: the token was made behind another connection.
    let token = Token::new("i", &running, &far, &challenge);
    assert_eq!(near.release(&token).await.refusal(), "token nonces");
    // The exporter is right, the challenge is not.
    far.challenge(running.keeper.terms.manifest).await;
    assert_eq!(far.release(&token).await.refusal(), "token nonces");
}

#[tokio::test]
async fn a_challenge_is_good_for_one_token() {
    let running = start().await;
    let mut client = running.connect().await;
    let token = running.token(&mut client, "i").await;
    // Both at once: after the first the connection is closed.
    let body = format!(r#"{{"token":"{token}"}}"#);
    let length = body.len();
    let request =
        format!("POST /v1/release HTTP/1.1\r\nHost: k\r\nContent-Length: {length}\r\n\r\n{body}");
    client.send(format!("{request}{request}").as_bytes()).await;
    client.answer().await.unwrap().released();
    assert!(client.is_closed().await);
    assert_eq!(running.end().await.log(), ["released"]);
}

#[tokio::test]
async fn a_refused_token_uses_the_challenge_up() {
    let running = start().await;
    let mut client = running.connect().await;
    let token = running.token(&mut client, "i").await;
    let answer = client.post("/v1/release", b"{}").await;
    assert_eq!(answer.refusal(), "request not-a-message");
    client.send(b"").await;
    let again = format!(r#"{{"token":"{token}"}}"#);
    let head = format!(
        "POST /v1/release HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
        again.len()
    );
    client.send(head.as_bytes()).await;
    client.send(again.as_bytes()).await;
    assert!(client.is_closed().await);
    assert_eq!(running.end().await.log(), ["1 request not-a-message"]);
}

#[tokio::test]
async fn a_second_challenge_is_refused() {
    let running = start().await;
    let mut client = running.connect().await;
    let manifest = running.keeper.terms.manifest;
    client.challenge(manifest).await;
    let ask = mcbn_consent::message::AskChallenge { manifest };
    let answer = client.ask("/v1/challenge", &ask).await;
    assert_eq!(answer.refusal(), "request second-challenge");
}

#[tokio::test]
async fn a_token_without_a_challenge_is_refused() {
    let running = start().await;
    let mut client = running.connect().await;
    let challenge = mcbn_consent::message::Challenge([0; 32]);
    let token = Token::new("i", &running, &client, &challenge);
    assert_eq!(client.release(&token).await.refusal(), "token no-challenge");
}

#[tokio::test]
async fn a_challenge_that_is_a_minute_old_is_refused() {
    let running = start().await;
    let mut client = running.connect().await;
    let token = running.token(&mut client, "i").await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::time::resume();
    assert_eq!(
        client.release(&token).await.refusal(),
        "token challenge-expired"
    );
    // A second before, it is taken.
    let mut client = running.connect().await;
    let token = running.token(&mut client, "i").await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(59)).await;
    tokio::time::resume();
    client.release(&token).await.released();
}

#[tokio::test]
async fn a_token_for_another_keeper_is_refused() {
    let running = start().await;
    let mut client = running.connect().await;
    let mut token = running.token(&mut client, "i").await;
    token.audience = audience(&Pin([9; 32]));
    assert_eq!(client.release(&token).await.refusal(), "token audience");
}

#[tokio::test]
async fn a_machine_that_does_not_meet_the_policy_is_refused_with_reasons() {
    let running = start().await;
    let answer = running.release("debug-i").await;
    assert_eq!(answer.refusal(), "policy debug");
    running.release("debug-i").await.refusal();
    let folder = running.end().await;
    match &folder.entries()[0] {
        Event::Refused {
            subject, findings, ..
        } => {
            assert_eq!(subject.as_deref(), Some("debug-i"));
            assert!(!findings[0].holds);
        }
        other => panic!("{other:?}"),
    }
    // The same once more is counted.
    assert_eq!(folder.log(), ["refused policy debug", "1 policy debug"]);
}

#[tokio::test]
async fn a_lease_is_renewed_by_its_instance_alone() {
    let running = start().await;
    let released = running.release("i").await.released();
    running.release("j").await.released();
    assert_eq!(running.renew("j", released.lease).await.refusal(), "lease");
    assert_eq!(running.renew("i", Lease([0; 16])).await.refusal(), "lease");
    running.renew("i", released.lease).await.renewed();
    assert_eq!(
        running.end().await.log(),
        [
            "released",
            "released",
            "refused lease",
            "refused lease",
            "renewed"
        ]
    );
}

#[tokio::test]
async fn a_lease_that_has_ended_is_not_renewed() {
    let running = start().await;
    let released = running.release("i").await.released();
    running.pass(Duration::from_secs(299));
    running.renew("i", released.lease).await.renewed();
    running.pass(Duration::from_secs(300));
    assert_eq!(running.renew("i", released.lease).await.refusal(), "lease");
    running.release("i").await.released();
}

#[tokio::test]
async fn keys_that_are_not_there_do_not_speak_against_a_token() {
    let running = start().await;
    running.release("keys-soon").await.released();
    let answer = running.release("keys-busy").await;
    assert_eq!(answer.refusal(), "busy keys-busy");
    assert_eq!(answer.retry, Some(1));
    let answer = running.release("keys-gone").await;
    assert_eq!(answer.refusal(), "unavailable keys-unavailable");
    assert_eq!(answer.retry, Some(10));
}

#[tokio::test]
async fn a_bug_in_the_verifier_releases_nothing() {
    let running = start().await;
    assert_eq!(running.release("bug").await.refusal(), "unavailable bug");
    running.release("i").await.released();
}

#[tokio::test]
async fn without_a_ledger_nothing_is_released() {
    let running = start().await;
    let released = running.release("i").await.released();
    let elsewhere = running.folder.0.path().join("elsewhere");
    std::fs::rename(running.folder.path(), &elsewhere).unwrap();
    let answer = running.release("i").await;
    assert_eq!(answer.refusal(), "unavailable ledger");
    assert_eq!(answer.retry, Some(5));
    let answer = running.renew("i", released.lease).await;
    assert_eq!(answer.refusal(), "unavailable ledger");
    // A refusal has its own answer all the same.
    assert_eq!(running.release("debug-i").await.refusal(), "policy debug");
    std::fs::rename(&elsewhere, running.folder.path()).unwrap();
    running.renew("i", released.lease).await.renewed();
    // What could not be written then is counted.
    let mut log = running.end().await.log();
    log.sort();
    assert_eq!(
        log,
        [
            "1 policy debug",
            "2 unavailable ledger",
            "released",
            "renewed"
        ]
    );
}
