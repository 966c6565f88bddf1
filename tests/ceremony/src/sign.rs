//! What a participant asks threshold-sign.

use mcbn_ceremony::approval::RequestId;
use mcbn_ceremony::message::path::signing as path;
use mcbn_ceremony::message::{
    Announced, AskAnnounce, AskRequest, AskRequests, AskSubmit, OpenRequest, OpenRequests, Session,
};
use mcbn_ceremony::signing::{Message, Signers, Subject};
use mcbn_threshold::KeyShare;

use crate::{House, PURPOSE, Said, Visit};

impl House {
    pub fn signers(&self) -> &Signers {
        self.signers.as_ref().expect("the manifest says who signs")
    }
}

/// To be signed as it is.
pub fn subject(message: &[u8]) -> Subject {
    let message = Message::bytes(message).expect("a message that may be signed");
    Subject::new(message, PURPOSE.parse().expect("a purpose"))
}

impl Visit<'_> {
    /// Compared with what is known of it.
    pub async fn session(&mut self) -> RequestId {
        let session: Session = self.fetch(path::SESSION).await.expect("it is open");
        let id = session.session;
        assert_eq!(session.signers().as_ref(), Ok(self.house.signers()));
        id
    }

    pub fn announcement(&self, session: RequestId, subject: &Subject) -> AskAnnounce {
        let own = self.person.signing_key();
        AskAnnounce {
            participant: self.person.index,
            subject: subject.clone(),
            announcement: self.house.signers().announce(session, subject, &own),
        }
    }

    pub async fn announce(&mut self, message: &[u8]) -> Said<RequestId> {
        let session = self.session().await;
        let ask = self.announcement(session, &subject(message));
        let Announced { request } = self.say(path::ANNOUNCE, &ask).await?;
        Ok(request)
    }

    pub async fn request(&mut self, request: RequestId) -> Said<OpenRequest> {
        self.say(path::REQUEST, &AskRequest { request }).await
    }

    /// One page.
    pub async fn requests(&mut self, after: Option<RequestId>) -> Vec<RequestId> {
        let said: Said<OpenRequests> = self.say(path::REQUESTS, &AskRequests { after }).await;
        said.expect("it is always told").requests
    }

    /// With the partial signature of this share.
    pub fn part(&self, open: &OpenRequest, share: &KeyShare) -> AskSubmit {
        let own = self.person.signing_key();
        let signers = self.house.signers();
        let (partial, approval) = signers.sign(open.request, &open.subject, share, &own);
        AskSubmit {
            request: open.request,
            participant: self.person.index,
            partial: Some(partial.signature),
            approval,
        }
    }

    /// Reads what is asked, and approves it without a partial signature.
    pub async fn approve_alone(&mut self, request: RequestId) -> Said<OpenRequest> {
        let open = self.request(request).await?;
        let own = self.person.signing_key();
        let signers = self.house.signers();
        let ask = AskSubmit {
            request,
            participant: self.person.index,
            partial: None,
            approval: signers.approve(request, &open.subject, &own),
        };
        self.submit(&ask).await
    }

    /// Reads what is asked, and signs it.
    pub async fn sign(&mut self, request: RequestId, share: &KeyShare) -> Said<OpenRequest> {
        let open = self.request(request).await?;
        self.submit(&self.part(&open, share)).await
    }

    pub async fn submit(&mut self, ask: &AskSubmit) -> Said<OpenRequest> {
        self.say(path::SUBMIT, ask).await
    }
}
