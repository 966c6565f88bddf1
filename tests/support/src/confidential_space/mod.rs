//! A simulator of Confidential Space: virtual machines with the launcher's token service, and the issuer that signs.
//!
//! An [`Issuer`] is one trust domain: keys, discovery, JWKS, and the root of PKI tokens, over HTTP on loopback. A
//! [`Machine`] is one virtual machine of it: a [`Profile`] says what it is and what it runs, and its socket hands out
//! tokens as `/run/container_launcher/teeserver.sock` does.
//!
//! It is written from public documents and from the behaviour of the public launcher, and shares no code with what it
//! tests: no `lib/attest`, no JWT crate. Where the real service refuses a caller, this one does; where both published
//! limits differ, it takes the wider, and our client keeps the narrower.
//!
//! Whatever may go wrong with the real ones can be switched on while they run: [`Health`] for how a service answers,
//! [`Forgery`] for what is wrong with a token.
//!
//! What it is not: part of any image, nor safe. Its keys are made at start, live in memory, and vouch for nothing. It
//! makes no evidence either: a machine says of itself whatever its profile says.

mod claims;
mod forgery;
mod issuer;
pub(crate) mod jwt;
pub(crate) mod key;
mod machine;
mod pki;
mod profile;
mod request;

pub use crate::service::Health;
pub use forgery::Forgery;
pub(crate) use issuer::Authority;
pub use issuer::{Issuer, Requests, Rotation};
pub use machine::Machine;
pub use profile::{
    Hardware, Image, ImageSignature, Instance, Overrides, Placement, Profile, RestartPolicy,
};
pub use request::{BadRequest, TokenRequest, TokenType};

/// The issuer that the real service names.
pub const GOOGLE: &str = "https://confidentialcomputing.googleapis.com";

/// The audience of a default token.
pub const DEFAULT_AUDIENCE: &str = "https://sts.googleapis.com";

/// The name of the token service's socket, in the folder that the launcher gives to a container.
pub const SOCKET: &str = "teeserver.sock";

/// The name of the default token's file, beside the socket.
pub const DEFAULT_TOKEN: &str = "attestation_verifier_claims_token";
