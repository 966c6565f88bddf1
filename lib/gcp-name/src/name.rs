//! Names of resources, as paths.

use crate::endpoint::Endpoint;
use std::error::Error;
use std::fmt::{self, Display};
use std::str::FromStr;

/// What may stand between two slashes.
#[derive(Clone, Copy)]
enum Part {
    /// This word.
    Is(&'static str),
    /// A project, by ID or by number.
    Project,
    /// A project, by number.
    ProjectNumber,
    /// `europe-west3`, `global`.
    Location,
    /// A key ring or a key.
    Key,
    Secret,
    /// A workload identity pool, or a provider in one.
    Pool,
    Version,
}

use Part::*;

impl Part {
    fn admits(self, text: &str) -> bool {
        let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let made_of = |allowed: fn(u8) -> bool| text.bytes().all(allowed);
        match self {
            Is(word) => text == word,
            Project => {
                let id = (6..=30).contains(&text.len())
                    && made_of(lower)
                    && text.starts_with(|c: char| c.is_ascii_lowercase())
                    && !text.ends_with('-');
                id || is_number(text)
            }
            ProjectNumber | Version => is_number(text),
            Location => {
                (1..=63).contains(&text.len())
                    && made_of(lower)
                    && text.starts_with(|c: char| c.is_ascii_lowercase())
                    && !text.ends_with('-')
            }
            Key => (1..=63).contains(&text.len()) && made_of(word),
            Secret => (1..=255).contains(&text.len()) && made_of(word),
            // Those of Google's own begin with `gcp-`.
            Pool => (4..=32).contains(&text.len()) && made_of(lower) && !text.starts_with("gcp-"),
        }
    }
}

/// From 1 on, in the one spelling of each.
fn is_number(text: &str) -> bool {
    text.len() <= 19 && !text.starts_with('0') && !text.is_empty() && {
        text.bytes().all(|b| b.is_ascii_digit())
    }
}

fn is_path(text: &str, form: &[Part]) -> bool {
    let mut parts = text.split('/');
    form.iter()
        .all(|part| parts.next().is_some_and(|text| part.admits(text)))
        && parts.next().is_none()
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $error:ident = $shape:literal { $([$($part:expr),* $(,)?]),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(String);

            impl $name {
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl FromStr for $name {
                type Err = $error;

                fn from_str(text: &str) -> Result<$name, $error> {
                    const FORMS: &[&[Part]] = &[$(&[$($part),*]),*];
                    match FORMS.iter().any(|form| is_path(text, form)) {
                        true => Ok($name(text.into())),
                        false => Err($error),
                    }
                }
            }

            impl Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $error;

            impl Display for $error {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str($shape)
                }
            }

            impl Error for $error {}
        )*
    };
}

names! {
    /// A key of Cloud KMS, whichever of its versions.
    KeyName, NotAKey = "a key is projects/P/locations/L/keyRings/R/cryptoKeys/K" {
        [Is("projects"), Project, Is("locations"), Location, Is("keyRings"), Key, Is("cryptoKeys"), Key],
    }

    /// One version of a key of Cloud KMS.
    KeyVersionName, NotAKeyVersion = "a key's version is projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N" {
        [
            Is("projects"), Project, Is("locations"), Location, Is("keyRings"), Key, Is("cryptoKeys"), Key,
            Is("cryptoKeyVersions"), Version,
        ],
    }

    /// One version of a secret of Secret Manager, which is kept in one region or wherever the service likes.
    SecretVersionName, NotASecretVersion = "a secret's version is projects/P/secrets/S/versions/N or projects/P/locations/L/secrets/S/versions/N, and N is a number" {
        [Is("projects"), Project, Is("secrets"), Secret, Is("versions"), Version],
        [Is("projects"), Project, Is("locations"), Location, Is("secrets"), Secret, Is("versions"), Version],
    }

    /// A provider in a workload identity pool.
    ProviderName, NotAProvider = "a provider is projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER" {
        [
            Is("projects"), ProjectNumber, Is("locations"), Is("global"), Is("workloadIdentityPools"), Pool,
            Is("providers"), Pool,
        ],
    }
}

impl KeyName {
    /// What Cloud KMS calls the place where the key is kept.
    pub fn location(&self) -> &str {
        segment(&self.0, 3)
    }
}

impl KeyVersionName {
    /// The key that it is a version of.
    pub fn key(&self) -> KeyName {
        KeyName(before_last_two(&self.0).into())
    }
}

impl SecretVersionName {
    /// The secret that it is a version of.
    pub fn secret(&self) -> &str {
        before_last_two(&self.0)
    }

    /// The region where it is kept, and asked for, if it is kept in one.
    pub fn location(&self) -> Option<&str> {
        (segment(&self.0, 2) == "locations").then(|| segment(&self.0, 3))
    }

    /// Whether an answer that names this is of this version: the project is answered by its number, whatever it was asked
    /// by.
    pub fn is_answered_as(&self, name: &str) -> bool {
        below_project(name).is_some() && below_project(name) == below_project(&self.0)
    }

    /// Google's own place for it: a regional secret is at its region's, and nowhere else.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::of_google(match self.location() {
            Some(location) => format!("secretmanager.{location}.rep"),
            None => "secretmanager".into(),
        })
    }
}

impl ProviderName {
    /// By number.
    pub fn project(&self) -> &str {
        segment(&self.0, 1)
    }

    pub fn pool(&self) -> &str {
        segment(&self.0, 5)
    }

    /// What the Security Token Service calls it, and takes for the audience of an exchange.
    pub fn audience(&self) -> String {
        format!("//iam.googleapis.com/{}", self.0)
    }
}

fn below_project(name: &str) -> Option<&str> {
    let (_, below) = name.strip_prefix("projects/")?.split_once('/')?;
    Some(below)
}

fn segment(path: &str, number: usize) -> &str {
    path.split('/').nth(number).expect("the form has it")
}

fn before_last_two(path: &str) -> &str {
    let (before, _) = path.rsplit_once('/').expect("the form has slashes");
    let (before, _) = before.rsplit_once('/').expect("the form has slashes");
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "projects/house-1/locations/europe-west3/keyRings/mcbn/cryptoKeys/share_Of-bob";
    const KEY_VERSION: &str = "projects/house-1/locations/europe-west3/keyRings/mcbn/cryptoKeys/share_Of-bob/cryptoKeyVersions/7";
    const SECRET: &str = "projects/123456/secrets/mcbn-share/versions/1";
    const REGIONAL: &str = "projects/123456/locations/europe-west3/secrets/mcbn-share/versions/12";
    const PROVIDER: &str =
        "projects/123456/locations/global/workloadIdentityPools/mcbn/providers/attested";

    fn is_any(text: &str) -> bool {
        text.parse::<KeyName>().is_ok()
            || text.parse::<KeyVersionName>().is_ok()
            || text.parse::<SecretVersionName>().is_ok()
            || text.parse::<ProviderName>().is_ok()
    }

    #[test]
    fn ordinary_names_are_taken_as_they_are() {
        let key: KeyName = KEY.parse().unwrap();
        assert_eq!(key.to_string(), KEY);
        assert_eq!(key.location(), "europe-west3");
        let version: KeyVersionName = KEY_VERSION.parse().unwrap();
        assert_eq!(version.as_str(), KEY_VERSION);
        assert_eq!(version.key(), key);
        let secret: SecretVersionName = SECRET.parse().unwrap();
        assert_eq!(secret.secret(), "projects/123456/secrets/mcbn-share");
        assert_eq!(secret.location(), None);
        let regional: SecretVersionName = REGIONAL.parse().unwrap();
        assert_eq!(regional.location(), Some("europe-west3"));
        let provider: ProviderName = PROVIDER.parse().unwrap();
        assert_eq!(provider.project(), "123456");
        assert_eq!(provider.pool(), "mcbn");
        assert_eq!(
            provider.audience(),
            format!("//iam.googleapis.com/{PROVIDER}")
        );
    }

    #[test]
    fn names_at_the_edge_of_the_grammar_are_taken() {
        let (key, secret, pool) = ("k".repeat(63), "s".repeat(255), "p".repeat(32));
        for text in [
            &format!("projects/abcdef/locations/us/keyRings/{key}/cryptoKeys/{key}"),
            &format!("projects/{0}/secrets/{secret}/versions/{0}", "9".repeat(19)),
            &format!("projects/a-{}/secrets/_/versions/1", "b".repeat(28)),
            &format!("projects/1/locations/global/workloadIdentityPools/{pool}/providers/abcd"),
        ] {
            assert!(is_any(text), "{text}");
        }
    }

    #[test]
    fn a_name_of_another_kind_is_refused() {
        assert!(KEY.parse::<KeyVersionName>().is_err());
        assert!(KEY_VERSION.parse::<KeyName>().is_err());
        assert!(SECRET.parse::<KeyName>().is_err());
        assert!(PROVIDER.parse::<SecretVersionName>().is_err());
        assert!(
            "projects/123456/secrets/mcbn-share"
                .parse::<SecretVersionName>()
                .is_err()
        );
    }

    #[test]
    fn latest_is_refused() {
        let latest = SECRET.replace("/1", "/latest");
        assert_eq!(latest.parse::<SecretVersionName>(), Err(NotASecretVersion));
        assert!(
            KEY_VERSION
                .replace("/7", "/latest")
                .parse::<KeyVersionName>()
                .is_err()
        );
    }

    #[test]
    fn a_provider_in_a_project_by_id_is_refused() {
        let by_id = PROVIDER.replace("123456", "house-1");
        assert_eq!(by_id.parse::<ProviderName>(), Err(NotAProvider));
    }

    /// At each place of each name.
    #[test]
    fn an_odd_part_is_refused() {
        let long = "x".repeat(256);
        for name in [KEY, KEY_VERSION, SECRET, REGIONAL, PROVIDER] {
            let parts: Vec<&str> = name.split('/').collect();
            for place in 0..parts.len() {
                for odd in [
                    "", ".", "..", "...", "a.b", "%2e%2e", "%2F", "a%00", "a b", " ", "\n", "a\0b",
                    "\u{7f}", "\u{e9}", "\u{202e}", "*", "?x", "#x", "a:b", "@", "+1", "\\", "a;b",
                    &long,
                ] {
                    let mut parts = parts.clone();
                    parts[place] = odd;
                    let text = parts.join("/");
                    assert!(!is_any(&text), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn an_odd_number_is_refused() {
        for number in ["0", "01", "-1", "1e3", "0x1", "x", "99999999999999999999"] {
            for (name, whole) in [(KEY_VERSION, "/7"), (SECRET, "/1"), (REGIONAL, "/12")] {
                let text = name.strip_suffix(whole).unwrap();
                let text = format!("{text}/{number}");
                assert!(!is_any(&text), "{text}");
            }
            let text = PROVIDER.replace("123456", number);
            assert!(!is_any(&text), "{text}");
        }
    }

    #[test]
    fn a_pool_or_provider_under_a_name_of_googles_own_is_refused() {
        for own in ["gcp-mcbn", "abc", "Mcbn", "mcbn_1"] {
            assert!(!is_any(&PROVIDER.replace("attested", own)), "{own}");
            assert!(!is_any(&PROVIDER.replace("mcbn", own)), "{own}");
        }
    }

    #[test]
    fn a_name_with_something_before_or_behind_it_is_refused() {
        for name in [KEY, KEY_VERSION, SECRET, REGIONAL, PROVIDER] {
            for text in [
                format!("/{name}"),
                format!("{name}/"),
                format!("{name}/x"),
                format!("{name}\n"),
                format!(" {name}"),
                format!("//iam.googleapis.com/{name}"),
                format!("{name}:access"),
                format!("{name}?alt=media"),
                name.to_uppercase(),
            ] {
                assert!(!is_any(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn a_project_of_an_odd_id_is_refused() {
        for project in [
            "short",
            "1house",
            "house-",
            "House-1",
            "house_1",
            "example.com:house",
            &"x".repeat(31),
            "12345678901234567890",
        ] {
            let text = SECRET.replace("123456", project);
            assert!(!is_any(&text), "{text}");
        }
    }
}
