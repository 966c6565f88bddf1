//! Keys as this project makes and uses them.

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use mcbn_psk::{KeySource, NoKey, Randoms};
use mcbn_secret::HmacKey;
use mcbn_tests_support::session_keys::KEY;
use mcbn_tests_support::swtpm::Swtpm;
use mcbn_tpm::{
    AuthValue, Error, KeyConfig, KeyFile, KeyPlace, Layout, LoadedKey, Message, Order, Parent,
    PersistentHandle, Tcti,
};
use sha2::Sha256;

/// How long a TPM in software may take for one command on a busy machine.
pub const LIMIT: Duration = mcbn_tests_support::DEADLINE;

pub fn tcti(tpm: &Swtpm) -> Tcti {
    tpm.tcti().parse().expect("one for both")
}

/// A key under the owner's primary key, which anyone may use.
pub fn order(tpm: &Swtpm) -> Order {
    Order {
        tcti: tcti(tpm),
        parent: "owner".parse().expect("a parent"),
        parent_auth: None,
        key_auth: None,
        pcrs: None,
        limit: LIMIT,
    }
}

/// The published permanent key.
pub fn published_key() -> HmacKey {
    HmacKey::copied_from(KEY)
}

/// Puts the published permanent key into the TPM.
pub fn imported(order: &Order) -> KeyFile {
    let file = order.import(&published_key());
    file.unwrap_or_else(|error| panic!("{error}"))
}

pub fn config(tpm: &Swtpm, key: impl Into<Place>) -> KeyConfig {
    KeyConfig {
        tcti: tcti(tpm),
        key: key.into().0,
        key_auth: None,
        parent_auth: None,
        limit: LIMIT,
    }
}

/// Where a key is, of either kind.
pub struct Place(KeyPlace);

impl From<&KeyFile> for Place {
    fn from(file: &KeyFile) -> Self {
        Self(KeyPlace::File(Box::new(file.clone())))
    }
}

impl From<u32> for Place {
    fn from(handle: u32) -> Self {
        Self(KeyPlace::Persistent(persistent(handle)))
    }
}

pub fn persistent(handle: u32) -> PersistentHandle {
    PersistentHandle::new(handle).expect("a persistent handle")
}

pub fn persistent_parent(handle: u32) -> Parent {
    Parent::Persistent(persistent(handle))
}

pub fn auth(text: &str) -> Option<AuthValue> {
    Some(AuthValue::from_line(text.as_bytes()).expect("one line"))
}

#[track_caller]
pub fn load(config: &KeyConfig) -> LoadedKey {
    LoadedKey::load(config).unwrap_or_else(|error| panic!("{error}: {error:?}"))
}

/// Why the key cannot be loaded.
#[track_caller]
pub fn refused(config: &KeyConfig) -> Error {
    let refused = LoadedKey::load(config).err();
    refused.expect("the key is not loaded")
}

/// HMAC-SHA256 of the message under the key in this TPM.
#[track_caller]
pub fn hmac_in_tpm(key: &mut LoadedKey, message: &Message) -> [u8; 32] {
    let made = key
        .hmac(message)
        .unwrap_or_else(|error| panic!("{error}: {error:?}"));
    // To compare it.
    *made.expose_secret()
}

/// HMAC-SHA256 of these bytes, by nothing of this project's.
pub fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// What is signed for one handshake of many.
pub fn message(number: u8) -> Message {
    Layout::Random32.message(&randoms(number))
}

pub fn randoms(number: u8) -> Randoms {
    Randoms {
        client: [number; 32],
        server: [!number; 32],
    }
}

/// The key of a session from any source.
pub fn session_key(
    source: &impl KeySource,
    randoms: &Randoms,
    until: Option<Instant>,
) -> Result<[u8; 32], NoKey> {
    let mut key = [0; 32];
    source.write_key(randoms, until, &mut key).map(|()| key)
}
