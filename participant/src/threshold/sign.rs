//! `mcbn threshold sign`: signs, with as many others as it takes, with a key that nobody has.
//!
//! What is signed is what the participant has itself, never what a server shows: a request is approved only where it is
//! about the very message and purpose that were given to the command, and a signature counts once it verifies for them
//! with the group's key of the manifest.

mod announce;
mod approve;
mod error;
mod id;
mod seat;
mod shown;
mod status;
mod subject;
mod verify;

pub use announce::ANNOUNCE;
pub use approve::APPROVE;
pub use status::STATUS;
pub use verify::VERIFY;

use mcbn_ceremony::NotAgreed;
use mcbn_ceremony::signing::Signers;
use mcbn_manifest::Manifest;

/// The program that is asked, as the manifest names it.
const WORKLOAD: &str = "threshold-sign";

fn signers(manifest: &Manifest) -> Result<Signers, NotAgreed> {
    Signers::agreed(manifest, WORKLOAD)
}
