//! How long ten people need to make a key: `./bazelw run //tests/ceremony:timed`.
//!
//! The program, its ten participants and the simulator, which signs a token for each of their answers, share the machine.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Arc;

use mcbn_tests_ceremony::{House, timed};

const TURNS: usize = 9;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let house = Arc::new(House::to_generate_for_ten());
    let turn = |_| runtime.block_on(timed::generate(&house));
    let mut turns: Vec<_> = (0..TURNS).map(turn).collect();
    turns.sort();
    let millis = |turn: usize| turns[turn].as_secs_f64() * 1e3;
    println!(
        "10 participants, any 7 sign: {:.0} ms ({:.0} to {:.0}) from the first connection to the last receipt, {TURNS} turns",
        millis(TURNS / 2),
        millis(0),
        millis(TURNS - 1),
    );
    ExitCode::SUCCESS
}
