//! What any two of three have approved is signed, with the real program.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use mcbn_attested::client::Failure;
use mcbn_ceremony::approval::RequestId;
use mcbn_ceremony::message::path::signing as path;
use mcbn_ceremony::message::{Announced, AskSubmit, Code, OpenRequest, OpenRequests, Session};
use mcbn_tests_ceremony::sign::subject;
use mcbn_tests_ceremony::{Enclave, House, Key, Person, refused};
use mcbn_tests_support::process::Process;
use tokio::task::JoinSet;

const MESSAGE: &[u8] = b"a release";

fn approved_by(open: &OpenRequest) -> Vec<u8> {
    open.approved_by.iter().map(|index| index.get()).collect()
}

fn is_signed(key: &Key, open: &OpenRequest, message: &[u8]) -> bool {
    let signature = open.signature.expect("there is one");
    key.group.key().verify(message, &signature).is_ok()
}

#[tokio::test]
async fn any_two_of_three_sign() {
    let (house, key) = House::to_sign();
    let enclave = house.start();
    let mut visits = house.visits(&enclave).await;
    for [first, second] in [[0, 1], [2, 0], [1, 2]] {
        let message = [b"release ", [first as u8].as_slice()].concat();
        let request = visits[first].announce(&message).await.unwrap();
        // The other one finds it by itself.
        assert!(visits[second].requests(None).await.contains(&request));
        let open = visits[first]
            .sign(request, &key.shares[first])
            .await
            .unwrap();
        assert_eq!(approved_by(&open), [first as u8 + 1]);
        assert!(open.signature.is_none());
        let open = visits[second]
            .sign(request, &key.shares[second])
            .await
            .unwrap();
        assert!(is_signed(&key, &open, &message));
        // Who announced it comes back for it, and the third may have it.
        for visit in &mut visits {
            assert!(is_signed(
                &key,
                &visit.request(request).await.unwrap(),
                &message
            ));
        }
    }
}

#[tokio::test]
async fn a_bad_partial_signature_is_refused_by_name_without_harm() {
    let (house, key) = House::to_sign();
    let enclave = house.start();
    let mut visits = house.visits(&enclave).await;
    let request = visits[0].announce(MESSAGE).await.unwrap();
    visits[0].sign(request, &key.shares[0]).await.unwrap();
    // Carol's share in Bob's hands is none of his.
    let said = visits[1].sign(request, &key.shares[2]).await;
    assert_eq!(refused(said), (Code::Partial, Some(2)));
    // An approval alone is no signature where shares are kept.
    let open = visits[1].request(request).await.unwrap();
    let alone = AskSubmit {
        partial: None,
        ..visits[1].part(&open, &key.shares[1])
    };
    let said = visits[1].submit(&alone).await;
    assert_eq!(refused(said), (Code::Partial, Some(2)));
    let open = visits[1].request(request).await.unwrap();
    assert_eq!(approved_by(&open), [1]);
    let open = visits[1].sign(request, &key.shares[1]).await.unwrap();
    assert!(is_signed(&key, &open, MESSAGE));
}

#[tokio::test]
async fn an_approval_of_another_request_is_refused() {
    let (house, key) = House::to_sign();
    let enclave = house.start();
    let mut visits = house.visits(&enclave).await;
    let harmless = visits[0].announce(b"harmless").await.unwrap();
    let harmful = visits[0].announce(b"harmful").await.unwrap();
    // Bob's partial signature of the harmful one is genuine, his approval is of the other.
    let open = visits[1].request(harmful).await.unwrap();
    let partial = visits[1].part(&open, &key.shares[1]).partial;
    let open = visits[1].request(harmless).await.unwrap();
    let moved = AskSubmit {
        request: harmful,
        partial,
        ..visits[1].part(&open, &key.shares[1])
    };
    let said = visits[1].submit(&moved).await;
    assert_eq!(refused(said), (Code::Approval, Some(2)));
}

#[tokio::test]
async fn nobody_speaks_for_another() {
    let (house, key) = House::to_sign();
    let enclave = house.start();
    let mut visits = house.visits(&enclave).await;
    let session = visits[1].session().await;
    let bobs = visits[1].announcement(session, &subject(MESSAGE));
    let said: Result<Announced, _> = visits[0].say(path::ANNOUNCE, &bobs).await;
    assert_eq!(refused(said), (Code::Approval, Some(2)));
    let request = visits[0].announce(MESSAGE).await.unwrap();
    let open = visits[1].request(request).await.unwrap();
    let bobs = visits[1].part(&open, &key.shares[1]);
    assert_eq!(
        refused(visits[0].submit(&bobs).await),
        (Code::Approval, Some(2))
    );
}

#[tokio::test]
async fn an_announcement_of_an_earlier_start_is_refused() {
    let (house, _) = House::to_sign();
    let (before, after) = (house.start(), house.start());
    let mut visit = house.visit(&house.people[0], &before).await.unwrap();
    let session = visit.session().await;
    let announcement = visit.announcement(session, &subject(MESSAGE));
    let mut visit = house.visit(&house.people[0], &after).await.unwrap();
    let said: Result<Announced, _> = visit.say(path::ANNOUNCE, &announcement).await;
    assert_eq!(refused(said), (Code::Approval, Some(1)));
}

#[tokio::test]
async fn a_request_expires_with_its_signature() {
    let (house, key) = House::to_sign();
    let enclave = house.start_on(house.profile(), &["--request-lifetime=3s"]);
    let mut visits = house.visits(&enclave).await;
    let request = visits[0].announce(MESSAGE).await.unwrap();
    let open = visits[0].request(request).await.unwrap();
    assert!(open.seconds <= 3);
    // However slow this machine is: it is gone in the end, whatever was done until then.
    let mut said = visits[0].sign(request, &key.shares[0]).await;
    while said.is_ok() {
        said = visits[1].request(request).await;
    }
    assert_eq!(refused(said), (Code::NotOpen, None));
    assert_eq!(visits[0].requests(None).await, []);
    let again = visits[0].announce(MESSAGE).await.unwrap();
    assert_ne!(again, request);
}

/// Each participant announces all it may, over connections of its own, while two of them sign something.
#[tokio::test]
async fn ten_thousand_open_requests_are_held_and_no_more() {
    const ALL: usize = 10_000;
    let (house, key) = House::to_sign();
    let enclave = house.start_for(Duration::from_secs(240), house.profile(), &[]);
    let before = resident(&enclave);
    let mut visit = house.visit(&house.people[0], &enclave).await.unwrap();
    let first = visit.announce(MESSAGE).await.unwrap();
    let part = ALL / 3;
    let fill = async |person: &Person, from: usize| {
        let mut visit = house.visit(person, &enclave).await.unwrap();
        let session = visit.session().await;
        for number in from..part {
            let message = format!("{} {number}", person.name);
            let ask = visit.announcement(session, &subject(message.as_bytes()));
            let said: Result<Announced, _> = visit.say(path::ANNOUNCE, &ask).await;
            said.unwrap();
        }
    };
    let [alice, bob, carol] = &house.people[..] else {
        unreachable!("there are three")
    };
    tokio::join!(fill(alice, 1), fill(bob, 0), fill(carol, 0));
    let mut visits = house.visits(&enclave).await;
    for (visit, person) in visits.iter_mut().zip(1..) {
        let said = visit.announce(b"one more").await;
        assert_eq!(refused(said), (Code::TooMany, Some(person)));
    }
    let mut found = 0;
    let mut after = None;
    loop {
        let page = visits[2].requests(after).await;
        found += page.len();
        match page.last() {
            Some(last) if page.len() == OpenRequests::PAGE => after = Some(*last),
            _ => break,
        }
    }
    assert_eq!(found, 3 * part);
    // Each is about 800 bytes; the rest is what connections and the allocator take.
    let grown = resident(&enclave).saturating_sub(before);
    assert!(grown < 48 * 1024, "{grown} KiB");
    visits[1].sign(first, &key.shares[1]).await.unwrap();
    let open = visits[2].sign(first, &key.shares[2]).await.unwrap();
    assert!(is_signed(&key, &open, MESSAGE));
}

/// KiB of the server's memory.
fn resident(enclave: &Enclave) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", enclave.process.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kib.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_are_signed_at_one_time() {
    let (house, key) = House::to_sign();
    let enclave = house.start();
    let address = enclave.address;
    let both = Arc::new((house, key));
    let mut work = JoinSet::new();
    for number in 0..16u8 {
        let both = Arc::clone(&both);
        work.spawn(async move {
            let (house, key) = &*both;
            let (first, second) = (usize::from(number % 3), usize::from((number + 1) % 3));
            let message = [number; 40];
            let visit = async |person: usize| house.visit_at(&house.people[person], address).await;
            let mut one = visit(first).await.unwrap();
            let request = one.announce(&message).await.unwrap();
            one.sign(request, &key.shares[first]).await.unwrap();
            let mut other = visit(second).await.unwrap();
            let open = other.sign(request, &key.shares[second]).await.unwrap();
            assert!(is_signed(key, &open, &message));
        });
    }
    work.join_all().await;
}

/// With the shares of Alice, from her keeper, and of Bob.
fn revealing(house: &House, more: &[&str]) -> Vec<String> {
    let bobs = format!("--share=bob=file:{}", house.path("bob").display());
    let flags = [
        "--reveal-shares=attested".into(),
        "--share=alice=keeper".into(),
        bobs,
    ];
    flags
        .into_iter()
        .chain(more.iter().map(|flag| flag.to_string()))
        .collect()
}

#[tokio::test]
async fn where_shares_are_revealed_any_two_approve() {
    let (house, key) = House::to_sign_with_revealed_shares();
    let _keeper = house.keeper();
    let carols = format!("--share=carol=file:{}", house.path("carol").display());
    let flags = revealing(&house, &[&carols]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let enclave = house.start_on(house.profile(), &flags);
    let mut visits = house.visits(&enclave).await;
    let request = visits[2].announce(MESSAGE).await.unwrap();
    let open = visits[2].approve_alone(request).await.unwrap();
    assert_eq!(approved_by(&open), [3]);
    // One is not two, however often it approves.
    let open = visits[2].approve_alone(request).await.unwrap();
    assert!(open.signature.is_none());
    let said = visits[1].sign(request, &key.shares[1]).await;
    assert_eq!(refused(said), (Code::Partial, Some(2)));
    let open = visits[1].approve_alone(request).await.unwrap();
    assert!(is_signed(&key, &open, MESSAGE));
    // As the shares would that stay where they are.
    let partials = [0, 2].map(|owner: usize| key.shares[owner].sign(MESSAGE));
    let combined = key.group.combine_verified(MESSAGE, &partials).unwrap();
    assert_eq!(open.signature, Some(combined));
}

#[tokio::test]
async fn a_share_that_is_taken_back_ends_it() {
    let (house, _) = House::to_sign_with_revealed_shares();
    let _keeper = house.keeper();
    let flags = revealing(&house, &[]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let enclave = house.start_on(house.profile(), &flags);
    let mut visit = house.visit(&house.people[2], &enclave).await.unwrap();
    visit.announce(MESSAGE).await.unwrap();
    let revoke = Process::start(house.keeper_command("revoke --all")).end();
    revoke.expect_code(0);
    let ended = enclave.process.end();
    // Carol's keeper cannot be reached, or she could make up for it.
    ended.expect_code(69);
    let lost = "consent is lost: alice: consent was withdrawn";
    assert!(ended.stderr().contains(lost), "{ended}");
}

#[test]
fn another_share_than_the_commitments_promise_is_refused() {
    let (house, _) = House::to_sign_with_revealed_shares();
    let alices = format!("--share=alice=file:{}", house.path("alice").display());
    let carols = format!("--share=bob=file:{}", house.path("carol").display());
    let ended = house.refused_start(&["--reveal-shares=attested", &alices, &carols]);
    ended.expect_code(77);
    assert!(ended.stderr().contains("bob"), "{ended}");
}

#[test]
fn shares_are_revealed_only_where_the_manifest_says_so() {
    let (house, _) = House::to_sign();
    let ended = house.refused_start(&["--reveal-shares=attested"]);
    ended.expect_code(64);
    assert!(ended.stderr().contains("bls-reveal-v1"), "{ended}");
    let (house, _) = House::to_sign_with_revealed_shares();
    let ended = house.refused_start(&["--share=alice=keeper"]);
    ended.expect_code(64);
    assert!(ended.stderr().contains("--reveal-shares"), "{ended}");
}

#[tokio::test]
async fn a_stranger_is_not_let_in() {
    let (house, _) = House::to_sign();
    let enclave = house.start();
    let mallory = Person::stranger();
    let said = match house.visit(&mallory, &enclave).await {
        Ok(mut visit) => visit
            .ask::<Session>(path::SESSION, Vec::new())
            .await
            .map(drop),
        Err(failure) => Err(failure),
    };
    assert!(matches!(said, Err(Failure::NotAdmitted)), "{said:?}");
}

#[tokio::test]
async fn a_machine_that_its_operator_can_look_into_is_told_nothing() {
    let (house, _) = House::to_sign();
    let enclave = house.start_on(house.debug_profile(), &[]);
    let mut visit = house.visit(&house.people[0], &enclave).await.unwrap();
    let said = visit.ask::<Session>(path::SESSION, Vec::new()).await;
    assert!(matches!(said, Err(Failure::Policy(_))), "{said:?}");
}

#[tokio::test]
async fn what_is_no_request_of_the_protocol_is_refused() {
    let (house, _) = House::to_sign();
    let enclave = house.start();
    let mut visit = house.visit(&house.people[0], &enclave).await.unwrap();
    let reserved = format!(
        r#"{{"participant":1,"subject":{{"purpose":"p","message":{{"bytes":"{}"}}}},"announcement":"{}"}}"#,
        mcbn_body::base64url(b"mcbn/v1/consent"),
        mcbn_body::base64url(&[0; 64]),
    );
    for (path, body) in [
        ("/", ""),
        ("/v1/generation", ""),
        (path::SESSION, "{}"),
        (path::ANNOUNCE, ""),
        (path::ANNOUNCE, reserved.as_str()),
        (path::SUBMIT, "{}"),
        (path::REQUEST, r#"{"request":"AAAA"}"#),
        (path::REQUESTS, r#"{"after":null}"#),
    ] {
        let said = visit.ask::<Session>(path, body.into()).await.unwrap();
        assert_eq!(refused(said), (Code::Request, None), "{path} {body}");
    }
    let said = visit.request(RequestId([0; 32])).await;
    assert_eq!(refused(said), (Code::NotOpen, None));
}

#[tokio::test]
async fn a_signal_ends_it_in_order() {
    let (house, _) = House::to_sign();
    let enclave = house.start();
    let mut visit = house.visit(&house.people[0], &enclave).await.unwrap();
    visit.session().await;
    enclave.process.signal(rustix::process::Signal::TERM);
    enclave.process.end().expect_code(0);
}

#[tokio::test]
async fn whoever_watches_it_is_told_how_it_is() {
    let (house, _) = House::to_sign();
    let enclave = house.start_on(house.profile(), &["--admin=127.0.0.1:0"]);
    let mut visit = house.visit(&house.people[0], &enclave).await.unwrap();
    visit.session().await;
    for path in ["/healthz", "/readyz"] {
        let said = enclave.says(path);
        assert!(said.starts_with("HTTP/1.1 200 "), "{path} {said}");
    }
    let said = enclave.says("/metrics");
    assert!(said.contains("mcbn_connections_active 1\n"), "{said}");
}
