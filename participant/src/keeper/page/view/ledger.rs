//! The ledger, the last entry first.

use super::Frame;
use super::parts::{by, short, when, whole};
use crate::keeper::ledger::entry::{Entry, Event};
use crate::keeper::page::books::{Known, Leaf, Line};
use crate::keeper::page::clerk::Checked;
use crate::keeper::page::shown::shown;
use axum::response::Html;
use maud::{Markup, html};
use std::error::Error;

/// Whether the chain is sound.
pub enum Chain {
    Checked(Checked),
    /// It is checked when somebody asks.
    Long,
}

pub fn page(frame: &Frame<'_>, leaf: &Leaf, renewals: bool, chain: &Chain) -> Html<String> {
    let body = html! {
        h1 { "Ledger" }
        p { "Everything that was asked, decided and said, in " (leaf.head) " entries. Nothing in it is changed or removed." }
        @match chain {
            Chain::Checked(checked) => (verdict(checked)),
            Chain::Long => p.state {
                "Each entry is chained to the one before it. "
                a.button href={ (frame.base) "/check" } { "Check the whole chain" }
            },
        }
        (turns(frame, leaf, renewals))
        @if leaf.lines.is_empty() {
            p.none { "No such entries here." }
        } @else {
            table.ledger role="table" {
                caption.aloud { "Entries, the last one first" }
                thead role="rowgroup" {
                    tr role="row" {
                        @for name in ["Entry", "Time", "What", "Instance", "Image", "Reasons", "Hash"] {
                            th scope="col" role="columnheader" { (name) }
                        }
                    }
                }
                tbody role="rowgroup" {
                    @for line in &leaf.lines { (row(frame, line, &leaf.known)) }
                }
            }
        }
        (turns(frame, leaf, renewals))
    };
    frame.page("Ledger", body)
}

fn turns(frame: &Frame<'_>, leaf: &Leaf, renewals: bool) -> Markup {
    let (kept, other) = match renewals {
        true => ("shown", "hidden"),
        false => ("hidden", "shown"),
    };
    let verb = if renewals {
        "Leave out renewals"
    } else {
        "Show renewals too"
    };
    html! {
        nav.turns aria-label="Parts of the ledger" {
            a href={ (frame.base) "/ledger?renewals=" (kept) } { "Newest" }
            @if let Some(older) = leaf.older {
                a rel="next" href={ (frame.base) "/ledger?renewals=" (kept) "&before=" (older) } { "Older" }
            }
            a href={ (frame.base) "/ledger?renewals=" (other) } { (verb) }
        }
    }
}

fn row(frame: &Frame<'_>, line: &Line, known: &Known) -> Markup {
    html! {
        tr role="row" {
            th scope="row" role="rowheader" {
                a href={ (frame.base) "/ledger/" (line.seq) } { span.aloud { "entry " } (line.seq) }
            }
            @match &line.entry {
                None => td.damaged colspan="5" role="cell" { "This is not an entry." },
                Some(Entry { time, event }) => {
                    td role="cell" data-name="Time" { (when(*time)) }
                    td role="cell" data-name="What" { span class={ "standing " (event.kind().as_str()) } { (event.kind().as_str()) } }
                    td role="cell" data-name="Instance" { (instance(event, known)) }
                    td role="cell" data-name="Image" { (image(event, known)) }
                    td role="cell" data-name="Reasons" { (reasons(event)) }
                },
            }
            td role="cell" data-name="Hash" { (short(line.hash)) }
        }
    }
}

fn instance(event: &Event, known: &Known) -> Markup {
    html! {
        @match event {
            Event::Pending { instance, .. } | Event::Released { instance, .. } => {
                (short(instance.id())) " " (shown(&instance.subject))
            },
            Event::Renewed { instance, .. }
            | Event::Approved { instance, .. }
            | Event::Denied { instance, .. }
            | Event::Revoked { instance, .. } => {
                (short(instance))
                @if let Some(known) = known.get(instance) { " " (shown(&known.subject)) }
            },
            Event::Refused { subject: Some(subject), .. } => (shown(subject)),
            Event::Withdrawn { .. } | Event::Restored { .. } => "every machine",
            Event::Refused { subject: None, .. } | Event::Counted { .. } | Event::Started { .. } => "–",
        }
    }
}

fn image(event: &Event, known: &Known) -> Markup {
    html! {
        @match event {
            Event::Pending { instance, .. } | Event::Released { instance, .. } => (short(instance.image)),
            Event::Refused { image: Some(image), .. } => (short(image)),
            Event::Renewed { instance, .. }
            | Event::Approved { instance, .. }
            | Event::Denied { instance, .. }
            | Event::Revoked { instance, .. } => {
                @match known.get(instance) {
                    Some(known) => (short(known.image)),
                    None => "–",
                }
            },
            _ => "–",
        }
    }
}

fn reasons(event: &Event) -> Markup {
    html! {
        @match event {
            Event::Refused { code, reasons, .. } => {
                (code) @for reason in reasons { " " code { (reason) } }
            },
            Event::Counted { code, reasons, count, .. } => {
                (count) " times " (code) @for reason in reasons { " " code { (reason) } }
            },
            Event::Pending { .. } => "a person must decide",
            Event::Approved { by: who, .. }
            | Event::Denied { by: who, .. }
            | Event::Revoked { by: who, .. }
            | Event::Withdrawn { by: who }
            | Event::Restored { by: who } => (by(*who)),
            _ => "–",
        }
    }
}

pub fn check(frame: &Frame<'_>, checked: &Checked) -> Html<String> {
    let body = html! {
        h1 { "The chain" }
        (verdict(checked))
        p { a href={ (frame.base) "/ledger" } { "Back to the ledger" } }
    };
    frame.page("Check", body)
}

fn verdict(checked: &Checked) -> Markup {
    html! {
        @match checked {
            Checked::Sound(head) => div.state.sound {
                p {
                    strong { "The chain verifies." }
                    " Every entry is as it was written, and in its place. Its head, of entry " (head.seq) ": "
                    (whole(head.hash))
                }
                p.small {
                    "Whoever can write the file could write another chain: note the head elsewhere, and "
                    code { "mcbn keeper log verify" } " compares."
                }
            },
            Checked::Unsound(unsound) => div.state.withdrawn role="alert" {
                p {
                    strong { "The chain does not verify: " (unsound) "." }
                    @if let Some(source) = unsound.source() { " " (source) }
                }
                @if let Some(hint) = unsound.hint() { p { "What to do: " (hint) "." } }
            },
            Checked::NotOpened => div.state.withdrawn role="alert" {
                p { strong { "The chain could not be checked: the ledger cannot be opened." } }
            },
        }
    }
}
