//! The question to a participant, wherever it is put.

use crate::client::{Client, Failure};
use crate::cloud::{Fetch, Fingerprint, InCloud};
use crate::connect::Connect;
use crate::message::Lease;
use mcbn_launcher::Tokens;
use mcbn_manifest::{Asked, Member};
use mcbn_share::Contribution;
use std::future::Future;
use std::time::Duration;

/// Asks participants for their consent. The caller sets the deadlines and counts a lease from before it asked.
pub trait Ask: Send + Sync + 'static {
    /// What a consent is known by when it is renewed.
    type Lease: Send + Sync;

    /// Asks for a participant's share.
    fn release(
        &self,
        member: &Member,
    ) -> impl Future<Output = Result<Granted<Self::Lease>, Failure>> + Send;

    /// Asks for more time; how much is the answer, counted from the question.
    fn renew(
        &self,
        member: &Member,
        lease: &Self::Lease,
    ) -> impl Future<Output = Result<Duration, Failure>> + Send;
}

/// What a participant has agreed to.
#[derive(Debug)]
pub struct Granted<L> {
    pub share: Contribution,
    pub lease: L,
    /// Counted from the question.
    pub length: Duration,
}

/// Asks each participant where the manifest says: a keeper, or Google Cloud.
#[derive(Debug)]
pub struct Everyone<C, T, F> {
    pub keepers: Client<C, T>,
    pub cloud: InCloud<F>,
}

/// Of whichever kind of participant.
#[derive(Debug)]
pub enum AnyLease {
    Keeper(Lease),
    Cloud(Fingerprint),
}

impl<C: Connect, T: Tokens, F: Fetch> Ask for Everyone<C, T, F> {
    type Lease = AnyLease;

    async fn release(&self, member: &Member) -> Result<Granted<AnyLease>, Failure> {
        Ok(match &member.asked {
            Asked::Keeper(keeper) => self.keepers.release(keeper).await?.map(AnyLease::Keeper),
            Asked::Cloud(cloud) => {
                let granted = self.cloud.release(&member.name, cloud).await?;
                granted.map(AnyLease::Cloud)
            }
        })
    }

    async fn renew(&self, member: &Member, lease: &AnyLease) -> Result<Duration, Failure> {
        match (&member.asked, lease) {
            (Asked::Keeper(keeper), AnyLease::Keeper(lease)) => {
                self.keepers.renew(keeper, lease).await
            }
            (Asked::Cloud(cloud), AnyLease::Cloud(share)) => self.cloud.renew(cloud, share).await,
            (Asked::Keeper(_), AnyLease::Cloud(_)) | (Asked::Cloud(_), AnyLease::Keeper(_)) => {
                unreachable!("a lease is renewed by the participant who gave it")
            }
        }
    }
}

impl<L> Granted<L> {
    fn map<M>(self, lease: impl FnOnce(L) -> M) -> Granted<M> {
        Granted {
            share: self.share,
            lease: lease(self.lease),
            length: self.length,
        }
    }
}
