//! The first page: who waits, who has a share, and what was said.

use super::Frame;
use super::parts::{by, facts, findings, link, machine, short, when, whole};
use crate::keeper::ledger::entry::{Event, Finding};
use crate::keeper::ledger::instance::Instance;
use crate::keeper::ledger::state::Running;
use crate::keeper::page::About;
use crate::keeper::page::books::{Line, MOST, Overview, Spoken, Waiting};
use crate::keeper::page::shown::shown;
use crate::keeper::page::time::Span;
use axum::response::Html;
use maud::{Markup, html};

pub fn page(frame: &Frame<'_>, overview: &Overview, said: Option<&Line>) -> Html<String> {
    let about = frame.about;
    let body = html! {
        h1 { "Consent" }
        @if let Some(said) = said.and_then(|line| done(frame, line, overview)) {
            div.done role="status" { (said) }
        }
        (whole_network(frame, overview))
        (waiting(frame, about, overview))
        (leases(frame, overview))
        (spoken(frame, overview))
        (refused(frame, overview))
        section aria-labelledby="keeper" {
            h2 #keeper { "This keeper" }
            (this_keeper(about))
        }
        p.drawn { "Drawn " (when(overview.now)) ". " a href=(frame.base) { "Draw it again" } }
    };
    frame.page("Consent", body)
}

/// What an entry that a person made says, in the words of who made it.
fn done(frame: &Frame<'_>, line: &Line, overview: &Overview) -> Option<Markup> {
    let spoken = |instance| {
        let mut spoken = overview.spoken.iter();
        let spoken = spoken.find(|spoken| spoken.instance == instance);
        spoken.map_or_else(|| short(instance), name)
    };
    let (said, instance) = match line.event()? {
        Event::Approved { instance, .. } => (
            "gets the share the next time that it asks.",
            Some(("Approved: ", *instance)),
        ),
        Event::Denied { instance, .. } => ("gets no share.", Some(("Denied: ", *instance))),
        Event::Revoked { instance, .. } => (
            "loses what it had at its next renewal, and gets no more until it is approved.",
            Some(("Revoked: ", *instance)),
        ),
        Event::Withdrawn { .. } => ("Consent is withdrawn from every machine.", None),
        Event::Restored { .. } => ("Consent is restored.", None),
        _ => return None,
    };
    Some(html! {
        p {
            @if let Some((word, instance)) = instance {
                strong { (word) }
                (spoken(instance))
                " "
            }
            (said)
            " (" (link(frame, line.seq)) ")"
        }
    })
}

fn whole_network(frame: &Frame<'_>, overview: &Overview) -> Markup {
    html! {
        @match &overview.withdrawn {
            Some(line) => div.state.withdrawn role="note" {
                p {
                    strong { "Consent is withdrawn from every machine." }
                    " Nothing is released or renewed, whatever is approved below. "
                    (link(frame, line.seq))
                }
                a.button href={ (frame.base) "/restore" } { "Restore…" }
            },
            None => div.state {
                p { "Consent is not withdrawn: each machine is answered on its own." }
                a.button.taking href={ (frame.base) "/withdraw" } { "Withdraw from all…" }
            },
        }
    }
}

fn waiting(frame: &Frame<'_>, about: &About, overview: &Overview) -> Markup {
    let all = &overview.waiting;
    html! {
        section aria-labelledby="waiting" {
            h2 #waiting { "Waiting for you" (count(all.len())) }
            @if all.is_empty() && about.ask {
                p.none { "No machine waits for a decision." }
            } @else if all.is_empty() {
                p.none { "No machine waits: this keeper was started without --ask, so the manifest alone decides." }
            }
            @for one in all {
                (request(frame, one, overview.seen))
            }
            (and_more(all.len()))
        }
    }
}

fn request(frame: &Frame<'_>, Waiting { last, since }: &Waiting, seen: u64) -> Markup {
    let Event::Pending {
        instance,
        findings: found,
    } = &last.entry.event
    else {
        return html! {};
    };
    let id = instance.id().to_string();
    let fields = [("instance", id.clone()), ("seen", seen.to_string())];
    let label = |verb: &str| {
        html! { (verb) span.aloud { " " (machine(instance)) } }
    };
    html! {
        article.request id={ "request-" (id) } {
            h3 { (machine(instance)) }
            (facts(&[
                ("Image", whole(instance.image)),
                ("Asked first", when(*since)),
                ("Instance", whole(&id)),
                ("Ledger", link(frame, last.seq)),
            ]))
            (findings(found))
            div.buttons {
                (frame.button("approve", label("Approve"), "giving", &fields))
                (frame.button("deny", label("Deny"), "taking", &fields))
            }
        }
    }
}

fn leases(frame: &Frame<'_>, overview: &Overview) -> Markup {
    let all = &overview.leases;
    html! {
        section aria-labelledby="leases" {
            h2 #leases { "Leases that run" (count(all.len())) }
            @if all.is_empty() {
                p.none { "No machine has the share now, as far as leases go." }
            } @else {
                table role="table" {
                    caption.aloud { "Leases that run" }
                    thead role="rowgroup" {
                        tr role="row" {
                            @for name in ["Machine", "Image", "Since", "Time left", "Consent"] {
                                th scope="col" role="columnheader" { (name) }
                            }
                        }
                    }
                    tbody role="rowgroup" {
                        @for lease in all { (lease_row(frame, lease, overview)) }
                    }
                }
            }
            (and_more(all.len()))
        }
    }
}

fn lease_row(
    frame: &Frame<'_>,
    Running { released, until }: &Running,
    overview: &Overview,
) -> Markup {
    let Event::Released { instance, .. } = &released.entry.event else {
        return html! {};
    };
    let left = Span {
        milliseconds: until.0.saturating_sub(overview.now.0),
    };
    html! {
        tr role="row" id={ "lease-" (instance.id()) } {
            th scope="row" role="rowheader" { (machine(instance)) }
            td role="cell" data-name="Image" { (short(instance.image)) }
            td role="cell" data-name="Since" {
                (when(released.entry.time)) " (" (link(frame, released.seq)) ")"
            }
            td role="cell" data-name="Time left" { (left) }
            td role="cell" data-name="Consent" { (revoke(frame, instance)) }
        }
    }
}

fn revoke(frame: &Frame<'_>, instance: &Instance) -> Markup {
    let label = html! {
        "Revoke" span.aloud { " " (machine(instance)) }
    };
    frame.button(
        "revoke",
        label,
        "taking",
        &[("instance", instance.id().to_string())],
    )
}

fn spoken(frame: &Frame<'_>, overview: &Overview) -> Markup {
    let all = &overview.spoken;
    html! {
        section aria-labelledby="spoken" {
            h2 #spoken { "Decided by a person" (count(all.len())) }
            @if all.is_empty() {
                p.none { "Nobody has approved, denied or revoked anything yet." }
            } @else {
                table role="table" {
                    caption.aloud { "What was last said of each machine" }
                    thead role="rowgroup" {
                        tr role="row" {
                            @for name in ["Machine", "Now", "Said", "Change"] {
                                th scope="col" role="columnheader" { (name) }
                            }
                        }
                    }
                    tbody role="rowgroup" {
                        @for one in all { (spoken_row(frame, one, overview.seen)) }
                    }
                }
            }
            (and_more(all.len()))
        }
    }
}

fn spoken_row(frame: &Frame<'_>, spoken: &Spoken, seen: u64) -> Markup {
    let Spoken {
        line,
        instance,
        asked,
    } = spoken;
    let (standing, who) = match line.event() {
        Some(Event::Approved { by, .. }) => ("approved", by),
        Some(Event::Denied { by, .. }) => ("denied", by),
        Some(Event::Revoked { by, .. }) => ("revoked", by),
        _ => return html! {},
    };
    let time = line.entry.as_ref().map(|entry| entry.time);
    let approve = || {
        let label = html! { "Approve" span.aloud { " " (name(spoken)) } };
        let fields = [
            ("instance", instance.to_string()),
            ("seen", seen.to_string()),
        ];
        frame.button("approve", label, "giving", &fields)
    };
    html! {
        tr role="row" id={ "said-" (instance) } {
            th scope="row" role="rowheader" { (name(spoken)) }
            td role="cell" data-name="Now" { span class={ "standing " (standing) } { (standing) } }
            td role="cell" data-name="Said" {
                @if let Some(time) = time { (when(time)) " " }
                (by(*who)) " (" (link(frame, line.seq)) ")"
            }
            td role="cell" data-name="Change" {
                @match asked {
                    Some(asked) if standing == "approved" => (revoke(frame, asked)),
                    _ if standing == "approved" => {},
                    _ => (approve()),
                }
            }
        }
    }
}

fn name(spoken: &Spoken) -> Markup {
    match &spoken.asked {
        Some(asked) => machine(asked),
        None => html! { "a machine that is not known any more, " (short(spoken.instance)) },
    }
}

fn refused(frame: &Frame<'_>, overview: &Overview) -> Markup {
    let all = &overview.refused;
    html! {
        @if !all.is_empty() {
            section aria-labelledby="refused" {
                h2 #refused { "Refused lately" }
                ul.refused {
                    @for line in all {
                        @if let Some(Event::Refused { code, reasons, subject, findings, .. }) = line.event() {
                            li {
                                @if let Some(entry) = &line.entry { (when(entry.time)) " " }
                                @match subject {
                                    Some(subject) => (shown(subject)),
                                    None => "a machine that was not named",
                                }
                                ": " strong { (code) }
                                @for reason in reasons { " " code { (reason) } }
                                " (" (link(frame, line.seq)) ")"
                                @let failed: Vec<Finding> =
                                    findings.iter().filter(|finding| !finding.holds).cloned().collect();
                                @if !failed.is_empty() {
                                    details {
                                        summary { "What was demanded, and what was found" }
                                        (super::parts::findings(&failed))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn this_keeper(about: &About) -> Markup {
    let lease = Span {
        milliseconds: u64::try_from(about.lease.as_millis()).unwrap_or(u64::MAX),
    };
    let ask = match about.ask {
        true => "a person approves each machine before its first release (--ask)",
        false => "the manifest alone decides",
    };
    facts(&[
        (
            "Manifest",
            whole(crate::keeper::ledger::body::Hex(about.manifest)),
        ),
        ("Pin of this keeper", whole(about.pin)),
        ("Leases", html! { (lease) " each" }),
        ("Who decides", html! { (ask) }),
    ])
}

fn count(count: usize) -> Markup {
    html! {
        @if count > 0 { " " span.count { (count) @if count >= MOST { "+" } } }
    }
}

fn and_more(count: usize) -> Markup {
    html! {
        @if count >= MOST {
            p.none { "There may be more than these " (MOST) ": " code { "mcbn keeper list" } " shows all." }
        }
    }
}
