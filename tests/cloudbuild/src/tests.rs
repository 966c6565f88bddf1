//! What a pipeline may not be, then the steps after the builds, on two small builds made here.

use std::fs;
use std::path::PathBuf;

mod rules;
mod steps;

/// This project's source.
fn source() -> PathBuf {
    std::env::var_os("MCBN_SOURCE").map_or_else(|| "../..".into(), PathBuf::from)
}

fn text() -> String {
    fs::read_to_string(source().join("cloudbuild.yaml")).unwrap()
}
