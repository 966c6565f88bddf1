//! Whatever is changed in a ledger is found, and its place is named.

use super::*;
use crate::keeper::ledger::verify::{Unsound, What, verify};

pub fn verified(ledger: &Ledger) -> Head {
    verify(ledger, None).unwrap()
}

/// One entry of each kind, somebody's change, and what is then said.
fn after(change: &str) -> Result<Head, Unsound> {
    let kept = one_of_each_kind();
    let triggers = "DROP TRIGGER no_entry_is_changed; DROP TRIGGER no_entry_is_removed;";
    kept.ledger
        .connection
        .execute_batch(&format!("{triggers}{change}"))
        .unwrap();
    verify(&kept.ledger, None)
}

fn one_of_each_kind() -> Kept {
    let mut kept = Kept::new();
    let id = instance("i").id();
    let reasons = vec!["debug".parse().unwrap()];
    kept.ledger
        .append(Time(1), |page| {
            page.write(Event::Started {
                participant: "alice".parse().unwrap(),
                pin: mcbn_manifest::Pin([7; 32]),
                manifest: ManifestDigest([1; 32]),
            })?;
            page.write(Event::Refused {
                code: Code::Policy,
                reasons: reasons.clone(),
                subject: Some("somewhere".into()),
                image: None,
                findings: findings(),
            })?;
            page.write(Event::Counted {
                code: Code::Token,
                reasons,
                count: 12,
                since: Time(0),
            })
        })
        .unwrap();
    kept.decide(0, &ASKING, release("i", 1));
    kept.say(&named(Word::Approve, id)).unwrap();
    kept.release(0, "i", 1);
    kept.renew(1, "i", 1);
    kept.say(&named(Word::RevokeInstance, id)).unwrap();
    kept.say(&named(Word::Deny, id)).unwrap();
    kept.say(&Word::Withdraw).unwrap();
    kept.say(&Word::Restore).unwrap();
    kept
}

const ALL: u64 = 11;

#[test]
fn what_was_written_is_sound() {
    let kept = one_of_each_kind();
    assert_eq!(
        kept.kinds(),
        [
            "started",
            "refused",
            "counted",
            "pending",
            "approved",
            "released",
            "renewed",
            "revoked",
            "denied",
            "withdrawn",
            "restored"
        ]
    );
    let head = verified(&kept.ledger);
    assert_eq!(head.seq, ALL);
    assert_eq!(head, kept.head());
    assert_eq!(verified(&kept.again()), head);
}

#[test]
fn an_empty_ledger_is_sound() {
    assert_eq!(verified(&Kept::new().ledger), Head::START);
}

#[test]
fn a_changed_body_is_found() {
    for seq in 1..=ALL {
        let change =
            format!("UPDATE entries SET body = CAST(body || ' ' AS BLOB) WHERE seq = {seq}");
        let what = What::Hash;
        assert_eq!(after(&change), Err(Unsound::Wrong { seq, what }));
    }
}

#[test]
fn a_changed_hash_is_found() {
    for seq in 1..=ALL {
        let change = format!("UPDATE entries SET hash = zeroblob(32) WHERE seq = {seq}");
        let what = What::Hash;
        assert_eq!(after(&change), Err(Unsound::Wrong { seq, what }));
    }
}

#[test]
fn a_changed_column_is_found() {
    for (column, value) in [
        ("time", "time + 1"),
        ("kind", "'approved!'"),
        ("instance", "'00112233445566778899aabbccddeeff'"),
        ("lease", "'00112233445566778899aabbccddeeff'"),
        ("until", "99"),
    ] {
        for seq in 1..=ALL {
            let change = format!("UPDATE entries SET {column} = {value} WHERE seq = {seq}");
            let what = What::Columns;
            assert_eq!(
                after(&change),
                Err(Unsound::Wrong { seq, what }),
                "{change}"
            );
        }
    }
}

#[test]
fn an_entry_that_is_gone_is_found() {
    for seq in 1..ALL {
        let change = format!("DELETE FROM entries WHERE seq = {seq}");
        assert_eq!(after(&change), Err(Unsound::Gone { seq }));
    }
}

#[test]
fn entries_in_another_order_are_found() {
    let change = "UPDATE entries SET seq = 100 WHERE seq = 3;
                  UPDATE entries SET seq = 3 WHERE seq = 4;
                  UPDATE entries SET seq = 4 WHERE seq = 100";
    let what = What::Hash;
    assert_eq!(after(change), Err(Unsound::Wrong { seq: 3, what }));
}

/// With its hash made to fit, as only a program can.
#[test]
fn an_entry_that_is_not_written_as_it_should_be_is_found() {
    let whole = r#"{"time":1,"kind":"withdrawn","by":{"via":"command","uid":0}}"#;
    assert!(Entry::from_bytes(whole.as_bytes()).is_some());
    for body in [
        "",
        "{}",
        r#"{"time":1,"kind":"withdrawn"}"#,
        r#"{"time":1,"kind":"withdrawn","by":{"via":"command","uid":0}} "#,
        r#"{"kind":"withdrawn","time":1,"by":{"via":"command","uid":0}}"#,
        r#"{"time":1,"kind":"withdrawn","by":{"via":"command","uid":0},"more":1}"#,
        // A field of another kind of entry.
        r#"{"time":1,"kind":"withdrawn","count":1,"by":{"via":"command","uid":0}}"#,
        r#"{"time":1,"kind":"withdrawn","lease":null,"by":{"via":"command","uid":0}}"#,
    ] {
        let mut kept = Kept::new();
        kept.say(&Word::Withdraw).unwrap();
        let next = kept.head().then(body.as_bytes());
        kept.ledger
            .connection
            .execute(
                "INSERT INTO entries (seq, body, hash, time, kind) VALUES (2, ?1, ?2, 1, 'withdrawn')",
                (body.as_bytes(), next.hash.0),
            )
            .unwrap();
        let what = What::Form;
        let found = verify(&kept.ledger, None);
        assert_eq!(found, Err(Unsound::Wrong { seq: 2, what }), "{body}");
    }
}

#[test]
fn an_end_that_was_cut_off_is_found_with_a_noted_head() {
    let kept = one_of_each_kind();
    let noted = Some(kept.head().hash);
    assert!(verify(&kept.ledger, noted).is_ok());
    assert!(verify(&kept.ledger, Some(Head::START.hash)).is_ok());
    kept.ledger
        .connection
        .execute_batch("DROP TRIGGER no_entry_is_removed; DELETE FROM entries WHERE seq = 11")
        .unwrap();
    // In itself it is sound.
    let head = verify(&kept.ledger, None).unwrap();
    assert_eq!(head.seq, 10);
    assert_eq!(
        verify(&kept.ledger, noted),
        Err(Unsound::NotPassed { head })
    );
}

#[test]
fn a_ledger_that_went_on_still_has_the_noted_head() {
    let mut kept = Kept::new();
    kept.release(0, "i", 1);
    let noted = kept.head().hash;
    kept.release(0, "j", 2);
    assert!(verify(&kept.ledger, Some(noted)).is_ok());
    // Another ledger has not.
    let mut other = Kept::new();
    other.release(0, "j", 2);
    assert!(verify(&other.ledger, Some(noted)).is_err());
}
