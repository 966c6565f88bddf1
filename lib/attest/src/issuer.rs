//! Who signs tokens.

use crate::location::{Clear, Location};
use std::fmt::{self, Display};

/// The `iss` of every token that is accepted. Compared exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    location: Location,
    clear: Clear,
}

impl Issuer {
    /// Google's, of every Confidential Space token.
    pub const GOOGLE: &str = "https://confidentialcomputing.googleapis.com";

    pub fn google() -> Issuer {
        let location = Location::parse(Self::GOOGLE, Clear::Never);
        Issuer {
            location: location.expect("a constant that a test parses"),
            clear: Clear::Never,
        }
    }

    /// Another one: whoever runs it can say that any machine is attested. For tests and demonstrations.
    ///
    /// # Errors
    ///
    /// Neither `https` nor `http` to a loopback address, or with a user, query, fragment or a `/` at the end.
    pub fn insecure(url: &str) -> Result<Issuer, NotAnIssuer> {
        let clear = Clear::OnLoopback;
        let location = Location::parse(url, clear).ok_or(NotAnIssuer)?;
        match location.has_query() || url.ends_with('/') {
            true => Err(NotAnIssuer),
            false => Ok(Issuer { location, clear }),
        }
    }

    pub fn as_str(&self) -> &str {
        self.location.as_str()
    }

    /// Where it describes itself ([OpenID Connect Discovery 1.0 §4]).
    ///
    /// [OpenID Connect Discovery 1.0 §4]: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
    pub(crate) fn discovery(&self) -> Location {
        self.location("/.well-known/openid-configuration")
    }

    fn location(&self, path: &str) -> Location {
        let location = Location::parse(&format!("{}{path}", self.as_str()), self.clear);
        location.unwrap_or_else(|| self.location.clone())
    }

    /// What it says about where something else is.
    pub(crate) fn elsewhere(&self, url: &str) -> Option<Location> {
        Location::parse(url, self.clear)
    }
}

/// Not a URL that an issuer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnIssuer;

impl Display for NotAnIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an issuer is an https URL, or an http one to a loopback address, without user, query, fragment or '/' at its end",
        )
    }
}

impl std::error::Error for NotAnIssuer {}
