//! What our own code writes fits the document: a key generation and a signing from end to end, and every refusal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use mcbn_ceremony::approval::{NotApproved, SigningKey};
use mcbn_ceremony::generation::{self, Expected, Generation, Joining};
use mcbn_ceremony::message::path::{generation as g, signing as s};
use mcbn_ceremony::message::{
    Announced, Announcement, AskAnnounce, AskApprove, AskConfirm, AskRequest, AskRequests,
    AskShare, AskSubmit, Code, GivenReceipt, GivenShare, OpenRequest, OpenRequests, Refusal,
    Session, Standing, read,
};
use mcbn_ceremony::signing::{self, Limits, Message, Shares, Signers, Signing, Subject};
use mcbn_ceremony::{Moment, NotTaken, Participants, Purpose, Terms};
use mcbn_manifest::ImageDigest;
use mcbn_share::ManifestDigest;
use mcbn_tests_openapi::{Messages, allowed, document};
use mcbn_threshold::{Index, KeyShare, Threshold};
use rcgen::{KeyPair, PKCS_ED25519};
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

const COUNT: u8 = 3;
const NOW: Moment = Moment(Duration::ZERO);

fn random(bytes: &mut [u8]) -> Result<(), Unspecified> {
    SystemRandom::new().fill(bytes)
}

fn key() -> SigningKey {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    SigningKey::from_pkcs8(&key.serialize_der()).unwrap()
}

/// All the messages of a key generation, and of two requests that are signed with that key.
fn messages() -> Messages {
    let mut messages = Messages::default();
    let keys: Vec<SigningKey> = (0..COUNT).map(|_| key()).collect();
    let participants = keys.iter().map(SigningKey::public).collect();
    let terms = Terms::new(
        ManifestDigest([0xa5; 32]),
        ImageDigest([0x5a; 32]),
        Threshold::new(2).unwrap(),
        Participants::new(participants).unwrap(),
    );
    let terms = terms.unwrap();
    // Whatever a purpose may have in it, in the longest one.
    let allowed = (b' '..=b'~').map(char::from);
    let allowed = allowed.filter(|one| one.to_string().parse::<Purpose>().is_ok());
    let purpose: String = allowed
        .collect::<Vec<_>>()
        .iter()
        .cycle()
        .take(256)
        .collect();
    let purpose: Purpose = purpose.parse().unwrap();
    let everyone = || Index::all(COUNT).zip(&keys);

    let deadline = Moment(Duration::from_secs(1));
    let mut generation = Generation::new(terms.clone(), purpose.clone(), deadline, random).unwrap();
    let announced = generation.announced().clone();
    messages.add("Announcement", &Announcement::of(&announced));
    let standing = |messages: &mut Messages, generation: &mut Generation, now| {
        messages.add("Standing", &Standing::from(generation.standing(now)));
    };
    standing(&mut messages, &mut generation, NOW);
    let mut abandoned = Generation::new(terms.clone(), purpose.clone(), deadline, random).unwrap();
    standing(&mut messages, &mut abandoned, deadline);
    let mut joined = Vec::new();
    for (index, own) in everyone() {
        let expected = Expected {
            terms: terms.clone(),
            purpose: purpose.clone(),
            index,
        };
        let joining = Joining::new(&expected, announced.clone(), own, random).unwrap();
        let ask = AskApprove {
            participant: index,
            encryption_key: joining.encryption_key(),
            approval: joining.approve(own),
        };
        messages.add("AskApprove", &ask);
        generation
            .approve(NOW, index, ask.encryption_key, ask.approval, random)
            .unwrap();
        joined.push(joining);
    }
    standing(&mut messages, &mut generation, NOW);
    let mut opened = Vec::new();
    for ((index, own), joining) in everyone().zip(&joined) {
        messages.add("AskShare", &AskShare { participant: index });
        let given = GivenShare::of(&generation.sealed_share(NOW, index).unwrap());
        messages.add("GivenShare", &given);
        let group = given.group(COUNT).unwrap();
        let share = joining.open(group, &given.sealed).unwrap();
        let ask = AskConfirm {
            participant: index,
            confirmation: share.confirm(own),
        };
        messages.add("AskConfirm", &ask);
        generation.confirm(NOW, index, ask.confirmation).unwrap();
        opened.push(share);
    }
    standing(&mut messages, &mut generation, NOW);
    let receipt = generation.receipt(NOW).unwrap();
    messages.add("GivenReceipt", &GivenReceipt::of(receipt));

    let group = opened[0].group().group().clone();
    let signers = Signers::new(terms, group.clone()).unwrap();
    let shares = opened.iter().map(|opened| {
        let finished = opened.finish(receipt).unwrap();
        KeyShare::new(finished.share().index(), &finished.share().secret()).unwrap()
    });
    let shares: Vec<_> = shares.collect();
    let limits = Limits::default();
    let mut signing = Signing::new(signers.clone(), Shares::Kept, limits, random).unwrap();
    messages.add("Session", &Session::of(&signing));
    messages.add("AskRequests", &AskRequests { after: None });
    for message in [
        Message::bytes(&[]).unwrap(),
        Message::bytes(b"a").unwrap(),
        Message::bytes(&[0xff; 4095]).unwrap(),
        Message::bytes(&[0xff; Message::LONGEST]).unwrap(),
        Message::Sha256([0xc3; 32]),
    ] {
        let subject = Subject::new(message, purpose.clone());
        let index = Index::new(1).unwrap();
        let ask = AskAnnounce {
            participant: index,
            announcement: signers.announce(signing.session(), &subject, &keys[0]),
            subject: subject.clone(),
        };
        messages.add("AskAnnounce", &ask);
        let request = signing
            .announce(NOW, index, ask.subject, &ask.announcement, random)
            .unwrap();
        messages.add("Announced", &Announced { request });
        messages.add("AskRequest", &AskRequest { request });
        let after = Some(request);
        messages.add("AskRequests", &AskRequests { after });
        for ((index, own), share) in everyone().zip(&shares) {
            let open = signing.open(NOW, request).unwrap();
            messages.add("OpenRequest", &OpenRequest::of(&open, open.progress(), NOW));
            let (partial, approval) = signers.sign(request, &subject, share, own);
            let ask = AskSubmit {
                request,
                participant: index,
                partial: Some(partial.signature),
                approval,
            };
            messages.add("AskSubmit", &ask);
            messages.add(
                "AskSubmit",
                &AskSubmit {
                    partial: None,
                    ..ask
                },
            );
            open.submit(index, ask.partial, &approval).unwrap();
        }
    }
    let revealed = Shares::revealed(&group, shares).unwrap();
    let revealing = Signing::new(signers, revealed, limits, random).unwrap();
    messages.add("Session", &Session::of(&revealing));
    let all = OpenRequests::page(&mut signing, NOW, &AskRequests { after: None });
    messages.add("OpenRequests", &all);
    messages
}

fn refusals() -> Vec<Refusal> {
    let [first, second] = [1, 2].map(|number| Index::new(number).unwrap());
    let no_random: Refusal = NotTaken::<generation::Refused, _>::Random(()).into();
    let mut all = vec![Code::Request.into(), no_random];
    all.extend(
        [
            generation::Refused::Abandoned,
            generation::Refused::TooEarly,
            generation::Refused::NotApproved(NotApproved::Stranger(first)),
            generation::Refused::NotApproved(NotApproved::NotGenuine(first)),
            generation::Refused::Changed(first),
            generation::Refused::SameEncryptionKey(first, second),
            generation::Refused::NotFetched(first),
        ]
        .map(Refusal::from),
    );
    all.extend(
        [
            signing::Refused::NotOpen,
            signing::Refused::NotApproved(NotApproved::NotGenuine(first)),
            signing::Refused::BadPartial(first),
            signing::Refused::Changed(first),
            signing::Refused::TooMany {
                index: first,
                part: 1,
            },
        ]
        .map(Refusal::from),
    );
    let codes: BTreeSet<&str> = all.iter().map(|refusal| refusal.refused.as_str()).collect();
    assert_eq!(codes.len(), Code::ALL.len(), "one is missing: {codes:?}");
    all
}

#[test]
fn what_our_own_code_writes_fits() {
    let mut messages = messages();
    for refusal in refusals() {
        messages.add(&refusal.refused.status().to_string(), &refusal);
    }
    for (name, message) in messages.all() {
        assert!(taken(name, message.as_bytes()), "{name} {message}");
    }
    let judged = messages.judge();
    assert!(judged.len() > 70, "{judged:#?}");
    let bad: Vec<_> = judged
        .iter()
        .filter(|line| !line.starts_with("fits "))
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

/// The document says as much as the code: what is a little different fits neither.
#[test]
fn what_our_own_code_refuses_does_not_fit() {
    let mut messages = Messages::default();
    let key = "A".repeat(43);
    let approval = "A".repeat(86);
    let mut add = |name: &str, message: Value| messages.add(name, &message);
    for participant in [
        json!(0),
        json!(256),
        json!("1"),
        json!(-1),
        json!(1.5),
        json!(null),
    ] {
        add("AskShare", json!({ "participant": participant }));
    }
    add("AskShare", json!({}));
    add("AskShare", json!([1]));
    add("AskShare", json!({ "participant": 1, "more": 1 }));
    add("AskRequest", json!({ "request": format!("{key}A") }));
    add("AskRequest", json!({ "request": &key[1..] }));
    add(
        "AskRequest",
        json!({ "request": format!("{}B", &key[1..]) }),
    );
    add(
        "AskRequest",
        json!({ "request": format!("{}=", &key[1..]) }),
    );
    add(
        "AskRequest",
        json!({ "request": format!("{}+", &key[1..]) }),
    );
    add("AskRequest", json!({ "request": format!("{key}\n") }));
    add("AskRequests", json!({ "after": null }));
    add(
        "AskConfirm",
        json!({ "participant": 1, "confirmation": format!("{}B", &approval[1..]) }),
    );
    // Of small order, and not reduced.
    for encryption_key in [
        key.clone(),
        format!("{}8", "_".repeat(42)),
        format!("{}38", "_".repeat(41)),
    ] {
        add(
            "AskApprove",
            json!({ "participant": 1, "encryption_key": encryption_key, "approval": approval }),
        );
    }
    for (purpose, message) in [
        ("", json!({ "bytes": "" })),
        ("ä", json!({ "bytes": "" })),
        ("a\n", json!({ "bytes": "" })),
        ("a\"", json!({ "bytes": "" })),
        ("a\\", json!({ "bytes": "" })),
        ("a", json!({})),
        ("a", json!({ "bytes": "", "sha256": "0".repeat(64) })),
        ("a", json!({ "sha256": "A".repeat(64) })),
        ("a", json!({ "bytes": "A" })),
        ("a", json!({ "bytes": "AB" })),
        ("a", json!({ "bytes": "AA==" })),
        ("a", json!({ "bytes": mcbn_body::base64url(b"mcbn/") })),
        (
            "a",
            json!({ "bytes": mcbn_body::base64url(b"mcbn/v1/consent") }),
        ),
        (
            "a",
            json!({ "bytes": mcbn_body::base64url(&[0; Message::LONGEST + 1]) }),
        ),
    ] {
        let subject = json!({ "purpose": purpose, "message": message });
        add(
            "AskAnnounce",
            json!({ "participant": 1, "subject": subject, "announcement": approval }),
        );
    }
    add("409", json!({ "refused": "approval", "participant": 1 }));
    add("405", json!({ "refused": "request" }));
    for (name, message) in messages.all() {
        assert!(!taken(name, message.as_bytes()), "{name} {message}");
    }
    let judged = messages.judge();
    let fits: Vec<_> = judged
        .iter()
        .filter(|line| line.starts_with("fits "))
        .collect();
    assert!(fits.is_empty(), "{fits:#?}");
}

#[test]
fn what_the_document_allows_our_own_code_reads() {
    let mut read: BTreeMap<String, usize> = BTreeMap::new();
    for (name, body) in allowed() {
        // A schema tells the form of a point, and most of what has the form is none.
        if name != "AskSubmit" {
            assert!(taken(&name, body.as_bytes()), "{name} {body}");
            *read.entry(name).or_default() += 1;
        }
    }
    let names: Vec<_> = read.keys().map(String::as_str).collect();
    let asked = [
        "AskAnnounce",
        "AskApprove",
        "AskConfirm",
        "AskRequest",
        "AskRequests",
        "AskShare",
    ];
    assert_eq!(names, asked);
    assert!(read.values().sum::<usize>() > 150, "{read:?}");
}

/// Whether our own code reads it as this message.
fn taken(name: &str, body: &[u8]) -> bool {
    macro_rules! one_of {
        ($($message:ident),*) => {
            match name {
                $(stringify!($message) => read::<$message>(body).is_ok(),)*
                status => read::<Refusal>(body)
                    .is_ok_and(|refusal| refusal.refused.status().to_string() == status),
            }
        };
    }
    one_of!(
        Announced,
        Announcement,
        AskAnnounce,
        AskApprove,
        AskConfirm,
        AskRequest,
        AskRequests,
        AskShare,
        AskSubmit,
        GivenReceipt,
        GivenShare,
        OpenRequest,
        OpenRequests,
        Session,
        Standing
    )
}

#[test]
fn every_path_stands_in_the_document_and_no_other() {
    let document = fs::read_to_string(document()).unwrap();
    let written: BTreeSet<&str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("  /")?.strip_suffix(':'))
        .collect();
    let paths = [
        g::ANNOUNCEMENT,
        g::STANDING,
        g::APPROVE,
        g::SHARE,
        g::CONFIRM,
        g::RECEIPT,
        s::SESSION,
        s::ANNOUNCE,
        s::SUBMIT,
        s::REQUEST,
        s::REQUESTS,
    ];
    let paths: BTreeSet<&str> = paths.iter().map(|path| &path[1..]).collect();
    assert_eq!(written, paths);
}
