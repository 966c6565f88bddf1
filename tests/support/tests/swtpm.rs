//! A TPM in software that comes and goes.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use mcbn_tests_support::swtpm::{self, Swtpm};

/// `TPM2_GetRandom` of eight bytes, without sessions.
const GET_RANDOM: [u8; 12] = [0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 8];

/// `TPM2_ReadClock`, without sessions.
const READ_CLOCK: [u8; 10] = [0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x81];

/// The bytes of an answer to [`GET_RANDOM`].
#[track_caller]
fn random(answer: &[u8]) -> [u8; 8] {
    let (header, random) = answer.split_at(12);
    assert_eq!(header, [0x80, 0x01, 0, 0, 0, 20, 0, 0, 0, 0, 0, 8]);
    random.try_into().expect("eight bytes")
}

/// How often this TPM was reset since it was made: after header, time and clock.
fn resets(tpm: &Swtpm) -> u32 {
    let answer = tpm.execute(&READ_CLOCK).unwrap();
    let count = answer[10 + 8 + 8..].first_chunk().expect("a whole answer");
    u32::from_be_bytes(*count)
}

#[test]
fn it_answers_one_command_after_another() {
    let tpm = Swtpm::start();
    let mut connection = tpm.connect().unwrap();
    let mut seen = Vec::new();
    for _ in 0..5 {
        let answer = swtpm::execute(&mut connection, &GET_RANDOM).unwrap();
        assert!(!seen.contains(&random(&answer)), "{answer:02x?}");
        seen.push(random(&answer));
    }
}

#[test]
fn a_killed_one_breaks_off_and_takes_no_connection() {
    let mut tpm = Swtpm::start();
    let mut connection = tpm.connect().unwrap();
    random(&swtpm::execute(&mut connection, &GET_RANDOM).unwrap());
    tpm.kill();
    assert!(swtpm::execute(&mut connection, &GET_RANDOM).is_err());
    let error = tpm.execute(&GET_RANDOM).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn started_again_it_is_the_same_one_at_the_same_place() {
    let mut tpm = Swtpm::start();
    let (before, socket) = (resets(&tpm), tpm.socket());
    for times in 1..=2 {
        tpm.kill();
        tpm.start_again();
        assert_eq!(resets(&tpm), before + times);
    }
    assert_eq!(tpm.socket(), socket);
    assert_eq!(resets(&Swtpm::start()), before);
}

#[test]
#[should_panic(expected = "the TPM runs already")]
fn a_second_one_on_the_same_state_is_refused() {
    Swtpm::start().start_again();
}

#[test]
fn a_paused_one_takes_commands_and_answers_when_it_is_resumed() {
    let tpm = Swtpm::start();
    tpm.pause();
    let stat = fs::read_to_string(format!("/proc/{}/stat", tpm.pid())).unwrap();
    assert!(stat.contains(") T "), "{stat}");
    let mut connection = tpm.connect().unwrap();
    connection.write_all(&GET_RANDOM).unwrap();
    tpm.resume();
    let mut answer = [0; 20];
    connection.read_exact(&mut answer).unwrap();
    random(&answer);
}

#[test]
fn the_log_shows_every_byte_of_every_life() {
    let mut tpm = Swtpm::start_with_log();
    let first = random(&tpm.execute(&GET_RANDOM).unwrap());
    tpm.kill();
    tpm.start_again();
    let second = random(&tpm.execute(&GET_RANDOM).unwrap());
    let log = tpm.log();
    for bytes in [&GET_RANDOM[..], &first, &second] {
        assert!(log.shows(bytes), "{bytes:02x?} is not in {log:02x?}");
    }
    assert!(!log.shows(&[first, second].concat()));
}

#[test]
fn a_dropped_one_is_gone_with_its_state() {
    let tpm = Swtpm::start();
    let (pid, socket) = (tpm.pid(), tpm.socket());
    assert!(socket.exists());
    drop(tpm);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(!socket.parent().expect("it is in a folder").exists());
}

#[test]
fn its_sockets_have_short_paths() {
    let tpm = Swtpm::start();
    let control = format!("{}.ctrl", tpm.socket().display());
    assert!(Path::new(&control).exists());
    assert!(control.len() <= 107, "{control}");
    assert_eq!(tpm.tcti(), format!("swtpm:path={}", tpm.socket().display()));
}
