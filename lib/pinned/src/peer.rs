//! The proof that a server has the pinned key.

use mcbn_consent::message::Exporter;
use mcbn_manifest::Pin;

/// What a TLS stack says of a handshake that is finished. It judges nothing.
pub trait Finished {
    /// Whether it was done in TLS 1.3.
    fn is_tls13(&self) -> bool;

    /// Whether it was done from its start: a resumed one is signed by nobody, whatever key a stack shows for it.
    fn is_full(&self) -> bool;

    /// The SubjectPublicKeyInfo (DER) of the server's own certificate. The stack has checked that this key signed the
    /// handshake.
    fn server_key(&self) -> Option<Vec<u8>>;

    /// Of [`EXPORTER_LABEL`](mcbn_consent::message::EXPORTER_LABEL), with an empty context.
    fn exporter(&self) -> Option<Exporter>;
}

/// The server has shown that it has the key with this pin. Made only from a finished handshake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PinnedPeer {
    pin: Pin,
    exporter: Exporter,
}

/// Why a finished handshake shows no server with the pinned key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unproven {
    /// It was not done in TLS 1.3.
    Version,
    /// Nobody has signed it with the pinned key.
    Key,
    /// It binds nothing.
    Exporter,
}

impl PinnedPeer {
    /// Asks a finished handshake whose key signed it.
    pub fn of(handshake: &impl Finished, pin: &Pin) -> Result<Self, Unproven> {
        if !handshake.is_tls13() {
            return Err(Unproven::Version);
        }
        let key = handshake.server_key().filter(|_| handshake.is_full());
        if key.as_deref().map(Pin::of_key).as_ref() != Some(pin) {
            return Err(Unproven::Key);
        }
        Ok(Self {
            pin: *pin,
            exporter: handshake.exporter().ok_or(Unproven::Exporter)?,
        })
    }

    pub fn pin(&self) -> &Pin {
        &self.pin
    }

    /// What both ends of this connection can compute, and nobody else: its channel binding.
    pub fn exporter(&self) -> &Exporter {
        &self.exporter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it should be: each test spoils one thing.
    #[derive(Clone, Copy)]
    struct Said {
        tls13: bool,
        full: bool,
        key: Option<&'static [u8]>,
        exporter: Option<Exporter>,
    }

    const GOOD: Said = Said {
        tls13: true,
        full: true,
        key: Some(b"a key"),
        exporter: Some(Exporter([7; 32])),
    };

    impl Finished for Said {
        fn is_tls13(&self) -> bool {
            self.tls13
        }

        fn is_full(&self) -> bool {
            self.full
        }

        fn server_key(&self) -> Option<Vec<u8>> {
            self.key.map(<[u8]>::to_vec)
        }

        fn exporter(&self) -> Option<Exporter> {
            self.exporter
        }
    }

    fn judged(said: Said) -> Result<PinnedPeer, Unproven> {
        PinnedPeer::of(&said, &Pin::of_key(b"a key"))
    }

    #[test]
    fn a_handshake_with_the_pinned_key_is_accepted() {
        let peer = judged(GOOD).unwrap();
        assert_eq!(peer.pin(), &Pin::of_key(b"a key"));
        assert_eq!(peer.exporter(), &Exporter([7; 32]));
    }

    #[test]
    fn a_handshake_with_another_key_is_refused() {
        for byte in [0, 31] {
            let mut pin = Pin::of_key(b"a key");
            pin.0[byte] ^= 1;
            assert_eq!(PinnedPeer::of(&GOOD, &pin), Err(Unproven::Key));
        }
    }

    #[test]
    fn a_handshake_without_a_key_is_refused() {
        let said = Said { key: None, ..GOOD };
        assert_eq!(judged(said), Err(Unproven::Key));
    }

    #[test]
    fn a_resumed_handshake_is_refused_even_with_the_pinned_key() {
        let said = Said {
            full: false,
            ..GOOD
        };
        assert_eq!(judged(said), Err(Unproven::Key));
    }

    #[test]
    fn an_older_version_is_refused_even_with_the_pinned_key() {
        let said = Said {
            tls13: false,
            ..GOOD
        };
        assert_eq!(judged(said), Err(Unproven::Version));
    }

    #[test]
    fn a_handshake_without_an_exporter_is_refused() {
        let said = Said {
            exporter: None,
            ..GOOD
        };
        assert_eq!(judged(said), Err(Unproven::Exporter));
    }
}
