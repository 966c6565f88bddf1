//! Where an issuer publishes something.

use std::fmt::{self, Display};
use std::net::{Ipv4Addr, Ipv6Addr};
use ureq::http::Uri;

/// A URL that may be fetched: `https`, or `http` to this machine where that was allowed. No user, no fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    url: String,
    clear: bool,
}

/// Whether a location may be in clear text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clear {
    Never,
    OnLoopback,
}

impl Location {
    const MAX_LEN: usize = 2048;

    pub(crate) fn parse(text: &str, clear: Clear) -> Option<Location> {
        // Parsers of URLs differ over anything else.
        let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'\\' | b'#' | b'"' | b'<' | b'>');
        if text.len() > Self::MAX_LEN || !text.bytes().all(plain) {
            return None;
        }
        let uri: Uri = text.parse().ok()?;
        let authority = uri.authority()?;
        let host = authority.host();
        if host.is_empty() || authority.as_str().contains('@') {
            return None;
        }
        let is_clear = match uri.scheme_str()? {
            "https" => false,
            "http" if clear == Clear::OnLoopback && is_loopback(host) => true,
            _ => return None,
        };
        Some(Location {
            url: text.into(),
            clear: is_clear,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// To this machine, without TLS.
    pub fn is_clear(&self) -> bool {
        self.clear
    }

    /// A path below it; it has no query.
    pub(crate) fn join(&self, path: &str) -> Location {
        Location {
            url: format!("{}{path}", self.url),
            clear: self.clear,
        }
    }
}

/// By number only, but for the one name that resolvers keep to this machine ([RFC 6761 §6.3]).
///
/// [RFC 6761 §6.3]: https://www.rfc-editor.org/rfc/rfc6761#section-6.3
fn is_loopback(host: &str) -> bool {
    let v6 = host
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'));
    match v6 {
        Some(inner) => inner
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| address.is_loopback()),
        None => {
            host == "localhost"
                || host
                    .parse::<Ipv4Addr>()
                    .is_ok_and(|address| address.is_loopback())
        }
    }
}

impl Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}
