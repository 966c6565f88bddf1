//! What is said instead of a page: what happened, that nothing was done, and what to do next.

use super::document;
use super::parts::{by, short, when};
use crate::keeper::ledger::Fault;
use crate::keeper::ledger::entry::Event;
use crate::keeper::page::books::Line;
use crate::keeper::page::order::Stale;
use axum::http::StatusCode;
use axum::response::Html;
use maud::{Markup, html};
use std::net::SocketAddr;

/// A request that is not answered with what it asked for. Nothing was done.
#[derive(Debug)]
pub enum Refusal {
    /// It was meant for a host of another name.
    Misdirected(SocketAddr),
    /// No session: whoever it is must show the token first.
    Closed,
    /// Another site, or another program's page, sent it.
    Foreign,
    NotThere,
    Method,
    Form(StatusCode),
    /// And where the page is.
    Stale(Box<Stale>, String),
    Ledger(Fault),
}

pub fn refusal(refusal: &Refusal) -> Html<String> {
    let (title, body) = match refusal {
        Refusal::Misdirected(address) => (
            "Not here",
            html! { p { "This page answers to " code { "http://" (address) } " alone." } },
        ),
        Refusal::Closed => (
            "Closed",
            html! {
                p { "This page is open to whoever has its address of this run:" }
                pre { "mcbn keeper page --ledger FILE" }
                p { "prints it, where FILE is the keeper’s ledger. A session lasts twelve hours, and ends with the keeper." }
            },
        ),
        Refusal::Foreign => (
            "Refused",
            html! {
                p { "This did not come from a page of this keeper that is open in this browser. Nothing was done." }
                p { "If you followed a link, type or paste the address instead; if you sent a form, open the page anew." }
            },
        ),
        Refusal::NotThere => (
            "Not there",
            html! { p { "There is nothing in this place." } },
        ),
        Refusal::Method => (
            "Refused",
            html! { p { "This cannot be done in this way. Nothing was done." } },
        ),
        Refusal::Form(StatusCode::PAYLOAD_TOO_LARGE) => (
            "Refused",
            html! { p { "The form is larger than any form of this page. Nothing was done." } },
        ),
        Refusal::Form(_) => (
            "Refused",
            html! { p { "This is not a form of this page. Nothing was done." } },
        ),
        Refusal::Stale(why, base) => (
            "Nothing was done",
            html! {
                p { (stale(why)) }
                p { a.button href=(base) { "See how it is now" } }
            },
        ),
        Refusal::Ledger(fault) => (
            "Nothing was done",
            html! {
                p { "The ledger cannot be used: " (fault) "." }
                @if let Some(hint) = fault.hint() { p { "What to do: " (hint) "." } }
            },
        ),
    };
    let body = html! {
        main {
            h1 { (title) }
            (body)
        }
    };
    document(title, "mcbn keeper · ", body)
}

fn stale(stale: &Stale) -> Markup {
    match stale {
        Stale::Said(line) => {
            html! { "Somebody has decided since you opened the page: " (said(line)) "." }
        }
        Stale::Unknown => html! { "No such machine has asked this keeper." },
        Stale::HasNothing(line) => {
            html! { "It has nothing that could be taken back: " (said(line)) "." }
        }
        Stale::AlreadyWithdrawn => html! { "Consent is withdrawn already." },
        Stale::NotWithdrawn => html! { "Consent is not withdrawn: there is nothing to restore." },
        Stale::WithdrawnAgain(seq) => {
            html! { "Consent was withdrawn another time since you opened the page, by entry " (seq) "." }
        }
    }
}

fn said(line: &Line) -> Markup {
    let (instance, who, verb) = match line.event() {
        Some(Event::Approved { instance, by }) => (instance, by, "approved"),
        Some(Event::Denied { instance, by }) => (instance, by, "denied"),
        Some(Event::Revoked { instance, by }) => (instance, by, "revoked"),
        _ => return html! { "entry " (line.seq) },
    };
    html! {
        (short(instance)) " was " (verb) " "
        (by(*who))
        @if let Some(entry) = &line.entry { ", " (when(entry.time)) }
        " (entry " (line.seq) ")"
    }
}
