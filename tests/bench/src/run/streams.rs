//! psk-server, forwarding, beside stunnel.

use super::{Run, in_turns, rates};
use crate::client::{GROUP, SUITE};
use crate::failure::Failure;
use crate::image;
use crate::machine;
use crate::measure::throughput::{self, Direction};
use crate::measure::{handshakes, latency, memory};
use crate::server::{Bench, Kind, Running};
use crate::table::{Columns, Reach, Row, Table, Unit};

/// The two forms of s_server share a column.
const COLUMNS: Columns = Columns {
    servers: &[
        Kind::PskServer.name(),
        Kind::Stunnel.name(),
        Kind::OpensslEcho.name(),
        Kind::PlainProxy.name(),
        Kind::Direct.name(),
    ],
    rivals: &[Kind::Stunnel.name()],
};

pub fn table(run: &Run<'_>) -> Result<Table, Failure> {
    let versions = [
        machine::version("stunnel", "-version"),
        machine::version("openssl", "version"),
    ];
    let protocol = format!(
        "TLS 1.3, psk_dhe_ke, {SUITE}, {GROUP}; TCP with {}. {}",
        run.congestion_control,
        versions.join(", ")
    );
    let mut table = Table::new(run.caption(&protocol), COLUMNS);
    let bench = Bench::new(run.processors.clone(), run.asked.psk_server.clone())?;
    for direction in [Direction::Down, Direction::Up] {
        for streams in [1, run.plan.streams] {
            let name = throughput::name(direction, streams);
            if run.wants(&name) {
                throughputs(run, &bench, &name, direction, streams, &mut table)?;
            }
        }
    }
    if run.wants(handshakes::NAME) {
        handshakes(run, &bench, &mut table)?;
    }
    if run.wants(latency::NAME) {
        latencies(run, &bench, &mut table)?;
    }
    if run.wants(memory::NAME) {
        memory(run, &bench, &mut table)?;
    }
    if run.wants(image::NAME) {
        let size = image::size(&run.asked.digests)? as f64;
        table.add(
            Row::new(image::NAME, Unit::Megabytes)
                .with(Kind::PskServer.name(), vec![size])
                .reach(Reach::AtMost(6e6)),
        );
    }
    Ok(table)
}

fn turns<T>(
    bench: &Bench,
    name: &str,
    kinds: &[Kind],
    rounds: usize,
    measure: impl Fn(&Running<'_>) -> Result<T, Failure>,
) -> Result<Vec<(&'static str, Vec<T>)>, Failure> {
    in_turns(name, kinds, Kind::name, rounds, |kind| {
        measure(&bench.start(kind)?)
    })
}

fn throughputs(
    run: &Run<'_>,
    bench: &Bench,
    name: &str,
    direction: Direction,
    streams: usize,
    table: &mut Table,
) -> Result<(), Failure> {
    let mut kinds = vec![Kind::PskServer, Kind::Stunnel, Kind::PlainProxy];
    if (direction, streams) == (Direction::Down, 1) {
        kinds.push(Kind::OpensslFile);
    }
    let plan = run.plan;
    let turns = turns(bench, name, &kinds, plan.rounds, |server| {
        throughput::measure(server, direction, streams, plan)
    })?;
    rates(
        table,
        name,
        Unit::MegabytesPerSecond,
        Some(Reach::Times(1.2)),
        &turns,
    );
    Ok(())
}

fn handshakes(run: &Run<'_>, bench: &Bench, table: &mut Table) -> Result<(), Failure> {
    let name = handshakes::NAME;
    let kinds = [Kind::PskServer, Kind::Stunnel, Kind::OpensslEcho];
    let plan = run.plan;
    let turns = turns(bench, name, &kinds, plan.rounds, |server| {
        handshakes::measure(server, plan)
    })?;
    rates(
        table,
        name,
        Unit::PerSecond,
        Some(Reach::Times(1.2)),
        &turns,
    );
    Ok(())
}

fn latencies(run: &Run<'_>, bench: &Bench, table: &mut Table) -> Result<(), Failure> {
    let kinds = [
        Kind::PskServer,
        Kind::Stunnel,
        Kind::OpensslEcho,
        Kind::PlainProxy,
        Kind::Direct,
    ];
    let plan = run.plan;
    let turns = turns(bench, latency::NAME, &kinds, plan.rounds, |server| {
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
        for (server, samples) in &turns {
            row = row.with(server, samples.iter().map(pick).collect());
        }
        table.add(row);
    }
    Ok(())
}

fn memory(run: &Run<'_>, bench: &Bench, table: &mut Table) -> Result<(), Failure> {
    let kinds = [Kind::PskServer, Kind::Stunnel];
    let plan = run.plan;
    let name = format!("{}, each of {}", memory::NAME, plan.idle);
    let turns = turns(bench, &name, &kinds, plan.idle_rounds, |server| {
        memory::measure(server, plan)
    })?;
    let mut row = Row::new(name, Unit::Kibibytes).reach(Reach::AtMost(40.0 * 1024.0));
    for (server, samples) in turns {
        row = row.with(server, samples);
    }
    table.add(row);
    Ok(())
}
