//! Where a keeper listens.

use std::fmt::{self, Display};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::str::FromStr;

/// `HOST:PORT`; an IPv6 address stands in brackets.
///
/// There is one way to write each address, so that two that are equal look equal: names in lower case and without a
/// dot at the end, numbers as the standard library writes them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    host: Host,
    port: NonZeroU16,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    /// A name, to be looked up.
    Name(String),
}

impl Address {
    pub fn host(&self) -> &Host {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port.get()
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Address, NotAnAddress> {
        let parse = || {
            let (host, port) = text.rsplit_once(':')?;
            let address = Address {
                host: Host::parse(host)?,
                port: port.parse().ok()?,
            };
            // One spelling each: not "+1", "007" or "[0:0::1]".
            (address.to_string() == text).then_some(address)
        };
        parse().ok_or(NotAnAddress)
    }
}

impl Host {
    fn parse(text: &str) -> Option<Host> {
        if let Some(inner) = text.strip_prefix('[') {
            return Some(Host::V6(inner.strip_suffix(']')?.parse().ok()?));
        }
        match text.parse() {
            Ok(address) => Some(Host::V4(address)),
            Err(_) => is_name(text).then(|| Host::Name(text.into())),
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

impl Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::V4(address) => address.fmt(f),
            Host::V6(address) => write!(f, "[{address}]"),
            Host::Name(name) => f.write_str(name),
        }
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnAddress;

impl Display for NotAnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address is HOST:PORT in lower case, IPv6 in brackets and in its short form")
    }
}

impl std::error::Error for NotAnAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(labels: usize) -> String {
        let label = format!("{}.", "x".repeat(62));
        format!("{}{}:1", label.repeat(labels), "y")
    }

    #[test]
    fn ordinary_addresses_are_taken() {
        for text in [
            "alice.example:7400",
            "localhost:1",
            "xn--mnchen-3ya.example:65535",
            "7.example:80",
            "a.b7:80",
            "192.0.2.1:7400",
            "[::1]:7400",
            "[2001:db8::1]:7400",
            "[::ffff:192.0.2.1]:7400",
            &long(4),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn host_and_port_are_told_apart() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        let loopback = address("[::1]:7400");
        assert_eq!(loopback.port(), 7400);
        assert_eq!(*loopback.host(), Host::V6(Ipv6Addr::LOCALHOST));
        assert_eq!(
            *address("127.0.0.1:1").host(),
            Host::V4(Ipv4Addr::LOCALHOST)
        );
        assert_eq!(
            *address("k.example:1").host(),
            Host::Name("k.example".into())
        );
    }

    #[test]
    fn an_odd_address_is_refused() {
        for text in [
            "",
            ":",
            ":7400",
            "alice.example",
            "alice.example:",
            "alice.example:0",
            "alice.example:65536",
            "alice.example:+1",
            "alice.example:07400",
            "alice.example:7400 ",
            " alice.example:7400",
            "alice.example.:7400",
            ".example:7400",
            "a..b:7400",
            "-a.example:7400",
            "a-.example:7400",
            "a_b.example:7400",
            "Alice.example:7400",
            "alice@example:7400",
            "https://alice.example:7400",
            "m\u{fc}nchen.example:7400",
            "a\u{0}.example:7400",
            "1.2.3:7400",
            "127.1:7400",
            "0x7f000001:7400",
            "2130706433:7400",
            "256.0.0.1:7400",
            "127.0.0.01:7400",
            "::1:7400",
            "[::1:7400",
            "::1]:7400",
            "[127.0.0.1]:7400",
            "[0:0::1]:7400",
            "[2001:DB8::1]:7400",
            "[fe80::1%eth0]:7400",
            "[alice.example]:7400",
            &format!("{}.example:7400", "x".repeat(64)),
            &long(5),
        ] {
            assert_eq!(text.parse::<Address>(), Err(NotAnAddress), "{text:?}");
        }
    }
}
