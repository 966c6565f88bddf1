//! `cloudbuild.yaml` as Cloud Build reads it, as far as this project uses it.
//!
//! Every field that is not listed is refused: among them `images`, which pushes tags, `waitFor`, which lets steps overtake
//! each other, and all that brings secrets in.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Pipeline {
    pub substitutions: BTreeMap<String, String>,
    pub steps: Vec<Step>,
    pub options: Options,
    #[serde(rename = "timeout")]
    _timeout: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub id: String,
    /// The builder image.
    pub name: String,
    /// The images here have no entry point: the first is the program.
    pub args: Vec<String>,
    #[serde(default)]
    pub env: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Options {
    /// Of every step.
    pub env: Vec<String>,
    #[serde(rename = "machineType")]
    _machine_type: String,
    #[serde(rename = "diskSizeGb")]
    _disk_size_gb: u32,
    #[serde(rename = "logging")]
    _logging: String,
}

impl Pipeline {
    pub fn parse(text: &str) -> Result<Self, serde_norway::Error> {
        serde_norway::from_str(text)
    }

    /// The pipeline with its substitutions made, given those of a submission.
    ///
    /// As in Cloud Build, one that stands nowhere and one that has no value are refused.
    pub fn submit(&self, given: &BTreeMap<String, String>) -> Result<Self, Unmatched> {
        let mut values = self.substitutions.clone();
        values.extend(given.clone());
        let mut unused: Vec<&String> = values.keys().collect();
        let mut submitted = self.clone();
        for step in &mut submitted.steps {
            for text in std::iter::once(&mut step.name)
                .chain(&mut step.args)
                .chain(&mut step.env)
            {
                *text = substitute(text, |name| {
                    unused.retain(|unused| *unused != name);
                    values.get(name)
                })?;
            }
        }
        match unused.first() {
            Some(name) => Err(Unmatched(name.to_string())),
            None => Ok(submitted),
        }
    }
}

/// The names of the substitutions in a text.
pub fn references(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let nothing = String::new();
    substitute(text, |name| {
        names.push(name.to_owned());
        Some(&nothing)
    })
    .expect("every name has a value here");
    names
}

/// `$NAME` and `${NAME}` become their values, `$$` a dollar sign.
fn substitute<'a>(
    text: &str,
    mut value: impl FnMut(&str) -> Option<&'a String>,
) -> Result<String, Unmatched> {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        done.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            done.push('$');
            rest = after;
            continue;
        }
        let (name, after) = match after.strip_prefix('{') {
            Some(after) => after
                .split_once('}')
                .ok_or_else(|| Unmatched(after.to_owned()))?,
            None => {
                let end = after
                    .find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
                    .unwrap_or(after.len());
                after.split_at(end)
            }
        };
        done.push_str(value(name).ok_or_else(|| Unmatched(name.to_owned()))?);
        rest = after;
    }
    done.push_str(rest);
    Ok(done)
}

/// A substitution without a value, or a value without a substitution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched(String);

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the substitution {} is not in both the file and what was given",
            self.0
        )
    }
}

impl std::error::Error for Unmatched {}
