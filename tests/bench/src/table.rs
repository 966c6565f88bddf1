//! The table that the run ends with, in Markdown.

use std::fmt;

use crate::figures::Spread;

/// Servers by name: the one that is measured, beside the others.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Ours first.
    pub servers: &'static [&'static str],
    /// Whom it is compared with.
    pub rivals: &'static [&'static str],
}

pub struct Table {
    caption: String,
    columns: Columns,
    rows: Vec<Row>,
}

impl Table {
    pub fn new(caption: String, columns: Columns) -> Self {
        Self {
            caption,
            columns,
            rows: Vec::new(),
        }
    }

    pub fn add(&mut self, row: Row) {
        eprintln!("{}", row.line(self.columns));
        self.rows.push(row);
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// One figure of all servers.
pub struct Row {
    name: String,
    unit: Unit,
    samples: Vec<(&'static str, Vec<f64>)>,
    pub reach: Option<Reach>,
}

/// What our server is to reach.
#[derive(Clone, Copy, Debug)]
pub enum Reach {
    AtMost(f64),
    /// So many times the figure of each rival.
    Times(f64),
}

#[derive(Clone, Copy, Debug)]
pub enum Unit {
    MegabytesPerSecond,
    PerSecond,
    Microseconds,
    Kibibytes,
    Megabytes,
    /// Of one.
    Percent,
    PerConnection,
}

impl Row {
    pub fn new(name: impl Into<String>, unit: Unit) -> Self {
        Self {
            name: name.into(),
            unit,
            samples: Vec::new(),
            reach: None,
        }
    }

    pub fn with(mut self, server: &'static str, samples: Vec<f64>) -> Self {
        self.samples.push((server, samples));
        self
    }

    pub fn reach(mut self, reach: Reach) -> Self {
        self.reach = Some(reach);
        self
    }

    fn of(&self, server: &str) -> &[f64] {
        let found = self.samples.iter().find(|(name, _)| *name == server);
        found.map_or(&[], |(_, samples)| samples)
    }

    /// Ours over a rival's.
    fn ratio(&self, columns: Columns, rival: &str) -> Option<Spread> {
        Spread::of_ratios(self.of(columns.servers[0]), self.of(rival))
    }

    fn line(&self, columns: Columns) -> String {
        let mut line = format!("| {}, {} |", self.name, self.unit.name());
        for server in columns.servers {
            let cell = Spread::of(self.of(server)).map(|spread| self.unit.spread(spread));
            line += &format!(" {} |", cell.unwrap_or_default());
        }
        for rival in columns.rivals {
            let cell = self.ratio(columns, rival).map(|ratio| {
                format!(
                    "{:.2} ({:.2} to {:.2})",
                    ratio.median, ratio.least, ratio.most
                )
            });
            line += &format!(" {} |", cell.unwrap_or_default());
        }
        line + &format!(" {} |", self.verdict(columns))
    }

    fn verdict(&self, columns: Columns) -> String {
        let (wanted, reached) = match self.reach {
            None => return String::new(),
            Some(Reach::AtMost(most)) => {
                let own = Spread::of(self.of(columns.servers[0]));
                (
                    format!("≤ {}", self.unit.with_name(most)),
                    own.is_some_and(|own| own.median <= most),
                )
            }
            Some(Reach::Times(least)) => {
                let ratios = columns.rivals.iter().filter_map(|rival| {
                    let ratio = self.ratio(columns, rival)?;
                    Some((*rival, ratio.median))
                });
                let (rivals, ratios): (Vec<_>, Vec<_>) = ratios.unzip();
                (
                    format!("≥ {least} × {}", rivals.join(", ")),
                    !ratios.is_empty() && ratios.iter().all(|ratio| *ratio >= least),
                )
            }
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
            Self::Percent => "%",
            Self::PerConnection => "per connection",
        }
    }

    fn number(self, value: f64) -> String {
        match self {
            Self::MegabytesPerSecond => format!("{:.0}", value / 1e6),
            Self::PerSecond | Self::Microseconds => format!("{value:.0}"),
            Self::Kibibytes => format!("{:.1}", value / 1024.0),
            Self::Megabytes => format!("{:.2}", value / 1e6),
            Self::Percent => format!("{:.1}", value * 100.0),
            Self::PerConnection => format!("{value:.3}"),
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

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Columns { servers, rivals } = self.columns;
        writeln!(f, "{}\n", self.caption)?;
        write!(f, "| median (least to most) |")?;
        for server in servers {
            write!(f, " {server} |")?;
        }
        for rival in rivals {
            write!(f, " {} ÷ {rival} |", servers[0])?;
        }
        let numbers = "---:|".repeat(servers.len() + rivals.len());
        writeln!(f, " reach |\n|---|{numbers}---|")?;
        for row in &self.rows {
            writeln!(f, "{}", row.line(self.columns))?;
        }
        Ok(())
    }
}
