//! Until there is consent for the first time.

use super::*;

#[tokio::test(start_paused = true)]
async fn shares_are_fetched_at_the_same_time() {
    let slow = |_, _| Slow(secs(20));
    let network = Network::new(Keepers::new([
        keeper("alice", slow),
        keeper("bob", slow),
        keeper("carol", slow),
    ]));
    let (shares, _) = network.start().await.unwrap();
    assert_eq!(network.clock.elapsed(), secs(20));
    assert_eq!(shares.count(), 3);
    shares.combine(None).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_keeper_that_is_not_there_yet_is_waited_for() {
    let late = |_, now| match now {
        ..100 => Away,
        _ => Grant(LEASE),
    };
    let network = Network::new(Keepers::new([
        keeper("alice", willing),
        keeper("bob", late),
    ]));
    network.start().await.unwrap();
    assert!((100..=130).contains(&network.clock.elapsed().as_secs()));
    // Meanwhile alice's lease was renewed.
    assert!(!network.keepers.times("alice", Question::Renew).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_person_is_waited_for_until_the_time_is_over() {
    let asks = |_, now| match now {
        ..500 => No(Code::Pending),
        _ => Grant(LEASE),
    };
    let network = Network::new(Keepers::new([keeper("alice", asks)]));
    network.start().await.unwrap();
    assert!((500..=510).contains(&network.clock.elapsed().as_secs()));

    let network = Network::new(Keepers::new([keeper("alice", |_, _| No(Code::Pending))]));
    let error = network.start().await.unwrap_err();
    assert_eq!(network.clock.elapsed(), network.timeout);
    assert_eq!(
        error.to_string(),
        "no consent in time: alice: a person must approve first"
    );
    assert_eq!(error.exit(), Exit::Unavailable);
    assert!(error.hint().unwrap().contains("mcbn keeper approve"));
}

#[tokio::test(start_paused = true)]
async fn a_keeper_out_of_reach_ends_it_when_the_time_is_over() {
    let away = |_, _| Away;
    let network = Network::new(Keepers::new([
        keeper("alice", willing),
        keeper("bob", away),
    ]));
    let error = network.start().await.unwrap_err();
    assert_eq!(network.clock.elapsed(), network.timeout);
    assert!(matches!(error, NoConsent::Late(_)));
    assert_eq!(error.exit(), Exit::Unavailable);
    assert_eq!(
        error.to_string(),
        "no consent in time: bob: the keeper cannot be reached: connection refused"
    );
}

#[tokio::test(start_paused = true)]
async fn a_final_refusal_ends_it_at_once() {
    for code in [
        Code::Manifest,
        Code::Policy,
        Code::Denied,
        Code::Withdrawn,
        Code::Request,
    ] {
        let no = move |_, _| No(code);
        let network = Network::new(Keepers::new([keeper("alice", no)]));
        let error = network.start().await.unwrap_err();
        assert_eq!(network.clock.elapsed(), Duration::ZERO, "{code}");
        assert!(matches!(error, NoConsent::Refused(_)), "{code}");
        assert_eq!(error.exit(), Exit::Refused);
        assert!(
            error.to_string().starts_with("no consent: alice: "),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_passing_refusal_is_asked_again() {
    for code in [Code::Token, Code::Busy, Code::Unavailable, Code::Lease] {
        let later = move |_, now| match now {
            ..5 => No(code),
            _ => Grant(LEASE),
        };
        let network = Network::new(Keepers::new([keeper("alice", later)]));
        network.start().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn consent_that_is_taken_back_before_the_start_is_none() {
    let alice = |_, now| match now {
        100.. => No(Code::Withdrawn),
        _ => Grant(LEASE),
    };
    let bob = |_, _| No(Code::Pending);
    let network = Network::new(Keepers::new([keeper("alice", alice), keeper("bob", bob)]));
    let error = network.start().await.unwrap_err();
    assert!(network.clock.elapsed() < secs(LEASE));
    assert_eq!(
        error.to_string(),
        "no consent: alice: consent was withdrawn"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_ended_before_the_start_is_asked_for_again() {
    let alice = |_, now| match now {
        10..400 => Away,
        _ => Grant(LEASE),
    };
    let bob = |_, now| match now {
        ..350 => No(Code::Pending),
        _ => Grant(LEASE),
    };
    let network = Network::new(Keepers::new([keeper("alice", alice), keeper("bob", bob)]));
    let (shares, _) = network.start().await.unwrap();
    assert!(network.clock.elapsed() >= secs(400));
    shares.combine(None).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_bad_share_is_refused_by_name() {
    let zeros = |_, _| Share(|| Contribution::Share(mcbn_secret::Share::copied_from(&[0; 32])));
    let network = Network::new(Keepers::new([
        keeper("alice", willing),
        keeper("bob", zeros),
    ]));
    let error = network.start().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no consent: bob: the share of bob is refused: it does not look random"
    );
    assert_eq!(error.exit(), Exit::Refused);

    let copied = |_, _| Share(|| share("alice"));
    let network = Network::new(Keepers::new([
        keeper("alice", willing),
        keeper("bob", copied),
    ]));
    let error = network.start().await.unwrap_err().to_string();
    assert!(
        error.ends_with("the shares of alice and bob are refused: they are equal"),
        "{error}"
    );

    let point = |_, _| Share(|| double::point(2, 0));
    let network = Network::new(Keepers::new([keeper("alice", point)]));
    let error = network.start().await.unwrap_err().to_string();
    assert!(error.ends_with("its length is wrong"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_share_that_is_there_already_needs_no_lease() {
    let keepers = Keepers::new([
        keeper("alice", willing),
        keeper("bob", |_, now| match now {
            1000.. => Away,
            _ => Grant(LEASE),
        }),
    ]);
    let network = Network::new(keepers);
    let own = |shares: &mut Contributions| shares.add(&name("alice"), share("alice")).unwrap();
    let (shares, consent) = network.start_with(own).await.unwrap();
    assert_eq!(shares.count(), 2);
    assert!(network.keepers.times("alice", Question::Release).is_empty());
    let lost = consent.lost(|_| {}).await;
    assert!(!lost.to_string().contains("alice"), "{lost}");
}

#[tokio::test(start_paused = true)]
async fn where_all_shares_are_there_consent_does_not_end() {
    let network = Network::new(Keepers::new([keeper("alice", willing)]));
    let own = |shares: &mut Contributions| shares.add(&name("alice"), share("alice")).unwrap();
    let (_, consent) = network.start_with(own).await.unwrap();
    let mut told = Vec::new();
    let lost = consent.lost(|standing| told.push(standing));
    let lost = tokio::time::timeout(secs(1_000_000), lost).await;
    assert!(lost.is_err(), "{lost:?}");
    let standing = Standing {
        live: 1,
        needed: 1,
        in_danger: false,
    };
    assert_eq!(told, [standing]);
}

mod threshold {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_starts_when_enough_are_there_and_waits_a_little_for_the_others() {
        let slow = |_, _| Slow(secs(1));
        let stuck = |_, _| Slow(secs(1000));
        let keepers = Keepers::new([
            keeper("alice", willing),
            keeper("bob", willing),
            keeper("carol", slow),
            keeper("dave", stuck),
        ]);
        let network = Network::of_threshold(2, keepers);
        let (shares, _) = network.start().await.unwrap();
        assert_eq!(network.clock.elapsed(), GRACE);
        assert_eq!(shares.count(), 3);
        shares.combine(None).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_have_answered_are_not_waited_for() {
        let no = |_, _| No(Code::Denied);
        let away = |_, _| Away;
        let keepers = Keepers::new([
            keeper("alice", willing),
            keeper("bob", willing),
            keeper("carol", no),
            keeper("dave", away),
        ]);
        let network = Network::of_threshold(2, keepers);
        network.start().await.unwrap();
        assert_eq!(network.clock.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_refusals_that_the_rest_is_too_few_end_it() {
        let no = |_, _| No(Code::Policy);
        let away = |_, _| Away;
        let keepers = Keepers::new([
            keeper("alice", away),
            keeper("bob", no),
            keeper("carol", no),
        ]);
        let network = Network::of_threshold(2, keepers);
        let error = network.start().await.unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        let shown = error.to_string();
        assert!(
            shown.contains("bob: the policy is not met (image-digest); carol: "),
            "{shown}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_bad_share_is_left_out_where_others_are_enough() {
        let zeros =
            |_, _| Share(|| Contribution::Shamir(mcbn_secret::ShamirShare::copied_from(&[1; 33])));
        let keepers = Keepers::new([
            keeper("alice", willing),
            keeper("bob", zeros),
            keeper("carol", willing),
        ]);
        let network = Network::of_threshold(2, keepers);
        let (shares, consent) = network.start().await.unwrap();
        assert!(!shares.has(&name("bob")));
        shares.combine(None).unwrap();
        assert_eq!(consent.standing(network.clock.now()).live, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_share_of_one_who_took_it_back_is_not_used() {
        let alice = |_, now| match now {
            100.. => No(Code::Withdrawn),
            _ => Grant(LEASE),
        };
        let late = |_, now| match now {
            ..200 => Away,
            _ => Grant(LEASE),
        };
        let keepers = Keepers::new([
            keeper("alice", alice),
            keeper("bob", late),
            keeper("carol", late),
        ]);
        let network = Network::of_threshold(2, keepers);
        let (shares, _) = network.start().await.unwrap();
        assert!(!shares.has(&name("alice")));
        shares.combine(None).unwrap();
    }
}
