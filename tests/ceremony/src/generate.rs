//! What a participant asks threshold-generate.

use mcbn_ceremony::generation::{Expected, Joining, Opened, Receipt};
use mcbn_ceremony::message::path::generation as path;
use mcbn_ceremony::message::{
    Announcement, AskApprove, AskConfirm, AskShare, GivenReceipt, GivenShare, Standing,
};
use ring::rand::{SecureRandom, SystemRandom};

use crate::{House, PURPOSE, Person, Said, Visit};

impl House {
    /// What each of the people expects.
    pub fn expected(&self, person: &Person) -> Expected {
        Expected {
            terms: self.terms(),
            purpose: PURPOSE.parse().expect("a purpose"),
            index: person.index,
        }
    }
}

impl Visit<'_> {
    pub async fn joining(&mut self) -> Joining {
        let announcement: Announcement = self.fetch(path::ANNOUNCEMENT).await.expect("it is open");
        let announced = announcement.announced().expect("it is valid");
        let expected = self.house.expected(self.person);
        let own = self.person.signing_key();
        let random = SystemRandom::new();
        let joining = Joining::new(&expected, announced, &own, |bytes| random.fill(bytes));
        joining.expect("it is what was agreed")
    }

    pub async fn standing(&mut self) -> Standing {
        self.fetch(path::STANDING).await.expect("it is always told")
    }

    pub fn approval(&self, joining: &Joining) -> AskApprove {
        AskApprove {
            participant: self.person.index,
            encryption_key: joining.encryption_key(),
            approval: joining.approve(&self.person.signing_key()),
        }
    }

    pub async fn approve(&mut self, joining: &Joining) -> Said<Standing> {
        let ask = self.approval(joining);
        self.say(path::APPROVE, &ask).await
    }

    pub async fn given(&mut self) -> Said<GivenShare> {
        let participant = self.person.index;
        self.say(path::SHARE, &AskShare { participant }).await
    }

    pub async fn open(&mut self, joining: &Joining) -> Opened {
        let given = self.given().await.expect("the key is made");
        let count = joining.announced().terms.participants().count();
        let group = given.group(count).expect("it is proven");
        joining.open(group, &given.sealed).expect("its own share")
    }

    pub async fn confirm(&mut self, opened: &Opened) -> Said<Standing> {
        let ask = AskConfirm {
            participant: self.person.index,
            confirmation: opened.confirm(&self.person.signing_key()),
        };
        self.say(path::CONFIRM, &ask).await
    }

    pub async fn receipt(&mut self) -> Said<Receipt> {
        let given: GivenReceipt = self.fetch(path::RECEIPT).await?;
        Ok(given.receipt().expect("it proves itself"))
    }
}
