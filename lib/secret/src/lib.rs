//! Each kind of secret is a type of its own, so that one cannot be used as another.
//!
//! A secret lives in one place on the heap: moving the value moves a pointer and leaves no copy behind. It is zeroized
//! on drop, compared in constant time, and cannot be cloned, displayed or serialized; `Debug` shows neither its bytes
//! nor its length. The one way to its bytes is `expose_secret`; write the reason on the line above the call.
//!
//! It does not lock memory: the programs switch off core dumps and debuggers, and the machines that they are made for
//! encrypt memory.
#![forbid(unsafe_code)]

use std::fmt;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// One line a kind: what it is, its name, its length in bytes.
macro_rules! secrets {
    ($($(#[$doc:meta])* $kind:ident[$length:literal];)*) => {
        $(
            $(#[$doc])*
            pub struct $kind(Box<Zeroizing<[u8; $length]>>);

            impl $kind {
                /// In bytes.
                pub const LENGTH: usize = $length;

                /// Has the bytes written in place, so that no copy of them is made.
                ///
                /// # Errors
                ///
                /// That of `write`; what it wrote is wiped.
                pub fn fill<E>(
                    write: impl FnOnce(&mut [u8; $length]) -> Result<(), E>,
                ) -> Result<Self, E> {
                    let mut bytes = Box::new(Zeroizing::new([0; $length]));
                    write(&mut bytes)?;
                    Ok(Self(bytes))
                }

                /// A copy; wiping the original is left to the caller.
                pub fn copied_from(bytes: &[u8; $length]) -> Self {
                    let mut copy = Box::new(Zeroizing::new([0; $length]));
                    copy.copy_from_slice(bytes);
                    Self(copy)
                }

                pub fn expose_secret(&self) -> &[u8; $length] {
                    &self.0
                }
            }

            impl fmt::Debug for $kind {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(concat!(stringify!($kind), "(..)"))
                }
            }

            impl ConstantTimeEq for $kind {
                fn ct_eq(&self, other: &Self) -> Choice {
                    self.0.ct_eq(&**other.0)
                }
            }

            impl PartialEq for $kind {
                fn eq(&self, other: &Self) -> bool {
                    self.ct_eq(other).into()
                }
            }

            impl Eq for $kind {}
        )*

        #[cfg(test)]
        mod every_kind {
            $(
                #[allow(non_snake_case)]
                #[test]
                fn $kind() {
                    crate::tests::keeps_its_promises!($kind);
                }
            )*
        }
    };
}

secrets! {
    /// What one participant contributes to a key.
    Share[32];

    /// A participant's point of a Shamir sharing: its x-coordinate and 32 bytes.
    ShamirShare[33];

    /// The secret that is shared out with [`ShamirShare`]s.
    SharedSecret[32];

    /// A pre-shared key for TLS or DTLS.
    Psk[32];

    /// The seed of a deterministic RSA key.
    RsaSeed[32];

    /// The permanent key of tpm-psk: the key of every session is an HMAC under it.
    HmacKey[32];

    /// A participant's share of a group's BLS key.
    SigningShare[32];

    /// A participant's signature of consent: as many of them as the threshold says make the key.
    ConsentSignature[96];

    /// What a participant opens its share of one key generation with: an X25519 private key for HPKE.
    OpeningKey[32];
}

#[cfg(test)]
mod tests;
