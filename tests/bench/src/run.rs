//! The turns, in order, and the tables that they make.

mod datagrams;
mod kms;
mod streams;
mod tpm;

use crate::cli::Asked;
use crate::failure::Failure;
use crate::machine::{self, Processors};
use crate::measure::Rate;
use crate::network;
use crate::plan::Plan;
use crate::table::{Reach, Row, Table, Unit};

/// Those that have a figure that is wanted.
pub fn all(asked: &Asked) -> Result<Vec<Table>, Failure> {
    network::set_up()?;
    let run = Run {
        asked,
        plan: &asked.plan,
        description: machine::description(),
        congestion_control: network::congestion_control()?,
        processors: Processors::divide()?,
    };
    // A tunnel has two at the server, one at the client and one at the service.
    machine::allow_descriptors(2 * run.plan.idle + 500)?;
    let tables = [
        streams::table(&run)?,
        datagrams::table(&run)?,
        tpm::table(&run)?,
        kms::table(&run)?,
    ];
    Ok(tables
        .into_iter()
        .filter(|table| !table.is_empty())
        .collect())
}

/// What all tables are about.
struct Run<'a> {
    asked: &'a Asked,
    plan: &'a Plan,
    description: String,
    congestion_control: String,
    processors: Processors,
}

impl Run<'_> {
    fn wants(&self, name: &str) -> bool {
        name.contains(&self.asked.only)
    }

    /// Of a table, from what else its servers agree on.
    fn caption(&self, protocol: &str) -> String {
        format!(
            "{}. Processors: {}. {} turns of {:.1} s each. {protocol}.",
            self.description,
            self.processors.sentence(),
            self.plan.rounds,
            self.plan.window.as_secs_f64(),
        )
    }
}

/// A row for the clock's seconds, which has the reach, and one for the server's.
fn rates(
    table: &mut Table,
    name: &str,
    unit: Unit,
    reach: Option<Reach>,
    turns: &[(&'static str, Vec<Rate>)],
) {
    let mut row = Row::new(name, unit);
    row.reach = reach;
    let mut processor = Row::new(
        format!("{name}, for each second of its processor time"),
        unit,
    );
    for (server, rates) in turns {
        let of = |pick: fn(&Rate) -> f64| rates.iter().map(pick).collect::<Vec<_>>();
        row = row.with(server, of(|rate| rate.per_second));
        processor = processor.with(server, of(|rate| rate.per_processor_second));
    }
    table.add(row);
    table.add(processor);
}

/// Each server in turn, and all of them again: A, B, then B, A.
fn in_turns<K: Copy, T>(
    name: &str,
    servers: &[K],
    of: impl Fn(K) -> &'static str,
    rounds: usize,
    measure: impl Fn(K) -> Result<T, Failure>,
) -> Result<Vec<(&'static str, Vec<T>)>, Failure> {
    eprintln!("bench: {name}");
    let mut turns: Vec<_> = servers.iter().map(|kind| (*kind, Vec::new())).collect();
    for _ in 0..rounds {
        for (kind, samples) in &mut turns {
            samples.push(measure(*kind)?);
        }
        turns.reverse();
    }
    if rounds % 2 == 1 {
        turns.reverse();
    }
    let named = |(kind, samples)| (of(kind), samples);
    Ok(turns.into_iter().map(named).collect())
}
