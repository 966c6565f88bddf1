//! Where one participant's share comes from.

use mcbn_share::{NotAParticipant, NotAPlace, NotASource, Participant, Source};
use std::fmt::{self, Display};
use std::str::FromStr;

/// One `--share`.
#[derive(Debug)]
pub(super) enum Origin {
    Here(Source),
    Keeper(Participant),
}

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Origin, NotAnOrigin> {
        match text.split_once('=') {
            Some((name, "keeper")) => name.parse().map(Origin::Keeper).map_err(NotAnOrigin::Name),
            Some((_, place)) if in_cloud(place) => Err(NotAnOrigin::Cloud),
            _ => text.parse().map(Origin::Here).map_err(NotAnOrigin::Source),
        }
    }
}

/// Written as manifests write it.
fn in_cloud(place: &str) -> bool {
    place.starts_with("gcp-secret:") || place.starts_with("gcp-kms:")
}

pub(super) fn apart(origins: Vec<Origin>) -> (Vec<Source>, Vec<Participant>) {
    let (mut sources, mut keepers) = (Vec::new(), Vec::new());
    for origin in origins {
        match origin {
            Origin::Here(source) => sources.push(source),
            Origin::Keeper(participant) => keepers.push(participant),
        }
    }
    (sources, keepers)
}

#[derive(Debug)]
pub(super) enum NotAnOrigin {
    Name(NotAParticipant),
    Source(NotASource),
    Cloud,
}

impl Display for NotAnOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAnOrigin::Name(error) => error.fmt(f),
            NotAnOrigin::Source(NotASource::Place(NotAPlace::Kind)) => f.write_str(
                "after the '=' stands none of file:PATH, fd:NUMBER and keeper; a share itself is never given here",
            ),
            NotAnOrigin::Source(error) => error.fmt(f),
            NotAnOrigin::Cloud => f.write_str(
                "a share in Google Cloud stands in the manifest, beside its participant's name, where all participants agree on it",
            ),
        }
    }
}
