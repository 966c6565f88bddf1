//! Entries as people read them: on lines, and nothing in them that a terminal would act on.

use super::ledger::body::Hex;
use super::ledger::entry::{By, Entry, Event, Finding, Time, Via};
use super::ledger::instance::Instance;
use super::ledger::state::{Placed, Running};
use mcbn_consent::message::{Code, Reason};
use std::fmt::{self, Display};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// RFC 3339, in UTC, to the second.
impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = i64::try_from(self.0 / 1000).ok();
        let moment = moment.and_then(|moment| OffsetDateTime::from_unix_timestamp(moment).ok());
        match moment.and_then(|moment| moment.format(&Rfc3339).ok()) {
            Some(text) => f.write_str(&text),
            // Past the year 9999: a clock that was set wrong.
            None => write!(f, "{} ms after 1970", self.0),
        }
    }
}

/// A text that somebody else chose.
pub struct Shown<'a>(pub &'a str);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c.is_ascii_graphic() || c == ' ' {
                true => write!(f, "{c}")?,
                false => write!(f, "{}", c.escape_default())?,
            }
        }
        Ok(())
    }
}

/// One line of the log.
pub struct Line<'a>(pub &'a Placed);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Placed { seq, entry, .. } = self.0;
        let Entry { time, event } = entry;
        write!(f, "{seq} {time} {}", event.kind().as_str())?;
        match event {
            Event::Started {
                participant,
                pin,
                manifest,
            } => write!(
                f,
                " participant={participant} pin={pin} manifest={}",
                Hex(*manifest)
            ),
            Event::Refused {
                code,
                reasons,
                subject,
                image,
                ..
            } => {
                write!(f, " {}", Because(*code, reasons))?;
                if let Some(image) = image {
                    write!(f, " image={image}")?;
                }
                match subject {
                    Some(subject) => write!(f, " machine={}", Shown(subject)),
                    None => Ok(()),
                }
            }
            Event::Counted {
                code,
                reasons,
                count,
                since,
            } => write!(
                f,
                " {count} times since {since}: {}",
                Because(*code, reasons)
            ),
            Event::Pending { instance, .. } => write!(f, " {}", Who(instance)),
            Event::Released {
                instance,
                lease,
                until,
                ..
            } => write!(f, " lease={lease} until={until} {}", Who(instance)),
            Event::Renewed {
                instance,
                lease,
                until,
            } => write!(f, " lease={lease} until={until} id={instance}"),
            Event::Approved { instance, by }
            | Event::Denied { instance, by }
            | Event::Revoked { instance, by } => write!(f, " id={instance} {}", Whose(by)),
            Event::Withdrawn { by } | Event::Restored { by } => write!(f, " {}", Whose(by)),
        }
    }
}

struct Because<'a>(Code, &'a [Reason]);

impl Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        for (i, reason) in self.1.iter().enumerate() {
            write!(f, "{}{reason}", if i == 0 { " (" } else { ", " })?;
        }
        f.write_str(if self.1.is_empty() { "" } else { ")" })
    }
}

struct Who<'a>(&'a Instance);

impl Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Instance {
            subject,
            image,
            workload,
            ..
        } = self.0;
        let id = self.0.id();
        let machine = Shown(subject);
        write!(
            f,
            "id={id} workload={workload} image={image} machine={machine}"
        )
    }
}

struct Whose<'a>(&'a By);

impl Display for Whose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let via = match self.0.via {
            Via::Command => "command",
            Via::Page => "page",
        };
        write!(f, "by={via} uid={}", self.0.uid)
    }
}

/// A request that waits for a person, with what its token says.
pub struct Request<'a>(pub &'a Placed);

impl Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { time, event } = &self.0.entry;
        let Event::Pending { instance, findings } = event else {
            return Ok(());
        };
        writeln!(f, "request {}", instance.id())?;
        writeln!(f, "  asked     {time}")?;
        write_instance(f, instance)?;
        write_findings(f, findings)
    }
}

/// A lease that runs.
pub struct Lease<'a>(pub &'a Running);

impl Display for Lease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Running { released, until } = self.0;
        let Event::Released {
            instance, lease, ..
        } = &released.entry.event
        else {
            return Ok(());
        };
        writeln!(f, "lease {lease}")?;
        writeln!(f, "  given     {}", released.entry.time)?;
        writeln!(f, "  until     {until}")?;
        writeln!(f, "  instance  {}", instance.id())?;
        write_instance(f, instance)
    }
}

fn write_instance(f: &mut fmt::Formatter<'_>, instance: &Instance) -> fmt::Result {
    writeln!(f, "  workload  {}", instance.workload)?;
    writeln!(f, "  image     {}", instance.image)?;
    writeln!(f, "  machine   {}", Shown(&instance.subject))?;
    writeln!(f, "  manifest  {}", Hex(instance.manifest))
}

fn write_findings(f: &mut fmt::Formatter<'_>, findings: &[Finding]) -> fmt::Result {
    let width = findings.iter().map(|finding| finding.demand.as_str().len());
    let width = width.max().unwrap_or_default();
    for Finding {
        demand,
        demanded,
        found,
        ..
    } in findings
    {
        let (demanded, found) = (Shown(demanded), Shown(found));
        let demand = demand.as_str();
        writeln!(f, "  {demand:width$}  {found}; demanded: {demanded}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_the_calendar_has_them() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_800_000_000, "2027-01-15T08:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Time(seconds * 1000 + 999).to_string(), shown);
        }
        assert_eq!(
            Time(u64::MAX).to_string(),
            "18446744073709551615 ms after 1970"
        );
    }

    #[test]
    fn nothing_in_a_text_acts_on_a_terminal() {
        let shown = Shown("a \u{1b}[2J\n\u{202e}é~").to_string();
        assert_eq!(shown, "a \\u{1b}[2J\\n\\u{202e}\\u{e9}~");
    }
}
