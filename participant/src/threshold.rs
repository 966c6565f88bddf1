//! `mcbn threshold`: takes part in making a key that nobody has, and in signing with it.

mod access;
mod agreed;
mod error;
mod folder;
mod generate;
mod key;
mod member;
mod notice;
mod own_share;
mod session;
pub mod sign;
mod status;
mod verify;

pub use generate::GENERATE;
pub use key::KEY;
pub use status::STATUS;
pub use verify::{FINISH, VERIFY};

use std::io::{self, Write};

/// Data, for whoever reads standard output.
fn print(text: &str) -> Result<(), error::Error> {
    let printed = io::stdout().lock().write_all(text.as_bytes());
    printed.map_err(error::Error::Print)
}
