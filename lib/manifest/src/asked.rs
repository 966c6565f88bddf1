//! Where a participant's consent is asked for: at a keeper of theirs, or in their own project of Google Cloud.
//!
//! A keeper decides each time. In a project the decision is what the participant has set there: the provider of their
//! workload identity pool says which tokens of a machine it takes, and their IAM policy what those may read. Either way a
//! workload asks again before its lease ends, so what was set otherwise since ends it.
//!
//! Names that differ may mean one thing all the same: a project has an ID and a number, a host may have two names. The
//! rules of distinct shares are kept where the shares come together.

use crate::{Address, Pin};
use base64ct::{Base64UrlUnpadded, Encoding};
use mcbn_gcp_name::{
    Endpoint, KeyName, NotAKey, NotASecretVersion, ProviderName, SecretVersionName,
};
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Keeper(Keeper),
    Cloud(Cloud),
}

/// A keeper, which a participant runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeper {
    pub address: Address,
    /// Of its TLS key.
    pub pin: Pin,
}

/// A share in a participant's own project of Google Cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    pub share: CloudShare,
    /// Who takes the machine's token there.
    pub identity: ProviderName,
}

/// How it is kept there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloudShare {
    /// A secret of Secret Manager is the text of the share.
    Secret(SecretVersionName),
    /// A key of Cloud KMS opens it.
    Sealed {
        key: KeyName,
        ciphertext: Ciphertext,
        /// Additional authenticated data: whose share it is, and of which network, so that no other ciphertext of this key
        /// can stand in its place.
        label: String,
    },
}

/// `mcbn share of NAME in NETWORK`.
pub(crate) fn label(name: impl Display, network: impl Display) -> String {
    format!("mcbn share of {name} in {network}")
}

/// Where a share lies, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Secret(SecretVersionName),
    Key(KeyName),
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Place, NotAPlace> {
        match text.split_once(':') {
            Some(("gcp-secret", name)) => {
                name.parse().map(Place::Secret).map_err(NotAPlace::Secret)
            }
            Some(("gcp-kms", name)) => name.parse().map(Place::Key).map_err(NotAPlace::Key),
            _ => Err(NotAPlace::Kind),
        }
    }
}

/// As the manifest writes it.
impl Display for CloudShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CloudShare::Secret(version) => write!(f, "gcp-secret:{version}"),
            CloudShare::Sealed { key, .. } => write!(f, "gcp-kms:{key}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAPlace {
    Kind,
    Secret(NotASecretVersion),
    Key(NotAKey),
}

impl Display for NotAPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAPlace::Kind => f.write_str(
                "a share is gcp-secret: and the version of a secret, or gcp-kms: and a key",
            ),
            NotAPlace::Secret(error) => Display::fmt(error, f),
            NotAPlace::Key(error) => Display::fmt(error, f),
        }
    }
}

/// What Cloud KMS made of a share: 1 to 1024 bytes, written in base64url without padding. Not a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Ciphertext(Vec<u8>);

impl Ciphertext {
    /// The longest text of a share makes less than a quarter of it.
    pub const MAX_LEN: usize = 1024;

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Ciphertext {
    type Err = NotACiphertext;

    fn from_str(text: &str) -> Result<Ciphertext, NotACiphertext> {
        let longest = (4 * Ciphertext::MAX_LEN).div_ceil(3);
        if text.is_empty() || text.len() > longest {
            return Err(NotACiphertext);
        }
        let bytes = Base64UrlUnpadded::decode_vec(text);
        bytes.map(Ciphertext).map_err(|_| NotACiphertext)
    }
}

impl Display for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Base64UrlUnpadded::encode_string(&self.0))
    }
}

impl Debug for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ciphertext({self})")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACiphertext;

impl Display for NotACiphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a ciphertext is 1 to 1024 bytes in base64url without padding")
    }
}

impl Error for NotACiphertext {}

/// Where Google's services answer, where it is not where they answer everybody: through Private Service Connect, or in
/// tests. Whoever answers at the token service's place gets the machine's tokens, and could act as the machine towards
/// every participant. So it is Google's, by its name, or on the machine itself, whoever wrote the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub kms: Option<Endpoint>,
    pub secret_manager: Option<Endpoint>,
    pub sts: Option<Endpoint>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ciphertext_is_read_to_the_byte() {
        for bytes in [
            vec![0],
            (0..=255).collect(),
            vec![0xff; Ciphertext::MAX_LEN],
        ] {
            let text = Base64UrlUnpadded::encode_string(&bytes);
            let ciphertext: Ciphertext = text.parse().unwrap();
            assert_eq!(ciphertext.as_bytes(), bytes);
            assert_eq!(ciphertext.to_string(), text);
        }
    }

    #[test]
    fn an_odd_ciphertext_is_refused() {
        let long = Base64UrlUnpadded::encode_string(&[0; Ciphertext::MAX_LEN + 1]);
        for text in [
            "", "A", "AA==", "A+/A", " AAAA", "AAAA\n", "AB", "\u{e9}", &long,
        ] {
            assert_eq!(text.parse::<Ciphertext>(), Err(NotACiphertext), "{text:?}");
        }
    }
}
