//! The workloads: which images may play which part, and how they must have been started.

use super::Distinct;
use super::value::{Key, Table, Value};
use crate::Workload;
use crate::mistake::{Noted, Shown};
use crate::policy::Container;
use std::collections::BTreeMap;

pub(super) fn workloads(value: Value<'_>) -> Result<Vec<Workload>, Noted> {
    let mut names = Distinct::default();
    let mut images = Distinct::default();
    value.tables(|table| {
        let name = table.required("name", |value| names.parsed(value, "workload"));
        let images = table.required("images", |value| {
            value.some(|item| images.parsed(item, "image"))
        });
        let container = container(table);
        Ok(Workload {
            name: name?,
            images: images?,
            container: container?,
        })
    })
}

fn container(table: &mut Table<'_>) -> Result<Container, Noted> {
    let cmd_override = table.optional("cmd-override", |value| value.list(argument));
    let env_override = table.optional("env-override", |value| value.map(variable));
    let args = table.optional("args", |value| {
        let args = value.some(argument)?;
        match &cmd_override {
            // The image's entry point, then these.
            Ok(Some(end)) if !args.ends_with(end) => {
                Err(value.note("'args' contradicts 'cmd-override', with which it would end"))
            }
            _ => Ok(args),
        }
    });
    let env = table.optional("env", |value| {
        let env = value.map(variable)?;
        match &env_override {
            Ok(Some(set)) => agrees(value, env, set),
            _ => Ok(env),
        }
    });
    Ok(Container {
        args: args?,
        cmd_override: cmd_override?.unwrap_or_default(),
        env_override: env_override?.unwrap_or_default(),
        env: env?,
    })
}

type Variables = BTreeMap<String, String>;

/// What is overridden stands in the environment, too.
fn agrees(value: Value<'_>, env: Variables, set: &Variables) -> Result<Variables, Noted> {
    match set
        .iter()
        .find(|(name, value)| env.get(*name) != Some(value))
    {
        Some((name, _)) => Err(value.note(format_args!(
            "'env' contradicts 'env-override', which sets {}",
            Shown(name)
        ))),
        None => Ok(env),
    }
}

fn argument(value: Value<'_>) -> Result<String, Noted> {
    let text = value.text()?;
    match text.contains('\0') {
        true => Err(value.note("no argument and no variable holds a zero byte")),
        false => Ok(text.into()),
    }
}

fn variable(key: Key<'_>, value: Value<'_>) -> Result<(String, String), Noted> {
    let name = key.name;
    let well_formed = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b'=');
    let name = match well_formed {
        true => Ok(name.into()),
        false => Err(key.note(format_args!(
            "the name of a variable is printable ASCII without '=', not {}",
            Shown(name)
        ))),
    };
    let value = argument(value);
    Ok((name?, value?))
}
