//! Who holds which share of a group's key, and whether what somebody shows is theirs.

use crate::participant::Participant;
use crate::plan::Refused;
use mcbn_secret::SigningShare;
use mcbn_threshold::{Group, Index, KeyShare};

/// A group, and the names of its participants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holders {
    group: Group,
    /// Those of the group's participants 1, 2, 3 and so on.
    names: Vec<Participant>,
}

impl Holders {
    /// `names` in the order in which the shares were dealt.
    ///
    /// # Panics
    ///
    /// Where there are more or fewer of them than the group has participants.
    pub fn new(group: Group, names: Vec<Participant>) -> Holders {
        assert_eq!(names.len(), usize::from(group.count()));
        Holders { group, names }
    }

    pub fn group(&self) -> &Group {
        &self.group
    }

    /// In the order of the group's participants.
    pub fn names(&self) -> &[Participant] {
        &self.names
    }

    /// What a participant shows, as their share of the key.
    ///
    /// # Errors
    ///
    /// [`Refused`], where it is not the one that the commitments promise to them.
    pub fn share(&self, whose: &Participant, share: &SigningShare) -> Result<KeyShare, Refused> {
        let refused = || Refused::NotTheirs(whose.clone());
        let index = self.index(whose).ok_or_else(refused)?;
        let share = KeyShare::new(index, share).map_err(|_| refused())?;
        self.group.check(&share).map_err(|_| refused())?;
        Ok(share)
    }

    pub(crate) fn index(&self, whose: &Participant) -> Option<Index> {
        let mut numbered = self.names.iter().zip(Index::all(self.group.count()));
        let (_, index) = numbered.find(|(name, _)| *name == whose)?;
        Some(index)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use mcbn_threshold::{Threshold, generate};
    use std::convert::Infallible;

    pub(crate) fn name(name: &str) -> Participant {
        name.parse().unwrap()
    }

    /// alice, bob and carol, any two of whom sign.
    pub(crate) fn holders() -> (Holders, Vec<SigningShare>) {
        let mut drawn = 0;
        let random = |bytes: &mut [u8]| {
            drawn += 1;
            bytes.fill(drawn);
            Ok::<_, Infallible>(())
        };
        let dealt = generate(Threshold::new(2).unwrap(), 3, random).unwrap();
        let names = ["alice", "bob", "carol"].map(name).to_vec();
        let shares = dealt.shares.iter().map(KeyShare::secret).collect();
        (Holders::new(dealt.group, names), shares)
    }

    #[test]
    fn what_was_dealt_to_a_participant_is_their_share() {
        let (holders, shares) = holders();
        for (i, whose) in holders.names().iter().enumerate() {
            let share = holders.share(whose, &shares[i]).unwrap();
            assert_eq!(usize::from(share.index().get()), i + 1);
            assert_eq!(share.secret(), shares[i]);
        }
    }

    #[test]
    fn a_share_of_another_participant_or_group_is_refused() {
        let (holders, shares) = holders();
        for (whose, share) in [
            ("alice", &shares[1]),
            ("mallory", &shares[0]),
            ("alice", &SigningShare::copied_from(&[9; 32])),
            // Zero, and what is not below the order.
            ("alice", &SigningShare::copied_from(&[0; 32])),
            ("alice", &SigningShare::copied_from(&[0xff; 32])),
        ] {
            let refused = holders.share(&name(whose), share).unwrap_err();
            assert_eq!(refused, Refused::NotTheirs(name(whose)));
        }
    }

    #[test]
    #[should_panic(expected = "left == right")]
    fn more_names_than_participants_are_refused() {
        let (Holders { group, names }, _) = holders();
        Holders::new(group, [names, vec![name("dave")]].concat());
    }
}
