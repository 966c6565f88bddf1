//! Looks for keys and credentials in a file's bytes.
//!
//! Each form is matched with what must follow its mark, so that the mark alone (a parser's
//! constant, a help text) is no finding: a program that reads PEM holds the words of PEM.

use std::fmt;

use crate::elf::find;

/// Secret-looking material. It is named, never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub form: &'static str,
    pub offset: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.form, self.offset)
    }
}

/// A mark, and how many bytes of a kind follow it in the real thing.
struct Form {
    name: &'static str,
    mark: &'static str,
    follows: fn(u8) -> bool,
    at_least: usize,
}

const FORMS: &[Form] = &[
    Form {
        name: "an AWS access key",
        mark: "AKIA",
        follows: is_upper,
        at_least: 16,
    },
    Form {
        name: "an AWS session key",
        mark: "ASIA",
        follows: is_upper,
        at_least: 16,
    },
    Form {
        name: "a Google API key",
        mark: "AIza",
        follows: is_base64url,
        at_least: 35,
    },
    Form {
        name: "a Google access token",
        mark: "ya29.",
        follows: is_base64url,
        at_least: 30,
    },
    Form {
        name: "a GitHub token",
        mark: "ghp_",
        follows: is_base64url,
        at_least: 36,
    },
    Form {
        name: "a GitHub token",
        mark: "ghs_",
        follows: is_base64url,
        at_least: 36,
    },
    Form {
        name: "a GitHub token",
        mark: "github_pat_",
        follows: is_base64url,
        at_least: 40,
    },
    // `eyJ` is base64url for `{"`.
    Form {
        name: "a JSON web token",
        mark: "eyJ",
        follows: is_token,
        at_least: 60,
    },
    Form {
        name: "a service account's key",
        mark: "\"private_key\": \"-----BEGIN",
        follows: |_| true,
        at_least: 1,
    },
];

fn is_upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_token(byte: u8) -> bool {
    is_base64url(byte) || byte == b'.'
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Every finding in `content`.
pub fn findings(content: &[u8]) -> Vec<Finding> {
    let mut found = private_keys(content);
    for form in FORMS {
        found.extend(
            places(content, form.mark)
                .filter(|offset| {
                    let rest = &content[offset + form.mark.len()..];
                    rest.iter()
                        .take_while(|byte| (form.follows)(**byte))
                        .count()
                        >= form.at_least
                })
                .map(|offset| Finding {
                    form: form.name,
                    offset,
                }),
        );
    }
    found
}

/// PEM and the like: any `-----BEGIN … PRIVATE KEY…-----` with a line of base64 or of headers
/// after it, also where line ends are written as `\n` in a string of JSON.
fn private_keys(content: &[u8]) -> Vec<Finding> {
    const MARK: &str = "-----BEGIN ";
    places(content, MARK)
        .filter(|offset| {
            let rest = &content[offset + MARK.len()..];
            let rest = &rest[..rest.len().min(4096)];
            let Some(end) = find(rest, b"-----") else {
                return false;
            };
            let body = &rest[end + 5..];
            let gap = body
                .iter()
                .take_while(|byte| b" \r\n\\rnt".contains(byte))
                .count();
            let line = body[gap..]
                .iter()
                .take_while(|byte| is_base64(**byte))
                .count();
            find(&rest[..end], b"PRIVATE KEY").is_some()
                && gap > 0
                && (line >= 16 || find(&body[gap..], b"Proc-Type:") == Some(0))
        })
        .map(|offset| Finding {
            form: "a private key",
            offset,
        })
        .collect()
}

/// Every offset of `mark`.
fn places<'a>(content: &'a [u8], mark: &'a str) -> impl Iterator<Item = usize> + 'a {
    content
        .windows(mark.len())
        .enumerate()
        .filter(|(_, window)| *window == mark.as_bytes())
        .map(|(offset, _)| offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(content: &str) -> Vec<&'static str> {
        findings(content.as_bytes())
            .into_iter()
            .map(|finding| finding.form)
            .collect()
    }

    /// Marks are put together here, so that this file is no finding for other scanners.
    fn pem(label: &str, body: &str) -> String {
        format!("text\n-----{} {label}-----{body}", "BEGIN")
    }

    #[test]
    fn private_keys_of_every_label_are_found() {
        for label in [
            "PRIVATE KEY",
            "RSA PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "TSS2 PRIVATE KEY",
        ] {
            for body in [
                "\nMIIBVgIBADANBgkqhkiG9w0B\n",
                "\r\nMIIBVgIBADANBgkq",
                "\\nMIIBVgIBADANBgkq",
            ] {
                assert_eq!(
                    forms(&pem(label, body)),
                    ["a private key"],
                    "{label} {body:?}"
                );
            }
        }
        let encrypted = pem("RSA PRIVATE KEY", "\nProc-Type: 4,ENCRYPTED\n");
        assert_eq!(forms(&encrypted), ["a private key"]);
        let armoured = pem("PGP PRIVATE KEY BLOCK", "\n\nlQOYBGABCDEFGHIJKLMN\n");
        assert_eq!(forms(&armoured), ["a private key"]);
    }

    #[test]
    fn the_words_of_pem_and_a_certificate_are_no_key() {
        assert_eq!(forms(&pem("PRIVATE KEY", "")), [""; 0]);
        assert_eq!(
            forms(&pem("PRIVATE KEY", "\0-----END PRIVATE KEY-----")),
            [""; 0]
        );
        assert_eq!(
            forms(&pem("CERTIFICATE", "\nMIIBVgIBADANBgkqhkiG9w0B\n")),
            [""; 0]
        );
        assert_eq!(
            forms(&pem("PUBLIC KEY", "\nMIIBVgIBADANBgkqhkiG9w0B\n")),
            [""; 0]
        );
    }

    #[test]
    fn credentials_are_found_by_their_form() {
        let of =
            |mark: &str, filler: &str, count: usize| format!("x={mark}{}\n", filler.repeat(count));
        for (text, form) in [
            (of("AKIA", "Q", 16), "an AWS access key"),
            (of("ASIA", "7", 16), "an AWS session key"),
            (of("AIza", "a", 35), "a Google API key"),
            (of("ya29.", "a", 30), "a Google access token"),
            (of("ghp_", "a", 36), "a GitHub token"),
            (of("ghs_", "a", 36), "a GitHub token"),
            (of("github_pat_", "a", 40), "a GitHub token"),
            (of("eyJ", "a.", 30), "a JSON web token"),
        ] {
            assert_eq!(forms(&text), [form]);
        }
        assert_eq!(forms(&of("AKIA", "Q", 15)), [""; 0]);
        assert_eq!(forms(&of("AKIA", "q", 16)), [""; 0]);
        assert_eq!(forms(&of("eyJ", "a", 20)), [""; 0]);
    }

    #[test]
    fn a_service_account_is_found() {
        let json = format!(
            "{{\"private_key\": \"-----{} PRIVATE KEY-----\\nMIIE\"}}",
            "BEGIN"
        );
        assert_eq!(forms(&json), ["a service account's key"]);
    }

    #[test]
    fn a_finding_names_its_place_and_not_the_secret() {
        let text = format!("0123{}{}", "AKIA", "Q".repeat(16));
        let [finding] = &findings(text.as_bytes())[..] else {
            panic!("one finding")
        };
        assert_eq!(finding.to_string(), "an AWS access key at byte 4");
    }
}
