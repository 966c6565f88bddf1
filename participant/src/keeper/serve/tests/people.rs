//! What a person says while the keeper runs.

use super::*;
use crate::keeper::ledger::instance::{Beginning, Instance, LeaseId};

fn id(running: &Running, subject: &str) -> Beginning {
    let instance = Instance {
        manifest: running.keeper.terms.manifest,
        subject: subject.into(),
        image: ImageDigest([2; 32]),
        workload: "psk-server".parse().unwrap(),
    };
    instance.id().to_string().parse().unwrap()
}

async fn asking() -> Running {
    start_with(With {
        ask: true,
        ..With::default()
    })
    .await
}

#[tokio::test]
async fn a_first_release_waits_until_a_person_approves() {
    let running = asking().await;
    for _ in 0..2 {
        let answer = running.release("i").await;
        assert_eq!(answer.refusal(), "pending");
        assert_eq!(answer.retry, Some(5));
    }
    running.folder.say(&Word::Approve(id(&running, "i")));
    let released = running.release("i").await.released();
    running.renew("i", released.lease).await.renewed();
    assert_eq!(
        running.end().await.log(),
        ["pending", "approved", "released", "renewed", "2 pending"]
    );
}

#[tokio::test]
async fn an_instance_that_was_denied_is_refused() {
    let running = asking().await;
    running.release("i").await.refusal();
    running.folder.say(&Word::Deny(id(&running, "i")));
    assert_eq!(running.release("i").await.refusal(), "denied");
    assert_eq!(
        running.end().await.log(),
        ["pending", "denied", "refused denied", "1 pending"]
    );
}

#[tokio::test]
async fn what_was_revoked_is_not_renewed() {
    let running = start().await;
    let released = running.release("i").await.released();
    let lease = LeaseId::from(released.lease).to_string();
    let lease = lease.parse().unwrap();
    running.folder.say(&Word::RevokeLease(lease));
    assert_eq!(
        running.renew("i", released.lease).await.refusal(),
        "withdrawn"
    );
    assert_eq!(running.release("i").await.refusal(), "withdrawn");
    running.release("j").await.released();
}

#[tokio::test]
async fn a_withdrawal_ends_everything_until_it_is_restored() {
    let running = start().await;
    let released = running.release("i").await.released();
    running.folder.say(&Word::Withdraw);
    assert_eq!(
        running.renew("i", released.lease).await.refusal(),
        "withdrawn"
    );
    assert_eq!(running.release("j").await.refusal(), "withdrawn");
    running.folder.say(&Word::Restore);
    assert_eq!(running.renew("i", released.lease).await.refusal(), "lease");
    running.release("i").await.released();
}
