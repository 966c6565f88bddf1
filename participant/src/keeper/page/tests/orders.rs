//! What the buttons do, and what they do when something else happened first.

use super::*;

#[tokio::test]
async fn a_request_is_approved_and_the_page_says_so() {
    let running = start().await;
    running.write([pending("machine-1")]);
    let visitor = running.enter().await;
    let id = instance("machine-1").id();
    assert!(visitor.get("").await.text().contains("Waiting for you 1"));
    let answer = visitor.approve(id, 1).await;
    assert_eq!(answer.status, 303);
    let location = answer.header("location").unwrap();
    assert_eq!(location, format!("{}?entry=2", visitor.base));
    let Some(Event::Approved { instance, by }) = running.entries().pop() else {
        panic!("{:?}", running.kinds());
    };
    assert_eq!(instance, id);
    assert_eq!(by.via, Via::Page);
    assert_eq!(by.uid, rustix::process::getuid().as_raw());
    let page = visitor.get("?entry=2").await.text();
    assert!(
        page.contains("Approved: psk-server on machine-1 gets the share the next time"),
        "{page}"
    );
    assert!(page.contains("No machine waits for a decision"), "{page}");
    assert!(page.contains("psk-server on machine-1 approved"), "{page}");
}

#[tokio::test]
async fn a_request_is_denied() {
    let running = start().await;
    running.write([pending("machine-1")]);
    let visitor = running.enter().await;
    let id = instance("machine-1").id().to_string();
    let answer = visitor
        .send("/deny", &[("instance", &id), ("seen", "1")])
        .await;
    assert_eq!(answer.status, 303);
    assert_eq!(running.kinds(), ["pending", "denied"]);
    let page = visitor.get("?entry=2").await.text();
    assert!(
        page.contains("Denied: psk-server on machine-1 gets no share"),
        "{page}"
    );
}

#[tokio::test]
async fn a_lease_is_revoked() {
    let running = start().await;
    running.write([released("machine-1")]);
    let visitor = running.enter().await;
    let page = visitor.get("").await.text();
    assert!(page.contains("Leases that run 1"), "{page}");
    assert!(page.contains("5 min 0 s"), "{page}");
    let id = instance("machine-1").id().to_string();
    let answer = visitor.send("/revoke", &[("instance", &id)]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(running.kinds(), ["released", "revoked"]);
    let page = visitor.get("?entry=2").await.text();
    assert!(
        page.contains("Revoked: psk-server on machine-1 loses what it had"),
        "{page}"
    );
    assert!(page.contains("No machine has the share now"), "{page}");
}

#[tokio::test]
async fn consent_is_withdrawn_and_restored_after_a_question() {
    let running = start().await;
    let visitor = running.enter().await;
    let question = visitor.get("/withdraw").await.text();
    assert!(question.contains("Withdraw consent from every machine?"));
    assert_eq!(visitor.send("/withdraw", &[]).await.status, 303);
    assert_eq!(running.kinds(), ["withdrawn"]);
    let page = visitor.get("?entry=1").await.text();
    assert!(
        page.contains("Nothing is released or renewed, whatever is approved below"),
        "{page}"
    );
    let question = visitor.get("/restore").await.text();
    assert!(question.contains("It was withdrawn by entry 1"));
    let answer = visitor.send("/restore", &[("seen", "1")]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(running.kinds(), ["withdrawn", "restored"]);
    let page = visitor.get("?entry=2").await.text();
    assert!(page.contains("Consent is restored."), "{page}");
}

/// Fails the test unless the answer says this, and that nothing was done.
#[track_caller]
fn stale(answer: &Answer, why: &str) {
    assert_eq!(answer.status, 409, "{answer:?}");
    let text = answer.text();
    assert!(
        text.starts_with("Nothing was done") && text.contains(why),
        "{text}"
    );
}

#[tokio::test]
async fn an_approval_does_nothing_where_somebody_decided_since() {
    let running = start().await;
    let id = instance("machine-1").id();
    running.write([pending("machine-1")]);
    let visitor = running.enter().await;
    running.write([Event::Denied {
        instance: id,
        by: by(Via::Command),
    }]);
    let answer = visitor.approve(id, 1).await;
    stale(&answer, "was denied on the command line, as user 1000");
    let name = id.to_string();
    let fields = [("instance", name.as_str()), ("seen", "1")];
    stale(&visitor.send("/deny", &fields).await, "was denied");
    assert_eq!(running.kinds(), ["pending", "denied"]);
    // Who has seen that it was denied can change it.
    assert_eq!(visitor.approve(id, 2).await.status, 303);
    assert_eq!(running.kinds(), ["pending", "denied", "approved"]);
}

#[tokio::test]
async fn what_was_said_of_another_machine_makes_nothing_stale() {
    let running = start().await;
    running.write([pending("machine-1"), pending("machine-2")]);
    let visitor = running.enter().await;
    let (one, two) = (instance("machine-1").id(), instance("machine-2").id());
    assert_eq!(visitor.approve(two, 2).await.status, 303);
    assert_eq!(visitor.approve(one, 2).await.status, 303);
}

#[tokio::test]
async fn a_machine_that_never_asked_is_not_approved() {
    let running = start().await;
    let visitor = running.enter().await;
    let id = instance("stranger").id();
    stale(&visitor.approve(id, 9).await, "No such machine");
    let name = id.to_string();
    let answer = visitor.send("/revoke", &[("instance", &name)]).await;
    stale(&answer, "No such machine");
    assert!(running.kinds().is_empty());
}

#[tokio::test]
async fn taking_back_works_however_old_the_page_is() {
    let running = start().await;
    running.write([released("machine-1")]);
    let visitor = running.enter().await;
    let id = instance("machine-1").id();
    // Its lease has ended, and it has another one: the machine still has consent.
    running.clock.fetch_add(600_000, Ordering::SeqCst);
    running.write([Event::Approved {
        instance: id,
        by: by(Via::Command),
    }]);
    let name = id.to_string();
    let fields = [("instance", name.as_str())];
    let revoke = || visitor.send("/revoke", &fields);
    assert_eq!(revoke().await.status, 303);
    assert_eq!(running.kinds(), ["released", "approved", "revoked"]);
    let again = revoke().await;
    stale(&again, "nothing that could be taken back");
    stale(&again, "was revoked on this page");
    assert_eq!(running.kinds(), ["released", "approved", "revoked"]);
}

#[tokio::test]
async fn consent_is_not_restored_for_whom_a_later_withdrawal_was_not_shown() {
    let running = start().await;
    let visitor = running.enter().await;
    let restore = |seen: &'static str| {
        let visitor = &visitor;
        async move { visitor.send("/restore", &[("seen", seen)]).await }
    };
    stale(&restore("0").await, "nothing to restore");
    let by = by(Via::Command);
    running.write([
        Event::Withdrawn { by },
        Event::Restored { by },
        Event::Withdrawn { by },
    ]);
    stale(&restore("1").await, "another time");
    stale(&visitor.send("/withdraw", &[]).await, "withdrawn already");
    assert_eq!(running.kinds(), ["withdrawn", "restored", "withdrawn"]);
    assert_eq!(restore("3").await.status, 303);
}

#[tokio::test]
async fn a_form_with_a_field_that_is_missing_or_means_nothing_is_refused() {
    let running = start().await;
    running.write([pending("machine-1")]);
    let visitor = running.enter().await;
    let id = instance("machine-1").id().to_string();
    for fields in [
        &[("instance", id.as_str())][..],
        &[("seen", "1")],
        &[("instance", "abc1"), ("seen", "1")],
        &[("instance", &id), ("seen", "-1")],
        &[("instance", &id), ("seen", "1"), ("seen", "2")],
        &[("instance", &id), ("instance", &id), ("seen", "1")],
    ] {
        assert_eq!(visitor.send("/approve", fields).await.status, 400);
    }
    assert_eq!(running.kinds(), ["pending"]);
}

#[tokio::test]
async fn a_ledger_that_cannot_be_used_is_said_and_nothing_is_done() {
    let running = start().await;
    running.write([pending("machine-1")]);
    let visitor = running.enter().await;
    let key = visitor.key().await;
    fs::rename(running.path(), running.folder.path().join("moved")).unwrap();
    let id = instance("machine-1").id().to_string();
    let fields = [
        ("key", key.as_str()),
        ("instance", id.as_str()),
        ("seen", "1"),
    ];
    let answer = visitor.form("/approve", &fields).send().await;
    assert_eq!(answer.status, 503);
    let text = answer.text();
    assert!(text.contains("the ledger was moved"), "{text}");
    fs::rename(running.folder.path().join("moved"), running.path()).unwrap();
    assert_eq!(running.kinds(), ["pending"]);
    assert_eq!(visitor.form("/approve", &fields).send().await.status, 303);
}
