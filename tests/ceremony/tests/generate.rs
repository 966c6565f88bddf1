//! A key for three, of which any two sign, with the real program.

use std::sync::Arc;
use std::time::Duration;

use mcbn_attested::client::Failure;
use mcbn_ceremony::generation::{Joining, Opened};
use mcbn_ceremony::message::path::generation as path;
use mcbn_ceremony::message::{AskApprove, AskShare, Code, GivenShare, Phase, Standing};
use mcbn_secret::OpeningKey;
use mcbn_tests_ceremony::{House, Person, Visit, refused, timed};
use mcbn_threshold::PartialSignature;
use ring::rand::{SecureRandom, SystemRandom};

const MESSAGE: &[u8] = b"a release";

/// All have approved.
async fn approved(visits: &mut [Visit<'_>]) -> Vec<Joining> {
    let mut all = Vec::new();
    for visit in visits {
        let joining = visit.joining().await;
        visit.approve(&joining).await.unwrap();
        all.push(joining);
    }
    all
}

async fn opened(visits: &mut [Visit<'_>], joined: &[Joining]) -> Vec<Opened> {
    let mut all = Vec::new();
    for (visit, joining) in visits.iter_mut().zip(joined) {
        all.push(visit.open(joining).await);
    }
    all
}

fn missing(standing: &Standing) -> Vec<u8> {
    standing.missing.iter().map(|index| index.get()).collect()
}

#[tokio::test]
async fn three_agree_and_any_two_of_them_sign() {
    let house = House::to_generate();
    let enclave = house.start();
    let mut visits = house.visits(&enclave).await;
    let standing = visits[0].standing().await;
    assert_eq!(
        (standing.phase, missing(&standing)),
        (Phase::Approving, vec![1, 2, 3])
    );
    let joined = approved(&mut visits).await;
    let opened = opened(&mut visits, &joined).await;
    for (visit, opened) in visits.iter_mut().zip(&opened) {
        assert_eq!(refused(visit.receipt().await), (Code::TooEarly, None));
        visit.confirm(opened).await.unwrap();
    }
    assert_eq!(visits[0].standing().await.phase, Phase::Done);
    let mut shares = Vec::new();
    let mut keys = Vec::new();
    for (visit, opened) in visits.iter_mut().zip(&opened) {
        let receipt = visit.receipt().await.unwrap();
        let finished = opened.finish(&receipt).unwrap();
        keys.push(*finished.group().group().key());
        shares.push(finished.share().sign(MESSAGE));
    }
    assert!(keys.iter().all(|key| *key == keys[0]));
    let group = opened[0].group().group();
    let random = SystemRandom::new();
    for pair in [[0, 1], [1, 2], [2, 0]] {
        let partials: [PartialSignature; 2] = pair.map(|place: usize| shares[place]);
        let combined = group
            .combine(MESSAGE, &partials, |bytes| random.fill(bytes))
            .unwrap();
        assert_eq!(keys[0].verify(MESSAGE, &combined.signature), Ok(()));
    }
    let ended = enclave.process.end();
    ended.expect_code(0);
    assert!(
        ended
            .stderr()
            .contains("every participant has its share and the receipt")
    );
}

#[tokio::test]
async fn one_who_does_not_approve_ends_it_and_is_named() {
    let house = House::to_generate();
    let enclave = house.start_on(house.profile(), &["--deadline=2s"]);
    let mut visits = house.visits(&enclave).await;
    approved(&mut visits[..2]).await;
    assert_eq!(refused(visits[0].given().await), (Code::TooEarly, None));
    let ended = enclave.process.end();
    ended.expect_code(69);
    let error = "threshold-generate: error: no key was made in time; it waited for carol\n";
    assert!(ended.stderr().contains(error), "{ended}");
}

#[tokio::test]
async fn one_who_does_not_confirm_leaves_nobody_with_a_share_that_counts() {
    let house = House::to_generate();
    let enclave = house.start_on(house.profile(), &["--deadline=4s"]);
    let mut visits = house.visits(&enclave).await;
    let joined = approved(&mut visits).await;
    let opened = opened(&mut visits, &joined).await;
    visits[0].confirm(&opened[0]).await.unwrap();
    let standing = visits[2].confirm(&opened[2]).await.unwrap();
    assert_eq!(
        (standing.phase, missing(&standing)),
        (Phase::Confirming, vec![2])
    );
    assert_eq!(refused(visits[0].receipt().await), (Code::TooEarly, None));
    let ended = enclave.process.end();
    ended.expect_code(69);
    assert!(ended.stderr().contains("it waited for bob\n"), "{ended}");
}

#[tokio::test]
async fn the_key_counts_though_somebody_leaves_before_the_receipt() {
    let house = House::to_generate();
    let enclave = house.start_on(house.profile(), &["--deadline=4s"]);
    let mut visits = house.visits(&enclave).await;
    let joined = approved(&mut visits).await;
    let opened = opened(&mut visits, &joined).await;
    for (visit, opened) in visits.iter_mut().zip(&opened) {
        visit.confirm(opened).await.unwrap();
    }
    let receipt = visits[0].receipt().await.unwrap();
    // Alice hands it to the others.
    for opened in &opened {
        opened.finish(&receipt).unwrap();
    }
    let ended = enclave.process.end();
    ended.expect_code(0);
    assert!(
        ended.stderr().contains("not all have fetched the receipt"),
        "{ended}"
    );
}

#[tokio::test]
async fn what_is_said_twice_is_taken_once_and_another_word_is_refused() {
    let house = House::to_generate();
    let enclave = house.start();
    let mut visits = house.visits(&enclave).await;
    let joining = visits[0].joining().await;
    let first = visits[0].approve(&joining).await.unwrap();
    assert_eq!(visits[0].approve(&joining).await, Ok(first));
    let another = visits[0].joining().await;
    let changed = visits[0].approve(&another).await;
    assert_eq!(refused(changed), (Code::Changed, Some(1)));
}

#[tokio::test]
async fn nobody_speaks_for_another() {
    let house = House::to_generate();
    let enclave = house.start();
    let mut visits = house.visits(&enclave).await;
    let joining = visits[1].joining().await;
    let bobs = visits[1].approval(&joining);
    let said = visits[0].say::<Standing>(path::APPROVE, &bobs).await;
    assert_eq!(refused(said), (Code::Approval, Some(2)));
    // In its own name, with another's signature.
    let participant = house.people[0].index;
    let moved = AskApprove {
        participant,
        ..bobs
    };
    let said = visits[0].say::<Standing>(path::APPROVE, &moved).await;
    assert_eq!(refused(said), (Code::Approval, Some(1)));
    approved(&mut visits).await;
    let participant = house.people[1].index;
    let said = visits[0]
        .say::<GivenShare>(path::SHARE, &AskShare { participant })
        .await;
    assert_eq!(refused(said), (Code::Approval, Some(2)));
}

#[tokio::test]
async fn two_participants_with_one_encryption_key_are_refused() {
    let house = House::to_generate();
    let enclave = house.start();
    let mut visits = house.visits(&enclave).await;
    let joining = visits[0].joining().await;
    visits[0].approve(&joining).await.unwrap();
    // Bob has, in whatever way, the key that Alice's share will be opened with.
    let expected = house.expected(&house.people[1]);
    let announced = joining.announced().clone();
    let key = OpeningKey::copied_from(joining.opening_key().expose_secret());
    let own = house.people[1].signing_key();
    let copied = Joining::again(&expected, announced, &own, key).unwrap();
    let said = visits[1].approve(&copied).await;
    assert_eq!(refused(said), (Code::EncryptionKey, Some(2)));
}

#[tokio::test]
async fn an_approval_of_an_earlier_start_is_refused() {
    let house = House::to_generate();
    let (before, after) = (house.start(), house.start());
    let mut visit = house.visit(&house.people[0], &before).await.unwrap();
    let joining = visit.joining().await;
    let approval = visit.approval(&joining);
    let mut visit = house.visit(&house.people[0], &after).await.unwrap();
    let said = visit.say::<Standing>(path::APPROVE, &approval).await;
    assert_eq!(refused(said), (Code::Approval, Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_make_a_key_at_one_time() {
    timed::generate(&Arc::new(House::to_generate_for_ten())).await;
}

#[tokio::test]
async fn a_stranger_is_not_let_in() {
    let house = House::to_generate();
    let enclave = house.start();
    let mallory = Person::stranger();
    let said = match house.visit(&mallory, &enclave).await {
        Ok(mut visit) => visit
            .ask::<Standing>(path::STANDING, Vec::new())
            .await
            .map(drop),
        Err(failure) => Err(failure),
    };
    assert!(matches!(said, Err(Failure::NotAdmitted)), "{said:?}");
}

#[tokio::test]
async fn a_machine_that_its_operator_can_look_into_is_told_nothing() {
    let house = House::to_generate();
    let enclave = house.start_on(house.debug_profile(), &[]);
    let mut visit = house.visit(&house.people[0], &enclave).await.unwrap();
    let said = visit.ask::<Standing>(path::STANDING, Vec::new()).await;
    assert!(matches!(said, Err(Failure::Policy(_))), "{said:?}");
}

#[tokio::test]
async fn what_is_no_request_of_the_protocol_is_refused() {
    let house = House::to_generate();
    let enclave = house.start();
    let mut visit = house.visit(&house.people[0], &enclave).await.unwrap();
    for (path, body) in [
        ("/", ""),
        ("/v1/generation/nothing", ""),
        (path::STANDING, "{}"),
        (path::APPROVE, ""),
        (path::APPROVE, "{}"),
        (path::SHARE, r#"{"participant":0}"#),
        (path::SHARE, r#"{"participant":1,"more":1}"#),
        (path::CONFIRM, r#"{"participant":1,"confirmation":"AAAA"}"#),
    ] {
        let said = visit.ask::<Standing>(path, body.into()).await.unwrap();
        assert_eq!(refused(said), (Code::Request, None), "{path} {body}");
    }
}

#[tokio::test]
async fn a_signal_ends_it_in_order() {
    let house = House::to_generate();
    let enclave = house.start();
    let mut visit = house.visit(&house.people[0], &enclave).await.unwrap();
    assert_eq!(visit.standing().await.phase, Phase::Approving);
    enclave.process.signal(rustix::process::Signal::TERM);
    enclave.process.end().expect_code(0);
}

#[tokio::test]
async fn a_token_service_that_is_away_gives_no_answer_and_is_waited_for() {
    use mcbn_tests_support::confidential_space::Health;
    let house = House::to_generate();
    let enclave = house.start();
    enclave.machine.set_health(Health::Dead);
    let mut visit = house.visit(&house.people[0], &enclave).await.unwrap();
    let said = visit.ask::<Standing>(path::STANDING, Vec::new()).await;
    assert!(
        matches!(said, Err(Failure::NoToken(status)) if status == 503),
        "{said:?}"
    );
    enclave
        .machine
        .set_health(Health::Slow(Duration::from_millis(10)));
    let mut visit = house.visit(&house.people[0], &enclave).await.unwrap();
    assert_eq!(visit.standing().await.phase, Phase::Approving);
}

#[tokio::test]
async fn whoever_watches_it_is_told_how_it_is() {
    let house = House::to_generate();
    let enclave = house.start_on(house.profile(), &["--admin=127.0.0.1:0"]);
    let mut visit = house.visit(&house.people[0], &enclave).await.unwrap();
    visit.standing().await;
    for path in ["/healthz", "/readyz"] {
        let said = enclave.says(path);
        assert!(said.starts_with("HTTP/1.1 200 "), "{path} {said}");
    }
    let said = enclave.says("/metrics");
    assert!(said.contains("mcbn_connections_active 1\n"), "{said}");
}
