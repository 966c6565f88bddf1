//! The manifest that the operator hands over. It is not trusted for it: another one gives another key and other tokens.

use super::MANIFEST;
use mcbn_manifest::{Manifest, carried};
use mcbn_runtime::settings::{Given, Reported, Setting};
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::str::FromStr;

pub(super) fn read(given: &mut Given) -> Result<Option<Manifest>, Reported> {
    match given.optional::<Place>(&MANIFEST)? {
        Some(place) => parse(given, &MANIFEST, place).map(Some),
        None => Ok(None),
    }
}

/// The manifest of a program that cannot do without, in a row of its own.
pub fn read_manifest(given: &mut Given, setting: &Setting) -> Result<Manifest, Reported> {
    let place = given.one::<Place>(setting)?;
    parse(given, setting, place)
}

fn parse(given: &mut Given, setting: &Setting, place: Place) -> Result<Manifest, Reported> {
    let bytes = match place {
        Place::Text(bytes) => bytes,
        Place::File(path) => bounded(path)
            .map_err(|error| given.refuse(&[setting], format_args!("its file: {error}")))?,
    };
    Manifest::parse(&bytes).map_err(|mistakes| {
        /// A person corrects some and looks again.
        const SHOWN: usize = 20;
        let all = mistakes.iter().len();
        let mut reported = None;
        for mistake in mistakes.iter().take(SHOWN) {
            reported = Some(given.refuse(&[setting], mistake));
        }
        if let Some(more @ 1..) = all.checked_sub(SHOWN) {
            reported = Some(given.refuse(&[setting], format_args!("and {more} mistakes more")));
        }
        given.hint("`mcbn manifest check` shows every mistake of a manifest");
        reported.expect("there is at least one")
    })
}

fn bounded(path: PathBuf) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more shows that there is too much.
    let most = Manifest::MAX_LEN as u64 + 1;
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the manifest is read.
#[derive(Debug)]
enum Place {
    File(PathBuf),
    Text(Vec<u8>),
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Place, NotAPlace> {
        match text.strip_prefix("file:") {
            Some("") => Err(NotAPlace),
            Some(path) => Ok(Place::File(path.into())),
            None => carried::decode(text)
                .map(Place::Text)
                .map_err(|_| NotAPlace),
        }
    }
}

#[derive(Debug)]
struct NotAPlace;

impl Display for NotAPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("neither file:PATH nor text: and the base64url of a manifest")
    }
}
