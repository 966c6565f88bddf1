//! The table in which built images stand beside their lines of the lock.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::lock::{Lock, Pin, Verdict};
use crate::name::Name;

pub struct Table {
    /// For people and for `grep`: one line an image, its digests below it.
    pub data: String,
    /// One line for each image that is not what the lock says.
    pub reasons: Vec<String>,
}

impl Table {
    pub fn of(lock: &Lock, built: &BTreeMap<Name, Pin>) -> Self {
        let mut data = row("image", "platform", "size", "verdict");
        let mut reasons = Vec::new();
        for (name, verdict) in lock.verdicts(built) {
            let (locked, built) = (lock.0.get(&name), built.get(&name));
            let shown = built
                .or(locked)
                .expect("a verdict is on an image that one side names");
            let size = shown.size.to_string();
            data += &row(name.as_str(), &shown.platform, &size, &verdict.to_string());
            data += &digests(shown);
            if verdict != Verdict::Same {
                reasons.push(format!("{name}: {verdict}"));
                if let (Some(locked), Some(_)) = (locked, built) {
                    data += "  the lock says\n";
                    data += &digests(locked);
                }
            }
        }
        Self { data, reasons }
    }
}

fn row(image: &str, platform: &str, size: &str, verdict: &str) -> String {
    format!("{image:<20} {platform:<12} {size:>9}  {verdict}\n")
}

fn digests(pin: &Pin) -> String {
    let mut lines = String::new();
    for (what, digest) in [
        ("manifest digest", pin.manifest),
        ("config digest", pin.config),
        ("program", pin.program),
    ] {
        writeln!(lines, "  {what:<16} {digest}").expect("a String takes every write");
    }
    lines
}
