//! Who pushes: from Docker's configuration file or its credential helpers, as every other tool
//! that pushes. Never from a flag or a variable, which other processes can read.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use zeroize::Zeroizing;

/// A password or token. Nothing shows it but [`Secret::expose_secret`].
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[derive(Clone, Debug)]
pub struct Credentials {
    user: String,
    password: Secret,
}

impl Credentials {
    /// The value of an `Authorization` header, [RFC 7617](https://www.rfc-editor.org/rfc/rfc7617).
    pub fn basic(&self) -> Secret {
        // The header is what the secret is for.
        let pair = Zeroizing::new(format!("{}:{}", self.user, self.password.expose_secret()));
        Secret::new(format!("Basic {}", Base64::encode_string(pair.as_bytes())))
    }
}

/// The part of Docker's `config.json` that says who someone is.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Auth {
    auth: Option<String>,
}

/// What a credential helper prints.
#[derive(Deserialize)]
struct Helped {
    #[serde(rename = "Username")]
    user: String,
    #[serde(rename = "Secret")]
    password: String,
}

/// The configuration cannot be used. What it holds is not shown.
#[derive(Debug)]
pub enum Unusable {
    Io(PathBuf, io::Error),
    Json(PathBuf, usize),
    Auth(PathBuf, String),
    HelperName(String),
    Helper(String, io::Error),
    HelperOutput(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Json(path, line) => {
                write!(
                    f,
                    "{}: not Docker's configuration, at line {line}",
                    path.display()
                )
            }
            Self::Auth(path, host) => {
                write!(
                    f,
                    "{}: the entry of {host} is not base64 of USER:PASSWORD",
                    path.display()
                )
            }
            Self::HelperName(name) => write!(f, "{name:?} is not a credential helper's name"),
            Self::Helper(name, error) => write!(f, "docker-credential-{name}: {error}"),
            Self::HelperOutput(name) => {
                write!(
                    f,
                    "docker-credential-{name}: what it printed is not a credential"
                )
            }
        }
    }
}

impl std::error::Error for Unusable {}

/// Where Docker's configuration is: in `$DOCKER_CONFIG`, else in `~/.docker`.
pub fn configuration_path() -> Option<PathBuf> {
    let folder = match env::var_os("DOCKER_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env::var_os("HOME")?).join(".docker"),
    };
    Some(folder.join("config.json"))
}

/// The credentials for a registry, `HOST[:PORT]`; `None` where the configuration has none.
pub fn find(path: &Path, host: &str) -> Result<Option<Credentials>, Unusable> {
    let text = match fs::read(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Unusable::Io(path.to_owned(), error)),
    };
    // serde's own message could repeat what stands there.
    let configuration: Configuration = serde_json::from_slice(&text)
        .map_err(|error| Unusable::Json(path.to_owned(), error.line()))?;
    if let Some(name) = configuration.cred_helpers.get(host) {
        return helped(name, host);
    }
    // Entries may be written as URLs.
    let names_host = |entry: &str| {
        let bare = entry
            .trim_start_matches("https://")
            .trim_start_matches("http://");
        bare.split('/').next() == Some(host)
    };
    let entry = configuration
        .auths
        .iter()
        .find(|(entry, _)| names_host(entry));
    if let Some(auth) = entry
        .and_then(|(_, auth)| auth.auth.as_deref())
        .filter(|a| !a.is_empty())
    {
        let wrong = || Unusable::Auth(path.to_owned(), host.to_owned());
        let pair = Zeroizing::new(Base64::decode_vec(auth).map_err(|_| wrong())?);
        let pair = std::str::from_utf8(&pair).map_err(|_| wrong())?;
        let (user, password) = pair.split_once(':').ok_or_else(wrong)?;
        let password = Secret::new(password.to_owned());
        return Ok(Some(Credentials {
            user: user.to_owned(),
            password,
        }));
    }
    match &configuration.creds_store {
        Some(name) => helped(name, host),
        None => Ok(None),
    }
}

/// Asks a helper, [docker-credential-helpers](https://github.com/docker/docker-credential-helpers).
fn helped(name: &str, host: &str) -> Result<Option<Credentials>, Unusable> {
    if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    {
        return Err(Unusable::HelperName(name.to_owned()));
    }
    let failed = |error| Unusable::Helper(name.to_owned(), error);
    let mut helper = Command::new(format!("docker-credential-{name}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let mut input = helper.stdin.take().expect("standard input is a pipe");
    // A helper that answers without reading is not at fault: its answer counts.
    let _ = input.write_all(host.as_bytes());
    drop(input);
    let output = helper.wait_with_output().map_err(failed)?;
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        // By convention this is how a helper says that it has none.
        let none = String::from_utf8_lossy(&printed).contains("credentials not found");
        let failure = io::Error::other(output.status.to_string());
        return if none { Ok(None) } else { Err(failed(failure)) };
    }
    let helped: Helped =
        serde_json::from_slice(&printed).map_err(|_| Unusable::HelperOutput(name.to_owned()))?;
    Ok(Some(Credentials {
        user: helped.user,
        password: Secret::new(helped.password),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(configuration: &str, host: &str) -> Result<Option<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, configuration).unwrap();
        match find(&path, host) {
            Ok(None) => Ok(None),
            Ok(Some(found)) => Ok(Some(format!(
                "{}:{}",
                found.user,
                found.password.expose_secret()
            ))),
            Err(error) => Err(error
                .to_string()
                .replace(&folder.path().display().to_string(), "")),
        }
    }

    fn auths(entry: &str, pair: &str) -> String {
        let auth = Base64::encode_string(pair.as_bytes());
        format!(r#"{{"auths":{{"{entry}":{{"auth":"{auth}"}}}},"other":1}}"#)
    }

    #[test]
    fn credentials_are_found_by_host_and_port() {
        for entry in [
            "r.example:5000",
            "https://r.example:5000",
            "http://r.example:5000/v1/",
        ] {
            let configuration = auths(entry, "alice:open:sesame");
            let expected = Ok(Some("alice:open:sesame".to_owned()));
            assert_eq!(found(&configuration, "r.example:5000"), expected);
            for other in [
                "r.example",
                "r.example:50001",
                "x.r.example:5000",
                "example:5000",
            ] {
                assert_eq!(found(&configuration, other), Ok(None));
            }
        }
    }

    #[test]
    fn no_file_and_no_entry_are_no_credentials() {
        assert!(
            find(Path::new("/no/such/file"), "r.example")
                .unwrap()
                .is_none()
        );
        assert_eq!(found("{}", "r.example"), Ok(None));
        assert_eq!(
            found(r#"{"auths":{"r.example":{}}}"#, "r.example"),
            Ok(None)
        );
    }

    #[test]
    fn a_configuration_that_cannot_be_used_is_refused_without_showing_it() {
        assert_eq!(
            found("{\n\"auths\": \"secret\"}", "r.example"),
            Err("/config.json: not Docker's configuration, at line 2".to_owned())
        );
        for auth in [
            auths("r.example", "secret"),
            auths("r.example", "x:y").replace("eDp5", "!"),
        ] {
            assert_eq!(
                found(&auth, "r.example"),
                Err(
                    "/config.json: the entry of r.example is not base64 of USER:PASSWORD"
                        .to_owned()
                )
            );
        }
        assert_eq!(
            found(r#"{"credHelpers":{"r.example":"../x"}}"#, "r.example"),
            Err("\"../x\" is not a credential helper's name".to_owned())
        );
        let missing = found(r#"{"credsStore":"no-such-helper"}"#, "r.example").unwrap_err();
        assert!(missing.starts_with("docker-credential-no-such-helper: No such file"));
    }

    /// RFC 7617's own example.
    #[test]
    fn the_header_is_that_of_the_standard() {
        let password = Secret::new("open sesame".to_owned());
        let credentials = Credentials {
            user: "Aladdin".to_owned(),
            password,
        };
        assert_eq!(
            credentials.basic().expose_secret(),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
    }

    #[test]
    fn nothing_prints_a_password() {
        let password = Secret::new("sesame".to_owned());
        let credentials = Credentials {
            user: "alice".to_owned(),
            password,
        };
        assert!(!format!("{credentials:?}{:?}", credentials.basic()).contains("sesame"));
    }
}
