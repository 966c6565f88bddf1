//! Who signs tokens.

use crate::location::{Clear, Location};
use std::fmt::{self, Display};

/// The `iss` of every token that is accepted. Compared exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    location: Location,
    clear: Clear,
}

const DISCOVERY: &str = "/.well-known/openid-configuration";

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
        match location.as_str().contains('?') || url.ends_with('/') {
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
        self.location.join(DISCOVERY)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_describes_itself_where_it_says() {
        let discovery =
            "https://confidentialcomputing.googleapis.com/.well-known/openid-configuration";
        assert_eq!(Issuer::google().discovery().as_str(), discovery);
    }

    #[test]
    fn another_issuer_is_taken_when_it_is_asked_for() {
        for (url, clear) in [
            ("https://issuer.example", false),
            ("https://issuer.example:8443/a/b", false),
            ("http://127.0.0.1:8080", true),
            ("http://127.1.2.3", true),
            ("http://[::1]:8080", true),
            ("http://localhost:1/x", true),
        ] {
            let issuer = Issuer::insecure(url).unwrap();
            let discovery = format!("{url}/.well-known/openid-configuration");
            assert_eq!(issuer.discovery().as_str(), discovery);
            assert_eq!(issuer.discovery().is_clear(), clear, "{url}");
        }
    }

    #[test]
    fn what_cannot_be_an_issuer_is_refused() {
        let long = format!("https://issuer.example/{}", "x".repeat(2048));
        for url in [
            "",
            "issuer.example",
            "//issuer.example",
            "https://",
            "https:///x",
            "http://issuer.example",
            "http://10.0.0.1",
            "http://127.0.0.1.example",
            "http://[::2]",
            "http://0.0.0.0",
            "http://localhost.example",
            "http://127.0.0.1@issuer.example",
            "https://user@issuer.example",
            "https://user:x@issuer.example",
            "https://issuer.example/",
            "https://issuer.example?a=b",
            "https://issuer.example/#x",
            "https://issuer.example\\@x",
            "https://issuer example",
            "https://issuer.example\n",
            "https://issuér.example",
            "ftp://issuer.example",
            "file:///etc/passwd",
            &long,
        ] {
            assert_eq!(Issuer::insecure(url), Err(NotAnIssuer), "{url}");
        }
    }

    /// Google's keys are never fetched in clear, whatever Google's description of itself says.
    #[test]
    fn a_place_in_clear_is_refused_unless_the_issuer_is_insecure() {
        let clear = "http://127.0.0.1:8080/keys?x=1";
        assert_eq!(Issuer::google().elsewhere(clear), None);
        let insecure = Issuer::insecure("https://issuer.example").unwrap();
        assert!(insecure.elsewhere(clear).is_some());
        assert_eq!(insecure.elsewhere("http://issuer.example/keys"), None);
    }
}
