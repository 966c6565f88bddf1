use super::*;

fn signing() -> (Signing, Vec<mcbn_threshold::KeyShare>) {
    let threshold = mcbn_threshold::Threshold::new(2).unwrap();
    let dealt = mcbn_threshold::generate(threshold, 3, random(1)).unwrap();
    let signers = Signers::new(terms(3), dealt.group).unwrap();
    let signing =
        Signing::new(signers, signing::Shares::Kept, Limits::default(), random(2)).unwrap();
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
    for change in [
        |session: &mut Session| session.participants.truncate(1),
        |session: &mut Session| session.participants.swap(1, 0),
        |session: &mut Session| session.commitments.truncate(1),
        |session: &mut Session| session.commitments.swap(0, 1),
    ] {
        let mut changed = session.clone();
        change(&mut changed);
        let signers = changed.signers();
        assert_ne!(signers.as_ref(), Ok(signing.signers()));
    }
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
        assert_eq!(ask.partial, Some(partial.signature));
        let open = signing.open(at(1), ask.request).unwrap();
        open.submit(ask.participant, ask.partial, &ask.approval)
            .unwrap();
    }
    let open = signing.open(at(2), id).unwrap();
    let progress = open.progress();
    let signature = progress.signature.unwrap();
    stands_as(
        OpenRequest::of(&open, progress, at(2)),
        &format!(
            r#"{{"request":"{request}","by":1,"subject":{{"purpose":"{}","message":{{"bytes":"{}"}}}},"seconds":86398,"approved_by":[3,1],"signature":"{}"}}"#,
            purpose(),
            base64url(b"a message"),
            base64url(&signature.to_bytes()),
        ),
    );
}

#[test]
fn an_approval_may_come_without_a_partial_signature() {
    let ask = AskSubmit {
        request: RequestId([0; 32]),
        participant: index(2),
        partial: None,
        approval: Approval([0; 64]),
    };
    let (request, approval) = (base64url(&[0; 32]), base64url(&[0; 64]));
    let body = format!(r#"{{"request":"{request}","participant":2,"approval":"{approval}"}}"#);
    stands_as(ask, &body);
    refuses::<AskSubmit>(&body.replace(r#","approval""#, r#","partial":null,"approval""#));
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
    let open = signing.open(at(0), id).unwrap();
    let open = OpenRequest::of(&open, open.progress(), at(0));
    let body = String::from_utf8(write(&open)).unwrap();
    assert!(
        body.ends_with(r#""seconds":86400,"approved_by":[]}"#),
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
