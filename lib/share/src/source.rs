//! Where a participant's share is read: `alice=file:/run/shares/alice`, `alice=fd:3`.

use crate::participant::{NotAParticipant, Participant};
use mcbn_place::{Held, Inheritance, NotAPlace, NotClaimed, Place, Text, Unreadable, Whose};
use std::error::Error;
use std::fmt::{self, Display};
use std::str::FromStr;

/// One participant and the place of their share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub(crate) participant: Participant,
    pub(crate) place: Place,
}

impl Source {
    pub fn new(participant: Participant, place: Place) -> Source {
        Source { participant, place }
    }

    pub fn participant(&self) -> &Participant {
        &self.participant
    }

    /// # Errors
    ///
    /// As for [`Place::claim`], which says when to do it.
    pub fn claim(self, inheritance: &mut Inheritance) -> Result<Claimed, NotClaimed> {
        let Source { participant, place } = self;
        let place = place.claim(Whose::new("share", &participant), inheritance)?;
        Ok(Claimed { participant, place })
    }
}

impl FromStr for Source {
    type Err = NotASource;

    fn from_str(text: &str) -> Result<Source, NotASource> {
        let (name, place) = text.split_once('=').ok_or(NotASource::NoName)?;
        let participant = name.parse().map_err(NotASource::Name)?;
        let place = place.parse().map_err(NotASource::Place)?;
        Ok(Source { participant, place })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotASource {
    NoName,
    Name(NotAParticipant),
    Place(NotAPlace),
}

impl Display for NotASource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotASource::NoName => f.write_str("no participant's name before a '='"),
            NotASource::Name(error) => error.fmt(f),
            NotASource::Place(NotAPlace::Kind) => f.write_str(
                "after the '=' stands neither file:PATH nor fd:NUMBER; a share itself is never given here",
            ),
            NotASource::Place(error) => error.fmt(f),
        }
    }
}

impl Error for NotASource {}

/// A source whose descriptor, if that is its place, is held.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub(crate) participant: Participant,
    place: Held,
}

/// Takes the descriptors of all of them.
///
/// # Errors
///
/// Every descriptor that was not inherited, with its participant.
pub(crate) fn claim(
    sources: Vec<Source>,
    inheritance: &mut Inheritance,
) -> Result<Vec<Claimed>, Vec<NotClaimed>> {
    let mut claimed = Vec::with_capacity(sources.len());
    let mut refused = Vec::new();
    for source in sources {
        match source.claim(inheritance) {
            Ok(source) => claimed.push(source),
            Err(error) => refused.push(error),
        }
    }
    match refused.is_empty() {
        true => Ok(claimed),
        false => Err(refused),
    }
}

impl Claimed {
    pub(crate) fn is_standard_input(&self) -> bool {
        self.place.is_standard_input()
    }

    pub(crate) fn read(&self) -> Result<Text, Unreadable> {
        self.place.read()
    }
}

#[cfg(test)]
pub(crate) mod tests;
