//! Where to connect to, as a person writes it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// A place to connect to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// `192.0.2.1:8443`, `[2001:db8::1]:8443`.
    Address(SocketAddr),
    /// `server.example:8443`: the addresses of a name.
    Host { name: Name, port: u16 },
    /// `srv:server.example`: hosts and ports by service record ([RFC 2782]).
    ///
    /// [RFC 2782]: https://www.rfc-editor.org/rfc/rfc2782
    Service(Name),
}

/// A host name in ASCII form: letters, digits, `-`, `_`, in labels of 1 to 63 with dots between ([RFC 1123 §2.1]). Not
/// an address.
///
/// [RFC 1123 §2.1]: https://www.rfc-editor.org/rfc/rfc1123#section-2.1
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Name(String);

/// The service label before a name that has none of its own.
const SERVICE: &str = "_mcbn._tcp.";

const SERVICE_OVER_UDP: &str = "_mcbn._udp.";

impl Target {
    /// The same place for datagrams: a service that was named without its labels is looked up as one of UDP.
    pub fn over_udp(self) -> Self {
        match &self {
            Self::Service(Name(name)) => match name.strip_prefix(SERVICE) {
                Some(bare) => Self::Service(Name(format!("{SERVICE_OVER_UDP}{bare}"))),
                None => self,
            },
            Self::Address(_) | Self::Host { .. } => self,
        }
    }

    /// Whether nothing but this machine can be meant.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.ip().to_canonical().is_loopback(),
            Self::Host { name, .. } => name.is_localhost(),
            Self::Service(_) => false,
        }
    }

    /// Whether a name has to be looked up.
    pub fn needs_lookup(&self) -> bool {
        match self {
            Self::Address(_) => false,
            Self::Host { name, .. } => !name.is_localhost(),
            Self::Service(_) => true,
        }
    }
}

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `localhost` and what is below it never leave the machine, whatever a name server says ([RFC 6761 §6.3]).
    ///
    /// [RFC 6761 §6.3]: https://www.rfc-editor.org/rfc/rfc6761#section-6.3
    pub fn is_localhost(&self) -> bool {
        let name = self.0.trim_end_matches('.').to_ascii_lowercase();
        name == "localhost" || name.ends_with(".localhost")
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        if let Some(name) = text.strip_prefix("srv:") {
            let name: Name = name.parse()?;
            return Ok(Self::Service(match name.0.starts_with('_') {
                true => name,
                false => format!("{SERVICE}{name}").parse()?,
            }));
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return match address.port() {
                0 => Err(InvalidTarget::Port),
                _ => Ok(Self::Address(address)),
            };
        }
        let (name, port) = text.rsplit_once(':').ok_or(InvalidTarget::NoPort)?;
        let port = match port.parse() {
            // `+8443` parses as a number.
            Ok(port) if port != 0 && !text.contains('+') => port,
            _ => return Err(InvalidTarget::Port),
        };
        Ok(Self::Host {
            name: name.parse()?,
            port,
        })
    }
}

impl FromStr for Name {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let bare = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let last = bare.rsplit('.').next().unwrap_or_default();
        // `127.1` or `1` would be read as an address by other software.
        let is_numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
        if bare.len() > 253 || is_numeric || !bare.split('.').all(is_label) {
            return Err(InvalidTarget::Name);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Host { name, port } => write!(f, "{name}:{port}"),
            Self::Service(name) => write!(f, "srv:{name}"),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text names no place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvalidTarget {
    NoPort,
    Port,
    Name,
}

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPort => "neither HOST:PORT nor srv:NAME",
            Self::Port => "the port is not a number from 1 to 65535",
            Self::Name => "the host is neither an address nor a name in ASCII form",
        })
    }
}

impl std::error::Error for InvalidTarget {}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Result<Target, InvalidTarget> {
        text.parse()
    }

    #[test]
    fn addresses_names_and_services_are_told_apart() {
        for text in [
            "192.0.2.1:8443",
            "[2001:db8::1]:8443",
            "server.example:8443",
            "srv:_x._tcp.server.example",
        ] {
            assert_eq!(target(text).unwrap().to_string(), text);
        }
        assert!(matches!(target("192.0.2.1:1"), Ok(Target::Address(_))));
        assert!(matches!(target("a.example:1"), Ok(Target::Host { .. })));
        assert_eq!(
            target("srv:a.example").unwrap().to_string(),
            "srv:_mcbn._tcp.a.example"
        );
    }

    #[test]
    fn a_service_over_udp_has_its_own_label() {
        let over_udp = |text| target(text).unwrap().over_udp().to_string();
        assert_eq!(over_udp("srv:a.example"), "srv:_mcbn._udp.a.example");
        for same in ["srv:_x._tcp.a.example", "a.example:1", "192.0.2.1:1"] {
            assert_eq!(over_udp(same), same);
        }
    }

    #[test]
    fn what_names_no_place_is_refused() {
        for text in ["", "a", "a.example", "192.0.2.1", "2001:db8::1"] {
            assert!(target(text).is_err(), "{text}");
        }
        for text in ["a:0", "a:65536", "a:", "a:x", "a:+1", "192.0.2.1:0"] {
            assert_eq!(target(text), Err(InvalidTarget::Port), "{text}");
        }
        let long = format!("{}.example:1", "a".repeat(64));
        for text in [
            ":1",
            "a b:1",
            "-a:1",
            "a-:1",
            "a..b:1",
            "ä:1",
            "127.1:1",
            "1:1",
            "0x7f:1",
            "srv:",
            "https://a:1",
            &long,
        ] {
            assert_eq!(target(text), Err(InvalidTarget::Name), "{text}");
        }
    }

    #[test]
    fn only_loopback_is_loopback() {
        for text in [
            "127.0.0.1:1",
            "127.9.9.9:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
            "localhost:1",
            "a.LocalHost.:1",
        ] {
            assert!(target(text).unwrap().is_loopback(), "{text}");
        }
        for text in [
            "0.0.0.0:1",
            "[::]:1",
            "192.0.2.1:1",
            "localhost.example:1",
            "srv:localhost",
            "notlocalhost:1",
        ] {
            assert!(!target(text).unwrap().is_loopback(), "{text}");
        }
    }
}
