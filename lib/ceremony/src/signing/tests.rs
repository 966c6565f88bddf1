use super::*;
use crate::approval::NotApproved;
use crate::tests::{at, index, key, purpose, random, terms};
use mcbn_threshold::{KeyShare, PartialSignature, Threshold, generate};
use std::convert::Infallible;

/// How long requests are open.
const LIFE: u64 = 60;

/// A group of 2 of `count`, and its shares.
fn group(count: u8) -> (Signers, Vec<KeyShare>) {
    let dealt = generate(Threshold::new(2).unwrap(), count, random(1)).unwrap();
    (
        Signers::new(terms(count), dealt.group).unwrap(),
        dealt.shares,
    )
}

fn server(signers: &Signers, open: usize) -> Signing {
    let limits = Limits {
        open,
        life: Duration::from_secs(LIFE),
    };
    Signing::new(signers.clone(), Shares::Kept, limits, random(2)).unwrap()
}

fn subject(message: &[u8]) -> Subject {
    Subject::new(Message::bytes(message).unwrap(), purpose())
}

fn announce(
    server: &mut Signing,
    number: u8,
    message: &[u8],
    now: u64,
) -> Result<RequestId, NotTaken<Refused, Infallible>> {
    let subject = subject(message);
    let announcement = server
        .signers()
        .announce(server.session(), &subject, &key(number));
    // Another request id for every message.
    let mut id = Vec::from(message);
    id.resize(32, 0xff);
    server.announce(at(now), index(number), subject, &announcement, |bytes| {
        bytes.copy_from_slice(&id);
        Ok(())
    })
}

/// What participant `number` submits for it.
fn signed(
    server: &mut Signing,
    shares: &[KeyShare],
    number: u8,
    id: RequestId,
) -> (PartialSignature, Approval) {
    let subject = server.open(at(0), id).unwrap().subject().clone();
    let share = &shares[usize::from(number) - 1];
    server.signers().sign(id, &subject, share, &key(number))
}

fn submit(
    server: &mut Signing,
    shares: &[KeyShare],
    number: u8,
    id: RequestId,
) -> Result<Vec<Index>, Refused> {
    let (partial, approval) = signed(server, shares, number, id);
    let progress = take(server, 1, id, partial, &approval)?;
    Ok(progress.approved_by)
}

/// Submits it.
fn take(
    server: &mut Signing,
    now: u64,
    id: RequestId,
    partial: PartialSignature,
    approval: &Approval,
) -> Result<Progress, Refused> {
    let open = server.open(at(now), id)?;
    let (_, progress) = open.submit(partial.index, Some(partial.signature), approval)?;
    Ok(progress)
}

fn progress(server: &mut Signing, now: u64, id: RequestId) -> Progress {
    server.open(at(now), id).unwrap().progress()
}

#[test]
fn any_two_of_three_sign_what_one_announced() {
    let (signers, shares) = group(3);
    for pair in [[1, 2], [3, 1], [2, 3]] {
        let mut server = server(&signers, 10);
        let id = announce(&mut server, 2, b"a message", 0).unwrap();
        assert_eq!(submit(&mut server, &shares, pair[0], id).unwrap().len(), 1);
        assert!(progress(&mut server, 1, id).signature.is_none());
        let by = submit(&mut server, &shares, pair[1], id).unwrap();
        assert_eq!(by, pair.map(index));
        let open = server.open(at(1), id).unwrap();
        assert_eq!((open.by(), open.expires()), (index(2), at(LIFE)));
        let signature = open.progress().signature.unwrap();
        assert_eq!(signers.verify(&subject(b"a message"), &signature), Ok(()));
        let key = signers.group().key();
        assert_eq!(key.verify(b"a message", &signature), Ok(()));
    }
}

#[test]
fn a_hash_is_signed_under_its_label() {
    let (signers, shares) = group(2);
    let mut server = server(&signers, 10);
    let subject = Subject::new(Message::Sha256([7; 32]), purpose());
    let announcement = signers.announce(server.session(), &subject, &key(1));
    let id = server
        .announce(at(0), index(1), subject.clone(), &announcement, random(4))
        .unwrap();
    for number in [1, 2] {
        submit(&mut server, &shares, number, id).unwrap();
    }
    let signature = progress(&mut server, 1, id).signature.unwrap();
    assert_eq!(signers.verify(&subject, &signature), Ok(()));
    let key = signers.group().key();
    assert!(key.verify(&[7; 32], &signature).is_err());
}

#[test]
fn whoever_comes_late_is_answered_with_the_signature() {
    let (signers, shares) = group(3);
    let mut server = server(&signers, 10);
    let id = announce(&mut server, 1, b"a message", 0).unwrap();
    for number in [1, 2] {
        submit(&mut server, &shares, number, id).unwrap();
    }
    let (partial, approval) = signed(&mut server, &shares, 3, id);
    let progress = take(&mut server, 2, id, partial, &approval).unwrap();
    assert!(progress.signature.is_some());
    assert_eq!(progress.approved_by, [1, 2].map(index));
}

#[test]
fn a_bad_partial_signature_is_refused_by_name_without_harm() {
    let (signers, shares) = group(3);
    let mut server = server(&signers, 10);
    let id = announce(&mut server, 1, b"a message", 0).unwrap();
    submit(&mut server, &shares, 1, id).unwrap();
    let (good, approval) = signed(&mut server, &shares, 2, id);
    let of_another_message = shares[1].sign(b"another message");
    let with_anothers_share = PartialSignature {
        index: index(2),
        signature: shares[2].sign(b"a message").signature,
    };
    for bad in [of_another_message, with_anothers_share] {
        let refused = take(&mut server, 1, id, bad, &approval);
        let named = Refused::BadPartial(index(2));
        assert_eq!(refused, Err(named));
        assert_eq!(progress(&mut server, 1, id).approved_by, [index(1)]);
    }
    let progress = take(&mut server, 1, id, good, &approval).unwrap();
    assert!(progress.signature.is_some());
}

#[test]
fn two_partial_signatures_of_one_participant_are_refused_as_two() {
    let (signers, shares) = group(3);
    let mut server = server(&signers, 10);
    let id = announce(&mut server, 1, b"a message", 0).unwrap();
    for _ in ["first", "repeated"] {
        assert_eq!(submit(&mut server, &shares, 1, id).unwrap(), [index(1)]);
    }
    let (_, approval) = signed(&mut server, &shares, 1, id);
    let other = shares[0].sign(b"another message");
    let refused = take(&mut server, 1, id, other, &approval);
    let changed = Refused::Changed(index(1));
    assert_eq!(refused, Err(changed));
}

#[test]
fn an_approval_of_another_request_is_refused() {
    let (signers, shares) = group(3);
    let mut server = server(&signers, 10);
    let first = announce(&mut server, 1, b"a message", 0).unwrap();
    let second = announce(&mut server, 1, b"b message", 0).unwrap();
    let (_, approval_of_first) = signed(&mut server, &shares, 2, first);
    let (partial, _) = signed(&mut server, &shares, 2, second);
    // Nor is an announcement an approval, whatever it is signed under.
    let [announcement, of_second] =
        [server.session(), second].map(|id| signers.announce(id, &subject(b"b message"), &key(2)));
    for other in [approval_of_first, announcement, of_second] {
        let refused = take(&mut server, 1, second, partial, &other);
        let not_genuine = Refused::NotApproved(NotApproved::NotGenuine(index(2)));
        assert_eq!(refused, Err(not_genuine));
    }
}

#[test]
fn an_approval_for_another_purpose_is_refused() {
    let (signers, shares) = group(3);
    let mut server = server(&signers, 10);
    let id = announce(&mut server, 1, b"a message", 0).unwrap();
    let other = Subject::new(
        Message::bytes(b"a message").unwrap(),
        "sign cheques".parse().unwrap(),
    );
    let (partial, approval) = signers.sign(id, &other, &shares[1], &key(2));
    let refused = take(&mut server, 1, id, partial, &approval);
    let not_genuine = Refused::NotApproved(NotApproved::NotGenuine(index(2)));
    assert_eq!(refused, Err(not_genuine));
}

#[test]
fn a_partial_signature_in_anothers_name_is_refused() {
    let (signers, shares) = group(3);
    let mut server = server(&signers, 10);
    let id = announce(&mut server, 1, b"a message", 0).unwrap();
    let (partial, approval) = signed(&mut server, &shares, 2, id);
    for (number, refused) in [
        (3, NotApproved::NotGenuine(index(3))),
        (4, NotApproved::Stranger(index(4))),
    ] {
        let moved = PartialSignature {
            index: index(number),
            ..partial
        };
        let submitted = take(&mut server, 1, id, moved, &approval);
        assert_eq!(submitted, Err(Refused::NotApproved(refused)));
    }
}

#[test]
fn an_announcement_that_is_not_signed_for_this_start_is_refused() {
    let (signers, _) = group(3);
    let mut server = server(&signers, 10);
    let announcement = signers.announce(RequestId([9; 32]), &subject(b"a message"), &key(1));
    let of_another_message =
        signers.announce(server.session(), &subject(b"another message"), &key(1));
    for other in [announcement, of_another_message] {
        let refused = server.announce(at(0), index(1), subject(b"a message"), &other, random(4));
        let not_genuine = Refused::NotApproved(NotApproved::NotGenuine(index(1)));
        assert_eq!(refused, Err(NotTaken::Refused(not_genuine)));
    }
    assert_eq!(server.count(at(0)), 0);
}

#[test]
fn the_same_subject_is_one_request_whoever_announces_it() {
    let (signers, _) = group(3);
    let mut server = server(&signers, 10);
    let first = announce(&mut server, 1, b"a message", 0).unwrap();
    assert_eq!(announce(&mut server, 1, b"a message", 1), Ok(first));
    assert_eq!(announce(&mut server, 2, b"a message", 2), Ok(first));
    let open = server.open(at(3), first).unwrap();
    assert_eq!((open.by(), open.expires()), (index(1), at(LIFE)));
    assert_eq!(server.count(at(3)), 1);
}

#[test]
fn a_request_that_has_expired_is_refused() {
    let (signers, shares) = group(3);
    let mut server = server(&signers, 10);
    let expired = announce(&mut server, 1, b"a message", 0).unwrap();
    let later = announce(&mut server, 1, b"b message", 1).unwrap();
    let (partial, approval) = signed(&mut server, &shares, 1, expired);
    let refused = take(&mut server, LIFE, expired, partial, &approval);
    assert_eq!(refused, Err(Refused::NotOpen));
    assert!(server.open(at(LIFE), expired).is_err());
    let open: Vec<RequestId> = server.after(at(LIFE), None).collect();
    assert_eq!(open, [later]);
    assert_eq!(server.count(at(LIFE + 1)), 0);
    // It can be announced again, under another id.
    let announcement = signers.announce(server.session(), &subject(b"a message"), &key(1));
    let again = server.announce(
        at(LIFE + 2),
        index(1),
        subject(b"a message"),
        &announcement,
        random(4),
    );
    assert_ne!(again, Ok(expired));
    let stale = take(&mut server, LIFE + 2, again.unwrap(), partial, &approval);
    let not_genuine = Refused::NotApproved(NotApproved::NotGenuine(index(1)));
    assert_eq!(stale, Err(not_genuine));
}

#[test]
fn open_requests_are_read_page_by_page() {
    let (signers, _) = group(3);
    let mut server = server(&signers, 10);
    let mut ids = [b"c", b"a", b"b"].map(|message| announce(&mut server, 1, message, 0).unwrap());
    ids.sort();
    let mut page = |after| -> Vec<RequestId> {
        let page = server.after(at(1), after).take(2);
        page.collect()
    };
    assert_eq!(page(None), ids[..2]);
    assert_eq!(page(Some(ids[1])), ids[2..]);
    assert_eq!(page(Some(ids[2])), []);
}

#[test]
fn an_unknown_request_is_refused() {
    let (signers, shares) = group(3);
    let mut server = server(&signers, 10);
    let id = announce(&mut server, 1, b"a message", 0).unwrap();
    let (partial, approval) = signed(&mut server, &shares, 1, id);
    let refused = take(&mut server, 1, RequestId([0; 32]), partial, &approval);
    assert_eq!(refused, Err(Refused::NotOpen));
}

#[test]
fn a_source_of_random_bytes_that_fails_changes_nothing() {
    let (signers, _) = group(3);
    let failed = Signing::new(signers.clone(), Shares::Kept, Limits::default(), |_| {
        Err("empty")
    });
    assert_eq!(failed.unwrap_err(), "empty");
    let mut server = server(&signers, 3);
    let announcement = signers.announce(server.session(), &subject(b"a message"), &key(1));
    let failed = server.announce(
        at(0),
        index(1),
        subject(b"a message"),
        &announcement,
        |_| Err("empty"),
    );
    assert_eq!(failed, Err(NotTaken::Random("empty")));
    // It took nothing of participant 1's part, which is one.
    announce(&mut server, 1, b"a message", 0).unwrap();
}

#[test]
fn two_who_submit_at_one_time_both_count() {
    let (signers, shares) = group(2);
    let mut server = server(&signers, 10_000);
    let parts: Vec<_> = (0..8u8)
        .flat_map(|message| {
            let id = announce(&mut server, 1, &[message], 0).unwrap();
            let open = server.open(at(1), id).unwrap();
            [1, 2].map(|number| (Arc::clone(&open), signed(&mut server, &shares, number, id)))
        })
        .collect();
    std::thread::scope(|scope| {
        for (open, (partial, approval)) in &parts {
            let submit = || open.submit(partial.index, Some(partial.signature), approval);
            scope.spawn(move || submit().unwrap());
        }
    });
    for (open, _) in &parts {
        let signature = open.progress().signature.unwrap();
        assert_eq!(signers.verify(open.subject(), &signature), Ok(()));
    }
}

#[test]
fn where_shares_are_revealed_any_two_approvals_sign() {
    let (signers, mut shares) = group(3);
    let revealed = Shares::revealed(signers.group(), shares.split_off(1)).unwrap();
    let mut server = Signing::new(signers.clone(), revealed, Limits::default(), random(2)).unwrap();
    let id = announce(&mut server, 1, b"a message", 0).unwrap();
    let open = server.open(at(1), id).unwrap();
    let approval = |number| signers.approve(id, open.subject(), &key(number));
    // Participant 1 has not revealed its share: its approval counts as another's.
    for step in [Step::Approved, Step::None] {
        let (stepped, progress) = open.submit(index(1), None, &approval(1)).unwrap();
        assert_eq!(stepped, step);
        assert_eq!(progress.approved_by, [index(1)]);
        assert!(progress.signature.is_none());
    }
    let partial = shares[0].sign(b"a message").signature;
    let refused = open.submit(index(3), Some(partial), &approval(3));
    assert_eq!(refused, Err(Refused::BadPartial(index(3))));
    let refused = open.submit(index(3), None, &approval(2));
    let not_genuine = NotApproved::NotGenuine(index(3));
    assert_eq!(refused, Err(Refused::NotApproved(not_genuine)));
    let (step, progress) = open.submit(index(3), None, &approval(3)).unwrap();
    assert_eq!(step, Step::Signed);
    let signature = progress.signature.unwrap();
    assert_eq!(signers.verify(open.subject(), &signature), Ok(()));
}

#[test]
fn an_approval_alone_is_refused_where_shares_are_kept() {
    let (signers, _) = group(3);
    let mut server = server(&signers, 10);
    let id = announce(&mut server, 1, b"a message", 0).unwrap();
    let open = server.open(at(1), id).unwrap();
    let approval = signers.approve(id, open.subject(), &key(1));
    let refused = open.submit(index(1), None, &approval);
    assert_eq!(refused, Err(Refused::BadPartial(index(1))));
    assert_eq!(open.progress().approved_by, []);
}

#[test]
fn shares_that_cannot_sign_for_the_group_are_refused() {
    let (signers, shares) = group(3);
    let other = generate(Threshold::new(2).unwrap(), 3, random(9)).unwrap();
    let again = |share: &KeyShare| KeyShare::new(share.index(), &share.secret()).unwrap();
    let [first, second] = [&shares[0], &shares[1]];
    let of_another_group = &other.shares[1];
    for (revealed, why) in [
        (vec![first], NotRevealed::TooFew),
        (vec![first, first], NotRevealed::Repeated(index(1))),
        (
            vec![first, of_another_group],
            NotRevealed::NotGenuine(index(2)),
        ),
        (
            vec![of_another_group, second],
            NotRevealed::NotGenuine(index(2)),
        ),
    ] {
        let revealed = revealed.into_iter().map(again).collect();
        let refused = Shares::revealed(signers.group(), revealed);
        assert_eq!(refused.unwrap_err(), why);
    }
}

#[test]
fn more_than_a_participants_part_is_refused() {
    let (signers, shares) = group(2);
    let mut server = server(&signers, 10_000);
    let part = server.part();
    assert_eq!(part, 5_000);
    let message = |number: u8, count: usize| format!("{number} {count}");
    for number in [1, 2] {
        for count in 0..part {
            announce(&mut server, number, message(number, count).as_bytes(), 0).unwrap();
        }
        let refused = announce(&mut server, number, b"one more", 1);
        let index = index(number);
        let too_many = Refused::TooMany { index, part };
        assert_eq!(refused, Err(NotTaken::Refused(too_many)));
    }
    assert_eq!(server.count(at(1)), 10_000);
    // What is open works on, and what is open already may be announced again.
    let id = announce(&mut server, 2, message(1, 77).as_bytes(), 1).unwrap();
    for number in [1, 2] {
        submit(&mut server, &shares, number, id).unwrap();
    }
    // A signed request counts until it expires; then there is room again.
    let refused = announce(&mut server, 1, b"one more", 2);
    assert!(refused.is_err());
    announce(&mut server, 1, b"one more", LIFE).unwrap();
    assert_eq!(server.count(at(LIFE)), 1);
    assert_eq!(server.subjects.len(), 1);
    assert_eq!(server.expiries.len(), 1);
}
