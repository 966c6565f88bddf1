//! The permanent key in this program's memory: the other end of a session whose key a TPM makes.

use std::time::Instant;

use hmac::digest::FixedOutput;
use hmac::{Hmac, KeyInit, Mac};
use mcbn_psk::{KeySource, NoKey, Randoms};
use mcbn_secret::{HmacKey, Psk};
use sha2::Sha256;

use crate::layout::{Layout, Message};

/// A permanent key that this machine can read.
#[derive(Debug)]
pub struct KeyInMemory {
    key: HmacKey,
    layout: Layout,
}

impl KeyInMemory {
    pub fn new(key: HmacKey, layout: Layout) -> Self {
        Self { key, layout }
    }

    /// HMAC-SHA256 of the message under the key.
    pub fn hmac(&self, message: &Message) -> Psk {
        // The key of every session is made with it.
        let key = self.key.expose_secret();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
        mac.update(message.as_bytes());
        let made = Psk::fill(|out| {
            mac.finalize_into(out.into());
            Ok::<_, std::convert::Infallible>(())
        });
        made.unwrap_or_else(|never| match never {})
    }
}

impl KeySource for KeyInMemory {
    fn write_key(
        &self,
        randoms: &Randoms,
        _: Option<Instant>,
        out: &mut [u8; Psk::LENGTH],
    ) -> Result<(), NoKey> {
        let key = self.hmac(&self.layout.message(randoms));
        // OpenSSL needs the bytes: this is the one place where a session's key enters it.
        out.copy_from_slice(key.expose_secret());
        Ok(())
    }

    fn advice(&self) -> &'static str {
        crate::ADVICE
    }
}
