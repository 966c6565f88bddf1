//! A participant before the server: who it is among the signers, its key, and what it asks.

use super::error::Error;
use super::{WORKLOAD, signers};
use crate::threshold::access::AccessConfig;
use crate::threshold::member::{Member, MemberConfig};
use crate::threshold::session::{NotSaid, Session};
use mcbn_ceremony::approval::{RequestId, SigningKey};
use mcbn_ceremony::message::path::signing as path;
use mcbn_ceremony::message::{
    self, Announced, AskAnnounce, AskRequest, AskRequests, AskSubmit, OpenRequest, OpenRequests,
    Shares,
};
use mcbn_ceremony::signing::{Signers, Subject};
use mcbn_runtime::settings::{Given, Reported};
use mcbn_threshold::{Index, KeyShare};

pub struct SeatConfig {
    member: MemberConfig,
    pub access: AccessConfig,
}

pub struct Seat {
    pub member: Member,
    pub signers: Signers,
    pub session: Session,
    own: SigningKey,
}

/// What the server is at this start of it, and that it signs for those whom the manifest names.
pub struct Server {
    session: RequestId,
    pub shares: Shares,
}

impl SeatConfig {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let member = MemberConfig::read(given);
        let access = AccessConfig::read(given);
        Ok(Self {
            member: member?,
            access: access?,
        })
    }

    /// Nothing is asked yet.
    pub fn take(self) -> Result<Seat, Error> {
        let (member, signers) = self.member.agreed(signers)?;
        let own = self.access.key(&member)?;
        let session = self.access.session(WORKLOAD, &member, &own)?;
        Ok(Seat {
            member,
            signers,
            session,
            own: own.key,
        })
    }
}

impl Seat {
    pub async fn server(&mut self) -> Result<Server, Error> {
        let said: message::Session = self.session.fetch(path::SESSION).await?;
        let server = Server {
            session: said.session,
            shares: said.shares,
        };
        let signers = said.signers().map_err(|_| NotSaid::NotAMessage)?;
        match signers == self.signers {
            true => Ok(server),
            false => Err(Error::OtherSigners),
        }
    }

    pub async fn announce(
        &mut self,
        server: &Server,
        subject: &Subject,
    ) -> Result<RequestId, Error> {
        let ask = AskAnnounce {
            participant: self.member.index,
            subject: subject.clone(),
            announcement: self.signers.announce(server.session, subject, &self.own),
        };
        let Announced { request } = self.session.say(path::ANNOUNCE, &ask).await?;
        Ok(request)
    }

    /// The ids of all that are open.
    pub async fn requests(&mut self) -> Result<Vec<RequestId>, Error> {
        let mut all = Vec::new();
        loop {
            let ask = AskRequests {
                after: all.last().copied(),
            };
            let page = self.session.say(path::REQUESTS, &ask).await?;
            if turn(&mut all, page)? == Page::Last {
                return Ok(all);
            }
        }
    }

    pub async fn request(&mut self, request: RequestId) -> Result<OpenRequest, Error> {
        let open = self
            .session
            .say(path::REQUEST, &AskRequest { request })
            .await?;
        held(&self.signers, open, request)
    }

    /// Approves this very subject; with a partial signature where there is a share.
    pub async fn approve(
        &mut self,
        request: RequestId,
        subject: &Subject,
        share: Option<&KeyShare>,
    ) -> Result<OpenRequest, Error> {
        let (partial, approval) = match share {
            Some(share) => {
                let (partial, approval) = self.signers.sign(request, subject, share, &self.own);
                (Some(partial.signature), approval)
            }
            None => (None, self.signers.approve(request, subject, &self.own)),
        };
        let ask = AskSubmit {
            request,
            participant: self.member.index,
            partial,
            approval,
        };
        let open = self.session.say(path::SUBMIT, &ask).await?;
        held(&self.signers, open, request)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Page {
    Last,
    Next,
}

/// A page goes on where the one before it ended: whoever gives the same again would be asked for ever.
fn turn(all: &mut Vec<RequestId>, page: OpenRequests) -> Result<Page, NotSaid> {
    let is_last = page.requests.len() < OpenRequests::PAGE;
    all.extend(page.requests);
    match (all.is_sorted_by(|one, next| one < next), is_last) {
        (false, _) => Err(NotSaid::NotAMessage),
        (true, true) => Ok(Page::Last),
        (true, false) => Ok(Page::Next),
    }
}

/// It is the one that was asked for, of participants there are, and its signature, if there is one, is the group's.
fn held(signers: &Signers, open: OpenRequest, request: RequestId) -> Result<OpenRequest, Error> {
    let participants = signers.terms().participants();
    let is_known = |index: &Index| participants.key(*index).is_some();
    let known = is_known(&open.by) && open.approved_by.iter().all(is_known);
    if open.request != request || !known {
        return Err(NotSaid::NotAMessage.into());
    }
    if let Some(signature) = &open.signature {
        let verified = signers.verify(&open.subject, signature);
        verified.map_err(|_| Error::NotTheGroups)?;
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcbn_ceremony::signing::Message;
    use mcbn_ceremony::{Participants, Terms};
    use mcbn_manifest::ImageDigest;
    use mcbn_share::ManifestDigest;
    use mcbn_threshold::{Dealt, Threshold, generate};
    use rcgen::{KeyPair, PKCS_ED25519};
    use ring::rand::{SecureRandom, SystemRandom};

    const ID: RequestId = RequestId([7; 32]);

    fn index(number: u8) -> Index {
        Index::new(number).unwrap()
    }

    fn subject(message: &[u8]) -> Subject {
        Subject::new(Message::bytes(message).unwrap(), "p".parse().unwrap())
    }

    /// Two of two, and their shares.
    fn group() -> (Signers, Vec<KeyShare>) {
        let threshold = Threshold::new(2).unwrap();
        let random = SystemRandom::new();
        let Dealt { group, shares, .. } =
            generate(threshold, 2, |bytes| random.fill(bytes)).unwrap();
        let key = |_| {
            let pair = KeyPair::generate_for(&PKCS_ED25519).unwrap();
            let own = SigningKey::from_pkcs8(&pair.serialize_der()).unwrap();
            own.public()
        };
        let participants = Participants::new((0..2).map(key).collect()).unwrap();
        let (manifest, image) = (ManifestDigest([1; 32]), ImageDigest([2; 32]));
        let terms = Terms::new(manifest, image, threshold, participants).unwrap();
        (Signers::new(terms, group).unwrap(), shares)
    }

    /// Signed, as a server shows it.
    fn signed(signers: &Signers, shares: &[KeyShare], message: &[u8]) -> OpenRequest {
        let partials: Vec<_> = shares.iter().map(|share| share.sign(message)).collect();
        let signature = signers.group().combine_verified(message, &partials);
        OpenRequest {
            request: ID,
            by: index(1),
            subject: subject(message),
            seconds: 1,
            approved_by: vec![index(1), index(2)],
            signature: Some(signature.unwrap()),
        }
    }

    #[test]
    fn the_groups_signature_is_taken() {
        let (signers, shares) = group();
        let open = signed(&signers, &shares, b"a release");
        assert_eq!(held(&signers, open.clone(), ID).unwrap(), open);
    }

    #[test]
    fn a_signature_of_something_else_or_of_another_group_is_refused() {
        let (signers, shares) = group();
        let open = OpenRequest {
            subject: subject(b"another release"),
            ..signed(&signers, &shares, b"a release")
        };
        let refused = held(&signers, open.clone(), ID);
        assert!(matches!(refused, Err(Error::NotTheGroups)));
        let (others, shares) = group();
        let open = signed(&others, &shares, b"a release");
        let refused = held(&signers, open, ID);
        assert!(matches!(refused, Err(Error::NotTheGroups)));
    }

    #[test]
    fn an_answer_about_another_request_or_participant_is_refused() {
        let (signers, shares) = group();
        let open = signed(&signers, &shares, b"a release");
        let stranger = OpenRequest {
            by: index(3),
            ..open.clone()
        };
        let approved_by_one = OpenRequest {
            approved_by: vec![index(1), index(3)],
            ..open.clone()
        };
        for (open, id) in [
            (open, RequestId([8; 32])),
            (stranger, ID),
            (approved_by_one, ID),
        ] {
            assert!(held(&signers, open, id).is_err());
        }
    }

    fn page(ids: impl IntoIterator<Item = u32>) -> OpenRequests {
        let id = |number: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            RequestId(bytes)
        };
        OpenRequests {
            requests: ids.into_iter().map(id).collect(),
        }
    }

    #[test]
    fn pages_are_turned_to_the_last() {
        let mut all = Vec::new();
        assert_eq!(turn(&mut all, page(0..1000)).unwrap(), Page::Next);
        assert_eq!(turn(&mut all, page(1000..1999)).unwrap(), Page::Last);
        assert_eq!(all, page(0..1999).requests);
    }

    #[test]
    fn a_page_that_does_not_go_on_is_refused() {
        let mut all = Vec::new();
        turn(&mut all, page(0..1000)).unwrap();
        assert!(turn(&mut all, page(0..1000)).is_err());
        assert!(turn(&mut Vec::new(), page([1, 0])).is_err());
    }
}
