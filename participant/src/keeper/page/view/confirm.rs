//! Asked before what concerns every machine is done.

use super::Frame;
use super::parts::link;
use crate::keeper::page::books::Overview;
use axum::response::Html;
use maud::html;

pub fn withdraw(frame: &Frame<'_>, overview: &Overview) -> Html<String> {
    let leases = overview.leases.len();
    let body = html! {
        h1 { "Withdraw consent from every machine?" }
        @match &overview.withdrawn {
            Some(line) => p { "It is withdrawn already, by " (link(frame, line.seq)) "." },
            None => {
                p {
                    "Every lease ends at its next renewal"
                    @if leases > 0 { " (" (leases) " run now)" }
                    ", and nothing is released to anyone until consent is restored. Machines then close every \
                     connection that needs this share."
                }
                div.buttons {
                    (frame.button("withdraw", html! { "Withdraw from all" }, "taking", &[]))
                    a.button href=(frame.base) { "Leave it" }
                }
            },
        }
    };
    frame.page("Withdraw", body)
}

pub fn restore(frame: &Frame<'_>, overview: &Overview) -> Html<String> {
    let body = html! {
        h1 { "Restore consent?" }
        @match &overview.withdrawn {
            None => p { "It is not withdrawn." },
            Some(line) => {
                p {
                    "It was withdrawn by " (link(frame, line.seq))
                    ". Once restored, each machine is answered on its own again: those that were approved, or that \
                     the manifest allows, get the share when they ask. What was denied or revoked stays so."
                }
                div.buttons {
                    (frame.button("restore", html! { "Restore" }, "giving", &[("seen", overview.seen.to_string())]))
                    a.button href=(frame.base) { "Leave it" }
                }
            },
        }
    };
    frame.page("Restore", body)
}
