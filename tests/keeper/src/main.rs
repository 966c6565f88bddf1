//! How many releases a second one keeper gives, the ledger written to the disk each time:
//! `./bazelw run //tests/keeper:releases`.
//!
//! Clients and the simulator, which signs a token for every release, share the machine with the keeper: the keeper's own
//! processor time is what carries over to other machines.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Duration;

use mcbn_tests_keeper::releases::Load;

const CLIENTS: usize = 16;
const TURNS: usize = 5;
const LENGTH: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let load = Load::new(CLIENTS);
    println!("{CLIENTS} clients, {TURNS} turns of {} s", LENGTH.as_secs());
    println!("| releases/s | keeper's processor time each, µs | p50, ms | p99, ms |");
    println!("|---:|---:|---:|---:|");
    let mut all = 0;
    for _ in 0..TURNS {
        let turn = runtime.block_on(load.turn(LENGTH));
        all += turn.releases;
        let at =
            |share: usize| turn.latencies[(turn.releases - 1) * share / 100].as_secs_f64() * 1e3;
        println!(
            "| {:.0} | {:.0} | {:.1} | {:.1} |",
            turn.releases as f64 / turn.seconds,
            turn.processor_seconds * 1e6 / turn.releases as f64,
            at(50),
            at(99),
        );
    }
    load.keeper.end().expect_code(0);
    let entries = load
        .house
        .log()
        .iter()
        .filter(|kind| *kind == "released")
        .count();
    assert_eq!(
        entries, all,
        "every release stands in the ledger, and nothing else"
    );
    println!(
        "ledger: {entries} releases, sound: {}",
        load.house.says("log verify").trim()
    );
    ExitCode::SUCCESS
}
