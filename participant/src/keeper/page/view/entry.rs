//! One entry, with all that it says.

use super::Frame;
use super::parts::{by, facts, findings, when, whole};
use crate::keeper::ledger::body::Hex;
use crate::keeper::ledger::entry::{Entry, Event, Finding};
use crate::keeper::ledger::instance::Instance;
use crate::keeper::page::books::Entered;
use crate::keeper::page::shown::shown;
use axum::response::Html;
use maud::{Markup, html};
use mcbn_consent::message::Reason;

pub fn page(frame: &Frame<'_>, entered: &Entered) -> Html<String> {
    let Entered {
        line,
        known,
        before,
        head,
    } = entered;
    let mut rows = Vec::new();
    if let Some(Entry { time, event }) = &line.entry {
        rows.push(("Time", when(*time)));
        rows.push(("Kind", html! { (event.kind().as_str()) }));
        say(event, &mut rows);
        known
            .values()
            .for_each(|instance| named(instance, &mut rows));
    }
    rows.push(("Hash", whole(line.hash)));
    rows.push(("Hash before", whole(before)));
    let body = html! {
        h1 { "Entry " (line.seq) }
        @if line.entry.is_none() {
            p.state.withdrawn role="alert" { strong { "The bytes in this place are not those of an entry." } }
        }
        @if !entered.is_linked() {
            p.state.withdrawn role="alert" {
                strong { "Its hash is not that of its bytes and of what stands before it: it is not what was written." }
            }
        }
        (facts(&rows))
        @match line.event().map(found) {
            Some([_, ..]) => (findings(line.event().map(found).unwrap_or_default())),
            _ => {},
        }
        details {
            summary { "As it stands in the ledger" }
            p.raw { (shown(&String::from_utf8_lossy(&line.body))) }
        }
        nav.turns aria-label="Entries beside it" {
            @if line.seq > 1 { a href={ (frame.base) "/ledger/" (line.seq - 1) } { "Entry " (line.seq - 1) } }
            @if line.seq < *head { a href={ (frame.base) "/ledger/" (line.seq + 1) } { "Entry " (line.seq + 1) } }
            a href={ (frame.base) "/ledger" } { "The ledger" }
        }
    };
    frame.page(&format!("Entry {}", line.seq), body)
}

fn found(event: &Event) -> &[Finding] {
    match event {
        Event::Refused { findings, .. }
        | Event::Pending { findings, .. }
        | Event::Released { findings, .. } => findings,
        _ => &[],
    }
}

type Rows = Vec<(&'static str, Markup)>;

fn say(event: &Event, rows: &mut Rows) {
    match event {
        Event::Started {
            participant,
            pin,
            manifest,
        } => rows.extend([
            ("Participant", html! { (participant.as_str()) }),
            ("Pin", whole(pin)),
            ("Manifest", whole(Hex(*manifest))),
        ]),
        Event::Refused {
            code,
            reasons,
            subject,
            image,
            ..
        } => {
            rows.push(("Refused", html! { (code) }));
            rows.push(("Reasons", listed(reasons)));
            rows.extend(subject.as_ref().map(|subject| ("Machine", shown(subject))));
            rows.extend(image.map(|image| ("Image", whole(image))));
        }
        Event::Counted {
            code,
            reasons,
            count,
            since,
        } => rows.extend([
            ("Refused", html! { (code) }),
            ("Reasons", listed(reasons)),
            ("Times", html! { (count) }),
            ("Since", when(*since)),
        ]),
        Event::Pending { instance, .. } => {
            rows.push(("Instance", whole(instance.id())));
            named(instance, rows);
        }
        Event::Released {
            instance,
            lease,
            until,
            ..
        } => {
            rows.push(("Instance", whole(instance.id())));
            rows.push(("Lease", whole(lease)));
            rows.push(("Until", when(*until)));
            named(instance, rows);
        }
        Event::Renewed {
            instance,
            lease,
            until,
        } => rows.extend([
            ("Instance", whole(instance)),
            ("Lease", whole(lease)),
            ("Until", when(*until)),
        ]),
        Event::Approved { instance, by: who }
        | Event::Denied { instance, by: who }
        | Event::Revoked { instance, by: who } => {
            rows.extend([("Said", by(*who)), ("Instance", whole(instance))]);
        }
        Event::Withdrawn { by: who } | Event::Restored { by: who } => {
            rows.extend([("Of", html! { "every machine" }), ("Said", by(*who))]);
        }
    }
}

fn named(instance: &Instance, rows: &mut Rows) {
    rows.extend([
        ("Workload", html! { (instance.workload.as_str()) }),
        ("Machine", shown(&instance.subject)),
        ("Image", whole(instance.image)),
        ("Manifest", whole(Hex(instance.manifest))),
    ]);
}

fn listed(reasons: &[Reason]) -> Markup {
    html! {
        @if reasons.is_empty() { "–" }
        @for reason in reasons { code { (reason) } " " }
    }
}
