//! The key that stands in for every key that does not exist.

use mcbn_secret::Psk;
use mcbn_tls::Setup;

/// A random key that nobody knows: an unknown identity fails where a wrong key fails, with the same alert and after the
/// same work.
#[derive(Debug)]
pub(crate) struct Decoy(Psk);

impl Decoy {
    pub(crate) fn draw() -> Result<Self, Setup> {
        Psk::fill(|bytes| openssl::rand::rand_bytes(bytes))
            .map(Self)
            .map_err(Setup::step("draw random bytes"))
    }

    /// Takes the place of `key`, unless the identity is known. It works the same either way.
    pub(crate) fn replace_unless(&self, known: bool, key: &mut [u8; Psk::LENGTH]) {
        // All ones for an unknown identity, all zeros for a known one.
        let mask = u8::from(known).wrapping_sub(1);
        // OpenSSL gets these bytes where it would get a key.
        for (byte, decoy) in key.iter_mut().zip(self.0.expose_secret()) {
            *byte ^= (*byte ^ decoy) & mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unknown_identity_gets_the_decoy() {
        let decoy = Decoy::draw().unwrap();
        let mut key = [7; Psk::LENGTH];
        decoy.replace_unless(true, &mut key);
        assert_eq!(key, [7; Psk::LENGTH]);
        decoy.replace_unless(false, &mut key);
        assert_eq!(&key, decoy.0.expose_secret());
        assert_ne!(key, [7; Psk::LENGTH]);
    }
}
