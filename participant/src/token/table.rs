//! A token for people to read. Who starts a machine writes some of its claims, so all is shown in printable ASCII.

use mcbn_attest::{Report, Verdict};
use serde_json::{Map, Value};
use std::fmt::{self, Display, Write};

/// Every claim, as JSON.
pub struct Claims<'a>(pub &'a Map<String, Value>);

impl Display for Claims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string_pretty(self.0).map_err(|_| fmt::Error)?;
        for c in json.chars() {
            // Beyond ASCII there is nothing but inside of texts, where this is another spelling of the same.
            match c {
                '\n' | ' '..='~' => f.write_char(c)?,
                _ => c
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .try_for_each(|unit| write!(f, "\\u{unit:04x}"))?,
            }
        }
        writeln!(f)
    }
}

/// Each demand beside what was found.
pub struct Table<'a>(pub &'a mcbn_attest::Claims, pub &'a Report);

impl Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Table(claims, report) = self;
        line(
            f,
            "signature",
            "not verified: anyone could have made this up",
        )?;
        line(f, "issuer", claims.iss.escape_default())?;
        for audience in &claims.aud {
            line(f, "audience", audience.escape_default())?;
        }
        line(f, "machine", &claims.sub)?;
        for finding in report.findings() {
            writeln!(f)?;
            line(f, finding.demand.as_str(), verdict(finding.verdict))?;
            line(f, "  demanded", &finding.demanded)?;
            line(f, "  found", &finding.found)?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, value: impl Display) -> fmt::Result {
    writeln!(f, "{name:<20}{value}")
}

/// What fails is not overlooked.
fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Fails => "FAILS",
        Verdict::NotJudged => "not judged",
    }
}
