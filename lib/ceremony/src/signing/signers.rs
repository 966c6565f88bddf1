//! What both sides know: who signs, with which group's key.

use std::error::Error;
use std::fmt;

use mcbn_threshold::{Group, Index, KeyShare, NotGenuine, PartialSignature, Signature};

use super::Subject;
use crate::approval::{Approval, NotApproved, Request, RequestId, SigningKey, VerifiedApproval};
use crate::framing::Framed;
use crate::terms::Terms;

const ANNOUNCEMENT_LABEL: &str = "mcbn/v1/threshold-announce";
const APPROVAL_LABEL: &str = "mcbn/v1/threshold-sign";

/// Participants, and the group whose key they have the shares of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signers {
    terms: Terms,
    group: Group,
}

impl Signers {
    pub fn new(terms: Terms, group: Group) -> Result<Self, OtherGroup> {
        let fits =
            group.threshold() == terms.threshold() && group.count() == terms.participants().count();
        match fits {
            true => Ok(Self { terms, group }),
            false => Err(OtherGroup),
        }
    }

    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    pub fn group(&self) -> &Group {
        &self.group
    }

    /// A participant's signature under what it wants signed, for this start of the server.
    pub fn announce(&self, session: RequestId, subject: &Subject, own: &SigningKey) -> Approval {
        let payload = self.payload(ANNOUNCEMENT_LABEL, subject);
        self.request(session, &payload).approve(own)
    }

    /// A participant's part of the group's signature, and its approval.
    pub fn sign(
        &self,
        id: RequestId,
        subject: &Subject,
        share: &KeyShare,
        own: &SigningKey,
    ) -> (PartialSignature, Approval) {
        let partial = share.sign(&subject.message().signed());
        (partial, self.approve(id, subject, own))
    }

    /// A participant's approval alone.
    pub fn approve(&self, id: RequestId, subject: &Subject, own: &SigningKey) -> Approval {
        let payload = self.payload(APPROVAL_LABEL, subject);
        self.request(id, &payload).approve(own)
    }

    /// Whether it is the group's signature.
    pub fn verify(&self, subject: &Subject, signature: &Signature) -> Result<(), NotGenuine> {
        let key = self.group.key();
        key.verify(&subject.message().signed(), signature)
    }

    pub(super) fn verify_announcement(
        &self,
        session: RequestId,
        index: Index,
        subject: &Subject,
        announcement: &Approval,
    ) -> Result<VerifiedApproval, NotApproved> {
        let payload = self.payload(ANNOUNCEMENT_LABEL, subject);
        self.request(session, &payload).verify(index, announcement)
    }

    pub(super) fn verify_approval(
        &self,
        id: RequestId,
        subject: &Subject,
        index: Index,
        approval: &Approval,
    ) -> Result<VerifiedApproval, NotApproved> {
        let payload = self.payload(APPROVAL_LABEL, subject);
        self.request(id, &payload).verify(index, approval)
    }

    fn request<'a>(&'a self, id: RequestId, payload: &'a [u8]) -> Request<'a> {
        Request {
            id,
            terms: &self.terms,
            payload,
        }
    }

    fn payload(&self, label: &str, subject: &Subject) -> Vec<u8> {
        Framed::labelled(label)
            .field(&self.group.key().to_bytes())
            .field(subject.purpose().as_str().as_bytes())
            .field(&subject.message().signed())
            .into_bytes()
    }
}

/// The group is of another threshold or another number of participants. The configuration is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OtherGroup;

impl fmt::Display for OtherGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the group has another threshold or another number of participants")
    }
}

impl Error for OtherGroup {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::Message;
    use crate::tests::{derived, known_group, terms, terms_of, unhex};

    #[test]
    fn a_group_of_another_shape_is_refused() {
        // The group is 2 of 3.
        assert!(Signers::new(terms(3), known_group().group().clone()).is_ok());
        assert_eq!(
            Signers::new(terms(4), known_group().group().clone()),
            Err(OtherGroup)
        );
        let three = terms(3).participants().clone();
        let all_of_them = terms_of([1; 32], [2; 32], 3, three);
        assert_eq!(
            Signers::new(all_of_them, known_group().group().clone()),
            Err(OtherGroup)
        );
    }

    /// Computed by testdata/derive.py.
    #[test]
    fn the_layouts_have_a_known_answer() {
        let answer = derived("signing");
        let text = |name: &str| answer[name].as_str().unwrap();
        let hash = Message::Sha256(unhex(text("hash")).try_into().unwrap());
        let subject = Subject::new(hash, text("purpose").parse().unwrap());
        let signers = Signers::new(terms(3), known_group().group().clone()).unwrap();
        for (label, name) in [
            (ANNOUNCEMENT_LABEL, "announcement"),
            (APPROVAL_LABEL, "approval"),
        ] {
            assert_eq!(
                signers.payload(label, &subject),
                unhex(text(name)),
                "{name}"
            );
        }
    }
}
