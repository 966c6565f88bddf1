//! Where to push: a registry, and a prefix of its repositories.

use std::fmt;
use std::net::IpAddr;

use ureq::http::Uri;

/// `HOST[:PORT][/PREFIX]`, reached over TLS unless it is this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub origin: Origin,
    prefix: String,
}

/// Scheme, host and port: what credentials belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    tls: bool,
    authority: String,
}

/// Why a text names no registry that may be pushed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotADestination {
    Form(String),
    /// In clear to another machine: whoever is between reads the credentials.
    Plaintext(String),
}

impl fmt::Display for NotADestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(text) => {
                write!(
                    f,
                    "{text:?} is not of the form HOST[:PORT][/PREFIX], in lower case"
                )
            }
            Self::Plaintext(host) => write!(f, "{host} is another machine: http:// is refused"),
        }
    }
}

impl std::error::Error for NotADestination {}

impl Destination {
    /// Without a scheme, loopback is reached in clear and everything else over TLS. `https://`
    /// asks for TLS on loopback too; `http://` to another machine needs `plaintext`.
    pub fn parse(text: &str, plaintext: bool) -> Result<Self, NotADestination> {
        let wrong = || NotADestination::Form(text.to_owned());
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Some(false), rest),
            Some(("https", rest)) => (Some(true), rest),
            Some(_) => return Err(wrong()),
            None => (None, text),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (authority, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let uri: Uri = format!("https://{authority}/")
            .parse()
            .map_err(|_| wrong())?;
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(wrong)?;
        // The rest can only be a port: user names and passwords are not taken from a command line.
        let port_fits = match authority.strip_prefix(host) {
            Some("") => true,
            Some(rest) => rest
                .strip_prefix(':')
                .is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0)),
            None => false,
        };
        if !port_fits || !is_prefix(prefix) {
            return Err(wrong());
        }
        let loopback = is_loopback(host);
        let tls = scheme.unwrap_or(!loopback);
        if !tls && !loopback && !plaintext {
            return Err(NotADestination::Plaintext(authority.to_owned()));
        }
        let origin = Origin {
            tls,
            authority: authority.to_owned(),
        };
        Ok(Self {
            origin,
            prefix: prefix.to_owned(),
        })
    }

    /// The repository of an image.
    pub fn repository(&self, name: &str) -> String {
        match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }
}

impl Origin {
    /// The origin of a URL, where it is one that requests may go to.
    pub fn of(uri: &Uri) -> Option<Self> {
        let tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Some(Self {
            tls,
            authority: uri.authority()?.as_str().to_owned(),
        })
    }

    /// `HOST[:PORT]`, as references and Docker's configuration name it.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// No one between this program and that host can read or change what is sent.
    pub fn is_private(&self) -> bool {
        self.tls || self.is_loopback()
    }

    pub fn is_loopback(&self) -> bool {
        self.url("/")
            .parse::<Uri>()
            .is_ok_and(|uri| uri.host().is_some_and(is_loopback))
    }

    pub fn url(&self, path: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.authority)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Path components as the distribution specification has them, or none.
fn is_prefix(prefix: &str) -> bool {
    let is_component = |component: &str| {
        let outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        component.starts_with(outer)
            && component.ends_with(outer)
            && component
                .chars()
                .all(|c| outer(c) || matches!(c, '.' | '_' | '-'))
    };
    prefix.is_empty() || prefix.split('/').all(is_component)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(String, String), NotADestination> {
        Destination::parse(text, false).map(|destination| {
            (
                destination.origin.url("/v2/"),
                destination.repository("psk-server"),
            )
        })
    }

    #[test]
    fn loopback_is_reached_in_clear_and_others_over_tls() {
        for (text, url, repository) in [
            ("localhost:5000", "http://localhost:5000/v2/", "psk-server"),
            (
                "127.0.0.1:5000/a/b/",
                "http://127.0.0.1:5000/v2/",
                "a/b/psk-server",
            ),
            ("[::1]:5000", "http://[::1]:5000/v2/", "psk-server"),
            (
                "https://localhost:5000",
                "https://localhost:5000/v2/",
                "psk-server",
            ),
            (
                "registry.example",
                "https://registry.example/v2/",
                "psk-server",
            ),
            (
                "registry.example:443/p-1",
                "https://registry.example:443/v2/",
                "p-1/psk-server",
            ),
            (
                "localhost.example",
                "https://localhost.example/v2/",
                "psk-server",
            ),
        ] {
            assert_eq!(
                parse(text),
                Ok((url.to_owned(), repository.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn another_machine_in_clear_is_refused_unless_asked_for() {
        for host in ["registry.example", "10.0.0.1:5000", "127.0.0.1.example"] {
            let text = format!("http://{host}");
            assert_eq!(
                parse(&text),
                Err(NotADestination::Plaintext(host.to_owned()))
            );
            let allowed = Destination::parse(&text, true).unwrap();
            assert_eq!(allowed.origin.url(""), text);
            assert!(!allowed.origin.is_private());
        }
        assert!(
            Destination::parse("http://127.0.0.1:5000", false)
                .unwrap()
                .origin
                .is_private()
        );
        // The flag allows a scheme that is typed; it does not change the default.
        let default = Destination::parse("registry.example", true).unwrap();
        assert_eq!(default.origin.url(""), "https://registry.example");
    }

    #[test]
    fn another_form_is_refused() {
        for text in [
            "",
            "/a",
            "ftp://registry.example",
            "user:password@registry.example",
            "registry.example:0",
            "registry.example:port",
            "registry.example//a",
            "registry.example/A",
            "registry.example/../a",
            "registry.example/a?b",
            "registry.example/-a",
            "a b",
        ] {
            assert_eq!(
                parse(text),
                Err(NotADestination::Form(text.to_owned())),
                "{text}"
            );
        }
    }
}
