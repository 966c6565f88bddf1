//! Where the key of a handshake comes from.

use std::sync::Arc;
use std::time::Instant;

use mcbn_secret::Psk;
use openssl::ssl::SslRef;
use tokio::sync::Semaphore;

/// Gives the key of each handshake: the same one, or one that depends on the handshake.
///
/// It is called inside OpenSSL's callback, on the thread that runs the peer's task, and the callback cannot wait
/// otherwise than by blocking that thread. A source that takes longer than a computation must say so to its runtime
/// (`tokio::task::block_in_place`), and has [`seats`](Self::seats). It must not panic: the panic would have to cross C.
pub trait KeySource: Send + Sync + 'static {
    /// Writes the key for the handshake with these randoms. `out` is OpenSSL's own buffer, which it wipes.
    ///
    /// Nobody waits for the key after `until`, where there is one: a key that comes later is not used.
    ///
    /// # Errors
    ///
    /// [`NoKey`], and the handshake fails by this side's fault. What was written is wiped.
    fn write_key(
        &self,
        randoms: &Randoms,
        until: Option<Instant>,
        out: &mut [u8; Psk::LENGTH],
    ) -> Result<(), NoKey>;

    /// How many handshakes may be at asking this source at one time: each of them may hold a thread of the runtime. The
    /// others wait without one, in order, within their own deadlines. Clones of one semaphore are one bound for all
    /// acceptors and connectors that have them. None for a source that only computes.
    fn seats(&self) -> Option<Arc<Semaphore>> {
        None
    }

    /// What makes two ends have the same keys, for a person whose peer has another one. In lower case and without a full
    /// stop.
    fn advice(&self) -> &'static str {
        "both ends need the same key and the same identity"
    }
}

/// There is no key for this handshake, and why: a fixed phrase, which has no room for a secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoKey(pub &'static str);

/// What both sides have put into the handshake so far ([RFC 5246 §7.4.1.2]): public, and never the same twice.
///
/// [RFC 5246 §7.4.1.2]: https://www.rfc-editor.org/rfc/rfc5246#section-7.4.1.2
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Randoms {
    pub client: [u8; 32],
    pub server: [u8; 32],
}

impl Randoms {
    /// None before both are known. In TLS 1.3 that is whenever a key is asked for.
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
    fn write_key(
        &self,
        _: &Randoms,
        _: Option<Instant>,
        out: &mut [u8; Psk::LENGTH],
    ) -> Result<(), NoKey> {
        write_fixed(self, out);
        Ok(())
    }

    fn advice(&self) -> &'static str {
        "both ends need the same shares, derivation, manifest digest and identity"
    }
}

pub(crate) fn write_fixed(key: &Psk, out: &mut [u8; Psk::LENGTH]) {
    // OpenSSL needs the bytes: this is the one place where a key of shares enters it.
    out.copy_from_slice(key.expose_secret());
}
