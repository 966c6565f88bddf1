//! Where the key of a handshake comes from.

use mcbn_secret::Psk;
use openssl::ssl::SslRef;

/// Gives the key of each handshake: the same one, or one that depends on the handshake.
///
/// It is called inside OpenSSL's callback, on the thread that runs the peer's task, and the callback cannot wait
/// otherwise than by blocking that thread. A source that takes longer than a computation must say so to its runtime
/// (`tokio::task::block_in_place`). It must not panic: the panic would have to cross C.
pub trait KeySource: Send + Sync + 'static {
    /// Writes the key for the handshake with these randoms. `out` is OpenSSL's own buffer, which it wipes.
    fn write_key(&self, randoms: &Randoms, out: &mut [u8; Psk::LENGTH]) -> Result<(), NoKey>;
}

/// There is no key for this handshake: it fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoKey;

/// What both sides have put into the handshake so far ([RFC 5246 §7.4.1.2]): public, and never the same twice.
///
/// [RFC 5246 §7.4.1.2]: https://www.rfc-editor.org/rfc/rfc5246#section-7.4.1.2
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Randoms {
    pub client: [u8; 32],
    pub server: [u8; 32],
}

impl Randoms {
    /// None before both are known.
    pub(crate) fn of(ssl: &SslRef) -> Option<Self> {
        let mut randoms = Self {
            client: [0; 32],
            server: [0; 32],
        };
        let lengths = [
            ssl.client_random(&mut randoms.client),
            ssl.server_random(&mut randoms.server),
        ];
        let known = lengths == [32, 32] && randoms.client != [0; 32] && randoms.server != [0; 32];
        known.then_some(randoms)
    }
}

/// The same key for every handshake.
impl KeySource for Psk {
    fn write_key(&self, _: &Randoms, out: &mut [u8; Psk::LENGTH]) -> Result<(), NoKey> {
        // OpenSSL needs the bytes: this is the one place where the key enters DTLS.
        out.copy_from_slice(self.expose_secret());
        Ok(())
    }
}
