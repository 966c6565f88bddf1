use super::*;
use crate::NotTaken;
use crate::approval::{Approval, NotApproved, RequestId};
use crate::generation::{self, Generation, Joining};
use crate::signing::{self, Limits, Message, Signers, Signing, Subject};
use crate::tests::{at, index, key, keys, purpose, random, terms};
use mcbn_body::base64url;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

#[track_caller]
fn stands_as<'a, M>(message: M, body: &'a str)
where
    M: Serialize + Deserialize<'a> + PartialEq + Debug,
{
    assert_eq!(str::from_utf8(&write(&message)), Ok(body));
    assert_eq!(read(body.as_bytes()), Ok(message));
}

#[track_caller]
fn refuses<'a, M: Deserialize<'a> + PartialEq + Debug>(body: &'a str) {
    assert_eq!(read::<M>(body.as_bytes()), Err(NotAMessage), "{body}");
}

fn generation(count: u8) -> Generation {
    Generation::new(terms(count), purpose(), at(60), random(7)).unwrap()
}

fn joining(generation: &Generation, number: u8) -> Joining {
    let expected = generation::Expected {
        terms: generation.announced().terms.clone(),
        purpose: purpose(),
        index: index(number),
    };
    let announced = generation.announced().clone();
    Joining::new(&expected, announced, &key(number), random(number)).unwrap()
}

fn dealt(count: u8) -> Generation {
    let mut generation = generation(count);
    for number in 1..=count {
        let joining = joining(&generation, number);
        let approval = joining.approve(&key(number));
        generation
            .approve(
                at(0),
                index(number),
                joining.encryption_key(),
                approval,
                random(9),
            )
            .unwrap();
    }
    generation
}

fn done(count: u8) -> Generation {
    let mut generation = dealt(count);
    for number in 1..=count {
        let joining = joining(&generation, number);
        let given = generation.sealed_share(at(1), index(number)).unwrap();
        let opened = joining.open(given.group.clone(), given.sealed).unwrap();
        let confirmation = opened.confirm(&key(number));
        generation
            .confirm(at(1), index(number), confirmation)
            .unwrap();
    }
    generation
}

#[test]
fn an_announcement_reaches_the_other_side() {
    let announced = generation(2).announced().clone();
    let [first, second] = [0, 1].map(|place| base64url(&keys(2)[place].to_bytes()));
    let body = format!(
        r#"{{"request":"{}","manifest":"{}","image":"sha256:{}","threshold":2,"participants":["{first}","{second}"],"purpose":"{}"}}"#,
        base64url(&announced.id.0),
        "01".repeat(32),
        "02".repeat(32),
        purpose(),
    );
    stands_as(Announcement::of(&announced), &body);
    let read = read::<Announcement>(body.as_bytes()).unwrap();
    assert_eq!(read.announced(), Ok(announced));
    for (from, to) in [
        ("\"threshold\":2", "\"threshold\":1"),
        ("\"threshold\":2", "\"threshold\":3"),
        (second.as_str(), first.as_str()),
    ] {
        let body = body.replace(from, to);
        let announcement = super::read::<Announcement>(body.as_bytes()).unwrap();
        assert_eq!(announcement.announced(), Err(NotAMessage), "{body}");
    }
    let identity = base64url(&{
        let mut bytes = [0; 32];
        bytes[0] = 1;
        bytes
    });
    for (from, to) in [
        ("\"threshold\":2", "\"threshold\":256"),
        ("\"threshold\":2", "\"threshold\":2,\"more\":1"),
        (&"02".repeat(32), &"0A".repeat(32)),
        (&"01".repeat(32), &"0A".repeat(32)),
        ("sha256:", ""),
        (first.as_str(), identity.as_str()),
        ("releases", "\\u0072eleases"),
        ("releases", "\u{202e}"),
    ] {
        let body = body.replace(from, to);
        refuses::<Announcement>(&body);
    }
}

#[test]
fn what_participants_of_a_generation_ask_has_one_body() {
    let joining = joining(&generation(2), 2);
    let (encryption_key, approval) = (joining.encryption_key(), joining.approve(&key(2)));
    let key = base64url(&encryption_key.to_bytes());
    let signature = base64url(&approval.0);
    stands_as(
        AskApprove {
            participant: index(2),
            encryption_key,
            approval,
        },
        &format!(r#"{{"participant":2,"encryption_key":"{key}","approval":"{signature}"}}"#),
    );
    stands_as(
        AskShare {
            participant: index(255),
        },
        r#"{"participant":255}"#,
    );
    stands_as(
        AskConfirm {
            participant: index(1),
            confirmation: approval,
        },
        &format!(r#"{{"participant":1,"confirmation":"{signature}"}}"#),
    );
    for number in [
        "0",
        "256",
        "-1",
        "1.0",
        "\"1\"",
        "null",
        "1,\"participant\":1",
    ] {
        refuses::<AskShare>(&format!(r#"{{"participant":{number}}}"#));
    }
    let zero = base64url(&[0; 32]);
    refuses::<AskApprove>(&format!(
        r#"{{"participant":2,"encryption_key":"{zero}","approval":"{signature}"}}"#
    ));
    for text in [&signature[1..], &format!("{signature}A"), ""] {
        refuses::<AskConfirm>(&format!(r#"{{"participant":1,"confirmation":"{text}"}}"#));
    }
}

#[test]
fn a_sealed_share_reaches_its_owner() {
    let mut generation = dealt(3);
    let given = generation.sealed_share(at(1), index(3)).unwrap();
    let body = write(&GivenShare::of(&given));
    let read = read::<GivenShare>(&body).unwrap();
    let group = read.group(3).unwrap();
    assert_eq!(group, *given.group);
    let joining = joining(&generation, 3);
    assert!(joining.open(group, &read.sealed).is_ok());
    // Fewer than the threshold cannot be meant.
    assert_eq!(read.group(1), Err(NotAMessage));
    // Two commitments in the other order are another key, which the proof does not fit.
    let mut turned = read.clone();
    turned.commitments.swap(0, 1);
    assert_eq!(turned.group(3), Err(NotAMessage));
}

#[test]
fn a_point_that_is_none_is_refused() {
    let mut generation = dealt(2);
    let given = generation.sealed_share(at(1), index(1)).unwrap();
    let body = String::from_utf8(write(&GivenShare::of(&given))).unwrap();
    let first = base64url(&given.group.group().key().to_bytes());
    let mut infinity = [0; 48];
    infinity[0] = 0xc0;
    for bytes in [[0; 48], [0xff; 48], infinity] {
        let body = body.replace(&first, &base64url(&bytes));
        refuses::<GivenShare>(&body);
    }
}

#[test]
fn a_standing_names_its_phase() {
    let mut generation = generation(2);
    let standing = Standing::from(generation.standing(at(0)));
    stands_as(standing, r#"{"phase":"approving","missing":[1,2]}"#);
    let standing = Standing::from(generation.standing(at(60)));
    stands_as(standing, r#"{"phase":"abandoned","missing":[1,2]}"#);
    let standing = Standing::from(dealt(2).standing(at(0)));
    stands_as(standing, r#"{"phase":"confirming","missing":[1,2]}"#);
    let standing = Standing::from(done(2).standing(at(0)));
    stands_as(standing, r#"{"phase":"done","missing":[]}"#);
    refuses::<Standing>(r#"{"phase":"over","missing":[]}"#);
    refuses::<Standing>(r#"{"phase":"done","missing":[0]}"#);
}

#[test]
fn a_receipt_is_verified_when_it_is_read() {
    let mut generation = done(3);
    let receipt = generation.receipt(at(1)).unwrap();
    let given = GivenReceipt::of(receipt);
    let body = write(&given);
    let read = read::<GivenReceipt>(&body).unwrap();
    assert_eq!(read.receipt().as_ref(), Ok(receipt));
    let mut other = given.clone();
    other.confirmations.swap(0, 1);
    assert_eq!(other.receipt(), Err(NotAMessage));
    let mut other = given.clone();
    other.announcement.request.0[0] ^= 1;
    assert_eq!(other.receipt(), Err(NotAMessage));
    let mut other = given;
    other.announcement.threshold = 3;
    assert_eq!(other.receipt(), Err(NotAMessage));
}

#[test]
fn the_largest_receipt_fits_a_body() {
    let mut generation = done(2);
    let mut given = GivenReceipt::of(generation.receipt(at(1)).unwrap());
    given.announcement.purpose = "a".repeat(256).parse().unwrap();
    given.announcement.threshold = 255;
    given.announcement.participants = vec![keys(1)[0]; 255];
    given.commitments = vec![given.commitments[0]; 255];
    given.confirmations = vec![Approval([0xff; 64]); 255];
    let body = write(&given);
    assert!(body.len() <= LARGEST_BODY, "{}", body.len());
    assert!(read::<GivenReceipt>(&body).is_ok());
}

fn signing() -> (Signing, Vec<mcbn_threshold::KeyShare>) {
    let threshold = mcbn_threshold::Threshold::new(2).unwrap();
    let dealt = mcbn_threshold::generate(threshold, 3, random(1)).unwrap();
    let group = crate::ProvenGroup::new(dealt.group, dealt.proof).unwrap();
    let signers = Signers::new(terms(3), group).unwrap();
    let signing = Signing::new(signers, Limits::default(), random(2)).unwrap();
    (signing, dealt.shares)
}

fn subject() -> Subject {
    Subject::new(Message::bytes(b"a message").unwrap(), purpose())
}

#[test]
fn a_session_says_who_signs() {
    let (signing, _) = signing();
    let body = write(&Session::of(&signing));
    let session = read::<Session>(&body).unwrap();
    assert_eq!(session.session, signing.session());
    assert_eq!(session.clone().signers().as_ref(), Ok(signing.signers()));
    let mut turned = session.clone();
    turned.commitments.swap(0, 1);
    assert_eq!(turned.signers(), Err(NotAMessage));
    let mut fewer = session;
    fewer.participants.truncate(1);
    assert_eq!(fewer.signers(), Err(NotAMessage));
}

#[test]
fn a_request_goes_from_its_announcement_to_its_signature() {
    let (mut signing, shares) = signing();
    let signers = signing.signers().clone();
    let announcement = signers.announce(signing.session(), &subject(), &key(1));
    let body = format!(
        r#"{{"participant":1,"subject":{{"purpose":"{}","message":{{"bytes":"{}"}}}},"announcement":"{}"}}"#,
        purpose(),
        base64url(b"a message"),
        base64url(&announcement.0),
    );
    let ask = AskAnnounce {
        participant: index(1),
        subject: subject(),
        announcement,
    };
    stands_as(ask, &body);
    let ask: AskAnnounce = read(body.as_bytes()).unwrap();
    let id = signing
        .announce(
            at(0),
            ask.participant,
            ask.subject,
            &ask.announcement,
            random(3),
        )
        .unwrap();
    let request = base64url(&id.0);
    stands_as(
        Announced { request: id },
        &format!(r#"{{"request":"{request}"}}"#),
    );
    for number in [3, 1] {
        let share = &shares[usize::from(number) - 1];
        let (partial, approval) = signers.sign(id, &subject(), share, &key(number));
        let text = base64url(&partial.signature.to_bytes());
        let body = format!(
            r#"{{"request":"{request}","participant":{number},"partial":"{text}","approval":"{}"}}"#,
            base64url(&approval.0),
        );
        let ask: AskSubmit = read(body.as_bytes()).unwrap();
        stands_as(ask, &body);
        assert_eq!(ask.partial(), partial);
        signing
            .submit(at(1), ask.request, ask.partial(), &ask.approval, random(4))
            .unwrap();
    }
    let open = signing.open(at(2), id).unwrap();
    let signature = *open.signature().unwrap();
    stands_as(
        OpenRequest::of(id, open, at(2)),
        &format!(
            r#"{{"request":"{request}","by":1,"subject":{{"purpose":"{}","message":{{"bytes":"{}"}}}},"seconds":86398,"signed_by":[3,1],"signature":"{}"}}"#,
            purpose(),
            base64url(b"a message"),
            base64url(&signature.to_bytes()),
        ),
    );
}

#[test]
fn what_is_signed_is_a_message_or_its_hash() {
    let hash = "0a".repeat(32);
    let body = |message: &str| {
        let approval = base64url(&[0; 64]);
        format!(
            r#"{{"participant":1,"subject":{{"purpose":"p","message":{message}}},"announcement":"{approval}"}}"#
        )
    };
    let ask = AskAnnounce {
        participant: index(1),
        subject: Subject::new(Message::Sha256([0x0a; 32]), "p".parse().unwrap()),
        announcement: Approval([0; 64]),
    };
    stands_as(ask, &body(&format!(r#"{{"sha256":"{hash}"}}"#)));
    for message in [
        "{}".into(),
        "null".into(),
        r#""YQ""#.into(),
        r#"{"bytes":"YQ=="}"#.into(),
        r#"{"bytes":"YR"}"#.into(),
        r#"{"text":"YQ"}"#.into(),
        format!(r#"{{"sha256":"{}"}}"#, hash.to_uppercase()),
        format!(r#"{{"sha256":"{}"}}"#, &hash[2..]),
        format!(r#"{{"bytes":"YQ","sha256":"{hash}"}}"#),
        format!(r#"{{"bytes":"{}"}}"#, base64url(b"mcbn/v1/consent\0")),
        format!(r#"{{"bytes":"{}"}}"#, base64url(&[0; 4097])),
    ] {
        refuses::<AskAnnounce>(&body(&message));
    }
}

#[test]
fn a_request_that_is_not_signed_has_no_signature_in_its_body() {
    let (mut signing, _) = signing();
    let announcement = signing
        .signers()
        .announce(signing.session(), &subject(), &key(1));
    let id = signing
        .announce(at(0), index(1), subject(), &announcement, random(3))
        .unwrap();
    let open = OpenRequest::of(id, signing.open(at(0), id).unwrap(), at(0));
    let body = String::from_utf8(write(&open)).unwrap();
    assert!(
        body.ends_with(r#""seconds":86400,"signed_by":[]}"#),
        "{body}"
    );
    assert_eq!(read(body.as_bytes()), Ok(open));
    refuses::<OpenRequest>(&body.replace("[]}", "[],\"signature\":null}"));
}

#[test]
fn open_requests_are_asked_for_page_by_page() {
    let (mut signing, _) = signing();
    let first = RequestId([1; 32]);
    stands_as(AskRequests { after: None }, "{}");
    let text = base64url(&first.0);
    stands_as(
        AskRequests { after: Some(first) },
        &format!(r#"{{"after":"{text}"}}"#),
    );
    stands_as(
        AskRequest { request: first },
        &format!(r#"{{"request":"{text}"}}"#),
    );
    refuses::<AskRequests>(r#"{"after":null}"#);
    let page = OpenRequests::page(&mut signing, at(0), &AskRequests { after: None });
    stands_as(page, r#"{"requests":[]}"#);
    let full = OpenRequests {
        requests: vec![first; OpenRequests::PAGE],
    };
    assert!(write(&full).len() <= LARGEST_BODY);
}

#[test]
fn every_refusal_has_a_name_and_a_status() {
    for code in Code::ALL {
        let body = format!(r#"{{"refused":"{code}"}}"#);
        stands_as(Refusal::from(*code), &body);
        assert!((400..600).contains(&code.status()));
    }
    let named = Refusal::from(NotTaken::<_, ()>::Refused(signing::Refused::BadPartial(
        index(3),
    )));
    stands_as(named, r#"{"refused":"partial","participant":3}"#);
    let not_genuine = NotApproved::NotGenuine(index(2));
    let named = Refusal::from(generation::Refused::NotApproved(not_genuine));
    stands_as(named, r#"{"refused":"approval","participant":2}"#);
    let failed = Refusal::from(NotTaken::<signing::Refused, _>::Random(()));
    stands_as(failed, r#"{"refused":"unavailable"}"#);
    refuses::<Refusal>(r#"{"refused":"maybe"}"#);
    refuses::<Refusal>(r#"{"refused":"partial","participant":0}"#);
    refuses::<Refusal>(r#"{"refused":"partial","more":1}"#);
}
