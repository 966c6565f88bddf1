//! Where fewer than all are needed.

use super::*;

#[tokio::test(start_paused = true)]
async fn one_who_withdraws_does_not_end_it() {
    let carol = |question, now| match (question, now) {
        (_, 100..) => No(Code::Withdrawn),
        _ => Grant(LEASE),
    };
    let keepers = Keepers::new([
        keeper("alice", willing),
        keeper("bob", willing),
        keeper("carol", carol),
    ]);
    let network = Network::of_threshold(2, keepers);
    network.goes_on(secs(3600)).await;
    // Who has said no is asked again, and not often.
    let asked = network.keepers.times("carol", Question::Release);
    assert!((5..=30).contains(&asked.len()), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_one_that_makes_too_few() {
    let bob = |_, now| match now {
        100.. => No(Code::Withdrawn),
        _ => Grant(LEASE),
    };
    let carol = |_, now| match now {
        1000.. => Away,
        _ => Grant(LEASE),
    };
    let keepers = Keepers::new([
        keeper("alice", willing),
        keeper("bob", bob),
        keeper("carol", carol),
    ]);
    let network = Network::of_threshold(2, keepers);
    let (when, lost) = network.lost().await;
    assert!((1000..=1000 + LEASE).contains(&when), "{when}");
    assert_eq!(
        lost.to_string(),
        "consent is lost: bob: consent was withdrawn; carol: the keeper cannot be reached: connection refused"
    );
    // Were carol's keeper there, it would be enough.
    assert_eq!(lost.exit(), Exit::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn so_many_who_withdraw_end_it_for_good() {
    let gone = |_, now| match now {
        100.. => No(Code::Withdrawn),
        _ => Grant(LEASE),
    };
    let keepers = Keepers::new([
        keeper("alice", willing),
        keeper("bob", gone),
        keeper("carol", gone),
    ]);
    let network = Network::of_threshold(2, keepers);
    let (_, lost) = network.lost().await;
    assert_eq!(lost.exit(), Exit::Refused);
}

#[tokio::test(start_paused = true)]
async fn one_that_comes_late_counts_from_then_on() {
    let late = |_, now| match now {
        ..1000 => Away,
        _ => Grant(LEASE),
    };
    let early = |_, now| match now {
        2000.. => Away,
        _ => Grant(LEASE),
    };
    let keepers = Keepers::new([
        keeper("alice", willing),
        keeper("bob", early),
        keeper("carol", late),
    ]);
    let network = Network::of_threshold(2, keepers);
    network.goes_on(secs(5000)).await;
}

#[tokio::test(start_paused = true)]
async fn one_who_was_denied_may_be_approved_again() {
    let back = |_, now| match now {
        100..400 => No(Code::Denied),
        _ => Grant(LEASE),
    };
    let gone = |_, now| match now {
        2000.. => Away,
        _ => Grant(LEASE),
    };
    let keepers = Keepers::new([
        keeper("alice", willing),
        keeper("bob", back),
        keeper("carol", gone),
    ]);
    let network = Network::of_threshold(2, keepers);
    network.goes_on(secs(5000)).await;
}
