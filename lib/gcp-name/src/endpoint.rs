//! Where a service answers.

use std::error::Error;
use std::fmt::{self, Display};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::str::FromStr;

/// An origin: `https://HOST[:PORT]`, or `http://` of a loopback address.
///
/// It has one spelling: names in lower case and without a dot at the end, addresses as the standard library writes them,
/// a port only where it is not the scheme's own, and nothing behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint(String);

impl Endpoint {
    /// Cloud KMS, wherever its keys are.
    pub fn kms() -> Endpoint {
        Endpoint::of_google("cloudkms")
    }

    /// The security token service.
    pub fn sts() -> Endpoint {
        Endpoint::of_google("sts")
    }

    pub(crate) fn of_google(service: impl Display) -> Endpoint {
        Endpoint(format!("https://{service}.googleapis.com"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// The name, or the address, without brackets where it is one of IPv6.
    pub fn host(&self) -> &str {
        let (host, _) = self.host_and_port();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    pub fn port(&self) -> u16 {
        match self.host_and_port() {
            (_, Some(port)) => port.parse().expect("it was one when it was parsed"),
            (_, None) if self.is_https() => 443,
            (_, None) => 80,
        }
    }

    /// As they stand there.
    fn host_and_port(&self) -> (&str, Option<&str>) {
        let (_, authority) = self.0.split_once("://").expect("it has a scheme");
        split(authority)
    }

    /// Whether nobody but Google answers there, or nobody but this machine: the name is below `googleapis.com`, or the
    /// address is a loopback one.
    pub fn is_googles_or_loopback(&self) -> bool {
        let (host, _) = self.host_and_port();
        host.ends_with(".googleapis.com") || Host::of(host).is_some_and(|host| host.is_loopback)
    }
}

impl FromStr for Endpoint {
    type Err = NotAnEndpoint;

    fn from_str(text: &str) -> Result<Endpoint, NotAnEndpoint> {
        match is_origin(text) {
            true => Ok(Endpoint(text.into())),
            false => Err(NotAnEndpoint),
        }
    }
}

impl Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_origin(text: &str) -> bool {
    let (authority, own_port, loopback_only) = match text.split_once("://") {
        Some(("https", authority)) => (authority, 443, false),
        Some(("http", authority)) => (authority, 80, true),
        _ => return false,
    };
    let (host, port) = split(authority);
    port.is_none_or(|port| is_port(port, own_port))
        && match Host::of(host) {
            Some(host) => host.is_loopback || !loopback_only,
            None => false,
        }
}

/// Host and port. The colons of an IPv6 address stand in brackets.
fn split(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_port(text: &str, own: u16) -> bool {
    let port: Option<NonZeroU16> = text.parse().ok();
    port.is_some_and(|port| port.get() != own && port.to_string() == text)
}

struct Host {
    is_loopback: bool,
}

impl Host {
    fn of(text: &str) -> Option<Host> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']')?;
            let address: Ipv6Addr = inner.parse().ok()?;
            let is_loopback = address.is_loopback();
            return (address.to_string() == inner).then_some(Host { is_loopback });
        }
        match text.parse::<Ipv4Addr>() {
            Ok(address) => Some(Host {
                is_loopback: address.is_loopback(),
            }),
            Err(_) => is_name(text).then_some(Host { is_loopback: false }),
        }
    }
}

/// Letters, digits and hyphens, [RFC 1123 §2.1](https://www.rfc-editor.org/rfc/rfc1123#section-2.1). The last label
/// is not a number: resolvers take such names for addresses, in forms of their own.
fn is_name(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| letter(b) || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.split('.').all(label)
        && !last.starts_with(|c: char| c.is_ascii_digit())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnEndpoint;

impl Display for NotAnEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an endpoint is https://HOST or https://HOST:PORT in lower case, with nothing behind it (http:// for a loopback address alone)",
        )
    }
}

impl Error for NotAnEndpoint {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_is_made_of_is_told() {
        for (text, host, port, is_https) in [
            (
                "https://sts.googleapis.com",
                "sts.googleapis.com",
                443,
                true,
            ),
            ("https://kms.example:8443", "kms.example", 8443, true),
            ("http://127.0.0.1", "127.0.0.1", 80, false),
            ("http://[::1]:8080", "::1", 8080, false),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            let told = (endpoint.host(), endpoint.port(), endpoint.is_https());
            assert_eq!(told, (host, port, is_https));
        }
        for endpoint in [Endpoint::kms(), Endpoint::sts()] {
            assert_eq!(endpoint.as_str().parse(), Ok(endpoint.clone()));
            assert!(endpoint.is_googles_or_loopback());
        }
    }

    #[test]
    fn ordinary_endpoints_are_taken() {
        for text in [
            "https://sts.googleapis.com",
            "https://secretmanager.europe-west3.rep.googleapis.com",
            "https://kms-house.p.googleapis.com:8443",
            "https://192.0.2.1",
            "https://[2001:db8::1]",
            "https://[2001:db8::1]:8443",
            "http://127.0.0.1:4000",
            "http://127.0.0.1",
            "http://[::1]:4000",
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.as_str(), text);
        }
    }

    #[test]
    fn googles_own_are_told_from_others() {
        for (text, googles) in [
            ("https://sts.googleapis.com", true),
            ("https://sts-house.p.googleapis.com:8443", true),
            ("https://127.0.0.1:4000", true),
            ("http://[::1]:4000", true),
            ("https://googleapis.com", false),
            ("https://evilgoogleapis.com", false),
            ("https://sts.googleapis.com.example", false),
            ("https://example:4000", false),
            ("https://192.0.2.1", false),
            ("https://[2001:db8::1]:8443", false),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.is_googles_or_loopback(), googles, "{text}");
        }
    }

    #[test]
    fn plain_http_to_anywhere_but_loopback_is_refused() {
        for text in [
            "http://sts.googleapis.com",
            "http://localhost:80",
            "http://localhost",
            "http://192.0.2.1:4000",
            "http://[2001:db8::1]:4000",
            "http://[::ffff:127.0.0.1]:4000",
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(NotAnEndpoint), "{text}");
        }
    }

    #[test]
    fn an_odd_endpoint_is_refused() {
        for text in [
            "",
            "https://",
            "https:/sts.googleapis.com",
            "HTTPS://sts.googleapis.com",
            "sts.googleapis.com",
            "https://sts.googleapis.com/",
            "https://sts.googleapis.com/v1",
            "https://sts.googleapis.com?x",
            "https://sts.googleapis.com#x",
            "https://sts.googleapis.com.",
            "https://Sts.googleapis.com",
            "https://user@sts.googleapis.com",
            "https://sts.googleapis.com:",
            "https://sts.googleapis.com:0",
            "https://sts.googleapis.com:443",
            "http://127.0.0.1:80",
            "https://sts.googleapis.com:0443",
            "https://sts.googleapis.com:+8443",
            "https://sts.googleapis.com:65536",
            "https://sts.googleapis.com:8443:1",
            "https://sts_googleapis.com",
            "https://%73ts.googleapis.com",
            "https://m\u{fc}nchen.example",
            "https://sts.googleapis.com\n",
            "https://a\0.example",
            "https://127.1",
            "https://0x7f000001",
            "https://::1",
            "https://[::1",
            "https://[0:0::1]",
            "https://[fe80::1%25eth0]",
            "https://[sts.googleapis.com]",
            "file:///etc/passwd",
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(NotAnEndpoint), "{text:?}");
        }
    }
}
