//! What a program says about itself: the output of `PROGRAM --settings`.
//!
//! The image's ports and launch policy are made from it, so the program's own table of settings
//! is the one truth for both.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::name::{Name, NotAName};

/// A program's settings, as far as its image depends on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub name: Name,
    pub version: String,
    pub ports: BTreeSet<Port>,
    /// The environment variables that the operator may set when launching.
    pub operator_variables: BTreeSet<String>,
}

/// Shown as `8443/tcp`: the only form that the Confidential Space launcher takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    pub number: u16,
    pub protocol: Protocol,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Tcp,
    Udp,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        write!(f, "{}/{protocol}", self.number)
    }
}

impl FromStr for Port {
    type Err = NotAPort;

    fn from_str(text: &str) -> Result<Self, NotAPort> {
        let not_a_port = || NotAPort(text.to_owned());
        let (number, protocol) = text.split_once('/').ok_or_else(not_a_port)?;
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            _ => return Err(not_a_port()),
        };
        let number = number.parse().map_err(|_| not_a_port())?;
        let port = Self { number, protocol };
        // One spelling: no sign, no leading zero.
        if number > 0 && port.to_string() == text {
            Ok(port)
        } else {
            Err(not_a_port())
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAPort(pub String);

impl fmt::Display for NotAPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a port such as 8443/tcp or 8081/udp", self.0)
    }
}

impl std::error::Error for NotAPort {}

/// The JSON as written. Other fields are for other readers (help, README tables).
#[derive(Deserialize)]
struct Written {
    name: String,
    version: String,
    ports: Vec<String>,
    settings: Vec<WrittenSetting>,
}

#[derive(Deserialize)]
struct WrittenSetting {
    /// Null for a setting that only a flag gives.
    variable: Option<String>,
    operator: bool,
}

#[derive(Debug)]
pub enum Unusable {
    Json(serde_json::Error),
    Name(NotAName),
    Version(String),
    Port(NotAPort),
    RepeatedPort(Port),
    Variable(String),
    RepeatedVariable(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "not the settings JSON: {error}"),
            Self::Name(error) => error.fmt(f),
            Self::Version(text) => write!(f, "{text:?} is not a version"),
            Self::Port(error) => error.fmt(f),
            Self::RepeatedPort(port) => write!(f, "port {port} is listed twice"),
            Self::Variable(text) => write!(
                f,
                "{text:?} is not a variable's name: capitals, digits and _, not a digit first"
            ),
            Self::RepeatedVariable(text) => write!(f, "variable {text} is listed twice"),
        }
    }
}

impl std::error::Error for Unusable {}

impl Settings {
    pub fn parse(json: &[u8]) -> Result<Self, Unusable> {
        let written: Written = serde_json::from_slice(json).map_err(Unusable::Json)?;
        let name = written.name.parse().map_err(Unusable::Name)?;
        if !is_version(&written.version) {
            return Err(Unusable::Version(written.version));
        }
        let mut ports = BTreeSet::new();
        for port in written.ports {
            let port: Port = port.parse().map_err(Unusable::Port)?;
            if !ports.insert(port) {
                return Err(Unusable::RepeatedPort(port));
            }
        }
        let mut variables = BTreeSet::new();
        let mut operator_variables = BTreeSet::new();
        for WrittenSetting { variable, operator } in written.settings {
            let Some(variable) = variable else { continue };
            // The label is a comma list: a name with a comma in it would allow two variables.
            if !is_variable(&variable) {
                return Err(Unusable::Variable(variable));
            }
            if operator {
                operator_variables.insert(variable.clone());
            }
            if !variables.insert(variable.clone()) {
                return Err(Unusable::RepeatedVariable(variable));
            }
        }
        Ok(Self {
            name,
            version: written.version,
            ports,
            operator_variables,
        })
    }
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'))
}

fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{
        "name": "psk-server", "version": "0.1.0",
        "ports": ["8443/tcp", "8081/udp"],
        "settings": [
            {"name": "listen", "flag": "--listen", "variable": "MCBN_LISTEN", "operator": true},
            {"name": "backend", "flag": "--backend", "variable": "MCBN_BACKEND", "operator": true},
            {"name": "share", "flag": "--share", "variable": "MCBN_SHARES", "operator": false},
            {"name": "get", "flag": "--get", "variable": null, "operator": false}
        ]
    }"#;

    #[test]
    fn ports_and_operator_variables_are_taken_from_the_program() {
        let settings = Settings::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(settings.name.as_str(), "psk-server");
        assert_eq!(settings.version, "0.1.0");
        let ports: Vec<String> = settings.ports.iter().map(Port::to_string).collect();
        assert_eq!(ports, ["8081/udp", "8443/tcp"]);
        let variables: Vec<_> = settings.operator_variables.into_iter().collect();
        assert_eq!(variables, ["MCBN_BACKEND", "MCBN_LISTEN"]);
    }

    fn refused(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        Settings::parse(GOOD.replace(from, to).as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_port_that_the_launcher_would_refuse_is_refused() {
        for wrong in [
            "8443",
            "0/tcp",
            "65536/tcp",
            "08443/tcp",
            "+1/tcp",
            "1/TCP",
            "1/sctp",
            "/tcp",
        ] {
            assert_eq!(
                refused("8443/tcp", wrong),
                format!("{wrong:?} is not a port such as 8443/tcp or 8081/udp")
            );
        }
        assert_eq!(
            refused("8081/udp", "8443/tcp"),
            "port 8443/tcp is listed twice"
        );
    }

    #[test]
    fn a_variable_that_would_widen_the_policy_is_refused() {
        for wrong in ["MCBN_LISTEN,PATH", "mcbn", "", "1A", "A B", "A=B", "*"] {
            let message = refused("\"MCBN_LISTEN\"", &format!("{wrong:?}"));
            assert!(message.contains("is not a variable's name"), "{message}");
        }
        assert_eq!(
            refused("MCBN_SHARES", "MCBN_LISTEN"),
            "variable MCBN_LISTEN is listed twice"
        );
    }

    #[test]
    fn a_missing_field_is_refused() {
        assert!(refused("\"operator\": false", "\"operators\": false").contains("operator"));
        assert!(refused("\"ports\"", "\"port\"").contains("missing field `ports`"));
    }

    #[test]
    fn a_name_or_version_that_is_none_is_refused() {
        assert!(refused("\"psk-server\"", "\"../x\"").contains("is not an image name"));
        assert!(refused("\"0.1.0\"", "\"0.1 \\n\"").contains("is not a version"));
    }
}
