//! kms-mtls beside the calls to Cloud KMS alone.

use std::time::Duration;

use super::{Run, in_turns};
use crate::client::{GROUP, SUITE};
use crate::failure::Failure;
use crate::kms::{Bench, Kind, SIGNERS, Turn, measure, measure_tunnel};
use crate::machine;
use crate::table::{Columns, Reach, Row, Table, Unit};

const COLUMNS: Columns = Columns {
    servers: &[
        Kind::KmsMtls.name(),
        Kind::CallsAlone.name(),
        Kind::KeyInMemory.name(),
        Kind::NeverResuming.name(),
    ],
    rivals: &[Kind::CallsAlone.name()],
};

/// Milliseconds that a signature takes.
const EACH: [u64; 3] = [0, 5, 50];

/// Clients at a time: one has the server to itself, and the most are more than there are signers.
const CLIENTS: [usize; 4] = [1, 8, 32, 64];

/// Clients at a time of a tunnel.
const OF_TUNNEL: usize = 8;

/// Microseconds that a key in Cloud KMS may add to a handshake, beside the call.
const OVERHEAD: f64 = 1000.0;

type Pick = fn(&Turn) -> Option<f64>;

pub fn table(run: &Run<'_>) -> Result<Table, Failure> {
    let protocol = format!(
        "TLS 1.3, {SUITE}, {GROUP}, P-256 certificates at both ends; a double of Cloud KMS with {SIGNERS} signers, on the \
         client's processors; each up to the first answer of a service. {}",
        machine::version("openssl", "version"),
    );
    let mut table = Table::new(run.caption(&protocol), COLUMNS);
    let bench = Bench::new(run.processors.clone(), run.asked.kms_mtls.clone())?;
    for each in EACH {
        let load = |clients| (Duration::from_millis(each), clients);
        for clients in CLIENTS {
            let name = format!("handshakes signed in {each} ms, {clients} at a time");
            if run.wants(&name) {
                let kinds = [Kind::KmsMtls, Kind::CallsAlone, Kind::KeyInMemory];
                let turns = in_turns(&name, &kinds, Kind::name, run.plan.rounds, |kind| {
                    measure(&bench, kind, load(clients), run.plan)
                })?;
                handshakes(&mut table, &name, clients, &turns);
            }
        }
        let name = format!("connections of one peer signed in {each} ms, {OF_TUNNEL} at a time");
        if run.wants(&name) {
            let kinds = [Kind::KmsMtls, Kind::NeverResuming];
            let turns = in_turns(&name, &kinds, Kind::name, run.plan.rounds, |kind| {
                measure_tunnel(&bench, kind, load(OF_TUNNEL), run.plan)
            })?;
            rate_and_p50(&mut table, &name, &turns);
            let signatures = format!("{name}, signatures of both ends");
            table.add(row(signatures, Unit::PerConnection, &turns, |turn| {
                turn.signatures
            }));
        }
    }
    Ok(table)
}

fn handshakes(table: &mut Table, name: &str, clients: usize, turns: &[(&'static str, Vec<Turn>)]) {
    rate_and_p50(
        table,
        &format!("{name} (the calls alone: signatures)"),
        turns,
    );
    // With more at a time than processors it is mostly the wait for one.
    if clients == 1 {
        table.add(added(name, turns).reach(Reach::AtMost(OVERHEAD)));
    }
}

/// What a handshake takes beyond the call and a handshake whose key is in memory.
fn added(name: &str, turns: &[(&'static str, Vec<Turn>)]) -> Row {
    let of = |kind: Kind| {
        let found = turns.iter().find(|(server, _)| *server == kind.name());
        found.map_or(&[][..], |(_, turns)| turns)
    };
    // Of neighbours in time.
    let parts = of(Kind::CallsAlone).iter().zip(of(Kind::KeyInMemory));
    let added = of(Kind::KmsMtls).iter().zip(parts);
    let added = added.map(|(ours, (call, handshake))| ours.p50 - call.p50 - handshake.p50);
    Row::new(
        format!("{name}, p50 beyond the call and a handshake with the key in memory"),
        Unit::Microseconds,
    )
    .with(Kind::KmsMtls.name(), added.collect())
}

fn rate_and_p50(table: &mut Table, name: &str, turns: &[(&'static str, Vec<Turn>)]) {
    table.add(row(name.to_owned(), Unit::PerSecond, turns, |turn| {
        Some(turn.per_second)
    }));
    let p50 = format!("{name}, p50");
    table.add(row(p50, Unit::Microseconds, turns, |turn| Some(turn.p50)));
}

fn row(name: String, unit: Unit, turns: &[(&'static str, Vec<Turn>)], pick: Pick) -> Row {
    let mut row = Row::new(name, unit);
    for (server, turns) in turns {
        row = row.with(server, turns.iter().filter_map(pick).collect());
    }
    row
}
