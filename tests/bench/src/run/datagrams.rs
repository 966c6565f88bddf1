//! dtls-server beside s_server and gnutls-serv.

use super::{Run, in_turns, rates};
use crate::datagrams::{self, Bench, ECHO, Kind, LENGTH, Role, Running, SUITE, WINDOW};
use crate::failure::Failure;
use crate::machine;
use crate::measure::Rate;
use crate::measure::throughput::Direction;
use crate::table::{Columns, Reach, Row, Table, Unit};

const COLUMNS: Columns = Columns {
    servers: &[
        Kind::DtlsServer.name(),
        Kind::Openssl.name(),
        Kind::GnuTls.name(),
    ],
    rivals: &[Kind::Openssl.name(), Kind::GnuTls.name()],
};

/// More than one at a time is for dtls-server alone.
const MANY: usize = 8;

pub fn table(run: &Run<'_>) -> Result<Table, Failure> {
    let versions = [
        machine::version("openssl", "version"),
        machine::version("gnutls-serv", "--version"),
    ];
    let protocol = format!("DTLS 1.2, {SUITE}. {}", versions.join(", "));
    let mut table = Table::new(run.caption(&protocol), COLUMNS);
    let bench = Bench::new(run.processors.clone(), run.asked.dtls_server.clone())?;
    let mut compare = |name: &str, kinds: &[Kind], role, measure: &Measure<'_>| {
        if !run.wants(name) {
            return Ok(());
        }
        let turns = in_turns(name, kinds, Kind::name, run.plan.rounds, |kind| {
            measure(&bench.start(kind, role)?)
        })?;
        let reach = (kinds.len() > 1).then_some(Reach::Times(1.0));
        rates(&mut table, name, Unit::PerSecond, reach, &turns);
        Ok(())
    };

    for (many, kinds) in [
        (1, &[Kind::DtlsServer, Kind::Openssl, Kind::GnuTls][..]),
        (MANY, &[Kind::DtlsServer]),
    ] {
        let name = format!("DTLS handshakes, {many} at a time");
        compare(&name, kinds, Role::Echo, &|server| {
            datagrams::handshakes(server, many, run.plan)
        })?;
    }
    for (direction, name) in [(Direction::Down, "down"), (Direction::Up, "up")] {
        let name = format!("datagrams of {LENGTH} bytes, {name}");
        let kinds = [Kind::DtlsServer, Kind::Openssl];
        compare(&name, &kinds, Role::Pass(direction), &|server| {
            datagrams::one_way(server, direction, run.plan)
        })?;
    }
    for (many, kinds) in [
        (1, &[Kind::DtlsServer, Kind::GnuTls][..]),
        (MANY, &[Kind::DtlsServer]),
    ] {
        let name = format!(
            "datagrams of {ECHO} bytes there and back, {WINDOW} on their way, peers: {many}"
        );
        compare(&name, kinds, Role::Echo, &|server| {
            datagrams::echoes(server, many, run.plan)
        })?;
    }

    let name = format!("memory of DTLS peers, each of {}", run.plan.idle);
    if run.wants(&name) {
        let kinds = [Kind::DtlsServer];
        let turns = in_turns(&name, &kinds, Kind::name, run.plan.idle_rounds, |kind| {
            datagrams::memory(&bench.start(kind, Role::Echo)?, run.plan)
        })?;
        let with = |row: Row, (server, samples)| row.with(server, samples);
        table.add(
            turns
                .into_iter()
                .fold(Row::new(name, Unit::Kibibytes), with),
        );
    }
    Ok(table)
}

type Measure<'a> = dyn Fn(&Running<'_>) -> Result<Rate, Failure> + 'a;
