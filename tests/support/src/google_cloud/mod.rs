//! A double of Google Cloud: Cloud KMS, Secret Manager, the Security Token Service, the authorization server for people
//! and a metadata server, on loopback.
//!
//! A [`Cloud`] trusts one issuer of attestation tokens. Its keys are real and made when a test adds them; who may use
//! them stands in [`Iam`], which believes access tokens of this double and nothing else. What the real services refuse,
//! this one refuses, in their words' shape: `{"error": {"code", "message", "status", "details"}}`, and that of OAuth 2.0
//! from the STS and the authorization server.
//!
//! It is written from Google's public reference and from what Google's client sends, and shares no code with what it
//! tests: no `lib/gcp`, no client of Google. As in the real ones, whoever may not know of a resource is told 403, not 404.
//! Where it is stricter (unknown fields, unknown parameters), a client that sends them is wrong.
//!
//! Whatever may go wrong can be switched on while it runs, for all requests or for the next few: [`Fault`]. Every
//! request is counted by its [`Call`], whatever came of it, and the most signatures that were asked for at one time.
//!
//! What it is not: consistent as late as the real one, whose withdrawals take minutes; here they are at once. It knows no
//! quota but the faults, no conditions of bindings, no rotation of symmetric keys, and no gRPC.

mod cloud;
mod denial;
mod fault;
mod iam;
mod kms;
mod metadata;
mod oauth;
mod provider;
mod root;
mod secrets;
mod service;
mod service_account;
mod sts;
mod wire;

pub use cloud::Cloud;
pub use fault::Fault;
pub use iam::{Iam, Role};
pub use kms::{Algorithm, BadBlob, ImportJob, Kms, Protection, State};
pub use metadata::Metadata;
pub use oauth::{Oauth, User};
pub use provider::{Condition, Provider};
pub use secrets::Secrets;
pub use service::{Call, Requests, Service};
pub use service_account::ServiceAccount;
pub use sts::Sts;

pub use crate::service::Health;

/// What its services are called in their certificates beside `localhost`, which programs know without a look-up. Manifests
/// take it because it is below Google's own domain: nobody else answers to it but where a test says so.
pub const NAME: &str = "double.p.googleapis.com";

/// The scope that opens every service.
pub const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
