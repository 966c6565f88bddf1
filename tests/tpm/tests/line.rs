//! Many ask for keys and one TPM makes them: in order, within deadlines and a bound, while it is there.

use std::fs;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use mcbn_psk::{KeySource, NoKey};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::session_keys::KEY;
use mcbn_tests_support::swtpm::Swtpm;
use mcbn_tests_tpm::host::Host;
use mcbn_tests_tpm::ours::{config, hmac, imported, message, order, randoms, session_key};
use mcbn_tests_tpm::raw::{self, GET_CAPABILITY, HMAC};
use mcbn_tests_tpm::shared::Shared;
use mcbn_tpm::{KeyConfig, KeyInTpm, Layout, Metrics};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

const UNREACHABLE: NoKey = NoKey("the TPM cannot be reached");
const LATE: NoKey = NoKey("the TPM did not answer in time");

/// A line before a TPM, and what a test knows of it.
struct Line {
    key: Arc<KeyInTpm>,
    /// What it says of whether the TPM can be reached.
    reachable: Receiver<bool>,
    metrics: Metrics,
}

impl Line {
    fn open(config: KeyConfig, seats: usize) -> Self {
        let (tell, reachable) = channel();
        let metrics = Metrics::default();
        let key = KeyInTpm::open(
            config,
            Layout::Random32,
            seats,
            metrics.clone(),
            move |is| {
                // The test may be over.
                let _ = tell.send(is);
            },
        );
        let new = Self {
            key: Arc::new(key.unwrap()),
            reachable,
            metrics,
        };
        assert!(new.is_reachable());
        new
    }

    /// Before a TPM with the published permanent key, on a way that the test sees.
    fn watched(tpm: &Swtpm, seats: usize) -> (Shared, Self) {
        let shared = Shared::to(tpm);
        let config = KeyConfig {
            tcti: shared.tcti(),
            ..config(tpm, &imported(&order(tpm)))
        };
        let line = Self::open(config, seats);
        (shared, line)
    }

    /// What it says next.
    fn is_reachable(&self) -> bool {
        self.reachable
            .recv_timeout(DEADLINE)
            .expect("it says something")
    }

    fn ask(&self, number: u8) -> Result<[u8; 32], NoKey> {
        session_key(&*self.key, &randoms(number), None)
    }

    /// Asks from a thread of its own, and returns when that waits. The answer comes with its number.
    fn stand_in_line(&self, number: u8, answers: &Sender<(u8, Result<[u8; 32], NoKey>)>) {
        let (key, answers) = (Arc::clone(&self.key), answers.clone());
        let (tell, told) = channel();
        thread::spawn(move || {
            tell.send(rustix::thread::gettid()).unwrap();
            let answer = session_key(&*key, &randoms(number), None);
            let _ = answers.send((number, answer));
        });
        let thread = told.recv_timeout(DEADLINE).unwrap();
        let asleep = || {
            let path = format!("/proc/self/task/{}/stat", thread.as_raw_nonzero());
            // It is gone when it was answered.
            fs::read_to_string(path).is_ok_and(|stat| stat.contains(") S "))
        };
        let start = Instant::now();
        while !asleep() {
            assert!(start.elapsed() < DEADLINE, "it does not wait");
            thread::yield_now();
        }
    }

    /// Asks again and again, until the answer is that one.
    fn ask_until(&self, refused: NoKey) {
        let start = Instant::now();
        while self.ask(1) != Err(refused) {
            assert!(start.elapsed() < DEADLINE, "{:?}", self.ask(1));
            thread::yield_now();
        }
    }

    fn counted(&self, outcome: &str) -> u32 {
        let mut registry = Registry::default();
        self.metrics.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let name = format!("tpm_keys_total{{outcome=\"{outcome}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |count| count.parse().unwrap())
    }
}

fn expected(number: u8) -> [u8; 32] {
    hmac(KEY, message(number).as_bytes())
}

#[test]
fn requests_are_served_in_the_order_in_which_they_came() {
    let tpm = Swtpm::start();
    let (shared, line) = Line::watched(&tpm, 8);
    shared.hold(HMAC);
    let (sender, answers) = channel();
    for number in 1..=6 {
        line.stand_in_line(number, &sender);
        shared.wait_until_held();
    }
    for number in 1..=6 {
        shared.wait_until_held();
        shared.let_one_go();
        let answer = answers.recv_timeout(DEADLINE).unwrap();
        assert_eq!(answer, (number, Ok(expected(number))));
    }
    assert_eq!(line.counted("made"), 6);
}

#[test]
fn more_requests_than_the_bound_are_refused() {
    let tpm = Swtpm::start();
    let (shared, line) = Line::watched(&tpm, 2);
    shared.hold(HMAC);
    let (sender, answers) = channel();
    // One is with the TPM, and two wait.
    line.stand_in_line(1, &sender);
    shared.wait_until_held();
    line.stand_in_line(2, &sender);
    line.stand_in_line(3, &sender);
    for number in 4..=5 {
        let refused = line.ask(number).unwrap_err();
        assert_eq!(refused, NoKey("too many sessions wait for the TPM"));
    }
    shared.let_go();
    let mut served: Vec<u8> = (0..3)
        .map(|_| answers.recv_timeout(DEADLINE).unwrap())
        .map(|(number, answer)| {
            assert_eq!(answer, Ok(expected(number)));
            number
        })
        .collect();
    served.sort_unstable();
    assert_eq!(served, [1, 2, 3]);
    // Who comes now finds room.
    assert_eq!(line.ask(6), Ok(expected(6)));
}

#[test]
fn there_are_as_many_seats_as_may_wait() {
    let tpm = Swtpm::start();
    let (_shared, line) = Line::watched(&tpm, 3);
    let seats = line.key.seats().unwrap();
    assert_eq!(seats.available_permits(), 3);
    assert!(Arc::ptr_eq(&seats, &line.key.seats().unwrap()));
}

#[test]
fn a_request_whose_deadline_has_passed_is_not_sent_to_the_tpm() {
    let tpm = Swtpm::start();
    let (shared, line) = Line::watched(&tpm, 8);
    let before = shared.commands(HMAC);
    shared.hold(HMAC);
    let (sender, answers) = channel();
    line.stand_in_line(1, &sender);
    shared.wait_until_held();
    // Behind the first one until its deadline.
    let soon = Some(Instant::now() + Duration::from_millis(20));
    assert_eq!(session_key(&*line.key, &randoms(2), soon), Err(LATE));
    let past = Some(Instant::now());
    assert_eq!(session_key(&*line.key, &randoms(3), past), Err(LATE));
    shared.let_go();
    assert_eq!(
        answers.recv_timeout(DEADLINE).unwrap(),
        (1, Ok(expected(1)))
    );
    assert_eq!(line.ask(4), Ok(expected(4)));
    assert_eq!(shared.commands(HMAC) - before, 2);
    assert_eq!((line.counted("made"), line.counted("late")), (2, 2));
}

#[test]
fn a_request_that_the_tpm_is_long_about_ends_at_its_deadline() {
    let tpm = Swtpm::start();
    let (shared, line) = Line::watched(&tpm, 8);
    shared.hold(HMAC);
    let soon = Some(Instant::now() + Duration::from_millis(20));
    assert_eq!(session_key(&*line.key, &randoms(1), soon), Err(LATE));
    shared.let_go();
    // The answer that came too late is nobody else's.
    assert_eq!(line.ask(2), Ok(expected(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_slow_tpm_holds_up_no_other_task() {
    let tpm = Swtpm::start();
    let (shared, line) = Line::watched(&tpm, 8);
    shared.hold(HMAC);
    let key = Arc::clone(&line.key);
    let asking = tokio::spawn(async move { session_key(&*key, &randoms(1), None) });
    shared.wait_until_held();
    // There is one worker for all.
    tokio::spawn(async {}).await.unwrap();
    shared.let_go();
    assert_eq!(asking.await.unwrap(), Ok(expected(1)));
}

#[tokio::test(flavor = "current_thread")]
async fn a_runtime_of_one_thread_gets_keys_too() {
    let tpm = Swtpm::start();
    let (_shared, line) = Line::watched(&tpm, 1);
    assert_eq!(line.ask(1), Ok(expected(1)));
}

// A TPM that goes away.

#[test]
fn a_lost_tpm_fails_requests_at_once_and_is_found_again() {
    let mut tpm = Swtpm::start();
    let line = Line::open(config(&tpm, &imported(&order(&tpm))), 8);
    assert_eq!(line.ask(1), Ok(expected(1)));
    for _ in 0..2 {
        tpm.kill();
        assert_eq!(line.ask(2), Err(UNREACHABLE));
        assert!(!line.is_reachable());
        assert_eq!(line.ask(3), Err(UNREACHABLE));
        tpm.start_again();
        assert!(line.is_reachable());
        assert_eq!(line.ask(1), Ok(expected(1)));
    }
    assert_eq!((line.counted("made"), line.counted("failed")), (3, 4));
}

#[test]
fn a_tpm_that_is_lost_during_a_request_fails_it_and_all_that_wait() {
    let mut tpm = Swtpm::start();
    let (shared, line) = Line::watched(&tpm, 8);
    shared.hold(HMAC);
    let (sender, answers) = channel();
    line.stand_in_line(1, &sender);
    shared.wait_until_held();
    line.stand_in_line(2, &sender);
    line.stand_in_line(3, &sender);
    tpm.kill();
    shared.let_go();
    for _ in 1..=3 {
        let (_, answer) = answers.recv_timeout(DEADLINE).unwrap();
        assert_eq!(answer, Err(UNREACHABLE));
    }
    assert!(!line.is_reachable());
    tpm.start_again();
    assert!(line.is_reachable());
    assert_eq!(line.ask(1), Ok(expected(1)));
}

#[test]
fn requests_fail_at_once_while_a_lost_tpm_is_looked_for() {
    let mut tpm = Swtpm::start();
    let (shared, line) = Line::watched(&tpm, 8);
    // With this the next connection begins.
    shared.hold(GET_CAPABILITY);
    tpm.kill();
    assert_eq!(line.ask(1), Err(UNREACHABLE));
    assert!(!line.is_reachable());
    shared.wait_until_held();
    // Whoever looks waits for an answer, which may take as long as the TPM may take for one command.
    assert_eq!(line.ask(2), Err(UNREACHABLE));
    tpm.start_again();
    shared.let_go();
    assert!(line.is_reachable());
    assert_eq!(line.ask(3), Ok(expected(3)));
}

#[test]
fn a_tpm_that_does_not_answer_is_lost() {
    let tpm = Swtpm::start();
    let line = Line::open(
        KeyConfig {
            // Long enough for a TPM that is well, on most days.
            limit: Duration::from_secs(5),
            ..config(&tpm, &imported(&order(&tpm)))
        },
        8,
    );
    tpm.pause();
    assert_eq!(line.ask(1), Err(UNREACHABLE));
    assert!(!line.is_reachable());
    tpm.resume();
    assert!(line.is_reachable());
    assert_eq!(line.ask(1), Ok(expected(1)));
}

#[test]
fn a_tpm_that_was_reset_is_asked_anew() {
    let mut tpm = Swtpm::start();
    let (_shared, line) = Line::watched(&tpm, 8);
    tpm.kill();
    tpm.start_again();
    assert_eq!(line.ask(1), Err(NoKey("the TPM was reset")));
    assert!(!line.is_reachable());
    assert!(line.is_reachable());
    assert_eq!(line.ask(1), Ok(expected(1)));
}

#[test]
fn a_sealed_key_comes_back_with_its_pcrs() {
    let mut host = Host::new();
    let shared = Shared::to(&host.tpm);
    let file = imported(&mcbn_tpm::Order {
        pcrs: Some("sha256:16".parse().unwrap()),
        ..order(&host.tpm)
    });
    let line = Line::open(
        KeyConfig {
            tcti: shared.tcti(),
            ..config(&host.tpm, &file)
        },
        8,
    );
    assert_eq!(line.ask(1), Ok(expected(1)));
    let extend =
        "pcrextend 16:sha256=00000000000000000000000000000000000000000000000000000000000000aa";
    host.tool_by(&shared.words(), extend).expect_code(0);
    let refused = line.ask(2).unwrap_err();
    assert_eq!(
        refused.0,
        "the PCRs are not those that the key is sealed to"
    );
    assert!(!line.is_reachable());
    host.tpm.kill();
    host.tpm.start_again();
    assert!(line.is_reachable());
    assert_eq!(line.ask(1), Ok(expected(1)));
}

// What time does not mend.

#[test]
fn a_tpm_that_was_cleared_is_not_looked_for_again() {
    let host = Host::new();
    let (shared, line) = Line::watched(&host.tpm, 8);
    host.tool_by(&shared.words(), "clear -c p").expect_code(0);
    line.ask(1).unwrap_err();
    assert!(!line.is_reachable());
    let why = NoKey("the key was not made by this TPM under this parent");
    line.ask_until(why);
    let connections = shared.connections();
    for number in 2..5 {
        assert_eq!(line.ask(number), Err(why));
    }
    assert_eq!(shared.connections(), connections);
    drop(line);
    assert!(raw::loaded(&host.tpm).is_empty());
}

#[test]
fn a_wrong_authorization_value_is_not_tried_again() {
    let mut host = Host::new();
    let (shared, line) = Line::watched(&host.tpm, 8);
    host.tool_by(&shared.words(), "changeauth -c o ownerword")
        .expect_code(0);
    // What is loaded is not the owner's business any more.
    assert_eq!(line.ask(1), Ok(expected(1)));
    host.tpm.kill();
    host.tpm.start_again();
    line.ask(1).unwrap_err();
    assert!(!line.is_reachable());
    let why = NoKey("the parent's authorization value is wrong or missing");
    line.ask_until(why);
    assert_eq!(line.ask(2), Err(why));
}

// The end.

#[test]
fn a_line_that_is_dropped_while_the_tpm_is_at_work_flushes_after_it() {
    let tpm = Swtpm::start();
    let (shared, line) = Line::watched(&tpm, 8);
    shared.hold(HMAC);
    let soon = Some(Instant::now() + Duration::from_millis(20));
    assert_eq!(session_key(&*line.key, &randoms(1), soon), Err(LATE));
    shared.wait_until_held();
    let dropped = thread::spawn(move || drop(line));
    shared.let_go();
    dropped.join().unwrap();
    assert!(raw::loaded(&tpm).is_empty());
}

#[test]
fn a_line_that_is_dropped_while_the_tpm_is_away_ends() {
    let mut tpm = Swtpm::start();
    let line = Line::open(config(&tpm, &imported(&order(&tpm))), 8);
    tpm.kill();
    assert_eq!(line.ask(1), Err(UNREACHABLE));
    drop(line);
}
