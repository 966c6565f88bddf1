//! The page as it is drawn: HTML that works without a script, at any width, in light and dark, and when it is read
//! aloud.

pub mod confirm;
pub mod entry;
pub mod ledger;
pub mod overview;
pub mod parts;
mod refusal;
pub mod style;

pub use refusal::{Refusal, refusal};

use super::About;
use super::access::Session;
use super::routes::Site;
use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

/// Where the style sheet is.
pub const STYLE: &str = "/style.css";

/// What every page of a session has.
pub struct Frame<'s> {
    pub base: &'s str,
    pub about: &'s About,
    key: String,
}

impl<'s> Frame<'s> {
    pub fn new(site: &'s Site, session: &Session) -> Frame<'s> {
        Frame {
            base: site.access.base(),
            about: &site.about,
            // It goes into the forms of this session's pages, and nowhere else.
            key: site.access.expose_form_key(session),
        }
    }

    fn page(&self, title: &str, body: Markup) -> Html<String> {
        let About {
            network,
            participant,
            ..
        } = self.about;
        let links = [("", "Consent"), ("/ledger", "Ledger")];
        let body = html! {
            header {
                p.who { "Keeper of " strong { (participant.as_str()) } " in " strong { (network.as_str()) } }
                nav aria-label="Pages" {
                    @for (path, name) in links {
                        a href={ (self.base) (path) } aria-current=[(name == title).then_some("page")] { (name) }
                    }
                }
            }
            main { (body) }
        };
        document(title, &format!("{network} · "), body)
    }

    /// A button that says one thing, with what it says it of.
    fn button(&self, action: &str, label: Markup, kind: &str, fields: &[(&str, String)]) -> Markup {
        html! {
            form method="post" action={ (self.base) "/" (action) } {
                input type="hidden" name="key" value=(self.key);
                @for (name, value) in fields {
                    input type="hidden" name=(name) value=(value);
                }
                button type="submit" class=(kind) { (label) }
            }
        }
    }
}

fn document(title: &str, before: &str, body: Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (before) (title) }
                link rel="stylesheet" href=(STYLE);
            }
            body { (body) }
        }
    };
    Html(page.into_string())
}
