//! What is told on the way: to people as a line, to programs as a JSON object.

use mcbn_attested::client::Failure;
use serde::Serialize;
use std::fmt::{self, Display};

/// Names are those of the manifest, which can be shown as they stand.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Notice<'a> {
    OtherIssuer {
        issuer: &'a str,
    },
    /// The server could not be asked.
    Again {
        server: String,
        #[serde(rename = "reason", serialize_with = "reason")]
        failure: &'a Failure,
    },
    Approves {
        participant: &'a str,
        participants: u8,
        threshold: usize,
    },
    Confirmed,
    Waiting {
        #[serde(rename = "to")]
        what: What,
        #[serde(rename = "for")]
        names: Vec<&'a str>,
        /// Where not all of them are needed.
        #[serde(skip_serializing_if = "Option::is_none")]
        needed: Option<usize>,
    },
}

/// What others have not done yet.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Approve,
    Confirm,
}

fn reason<S: serde::Serializer>(failure: &Failure, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(failure.reason())
}

impl Display for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherIssuer { issuer } => {
                write!(f, "{issuer} vouches for machines, in place of Google")
            }
            Self::Again { server, failure } => write!(f, "{server}: {failure}; it is tried again"),
            Self::Approves {
                participant,
                participants,
                threshold,
            } => write!(
                f,
                "{participant} approves a key of {participants} participants, any {threshold} of whom sign"
            ),
            Self::Confirmed => f.write_str("the share is what was promised, and confirmed"),
            Self::Waiting {
                what,
                names,
                needed,
            } => {
                let what = match what {
                    What::Approve => "approve",
                    What::Confirm => "confirm",
                };
                write!(f, "{} did not {what} yet", names.join(", "))?;
                match needed {
                    Some(needed) => write!(f, "; it takes {needed} of them"),
                    None => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_programs_are_told_the_same() {
        let json = |notice: &Notice<'_>| serde_json::to_string(notice).unwrap();
        let all = Notice::Waiting {
            what: What::Confirm,
            names: vec!["bob", "carol"],
            needed: None,
        };
        assert_eq!(all.to_string(), "bob, carol did not confirm yet");
        assert_eq!(
            json(&all),
            r#"{"event":"waiting","to":"confirm","for":["bob","carol"]}"#
        );
        let some = Notice::Waiting {
            what: What::Approve,
            names: vec!["bob", "carol"],
            needed: Some(1),
        };
        assert_eq!(
            some.to_string(),
            "bob, carol did not approve yet; it takes 1 of them"
        );
        assert_eq!(
            json(&some),
            r#"{"event":"waiting","to":"approve","for":["bob","carol"],"needed":1}"#
        );
        let again = Notice::Again {
            server: "house.example:8443".into(),
            failure: &Failure::Slow,
        };
        assert_eq!(
            json(&again),
            r#"{"event":"again","server":"house.example:8443","reason":"slow"}"#
        );
    }
}
