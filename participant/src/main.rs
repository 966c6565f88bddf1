//! What a participant of a network runs.

#![forbid(unsafe_code)]

// The commands that use it follow.
#[allow(dead_code)]
mod keeper;

fn main() {}
