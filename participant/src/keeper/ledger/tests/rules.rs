//! What is allowed, by what the entries say.

use super::*;

const REFUSED: fn(Code) -> Decision = Decision::Refused;

#[test]
fn the_policy_alone_decides_unless_a_person_is_asked() {
    let mut kept = Kept::new();
    assert_eq!(kept.release(0, "i", 1), granted(0));
    assert_eq!(kept.renew(2, "i", 1), granted(2));
    // Counted from the renewal.
    assert_eq!(kept.renew(6, "i", 1), granted(6));
    assert_eq!(kept.kinds(), ["released", "renewed", "renewed"]);
}

#[test]
fn a_lease_that_has_ended_is_refused() {
    let mut kept = Kept::new();
    kept.release(0, "i", 1);
    assert_eq!(kept.renew(5, "i", 1), REFUSED(Code::Lease));
    // It does not come to life again, and another release is another lease.
    assert_eq!(kept.renew(6, "i", 1), REFUSED(Code::Lease));
    assert_eq!(kept.release(6, "i", 2), granted(6));
    assert_eq!(kept.kinds(), ["released", "released"]);
}

#[test]
fn a_lease_that_never_was_is_refused() {
    let mut kept = Kept::new();
    kept.release(0, "i", 1);
    assert_eq!(kept.renew(1, "i", 2), REFUSED(Code::Lease));
}

#[test]
fn the_lease_of_another_instance_is_refused() {
    let mut kept = Kept::new();
    kept.release(0, "i", 1);
    kept.release(0, "j", 2);
    assert_eq!(kept.renew(1, "j", 1), REFUSED(Code::Lease));
    let elsewhere = Instance {
        manifest: ManifestDigest([9; 32]),
        ..instance("i")
    };
    let wish = Wish::Renew {
        instance: elsewhere,
        lease: lease(1),
    };
    assert_eq!(kept.decide(1, &TERMS, wish), REFUSED(Code::Lease));
    assert_eq!(kept.renew(1, "i", 1), granted(1));
}

#[test]
fn a_person_is_asked_before_a_first_release() {
    let mut kept = Kept::new();
    let ask = |kept: &mut Kept, name: &str, number| kept.decide(0, &ASKING, release(name, number));
    assert_eq!(ask(&mut kept, "i", 1), REFUSED(Code::Pending));
    assert_eq!(ask(&mut kept, "j", 2), REFUSED(Code::Pending));
    let id = instance("i").id();
    assert_eq!(kept.say(&named(Word::Approve, id)), Ok(Some(id)));
    assert_eq!(ask(&mut kept, "i", 1), granted(0));
    assert_eq!(ask(&mut kept, "i", 3), granted(0));
    // Who was not approved still waits.
    assert_eq!(ask(&mut kept, "j", 2), REFUSED(Code::Pending));
    assert_eq!(kept.decide(1, &ASKING, renew("i", 1)), granted(1));
}

#[test]
fn what_was_released_before_is_not_approved_by_that() {
    let mut kept = Kept::new();
    kept.release(0, "i", 1);
    let asked = kept.decide(1, &ASKING, release("i", 2));
    assert_eq!(asked, REFUSED(Code::Pending));
}

#[test]
fn an_instance_that_goes_on_asking_is_written_down_now_and_then() {
    let mut kept = Kept::new();
    for minute in 0..=20 {
        kept.decide(minute, &ASKING, release("i", 1));
    }
    // At 0, 10 and 20 minutes.
    assert_eq!(kept.kinds(), ["pending"; 3]);
    assert_eq!(state::pending(kept.ledger.read(), 10).unwrap().len(), 1);
}

#[test]
fn an_instance_that_was_denied_gets_nothing() {
    let mut kept = Kept::new();
    kept.release(0, "i", 1);
    kept.say(&named(Word::Deny, instance("i").id())).unwrap();
    assert_eq!(kept.renew(1, "i", 1), REFUSED(Code::Denied));
    assert_eq!(kept.release(1, "i", 2), REFUSED(Code::Denied));
    assert_eq!(kept.release(1, "j", 3), granted(1));
}

#[test]
fn what_was_revoked_stays_so_until_it_is_approved() {
    let mut kept = Kept::new();
    kept.release(0, "i", 1);
    kept.release(0, "j", 2);
    let id = instance("i").id();
    assert_eq!(kept.say(&named(Word::RevokeLease, lease(1))), Ok(Some(id)));
    assert_eq!(kept.renew(1, "i", 1), REFUSED(Code::Withdrawn));
    assert_eq!(kept.release(1, "i", 3), REFUSED(Code::Withdrawn));
    assert_eq!(kept.renew(1, "j", 2), granted(1));

    kept.say(&named(Word::Approve, id)).unwrap();
    // The old lease does not come back.
    assert_eq!(kept.renew(1, "i", 1), REFUSED(Code::Lease));
    assert_eq!(kept.release(1, "i", 3), granted(1));
    kept.say(&named(Word::RevokeInstance, id)).unwrap();
    assert_eq!(kept.renew(2, "i", 3), REFUSED(Code::Withdrawn));
}

#[test]
fn an_approval_does_not_end_a_lease() {
    let mut kept = Kept::new();
    kept.release(0, "i", 1);
    kept.say(&named(Word::Approve, instance("i").id())).unwrap();
    assert_eq!(kept.renew(1, "i", 1), granted(1));
}

#[test]
fn a_withdrawal_is_for_all_until_it_is_restored() {
    let mut kept = Kept::new();
    kept.release(0, "i", 1);
    kept.say(&named(Word::Approve, instance("i").id())).unwrap();
    assert_eq!(kept.say(&Word::Withdraw), Ok(None));
    assert_eq!(kept.say(&Word::Withdraw), Err(Unsaid::AlreadyWithdrawn));
    assert_eq!(kept.renew(1, "i", 1), REFUSED(Code::Withdrawn));
    assert_eq!(kept.release(1, "i", 2), REFUSED(Code::Withdrawn));
    assert_eq!(kept.release(1, "j", 3), REFUSED(Code::Withdrawn));

    assert_eq!(kept.say(&Word::Restore), Ok(None));
    assert_eq!(kept.say(&Word::Restore), Err(Unsaid::NotWithdrawn));
    // What ran before does not run on.
    assert_eq!(kept.renew(1, "i", 1), REFUSED(Code::Lease));
    assert_eq!(kept.release(1, "i", 4), granted(1));
}

#[test]
fn a_beginning_must_mean_one() {
    let mut kept = Kept::new();
    let unknown = named(Word::Approve, "0000");
    assert_eq!(kept.say(&unknown), Err(Unsaid::Nobody));
    kept.release(0, "i", 1);
    let mut close = [1; 16];
    close[15] = 2;
    let wish = Wish::Release {
        instance: instance("j"),
        findings: Vec::new(),
        lease: mcbn_consent::message::Lease(close).into(),
    };
    kept.decide(0, &TERMS, wish);
    assert_eq!(
        kept.say(&named(Word::RevokeLease, "0101")),
        Err(Unsaid::Several)
    );
    assert_eq!(
        kept.say(&named(Word::RevokeLease, "0102")),
        Err(Unsaid::Nobody)
    );
    assert_eq!(
        kept.say(&named(Word::RevokeLease, lease(1))),
        Ok(Some(instance("i").id()))
    );
    let id = instance("j").id().to_string();
    assert!(kept.say(&named(Word::Approve, &id[..8])).is_ok());
    assert_eq!(
        kept.kinds(),
        ["released", "released", "revoked", "approved"]
    );
}

#[test]
fn lists_show_who_waits_and_what_runs() {
    let mut kept = Kept::new();
    kept.decide(0, &ASKING, release("waits", 1));
    kept.decide(0, &ASKING, release("denied", 2));
    kept.say(&named(Word::Deny, instance("denied").id()))
        .unwrap();
    kept.release(0, "ends", 3);
    kept.release(0, "runs", 4);
    kept.renew(4, "runs", 4);
    kept.release(1, "revoked", 5);
    kept.say(&named(Word::RevokeLease, lease(5))).unwrap();

    let who = |placed: &state::Placed| match &placed.entry.event {
        Event::Pending { instance, .. } | Event::Released { instance, .. } => {
            instance.subject.rsplit('/').next().unwrap().to_owned()
        }
        other => panic!("{other:?}"),
    };
    let ledger = kept.ledger.read();
    let pending = state::pending(ledger, 10).unwrap();
    assert_eq!(pending.iter().map(who).collect::<Vec<_>>(), ["waits"]);
    let running = state::leases(ledger, Time(6 * MINUTE), 10).unwrap();
    let shown: Vec<_> = running
        .iter()
        .map(|r| (who(&r.released), r.until))
        .collect();
    assert_eq!(shown, [("runs".to_owned(), Time(9 * MINUTE))]);
    let running = state::leases(ledger, Time(4 * MINUTE), 10).unwrap();
    assert_eq!(running.len(), 2);

    kept.say(&Word::Withdraw).unwrap();
    let running = state::leases(kept.ledger.read(), Time(4 * MINUTE), 10).unwrap();
    assert!(running.is_empty());
}

#[test]
fn entries_are_read_from_both_ends() {
    let mut kept = Kept::new();
    for number in 1..=5 {
        kept.release(0, "i", number);
    }
    let places = |entries: Vec<state::Placed>| -> Vec<u64> {
        entries.iter().map(|placed| placed.seq).collect()
    };
    let ledger = kept.ledger.read();
    assert_eq!(places(state::after(ledger, 2, 2).unwrap()), [3, 4]);
    assert_eq!(places(state::before(ledger, u64::MAX, 2).unwrap()), [5, 4]);
    assert_eq!(places(state::before(ledger, 4, 10).unwrap()), [3, 2, 1]);
}

/// What is asked at every request must not take longer as the ledger grows.
#[test]
fn every_question_of_a_request_has_an_index() {
    let kept = Kept::new();
    for sql in state::OF_EVERY_REQUEST {
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        let mut query = kept.ledger.read().prepare(&sql).unwrap();
        let steps = query.raw_query().mapped(|row| row.get::<_, String>(3));
        for step in steps.map(Result::unwrap) {
            let looks_at_entries = step.contains(" entries") || step.contains(" asking");
            // All of it, in the case of what was said of consent as a whole: that is rare.
            let narrow = step.starts_with("SEARCH")
                || step.contains("USING INDEX withdrawal")
                || step.contains("USING COVERING INDEX withdrawal");
            assert!(narrow || !looks_at_entries, "{sql}: {step}");
        }
    }
}
