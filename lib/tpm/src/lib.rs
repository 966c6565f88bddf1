//! Keys of sessions, each an HMAC over the handshake's randoms under a permanent key that stays in a TPM.
//!
//! [`KeyInTpm`] and [`KeyInMemory`] are the two places where the permanent key can be; each is a
//! [`KeySource`](mcbn_psk::KeySource) for TLS 1.2 and DTLS 1.2. [`KeyFile`] is the key's file, [`Order`] makes one.
//!
//! What this crate is not: it attests nothing. Whoever may use the TPM, and knows the key's authorization value if it has
//! one, can have keys of sessions made; a policy of PCRs binds that to one state of the machine.
//!
//! Invariants, and the threat that each one answers:
//! - The permanent key is in no memory but the TPM's: whoever reads this program's sees keys of sessions, each good for
//!   one.
//! - A listener on the bus sees neither keys nor results: sessions are salted, and encrypt both ways. (One who can change
//!   what passes, from the first command on, can stand in for the TPM; the key stays in it, keys of sessions do not.)
//! - Everything that was loaded is flushed on every path; where a killed program could not, its successor does, or the
//!   resource manager.
//! - One TPM is asked for one thing at a time, in order, with a bound and deadlines: a slow one holds up handshakes alone.
//!
//! Unsafe code stands in one file, `ffi.rs`: the way to the TPM that upstream's C library calls back.

#![deny(unsafe_code)]

mod auth;
mod error;
mod ffi;
pub mod key;
mod layout;
mod link;
mod loaded;
mod make;
mod memory;
mod metrics;
mod opened;
mod source;
mod sweep;
mod transport;

pub use auth::{AuthValue, NotAnAuthValue};
pub use error::{Error, Step, Whose};
pub use key::{KeyFile, Parent, Pcrs, PersistentHandle};
pub use layout::{Layout, Message, NotALayout};
pub use loaded::{KeyConfig, KeyPlace, LoadedKey};
pub use make::Order;
pub use memory::KeyInMemory;
pub use metrics::Metrics;
pub use source::KeyInTpm;
pub use transport::{Bus, Endpoint, NotATcti, Tcti};

/// What makes two ends have the same keys of sessions.
const ADVICE: &str = "both ends need the same permanent key, layout and identity";
