//! What Google Cloud's services answer, whoever asks them: why there is nothing, whether what came is whole, and secrets.
//!
//! Nothing is asked here, so whoever asks with a client of its own links none of Google's.
//!
//! Invariants, and the threat that each one answers:
//! - An answer without its checksum, or with another, is an error
//!   ([data integrity guidelines](https://docs.cloud.google.com/kms/docs/data-integrity-guidelines)).
//! - No error shows a credential: of what a service answers only its own words for the fault are kept, bounded and
//!   without control characters.
#![forbid(unsafe_code)]

pub mod checksum;
mod failure;
pub mod refusal;
mod secret_bytes;

pub use failure::{Corrupt, Failure};
pub use mcbn_launcher::Said;
pub use secret_bytes::SecretBytes;
