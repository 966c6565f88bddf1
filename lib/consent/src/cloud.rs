//! A share that lies in its participant's own project of Google Cloud, as consent that can be withdrawn.
//!
//! Nobody decides there when a workload asks. What the participant has set decides: whom their workload identity pool takes
//! for whom, and who may read the share. So consent is that the share can be read, and it is renewed by reading it again,
//! the whole way, with nothing kept from the time before but a hash of the share. Whatever a participant can do to take it
//! back has effect with the next renewal: to remove the right to read, to switch the provider off or change its condition,
//! to disable or destroy the version.
//!
//! Invariants, and the threat that each one answers:
//! - A lease is as long as the manifest says: there is nobody to say less.
//! - A share that is another one than before ends consent. Whoever exchanged it did not mean the key that is in use.
//! - What reading can never give again, as it stands, ends consent; what is only out of reach makes the renewal late.
//! - The text of the share is wiped once it is read, and a share that signs is gone with it.
//!
//! - A token is for one participant's provider, and names the manifest: who takes it to another, or has the program started
//!   with a manifest that nobody agreed to, gets nothing from a participant whose condition says so.
//!
//! What this cannot do: such a token is bound to no connection and no challenge, unlike those that keepers ask for. Who could
//! take one out of the machine, or from Google, could read that share until it expires.

use crate::ask::Granted;
use crate::client::Failure;
use mcbn_manifest::Cloud;
use mcbn_share::{Contribution, Kind, Participant, text};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::time::Duration;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Reads shares in Google Cloud, by attestation tokens of this machine that are for the share's participant and name the
/// manifest.
pub trait Fetch: Send + Sync + 'static {
    /// Reads a share, in one attempt: with a token that is judged now, and nothing that was granted before. The caller
    /// sets the deadline.
    fn fetch(&self, cloud: &Cloud) -> impl Future<Output = Result<ShareText, NotFetched>> + Send;
}

/// The share of a participant as a text, as it would stand in a file.
pub struct ShareText(Zeroizing<Vec<u8>>);

impl ShareText {
    /// Wiping the original is left to the caller.
    pub fn copied_from(bytes: &[u8]) -> ShareText {
        ShareText(Zeroizing::new(bytes.to_vec()))
    }

    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

impl Debug for ShareText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShareText(..)")
    }
}

/// A share in Google Cloud is out of reach, or not for this machine.
#[derive(Debug)]
pub struct NotFetched {
    /// A short fixed word for logs and metrics.
    pub reason: &'static str,
    /// Reading again gives the same, until its participant changes something.
    pub is_final: bool,
    pub source: Box<dyn Error + Send + Sync>,
}

impl Display for NotFetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.is_final {
            true => "Google Cloud does not give the share",
            false => "Google Cloud cannot give the share now",
        })
    }
}

impl Error for NotFetched {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// Makes consent of what can be read.
#[derive(Debug)]
pub struct InCloud<F> {
    pub fetch: F,
    /// What participants contribute.
    pub kind: Kind,
    /// How long each reading is good for.
    pub lease: Duration,
}

/// What a share is known by when it is read again.
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(share: &ShareText) -> Fingerprint {
        // To know it again. It is as hard to guess as the share itself.
        let text = text::below_comments(share.expose_secret()).trim_ascii();
        Fingerprint(Sha256::digest(text).into())
    }
}

impl Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

impl<F: Fetch> InCloud<F> {
    /// Reads the share.
    pub async fn release(
        &self,
        whose: &Participant,
        cloud: &Cloud,
    ) -> Result<Granted<Fingerprint>, Failure> {
        let text = self.fetch.fetch(cloud).await.map_err(Failure::Cloud)?;
        // To decode it, and to sign with it where it signs.
        let share = Contribution::of_text(whose, text.expose_secret(), &self.kind);
        Ok(Granted {
            share: share.map_err(Failure::Share)?,
            lease: Fingerprint::of(&text),
            length: self.lease,
        })
    }

    /// Reads it again.
    pub async fn renew(&self, cloud: &Cloud, before: &Fingerprint) -> Result<Duration, Failure> {
        let text = self.fetch.fetch(cloud).await.map_err(Failure::Cloud)?;
        match Fingerprint::of(&text).0.ct_eq(&before.0).into() {
            true => Ok(self.lease),
            false => Err(Failure::OtherShare),
        }
    }
}

#[cfg(test)]
mod tests;
