//! Turns a built program into a bit-for-bit reproducible OCI image, and proves that it did.
//!
//! What goes in: a program, what it says about its own settings, a few files. What comes out: an
//! OCI layout whose every byte follows from those. Nothing here reads a clock, a user,
//! a locale or a directory's order, and nothing opens a connection: what makes images is small
//! enough to be read.
//!
//! Not here: what the program does, and sending images anywhere (`images/push`).

#![forbid(unsafe_code)]

pub mod assemble;
pub mod blobs;
pub mod cargo_lock;
pub mod cli;
pub mod commands;
pub mod diff;
pub mod digest;
pub mod error;
pub mod facts;
pub mod fault;
pub mod gzip;
pub mod image;
pub mod launch_policy;
pub mod layout;
pub mod lock;
pub mod name;
pub mod promise;
pub mod referrer;
pub mod sbom;
pub mod settings;
pub mod spec;
pub mod stored;
pub mod tree;
pub mod verify;
