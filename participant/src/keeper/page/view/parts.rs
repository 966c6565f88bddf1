//! What several pages draw.

use super::Frame;
use crate::keeper::ledger::entry::{By, Finding, Time, Via};
use crate::keeper::ledger::instance::Instance;
use crate::keeper::page::shown::shown;
use crate::keeper::page::time::Utc;
use maud::{Markup, html};
use std::fmt::Display;

pub fn when(time: Time) -> Markup {
    html! { time datetime=(time) { (Utc(time)) } }
}

/// A name of many digits: its beginning, which is enough for the command line too, and all of it for who looks closer.
pub fn short(name: impl Display) -> Markup {
    let name = name.to_string();
    let end = match name.strip_prefix("sha256:") {
        Some(_) => "sha256:".len() + 12,
        None => 12,
    };
    html! { code.short title=(name) { (name.get(..end).unwrap_or(&name)) "…" } }
}

pub fn whole(name: impl Display) -> Markup {
    html! { code { (name) } }
}

pub fn by(By { via, uid }: By) -> Markup {
    let via = match via {
        Via::Command => "on the command line",
        Via::Page => "on this page",
    };
    html! { (via) ", as user " (uid) }
}

pub fn link(frame: &Frame<'_>, seq: u64) -> Markup {
    html! { a href={ (frame.base) "/ledger/" (seq) } { "entry " (seq) } }
}

/// A machine, by what a person knows it by.
pub fn machine(instance: &Instance) -> Markup {
    html! {
        strong { (instance.workload.as_str()) }
        " on "
        (shown(&instance.subject))
    }
}

/// Rows of a name and what it names.
pub fn facts(rows: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in rows {
                div {
                    dt { (name) }
                    dd { (value) }
                }
            }
        }
    }
}

/// What the manifest demands, beside what the token says.
pub fn findings(findings: &[Finding]) -> Markup {
    // The roles stay where a narrow screen draws the table as a list.
    html! {
        table.findings role="table" {
            caption { "What the manifest demands, and what the machine’s token says" }
            thead role="rowgroup" {
                tr role="row" {
                    th scope="col" role="columnheader" { "Demand" }
                    th scope="col" role="columnheader" { "Demanded" }
                    th scope="col" role="columnheader" { "Found" }
                    th scope="col" role="columnheader" { "Verdict" }
                }
            }
            tbody role="rowgroup" {
                @for finding in findings {
                    tr role="row" class=(if finding.holds { "holds" } else { "fails" }) {
                        th scope="row" role="rowheader" { (finding.demand) }
                        td role="cell" data-name="Demanded" { (shown(&finding.demanded)) }
                        td role="cell" data-name="Found" { (shown(&finding.found)) }
                        td.verdict role="cell" data-name="Verdict" { (verdict(finding.holds)) }
                    }
                }
            }
        }
    }
}

fn verdict(holds: bool) -> Markup {
    match holds {
        true => html! { span.sign aria-hidden="true" { "✓" } " holds" },
        false => html! { span.sign aria-hidden="true" { "✗" } " fails" },
    }
}
