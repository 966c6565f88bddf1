//! Texts that strangers chose, made so that people see all that is there.
//!
//! Markup is escaped as everywhere. Beside that, what is not drawn or moves its neighbours (controls, marks that change
//! the direction of writing, invisible and combining characters) is shown by its number, and the text as a whole is
//! kept from reordering what stands around it.

use maud::{Markup, html};

pub fn shown(text: &str) -> Markup {
    html! {
        bdi.shown {
            @for part in Parts(text) {
                @match part {
                    Part::Plain(text) => (text),
                    Part::Odd(c) => span.odd title="not a visible character" { (format!("U+{:04X}", u32::from(c))) },
                }
            }
        }
    }
}

enum Part<'t> {
    Plain(&'t str),
    Odd(char),
}

struct Parts<'t>(&'t str);

impl<'t> Iterator for Parts<'t> {
    type Item = Part<'t>;

    fn next(&mut self) -> Option<Part<'t>> {
        let odd = self.0.find(is_odd).unwrap_or(self.0.len());
        if odd > 0 {
            let (plain, rest) = self.0.split_at(odd);
            self.0 = rest;
            return Some(Part::Plain(plain));
        }
        let mut rest = self.0.chars();
        let odd = rest.next()?;
        self.0 = rest.as_str();
        Some(Part::Odd(odd))
    }
}

/// The standard library has Unicode's table of what is printable; it also escapes what Rust's syntax needs escaped.
fn is_odd(c: char) -> bool {
    !matches!(c, '"' | '\'' | '\\') && !c.escape_debug().eq([c])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        let html = shown(text).into_string();
        let inner = html.strip_prefix("<bdi class=\"shown\">").unwrap();
        inner.strip_suffix("</bdi>").unwrap().replace(
            "<span class=\"odd\" title=\"not a visible character\">",
            "<odd>",
        )
    }

    #[test]
    fn ordinary_texts_stay_as_they_are() {
        for text in ["", "a b", "\\ 'q'", "größe", "名前", "projects/p/zones/z"] {
            assert_eq!(html(text), text);
        }
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(
            html("<script>alert(\"1\")</script>&amp;"),
            "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;"
        );
    }

    #[test]
    fn what_cannot_be_seen_is_shown_by_its_number() {
        for (text, code) in [
            ("\0", "U+0000"),
            ("\n", "U+000A"),
            ("\u{1b}", "U+001B"),
            ("\u{7f}", "U+007F"),
            ("\u{85}", "U+0085"),
            ("\u{a0}", "U+00A0"),
            ("\u{ad}", "U+00AD"),
            ("\u{300}", "U+0300"),
            ("\u{200b}", "U+200B"),
            ("\u{200d}", "U+200D"),
            ("\u{200f}", "U+200F"),
            ("\u{202e}", "U+202E"),
            ("\u{2028}", "U+2028"),
            ("\u{2066}", "U+2066"),
            ("\u{3000}", "U+3000"),
            ("\u{e000}", "U+E000"),
            ("\u{feff}", "U+FEFF"),
            ("\u{fe0f}", "U+FE0F"),
            ("\u{e0041}", "U+E0041"),
        ] {
            assert_eq!(html(text), format!("<odd>{code}</span>"));
        }
        assert_eq!(
            html("a\u{202e}b\n\u{200b}"),
            "a<odd>U+202E</span>b<odd>U+000A</span><odd>U+200B</span>"
        );
    }
}
