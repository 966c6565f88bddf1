//! What the table says of itself: to people (`--help`) and to programs (`--settings`).

use super::{Program, Setting};
use crate::suite::Command;
use serde_json::{Value, json};
use std::fmt::Write;

const WIDTH: usize = 80;
const INDENT: usize = 8;

impl Program {
    pub(super) fn version_line(&self) -> String {
        format!("{} {}\n", self.name, self.version)
    }

    pub(super) fn help(&self) -> String {
        let mut text = self.version_line();
        wrap(&mut text, 0, self.about);
        let _ = write!(text, "\nUsage: {} [SETTING]...", self.called());
        for operand in self.settings().filter(|setting| setting.operand) {
            let name = operand.flag() + if operand.repeat { "..." } else { "" };
            let _ = match operand.required {
                true => write!(text, " {name}"),
                false => write!(text, " [{name}]"),
            };
        }
        if !self.commands.is_empty() {
            let _ = write!(text, "\n       {} COMMAND [SETTING]...", self.name);
        }
        text.push_str("\n\n");
        wrap(
            &mut text,
            0,
            "Each setting is a flag and an environment variable. Where both are given, they must agree.",
        );
        for setting in self.settings() {
            text.push('\n');
            setting.help(&mut text);
        }
        text.push_str("\n  --settings\n");
        wrap(&mut text, INDENT, "print this table as JSON, and exit");
        ending(&mut text);
        if !self.commands.is_empty() {
            let introduction = format!(
                "The commands, each with settings of its own: {} COMMAND --help lists them.",
                self.name
            );
            text.push('\n');
            wrap(&mut text, 0, &introduction);
            list(&mut text, self.commands);
        }
        text
    }

    /// The table for programs: an image's labels and ports are made from it.
    pub(super) fn settings_json(&self) -> String {
        // An image has no use for operands.
        let flags = self.settings().filter(|setting| !setting.operand);
        let table = json!({
            "name": self.name,
            "version": self.version,
            "about": self.about,
            "ports": self.ports.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "settings": flags.map(Setting::json).collect::<Vec<_>>(),
        });
        format!("{table:#}\n")
    }
}

impl Setting {
    fn help(&self, text: &mut String) {
        let _ = write!(text, "  {}", self.flag());
        match self.value {
            _ if self.operand => text.push('\n'),
            Some(value) => {
                let _ = writeln!(text, " {value}  [{}]", self.variable());
            }
            None => {
                let _ = writeln!(text, "  [{}]", self.variable());
            }
        }

        let mut notes = String::from(self.help);
        match self.default {
            Some(default) => {
                let _ = write!(notes, "; default: {default}");
            }
            None if self.required => notes.push_str("; required"),
            None => {}
        }
        if self.repeat && !self.operand {
            notes.push_str("; may be repeated, with commas in the variable");
        }
        wrap(text, INDENT, &notes);
    }

    fn json(&self) -> Value {
        json!({
            "flag": self.flag(),
            "variable": self.variable(),
            "value": self.value,
            "default": self.default,
            "repeat": self.repeat,
            "required": self.required,
            "operator": self.operator,
            "help": self.help,
        })
    }
}

/// Commands, by their words.
pub(crate) fn list<'a>(text: &mut String, commands: impl IntoIterator<Item = &'a Command>) {
    for Command { program, .. } in commands {
        text.push_str("\n ");
        for word in program.command() {
            let _ = write!(text, " {word}");
        }
        text.push('\n');
        wrap(text, INDENT, program.about());
    }
}

/// The flags that every help ends with.
pub(crate) fn ending(text: &mut String) {
    text.push_str("\n  -h, --help\n");
    wrap(text, INDENT, "print this help, and exit");
    text.push_str("\n  -V, --version\n");
    wrap(text, INDENT, "print the version, and exit");
}

/// Words in lines of at most [`WIDTH`] characters; a longer word has a line of its own.
pub(crate) fn wrap(text: &mut String, indent: usize, words: &str) {
    let mut column = 0;
    for word in words.split_whitespace() {
        let length = word.chars().count();
        if column == 0 {
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else if column + 1 + length > WIDTH {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}
