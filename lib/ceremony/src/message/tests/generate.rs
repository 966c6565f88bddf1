use super::*;
use crate::generation::{Announced, Generation, Joining};

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
fn a_purpose_with_every_character_that_it_may_have_reaches_the_other_side() {
    let mut all: String = (b' '..=b'~').map(char::from).collect();
    all.retain(|character| character.to_string().parse::<crate::Purpose>().is_ok());
    assert!(all.contains('a'), "{all}");
    let announced = Announced {
        purpose: all.parse().unwrap(),
        ..generation(2).announced().clone()
    };
    let body = write(&Announcement::of(&announced));
    let read = read::<Announcement>(&body).unwrap();
    assert_eq!(read.announced(), Ok(announced));
}

#[test]
fn a_participant_that_is_no_whole_number_is_refused() {
    stands_as(
        AskShare {
            participant: index(1),
        },
        r#"{"participant":1}"#,
    );
    for number in ["0", "256", "-1", "1.0", "1e0", "1.5", "\"1\"", "null"] {
        refuses::<AskShare>(&format!(r#"{{"participant":{number}}}"#));
    }
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
