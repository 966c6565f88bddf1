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

/// Of alice, who says this, and of bob and carol, who reveal their shares.
fn revealing(alice: impl Fn(Question, u64) -> Reply + Send + Sync + 'static) -> Network {
    Network::of_holders(Keepers::new([
        keeper("alice", alice),
        keeper("bob", |_, _| Share(|| double::revealed("bob"))),
        keeper("carol", |_, _| Share(|| double::revealed("carol"))),
    ]))
}

fn indices(shares: Contributions) -> Vec<u8> {
    let shares = shares.into_key_shares();
    shares.iter().map(|share| share.index().get()).collect()
}

#[tokio::test(start_paused = true)]
async fn shares_of_a_groups_key_are_gathered() {
    let network = revealing(|_, _| Share(|| double::revealed("alice")));
    let (shares, _) = network.start().await.unwrap();
    assert_eq!(indices(shares), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_revealed_share_that_is_not_theirs_is_named_and_the_others_are_enough() {
    // Carol's, in alice's name, and what is no share of the group at all.
    for bad in [|| double::revealed("carol"), || double::share("alice")] {
        let network = revealing(move |_, _| Share(bad));
        let (shares, consent) = network.start().await.unwrap();
        assert!(!shares.has(&name("alice")));
        assert_eq!(consent.standing(network.clock.now()).live, 2);
        assert_eq!(indices(shares), [2, 3]);
        // Her keeper is asked no more.
        assert_eq!(network.keepers.times("alice", Question::Release).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_revealed_shares_that_are_not_theirs_are_refused_by_name() {
    let carols = |_, _| Share(|| double::revealed("carol"));
    let keepers = Keepers::new([
        keeper("alice", carols),
        keeper("bob", carols),
        keeper("carol", carols),
    ]);
    let error = Network::of_holders(keepers).start().await.unwrap_err();
    let other = |whose| {
        format!(
            "{whose}: the share of {whose} is refused: the manifest's commitments promise another"
        )
    };
    let expected = format!("no consent: {}; {}", other("alice"), other("bob"));
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.exit(), Exit::Refused);
}

#[tokio::test(start_paused = true)]
async fn consent_to_use_revealed_shares_ends_as_any_other() {
    let takes_back = |whose: fn() -> Contribution| {
        move |_, now| match now {
            200.. => No(Code::Withdrawn),
            _ => Share(whose),
        }
    };
    let keepers = Keepers::new([
        keeper("alice", takes_back(|| double::revealed("alice"))),
        keeper("bob", |_, _| Share(|| double::revealed("bob"))),
        keeper("carol", takes_back(|| double::revealed("carol"))),
    ]);
    let (when, lost) = Network::of_holders(keepers).lost().await;
    assert!((200..200 + LEASE / 2).contains(&when), "{when}");
    assert_eq!(
        lost.to_string(),
        "consent is lost: alice: consent was withdrawn; carol: consent was withdrawn"
    );
    assert_eq!(lost.exit(), Exit::Refused);
}
