//! A process that is killed, and a disk that is full.

use super::*;
use crate::keeper::ledger::verify::verify;
use crate::keeper::ledger::writer;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Says to [`a_keeper_that_is_killed`] that it is the program to be killed, and where its ledger is.
const LEDGER: &str = "LEDGER_OF_THE_KEEPER_TO_KILL";

/// Not a test on its own: [`no_answered_entry_is_lost_when_the_process_is_killed`] starts it, and kills it.
#[test]
#[ignore = "it is the program that another test kills"]
fn a_keeper_that_is_killed() {
    let Some(path) = std::env::var_os(LEDGER) else {
        return;
    };
    let ledger = Ledger::open(Path::new(&path), Open::Existing).unwrap();
    let (writer, _thread) = writer::start(ledger, TERMS, Arc::new(|| Time(0))).unwrap();
    let number = Arc::new(AtomicU64::new(u64::from(std::process::id()) << 32));
    Runtime::new().unwrap().block_on(async {
        let mut asking = JoinSet::new();
        for _ in 0..32 {
            let (writer, number) = (writer.clone(), Arc::clone(&number));
            asking.spawn(async move {
                loop {
                    let number = number.fetch_add(1, Ordering::Relaxed);
                    let mut name = [0; 16];
                    name[..8].copy_from_slice(&number.to_be_bytes());
                    let lease = LeaseId::from(mcbn_consent::message::Lease(name));
                    let wish = Wish::Release {
                        instance: instance("i"),
                        findings: findings(),
                        lease,
                    };
                    writer.decide(wish).await.unwrap();
                    // One write a line: what is on its way when the process dies arrives whole or not at all.
                    let line = format!("{lease}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
        asking.join_next().await;
    });
}

#[test]
fn no_answered_entry_is_lost_when_the_process_is_killed() {
    let kept = Kept::new();
    let path = kept.folder.path().join("ledger");
    let mut answered = Vec::new();
    for round in 1..=5 {
        let mut keeper = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "keeper::ledger::tests::crash::a_keeper_that_is_killed",
            ])
            .args(["--ignored", "--nocapture", "--test-threads=1"])
            .env(LEDGER, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(keeper.stdout.take().unwrap()).lines();
        let mut seen = 0;
        for line in lines.by_ref() {
            // The test runner's own words stand on lines of their own.
            answered.extend(line.unwrap().parse::<LeaseId>());
            seen += 1;
            // In the middle of a group, as other groups have been answered by then.
            if seen == 100 * round {
                keeper.kill().unwrap();
            }
        }
        keeper.wait().unwrap();

        let ledger = kept.again();
        let head = verify(&ledger, None).unwrap();
        for lease in &answered {
            let found = state::holders(ledger.read(), &lease.to_string()).unwrap();
            assert_eq!(found, [instance("i").id()], "{lease} is lost");
        }
        assert!(head.seq >= answered.len() as u64);
    }
    assert!(answered.len() >= 1000, "{} answers", answered.len());
}

#[test]
fn a_full_disk_releases_nothing_and_is_survived() {
    let kept = Kept::new();
    let pages: i64 = kept
        .ledger
        .connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    let room = |ledger: &Ledger, pages: i64| {
        let set = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        ledger
            .connection
            .pragma_update_and_check(None, "max_page_count", pages, set)
            .unwrap();
    };
    room(&kept.ledger, pages + 8);
    let Kept { folder, ledger } = kept;
    let fill = async |ledger| {
        let (writer, thread) = writer::start(ledger, TERMS, Arc::new(|| Time(0))).unwrap();
        let mut granted = Vec::new();
        let fault = loop {
            let number = granted.len() as u8;
            match writer.decide(release("i", number)).await {
                Ok(decision) => {
                    assert_eq!(decision, super::granted(0));
                    granted.push(lease(number));
                }
                Err(fault) => break fault,
            }
            if granted.len() == 200 {
                panic!("the disk was never full");
            }
        };
        // It goes on saying no.
        assert!(writer.decide(release("j", 201)).await.is_err());
        drop(writer);
        (thread.join().unwrap(), granted, fault)
    };
    let runtime = Runtime::new().unwrap();
    let (ledger, granted, fault) = runtime.block_on(fill(ledger));
    assert_eq!(
        fault.hint(),
        Some("make room on the ledger's disk"),
        "{fault:?}"
    );
    let head = verify(&ledger, None).unwrap();
    assert_eq!(head.seq, granted.len() as u64);

    room(&ledger, pages + 1000);
    let (writer, thread) = writer::start(ledger, TERMS, Arc::new(|| Time(0))).unwrap();
    let decision = runtime.block_on(writer.decide(release("j", 201)));
    assert_eq!(decision.unwrap(), super::granted(0));
    drop(writer);
    drop(thread.join().unwrap());

    let ledger = Ledger::open(&folder.path().join("ledger"), Open::Existing).unwrap();
    assert_eq!(verify(&ledger, None).unwrap().seq, head.seq + 1);
    for lease in granted {
        assert!(state::is_live(ledger.read(), lease, instance("i").id(), Time(1)).unwrap());
    }
}

#[test]
fn several_processes_write_one_chain() {
    let kept = Kept::new();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let mut ledger = kept.again();
            scope.spawn(move || {
                for number in 0..50 {
                    let wish = release(&format!("{worker}-{number}"), number);
                    let done = ledger.append(Time(0), |page| decide(page, wish, &TERMS));
                    assert_eq!(done.unwrap(), granted(0));
                }
            });
        }
    });
    assert_eq!(verify(&kept.again(), None).unwrap().seq, 200);
}
