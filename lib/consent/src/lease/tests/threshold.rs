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

#[tokio::test(start_paused = true)]
async fn a_consent_that_does_not_verify_is_named_and_the_others_make_the_key() {
    // What carol signed, in alice's name.
    let alice = |_, _| Share(|| double::consent("carol"));
    let keepers = |alice| {
        Keepers::new([
            keeper("alice", alice),
            keeper("bob", |_, _| Share(|| double::consent("bob"))),
            keeper("carol", |_, _| Share(|| double::consent("carol"))),
        ])
    };
    let network = Network::of_signers(keepers(alice as fn(_, _) -> _));
    let (shares, consent) = network.start().await.unwrap();
    assert!(!shares.has(&name("alice")));
    assert_eq!(consent.standing(network.clock.now()).live, 2);
    let key = |shares: &Contributions| shares.combine(None).unwrap().tls_psk(b"id").unwrap();
    let one = key(&shares);

    let honest = Network::of_signers(keepers(|_, _| Share(|| double::consent("alice"))));
    let (shares, _) = honest.start().await.unwrap();
    assert!(shares.has(&name("alice")) && key(&shares) == one);
}

#[tokio::test(start_paused = true)]
async fn too_many_consents_that_do_not_verify_are_refused_by_name() {
    let carols = |_, _| Share(|| double::consent("carol"));
    let keepers = Keepers::new([
        keeper("alice", carols),
        keeper("bob", carols),
        keeper("carol", carols),
    ]);
    let error = Network::of_signers(keepers).start().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no consent: alice: the consent of alice is refused: its signature does not verify; bob: the consent of bob is refused: its signature does not verify"
    );
    assert_eq!(error.exit(), Exit::Refused);
}
