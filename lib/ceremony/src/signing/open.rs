//! One request, until it expires.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mcbn_threshold::{Index, PartialSignature, Signature};

use super::{Refused, Shares, Signers, Subject};
use crate::approval::{Approval, RequestId};
use crate::terms::Moment;

/// A request that is open.
#[derive(Debug)]
pub struct Open {
    id: RequestId,
    subject: Subject,
    by: Index,
    expires: Moment,
    signers: Arc<Signers>,
    shares: Arc<Shares>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Each has approved; with a partial signature where the shares are kept.
    Collecting(Vec<(Index, Option<Signature>)>),
    Signed(Vec<Index>, Signature),
}

/// How far it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Who has approved it, in the order in which they came; once it is signed, whose approvals it took.
    pub approved_by: Vec<Index>,
    /// Once there is one. It verifies with the group's key.
    pub signature: Option<Signature>,
}

/// What became of an approval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing: it was there, or the signature was.
    None,
    /// It counts.
    Approved,
    /// It was the last that it took.
    Signed,
}

impl Open {
    pub(super) fn new(
        id: RequestId,
        subject: Subject,
        by: Index,
        expires: Moment,
        signers: Arc<Signers>,
        shares: Arc<Shares>,
    ) -> Self {
        Self {
            id,
            subject,
            by,
            expires,
            signers,
            shares,
            state: Mutex::new(State::Collecting(Vec::new())),
        }
    }

    pub fn id(&self) -> RequestId {
        self.id
    }

    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Who announced it first.
    pub fn by(&self) -> Index {
        self.by
    }

    pub fn expires(&self) -> Moment {
        self.expires
    }

    pub fn progress(&self) -> Progress {
        self.state().progress()
    }

    /// Takes an approval, and the partial signature that belongs to it where participants keep their shares. With the
    /// t-th the group's signature is made. It takes some milliseconds.
    pub fn submit(
        &self,
        index: Index,
        partial: Option<Signature>,
        approval: &Approval,
    ) -> Result<(Step, Progress), Refused> {
        let mut state = self.state();
        let mut step = Step::None;
        if let State::Collecting(approved) = &mut *state
            && is_new(approved, index, partial)?
        {
            self.verify(index, partial, approval)?;
            approved.push((index, partial));
            step = Step::Approved;
            let threshold = self.signers.group().threshold().get();
            if approved.len() == threshold {
                let signature = self.sign(approved);
                let by = approved.iter().map(|(index, _)| *index).collect();
                *state = State::Signed(by, signature);
                step = Step::Signed;
            }
        }
        Ok((step, state.progress()))
    }

    fn verify(
        &self,
        index: Index,
        partial: Option<Signature>,
        approval: &Approval,
    ) -> Result<(), Refused> {
        // It is the cheaper check.
        self.signers
            .verify_approval(self.id, &self.subject, index, approval)
            .map_err(Refused::NotApproved)?;
        match (&*self.shares, partial) {
            (Shares::Kept, Some(signature)) => {
                let partial = PartialSignature { index, signature };
                let signed = self.subject.message().signed();
                let group = self.signers.group();
                let verified = group.verify_partial(&signed, &partial);
                verified.map_err(|_| Refused::BadPartial(index))
            }
            (Shares::Revealed(_), None) => Ok(()),
            (Shares::Kept, None) | (Shares::Revealed(_), Some(_)) => {
                Err(Refused::BadPartial(index))
            }
        }
    }

    fn sign(&self, approved: &[(Index, Option<Signature>)]) -> Signature {
        let message = self.subject.message().signed();
        let partials: Vec<PartialSignature> = match &*self.shares {
            Shares::Kept => {
                let submitted = approved.iter().filter_map(|(index, signature)| {
                    let (index, signature) = (*index, (*signature)?);
                    Some(PartialSignature { index, signature })
                });
                submitted.collect()
            }
            Shares::Revealed(revealed) => revealed.sign(&message),
        };
        let group = self.signers.group();
        let combined = group.combine_verified(&message, &partials);
        combined.expect("each was verified, or made with a share of the group")
    }

    /// What a panic interrupted is as it was before: each step is whole or not at all.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn progress(&self) -> Progress {
        match self {
            Self::Collecting(approved) => Progress {
                approved_by: approved.iter().map(|(index, _)| *index).collect(),
                signature: None,
            },
            Self::Signed(by, signature) => Progress {
                approved_by: by.clone(),
                signature: Some(*signature),
            },
        }
    }
}

/// Whether the participant has not submitted this already; something else than it has submitted is refused.
fn is_new(
    approved: &[(Index, Option<Signature>)],
    index: Index,
    partial: Option<Signature>,
) -> Result<bool, Refused> {
    match approved.iter().find(|(there, _)| *there == index) {
        None => Ok(true),
        Some((_, there)) if *there == partial => Ok(false),
        Some(_) => Err(Refused::Changed(index)),
    }
}
