//! Random bytes that were drawn before: a source may fail, and hpke's may not.

use std::convert::Infallible;

use hpke::rand_core::{TryCryptoRng, TryRng};

/// Gives 32 bytes once, which is what hpke draws for an ephemeral key.
pub(super) struct Given<'a>(Option<&'a [u8; 32]>);

impl<'a> Given<'a> {
    /// Of a source that is fit for keys.
    pub(super) fn once(bytes: &'a [u8; 32]) -> Self {
        Self(Some(bytes))
    }
}

impl TryRng for Given<'_> {
    type Error = Infallible;

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        let bytes = self.0.take().expect("hpke draws once for one message");
        to.copy_from_slice(bytes);
        Ok(())
    }

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("hpke draws bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("hpke draws bytes")
    }
}

impl TryCryptoRng for Given<'_> {}
