//! Whether a Confidential Space attestation token is genuine, fresh and bound to what a verifier asked, and whether
//! the machine that it speaks of meets a policy.
//!
//! Two steps, each of which returns a proof that the next one takes. A [`Verifier`] reads a token and checks who
//! signed it, for whom, when, and with which nonces: a [`VerifiedToken`]. [`judge`] holds its claims against a consent
//! manifest: an [`Accepted`], or a [`Report`] of every demand beside what was found. Nothing is accepted by default:
//! a claim that is missing, or of another type than it should have, fails its demand or the token.
//!
//! What this is not: it fetches no tokens (that is the workload's side), it makes no nonces and keeps no challenge, and
//! it does not look into the evidence behind a token. The issuer does that, and is trusted for it.
//!
//! Invariants:
//! - One algorithm, RS256, and never one that the token chooses.
//! - Everything is parsed strictly before anything is trusted: sizes, depth and duplicate names in JSON are bounded or
//!   refused, so no two readers can see two different tokens.
//! - The clock is a parameter, and so is the network ([`Fetch`]).
#![forbid(unsafe_code)]

mod chain;
mod claims;
mod error;
mod fetch;
mod issuer;
mod json;
mod judge;
mod jwks;
mod jws;
mod leeway;
mod location;
mod published;
mod report;
mod verifier;

pub use chain::{ChainFault, NotARoot, Root};
pub use claims::{Claims, ConfidentialSpace, Container, Gce, ImageSignature, NvidiaGpu, Tdx};
pub use error::{KeysFault, Part, Refused, TokenFault};
pub use fetch::{Fetch, Https, MAX_ANSWER, Unfetched};
pub use issuer::{Issuer, NotAnIssuer};
pub use json::JsonFault;
pub use judge::{Accepted, examine, judge};
pub use jwks::{Jwks, NotAJwks};
pub use leeway::{Leeway, LeewayTooLong};
pub use location::Location;
pub use mcbn_manifest::policy::{Demand, TokenKind};
pub use published::{FRESH, PAUSE, STALE};
pub use report::{Finding, Report, Verdict};
pub use rustls_pki_types::UnixTime;
pub use verifier::{Expected, Unverified, VerifiedToken, Verifier};
