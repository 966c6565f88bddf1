//! The table that the run ends with, in Markdown.

use std::fmt;

use crate::figures::Spread;
use crate::server::Kind;

/// One column each. The two forms of s_server share one.
const COLUMNS: [Kind; 5] = [
    Kind::PskServer,
    Kind::Stunnel,
    Kind::OpensslEcho,
    Kind::PlainProxy,
    Kind::Direct,
];

pub struct Table {
    caption: String,
    rows: Vec<Row>,
}

impl Table {
    pub fn new(caption: String) -> Self {
        Self {
            caption,
            rows: Vec::new(),
        }
    }

    pub fn add(&mut self, row: Row) {
        eprintln!("{row}");
        self.rows.push(row);
    }
}

/// One figure of all servers.
pub struct Row {
    name: String,
    unit: Unit,
    cells: Vec<(Kind, Spread)>,
    /// psk-server's samples over stunnel's.
    ratio: Option<Spread>,
    samples_of_psk_server: Vec<f64>,
    reach: Option<Reach>,
}

/// What psk-server is to reach.
#[derive(Clone, Copy, Debug)]
pub enum Reach {
    AtMost(f64),
    TimesStunnel(f64),
}

#[derive(Clone, Copy, Debug)]
pub enum Unit {
    MegabytesPerSecond,
    PerSecond,
    Microseconds,
    Kibibytes,
    Megabytes,
}

impl Row {
    pub fn new(name: impl Into<String>, unit: Unit) -> Self {
        Self {
            name: name.into(),
            unit,
            cells: Vec::new(),
            ratio: None,
            samples_of_psk_server: Vec::new(),
            reach: None,
        }
    }

    /// Adds a server's samples. psk-server comes first.
    pub fn with(mut self, kind: Kind, samples: &[f64]) -> Self {
        if kind == Kind::PskServer {
            self.samples_of_psk_server = samples.to_vec();
        }
        if kind == Kind::Stunnel {
            self.ratio = Spread::of_ratios(&self.samples_of_psk_server, samples);
        }
        self.cells
            .extend(Spread::of(samples).map(|spread| (kind, spread)));
        self
    }

    pub fn reach(mut self, reach: Reach) -> Self {
        self.reach = Some(reach);
        self
    }

    fn cell(&self, column: Kind) -> Option<Spread> {
        let cell = self
            .cells
            .iter()
            .find(|(kind, _)| kind.name() == column.name());
        cell.map(|(_, spread)| *spread)
    }

    fn verdict(&self) -> String {
        let own = self.cell(Kind::PskServer).map(|spread| spread.median);
        let (wanted, reached) = match self.reach {
            None => return String::new(),
            Some(Reach::AtMost(most)) => (
                format!("≤ {}", self.unit.with_name(most)),
                own.is_some_and(|own| own <= most),
            ),
            Some(Reach::TimesStunnel(least)) => (
                format!("≥ {least} × stunnel"),
                self.ratio.is_some_and(|ratio| ratio.median >= least),
            ),
        };
        format!(
            "{wanted}: {}",
            if reached {
                "reached"
            } else {
                "**not reached**"
            }
        )
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::MegabytesPerSecond => "MB/s",
            Self::PerSecond => "/s",
            Self::Microseconds => "µs",
            Self::Kibibytes => "KiB",
            Self::Megabytes => "MB",
        }
    }

    fn number(self, value: f64) -> String {
        match self {
            Self::MegabytesPerSecond => format!("{:.0}", value / 1e6),
            Self::PerSecond | Self::Microseconds => format!("{value:.0}"),
            Self::Kibibytes => format!("{:.1}", value / 1024.0),
            Self::Megabytes => format!("{:.2}", value / 1e6),
        }
    }

    fn with_name(self, value: f64) -> String {
        format!("{} {}", self.number(value), self.name())
    }

    fn spread(self, spread: Spread) -> String {
        if spread.least == spread.most {
            return self.number(spread.median);
        }
        let [median, least, most] =
            [spread.median, spread.least, spread.most].map(|value| self.number(value));
        format!("{median} ({least} to {most})")
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {}, {} |", self.name, self.unit.name())?;
        for column in COLUMNS {
            let cell = self.cell(column).map(|spread| self.unit.spread(spread));
            write!(f, " {} |", cell.unwrap_or_default())?;
        }
        let ratio = self.ratio.map(|ratio| {
            format!(
                "{:.2} ({:.2} to {:.2})",
                ratio.median, ratio.least, ratio.most
            )
        });
        write!(f, " {} | {} |", ratio.unwrap_or_default(), self.verdict())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.caption)?;
        write!(f, "| median (least to most) |")?;
        for column in COLUMNS {
            write!(f, " {} |", column.name())?;
        }
        writeln!(f, " psk-server ÷ stunnel | reach |")?;
        writeln!(f, "|---|{}", "---:|".repeat(COLUMNS.len() + 1) + "---|")?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        Ok(())
    }
}
