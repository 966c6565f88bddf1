//! The file itself.

use super::*;
use crate::keeper::ledger::file::open;
use rusqlite::Connection;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

fn in_a_folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger");
    (folder, path)
}

#[track_caller]
fn refused(path: &Path, how: Open, why: &str) {
    match open(path, how) {
        Err(error) => assert_eq!(error.to_string(), why),
        Ok(_) => panic!("it was opened"),
    }
}

#[test]
fn only_its_owner_can_open_it() {
    let kept = Kept::new();
    for file in fs::read_dir(kept.folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
    }
}

#[test]
fn a_file_that_others_can_open_is_refused() {
    let (_folder, path) = in_a_folder();
    drop(Ledger::open(&path, Open::OrCreate).unwrap());
    for mode in [0o604, 0o602, 0o640, 0o620] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        refused(
            &path,
            Open::Existing,
            "other users of this machine can open the ledger",
        );
    }
}

#[test]
fn a_ledger_that_is_not_there_is_not_made_by_reading() {
    let (_folder, path) = in_a_folder();
    refused(&path, Open::Existing, "there is no ledger");
    assert!(!path.exists());
}

#[test]
fn a_file_that_is_not_a_ledger_is_refused_and_left_as_it_is() {
    let (folder, path) = in_a_folder();
    let private = Permissions::from_mode(0o600);
    fs::write(&path, "a text that somebody may want to keep").unwrap();
    fs::set_permissions(&path, private.clone()).unwrap();
    refused(&path, Open::OrCreate, "the file is not a keeper's ledger");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "a text that somebody may want to keep"
    );

    let other = folder.path().join("other");
    let connection = Connection::open(&other).unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(connection);
    fs::set_permissions(&other, private.clone()).unwrap();
    refused(&other, Open::OrCreate, "the file is not a keeper's ledger");

    let empty = folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    fs::set_permissions(&empty, private).unwrap();
    refused(&empty, Open::Existing, "the file is not a keeper's ledger");
    refused(
        folder.path(),
        Open::OrCreate,
        "the file is not a keeper's ledger",
    );
}

#[test]
fn a_ledger_of_another_version_is_refused() {
    let (_folder, path) = in_a_folder();
    let ledger = Ledger::open(&path, Open::OrCreate).unwrap();
    ledger
        .connection
        .pragma_update(None, "user_version", 2)
        .unwrap();
    drop(ledger);
    refused(
        &path,
        Open::Existing,
        "the ledger was made by another version of this program",
    );
}

#[test]
fn a_ledger_with_a_trigger_more_is_refused() {
    for change in [
        "CREATE TRIGGER t AFTER INSERT ON entries BEGIN SELECT 1; END",
        "DROP TRIGGER no_entry_is_changed",
        "DROP INDEX standing; CREATE INDEX standing ON entries (instance, seq) WHERE kind IN ('approved')",
        "CREATE VIEW v AS SELECT 1",
    ] {
        let (_folder, path) = in_a_folder();
        let ledger = Ledger::open(&path, Open::OrCreate).unwrap();
        ledger.connection.execute_batch(change).unwrap();
        drop(ledger);
        refused(
            &path,
            Open::Existing,
            "the ledger has other tables than it should",
        );
    }
}

#[test]
fn an_entry_is_neither_changed_nor_removed() {
    let mut kept = Kept::new();
    kept.release(0, "i", 1);
    for change in [
        "UPDATE entries SET kind = 'approved'",
        "DELETE FROM entries",
    ] {
        let error = kept.ledger.connection.execute(change, ()).unwrap_err();
        assert_eq!(error.to_string(), "append only");
    }
}

#[test]
fn a_ledger_that_was_moved_away_is_not_written() {
    let mut kept = Kept::new();
    kept.release(0, "i", 1);
    let path = kept.folder.path().join("ledger");
    fs::rename(&path, kept.folder.path().join("elsewhere")).unwrap();
    let append = |kept: &mut Kept| kept.ledger.append(Time(0), |_| Ok(()));
    assert!(matches!(append(&mut kept), Err(Fault::Replaced)));
    fs::rename(kept.folder.path().join("elsewhere"), &path).unwrap();
    assert!(append(&mut kept).is_ok());
    // Nor is it when another one stands in its place.
    fs::rename(&path, kept.folder.path().join("elsewhere")).unwrap();
    let _other = Ledger::open(&path, Open::OrCreate);
    assert!(path.exists());
    assert!(matches!(append(&mut kept), Err(Fault::Replaced)));
}

#[test]
fn a_ledger_whose_end_was_cut_off_is_not_written() {
    let mut kept = Kept::new();
    kept.release(0, "i", 1);
    kept.release(0, "j", 2);
    let thief = Connection::open(kept.folder.path().join("ledger")).unwrap();
    thief
        .execute_batch("DROP TRIGGER no_entry_is_removed; DELETE FROM entries WHERE seq = 2")
        .unwrap();
    let append = kept.ledger.append(Time(0), |_| Ok(()));
    assert!(matches!(append, Err(Fault::Rewritten)));
}

#[test]
fn many_can_make_it_at_the_same_time() {
    let (_folder, path) = in_a_folder();
    std::thread::scope(|scope| {
        let open = || Ledger::open(&path, Open::OrCreate).map(|ledger| ledger.seen);
        let all: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        for one in all {
            assert_eq!(one.join().unwrap().unwrap(), Head::START);
        }
    });
}

#[test]
fn another_process_is_heard_at_once() {
    let mut kept = Kept::new();
    let mut person = kept.again();
    assert_eq!(kept.release(0, "i", 1), granted(0));
    let word = named(Word::RevokeLease, lease(1));
    let said = person.append(Time(0), |page| say(page, &word, BY)).unwrap();
    assert_eq!(said, Ok(Some(instance("i").id())));
    assert_eq!(kept.renew(1, "i", 1), Decision::Refused(Code::Withdrawn));
    kept.release(1, "j", 2);
    assert_eq!(super::verify::verified(&person).seq, 3);
}
