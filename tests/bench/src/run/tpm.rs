//! tpm-psk beside the TPM alone.

use super::{Run, in_turns};
use crate::client::GROUP;
use crate::datagrams;
use crate::failure::Failure;
use crate::machine;
use crate::table::{Columns, Reach, Row, Table, Unit};
use crate::tpm::{Bench, CHIP_TIME, CLIENTS, Kind, SUITE, Speed, Transport, Turn, measure};

const COLUMNS: Columns = Columns {
    servers: &[
        Kind::InTpm.name(),
        Kind::TpmAlone.name(),
        Kind::InMemory.name(),
    ],
    rivals: &[Kind::TpmAlone.name()],
};

/// What our side may add to the time that the TPM takes for a key.
const OVERHEAD: f64 = 0.1;

pub fn table(run: &Run<'_>) -> Result<Table, Failure> {
    let versions = [
        machine::version("swtpm", "--version"),
        machine::version("openssl", "version"),
    ];
    let protocol = format!(
        "TLS 1.2, {SUITE}, {GROUP}; DTLS 1.2, {}; the TPM shares the client's processors. {}",
        datagrams::SUITE,
        versions.join(", ")
    );
    let mut table = Table::new(run.caption(&protocol), COLUMNS);
    let bench = Bench::new(run.processors.clone(), run.asked.tpm_psk.clone())?;
    let software = (
        Speed::Software,
        "of swtpm".to_owned(),
        &[Kind::InTpm, Kind::TpmAlone, Kind::InMemory][..],
    );
    let chip = (
        Speed::Chip,
        format!("of a TPM of {} ms", CHIP_TIME.as_millis()),
        &[Kind::InTpm, Kind::TpmAlone][..],
    );
    for (speed, of_tpm, kinds) in [software, chip] {
        for (transport, over) in [(Transport::Tcp, "TLS"), (Transport::Udp, "DTLS")] {
            let name = format!("{over} handshakes with keys {of_tpm}, {CLIENTS} at a time");
            if run.wants(&name) {
                let turns = in_turns(&name, kinds, Kind::name, run.plan.rounds, |kind| {
                    measure(&bench, kind, speed, transport, run.plan)
                })?;
                rows(&mut table, &name, &turns);
            }
        }
    }
    Ok(table)
}

fn rows(table: &mut Table, name: &str, turns: &[(&'static str, Vec<Turn>)]) {
    let row = |name: String, unit, pick: fn(&Turn) -> Option<f64>| {
        let mut row = Row::new(name, unit);
        for (server, turns) in turns {
            row = row.with(server, turns.iter().filter_map(pick).collect());
        }
        row
    };
    table.add(row(
        format!("{name} (the TPM alone: keys)"),
        Unit::PerSecond,
        |turn| Some(turn.rate.per_second),
    ));
    table.add(row(
        format!("{name}, for each second of its processor time"),
        Unit::PerSecond,
        |turn| Some(turn.rate.per_processor_second),
    ));
    table.add(row(
        format!("{name}, the TPM's share of the time"),
        Unit::Percent,
        |turn| turn.share,
    ));
    // (time - TPM's time) / TPM's time, of a handshake as of all of them.
    let overhead = row(
        format!("{name}, overhead over the TPM's time"),
        Unit::Percent,
        |turn| turn.share.map(|share| 1.0 / share - 1.0),
    );
    table.add(overhead.reach(Reach::AtMost(OVERHEAD)));
}
