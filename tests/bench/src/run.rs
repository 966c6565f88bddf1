//! The turns, in order, and the table that they make.

use crate::cli::Asked;
use crate::client::{GROUP, SUITE};
use crate::failure::Failure;
use crate::image;
use crate::machine::{self, Processors};
use crate::measure::throughput::Direction;
use crate::measure::{Rate, handshakes, latency, memory, throughput};
use crate::network;
use crate::plan::Plan;
use crate::server::{Bench, Kind, Running};
use crate::table::{Reach, Row, Table, Unit};

pub fn all(asked: &Asked) -> Result<Table, Failure> {
    let plan = &asked.plan;
    let size = image::size(&asked.digests)?;
    network::set_up()?;
    let description = machine::description();
    // A tunnel has two at the server, one at the client and one at the service.
    machine::allow_descriptors(2 * plan.idle + 500)?;
    let processors = Processors::divide()?;
    let versions = [
        machine::version("stunnel", "-version"),
        machine::version("openssl", "version"),
    ];
    let mut table = Table::new(format!(
        "{description}. Processors: {}. {} turns of {:.1} s each. TLS 1.3, psk_dhe_ke, {SUITE}, {GROUP}; TCP with {}. {}.",
        processors.sentence(),
        plan.rounds,
        plan.window.as_secs_f64(),
        network::congestion_control()?,
        versions.join(", "),
    ));
    let bench = Bench::new(processors, asked.psk_server.clone())?;
    let wanted = |name: &str| name.contains(&asked.only);

    for direction in [Direction::Down, Direction::Up] {
        for streams in [1, plan.streams] {
            let name = throughput::name(direction, streams);
            if wanted(&name) {
                throughputs(&bench, plan, &name, direction, streams, &mut table)?;
            }
        }
    }
    if wanted(handshakes::NAME) {
        handshakes(&bench, plan, &mut table)?;
    }
    if wanted(latency::NAME) {
        latencies(&bench, plan, &mut table)?;
    }
    if wanted(memory::NAME) {
        memory(&bench, plan, &mut table)?;
    }
    if wanted(image::NAME) {
        table.add(
            Row::new(image::NAME, Unit::Megabytes)
                .with(Kind::PskServer, &[size as f64])
                .reach(Reach::AtMost(6e6)),
        );
    }
    Ok(table)
}

fn throughputs(
    bench: &Bench,
    plan: &Plan,
    name: &str,
    direction: Direction,
    streams: usize,
    table: &mut Table,
) -> Result<(), Failure> {
    let mut kinds = vec![Kind::PskServer, Kind::Stunnel, Kind::PlainProxy];
    if (direction, streams) == (Direction::Down, 1) {
        kinds.push(Kind::OpensslFile);
    }
    let turns = in_turns(bench, name, &kinds, plan.rounds, |server| {
        throughput::measure(server, direction, streams, plan)
    })?;
    rates(table, name, Unit::MegabytesPerSecond, &turns);
    Ok(())
}

fn handshakes(bench: &Bench, plan: &Plan, table: &mut Table) -> Result<(), Failure> {
    let name = handshakes::NAME;
    let kinds = [Kind::PskServer, Kind::Stunnel, Kind::OpensslEcho];
    let turns = in_turns(bench, name, &kinds, plan.rounds, |server| {
        handshakes::measure(server, plan)
    })?;
    rates(table, name, Unit::PerSecond, &turns);
    Ok(())
}

/// A row for the clock's seconds, which has the reach, and one for the server's.
fn rates(table: &mut Table, name: &str, unit: Unit, turns: &[(Kind, Vec<Rate>)]) {
    let mut row = Row::new(name, unit).reach(Reach::TimesStunnel(1.2));
    let mut processor = Row::new(
        format!("{name}, for each second of its processor time"),
        unit,
    );
    for (kind, rates) in turns {
        let of = |pick: fn(&Rate) -> f64| rates.iter().map(pick).collect::<Vec<_>>();
        row = row.with(*kind, &of(|rate| rate.per_second));
        processor = processor.with(*kind, &of(|rate| rate.per_processor_second));
    }
    table.add(row);
    table.add(processor);
}

fn latencies(bench: &Bench, plan: &Plan, table: &mut Table) -> Result<(), Failure> {
    let kinds = [
        Kind::PskServer,
        Kind::Stunnel,
        Kind::OpensslEcho,
        Kind::PlainProxy,
        Kind::Direct,
    ];
    let turns = in_turns(bench, latency::NAME, &kinds, plan.rounds, |server| {
        latency::measure(server, plan)
    })?;
    for (name, pick) in [
        ("p50", (|turn| turn.p50) as fn(&latency::Latency) -> f64),
        ("p99", |turn| turn.p99),
    ] {
        let name = format!(
            "{} of {} bytes there and back, {name}",
            latency::NAME,
            latency::LENGTH
        );
        let mut row = Row::new(name, Unit::Microseconds);
        for (kind, samples) in &turns {
            row = row.with(*kind, &samples.iter().map(pick).collect::<Vec<_>>());
        }
        table.add(row);
    }
    Ok(())
}

fn memory(bench: &Bench, plan: &Plan, table: &mut Table) -> Result<(), Failure> {
    let kinds = [Kind::PskServer, Kind::Stunnel];
    let name = format!("{}, each of {}", memory::NAME, plan.idle);
    let turns = in_turns(bench, &name, &kinds, plan.idle_rounds, |server| {
        memory::measure(server, plan)
    })?;
    let mut row = Row::new(name, Unit::Kibibytes).reach(Reach::AtMost(40.0 * 1024.0));
    for (kind, samples) in &turns {
        row = row.with(*kind, samples);
    }
    table.add(row);
    Ok(())
}

/// Each server in turn, and all of them again: A, B, then B, A.
fn in_turns<T>(
    bench: &Bench,
    name: &str,
    kinds: &[Kind],
    rounds: usize,
    measure: impl Fn(&Running<'_>) -> Result<T, Failure>,
) -> Result<Vec<(Kind, Vec<T>)>, Failure> {
    eprintln!("bench: {name}");
    let mut turns: Vec<_> = kinds.iter().map(|kind| (*kind, Vec::new())).collect();
    for _ in 0..rounds {
        for (kind, samples) in &mut turns {
            samples.push(measure(&bench.start(*kind)?)?);
        }
        turns.reverse();
    }
    if rounds % 2 == 1 {
        turns.reverse();
    }
    Ok(turns)
}
