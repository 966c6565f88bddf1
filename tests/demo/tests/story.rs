//! The demonstration, with plain programs.

use mcbn_tests_demo::Programs;
use mcbn_tests_demo::scenes::{Digests, Play};

/// Any two digests do: here the simulator alone says which image runs.
fn digests() -> Digests {
    let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
    Digests {
        server: digest("a"),
        client: digest("b"),
    }
}

#[test]
fn consent_is_given_and_withdrawn_and_what_was_not_agreed_on_is_refused() {
    let mut told = Vec::new();
    let mut tell = |line: &str| told.push(line.to_owned());
    Play::begin(&Programs, digests(), &mut tell).play();
    assert!(told.len() > 10, "{told:?}");
}
