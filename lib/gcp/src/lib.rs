//! Google Cloud, as far as keys and shares are there: Cloud KMS, Secret Manager, and the credentials that open them.
//!
//! The clients are Google's own. What is added here is what they leave to their callers: checksums of every byte that
//! goes and comes, the names and the protection level of what answered, deadlines, and errors that say who is at fault
//! without showing anything that somebody could use.
//!
//! Invariants, and the threat that each one answers:
//! - An answer that is not whole, or not of the key or secret that was asked, is an error and never used
//!   ([data integrity guidelines](https://docs.cloud.google.com/kms/docs/data-integrity-guidelines)).
//! - Nothing waits longer than its deadline, and only what can be done twice is tried twice: none of these calls changes
//!   anything.
//! - No error shows a credential: of what a service answers only its own words for the fault are kept, bounded and
//!   without control characters. Google's errors as they are may hold whole answers, a token file's content included.
//!
//! What this crate cannot do: Google's clients and the TLS below them do not wipe what they received. A secret that came
//! this way may stay in freed memory; what is given out here is wiped.
#![forbid(unsafe_code)]

mod access;
mod algorithm;
mod credentials;
mod failure;
mod google;
mod kms;
mod secret_manager;

pub use algorithm::{Algorithm, Digest, Hash, NotAProtection, NotAnAlgorithm, Protection};
pub use credentials::{CredentialSource, NotASource};
pub use google::{Endpoints, Google};
pub use kms::{Kms, PublicKey};
pub use mcbn_gcp_answer::{Corrupt, Failure, SecretBytes};
pub use mcbn_gcp_name as name;
pub use secret_manager::SecretManager;
