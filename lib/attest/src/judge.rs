//! A token's claims held against a consent manifest.

use crate::claims::Claims;
use crate::report::Report;
use crate::verifier::VerifiedToken;
use mcbn_manifest::policy::TokenKind;
use mcbn_manifest::{ImageDigest, Manifest, Name};

/// The proof that a verified token meets every demand of a manifest.
#[derive(Clone, Debug)]
pub struct Accepted {
    workload: Name,
    image: ImageDigest,
    instance: String,
    report: Report,
}

impl Accepted {
    /// The part that the image plays.
    pub fn workload(&self) -> &Name {
        &self.workload
    }

    pub fn image(&self) -> ImageDigest {
        self.image
    }

    /// The machine, as its issuer names it (`sub`): 1 to 1024 bytes without control characters.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The demands that it meets.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// # Errors
///
/// At least one demand fails; the report lists all of them.
pub fn judge(_token: &VerifiedToken, _manifest: &Manifest) -> Result<Accepted, Report> {
    todo!()
}

/// What [`judge`] would say of these claims, wherever they come from. Proves nothing: for people to look at.
pub fn examine(_claims: &Claims, _kind: TokenKind, _manifest: &Manifest) -> Report {
    todo!()
}
