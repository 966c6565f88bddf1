//! What one participant contributes, before it is combined with that of the others.

use crate::holders::Holders;
use crate::participant::Participant;
use crate::plan::{NoKey, Refused};
use crate::signers::Signers;
use crate::source::Claimed;
use crate::{quality, shamir, text};
use mcbn_secret::{ConsentSignature, ShamirShare, Share, SigningShare};
use std::sync::Arc;

/// What a participant contributes: a share of the kind that the derivation needs, or what is made of one.
#[derive(Debug, PartialEq, Eq)]
pub enum Contribution {
    Share(Share),
    Shamir(ShamirShare),
    Consent(ConsentSignature),
    /// A share of a group's key, for whoever asks to sign with it.
    Revealed(SigningShare),
}

/// Which of them a derivation takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Share,
    Shamir,
    /// A share of this group's key signs the consent, and stays where it is.
    Consent(Arc<Signers>),
    /// A share of this group's key is given out.
    Reveal(Arc<Holders>),
}

impl Contribution {
    /// Reads one participant's share and checks what can be seen of it alone. Blocks while a pipe's writer is at work.
    ///
    /// # Errors
    ///
    /// [`NoKey`], with the participant's name: it cannot be read, is not a share, or does not look random.
    pub fn read(source: &Claimed, kind: &Kind) -> Result<Contribution, NoKey> {
        let text = source.read()?;
        // To decode it.
        Ok(Contribution::of_text(
            &source.participant,
            text.expose_secret(),
            kind,
        )?)
    }

    /// The same of a participant's text, wherever it was read. Wiping it is left to the caller.
    ///
    /// # Errors
    ///
    /// [`Refused`], with the participant's name: it is not a share, does not look random, or is another's.
    pub fn of_text(whose: &Participant, text: &[u8], kind: &Kind) -> Result<Contribution, Refused> {
        let text = text::below_comments(text);
        let not_a_share = |why| Refused::NotAShare(whose.clone(), why);
        let contribution = match kind {
            Kind::Share => text::share(text).map(Contribution::Share),
            Kind::Shamir => text::shamir_share(text).map(Contribution::Shamir),
            Kind::Consent(signers) => {
                let share = text::signing_share(text).map_err(not_a_share)?;
                return signers.sign(whose, &share);
            }
            Kind::Reveal(holders) => {
                let share = text::signing_share(text).map_err(not_a_share)?;
                holders.share(whose, &share)?;
                return Ok(Contribution::Revealed(share));
            }
        }
        .map_err(not_a_share)?;
        contribution.refuse_degenerate(whose)?;
        Ok(contribution)
    }

    /// # Errors
    ///
    /// [`Refused`], if the share was never random, or stands where the secret itself does.
    pub fn refuse_degenerate(&self, whose: &Participant) -> Result<(), Refused> {
        if self.x() == Some(0) {
            return Err(Refused::PointZero(whose.clone()));
        }
        match self
            .values()
            .is_none_or(|values| quality::looks_random(values))
        {
            true => Ok(()),
            false => Err(Refused::NotRandom(whose.clone())),
        }
    }

    /// A Shamir share's x-coordinate. Not a secret.
    pub(crate) fn x(&self) -> Option<u8> {
        match self {
            Contribution::Shamir(share) => Some(shamir::point(share).0),
            Contribution::Share(_) | Contribution::Consent(_) | Contribution::Revealed(_) => None,
        }
    }

    /// To check them. What belongs to a group is verified instead.
    pub(crate) fn values(&self) -> Option<&[u8; 32]> {
        match self {
            // The caller checks them.
            Contribution::Share(share) => Some(share.expose_secret()),
            Contribution::Shamir(share) => Some(shamir::point(share).1),
            Contribution::Consent(_) | Contribution::Revealed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use crate::holders::tests::{holders, name};
    use crate::signers::tests::MANIFEST;
    use mcbn_place::Inheritance;
    use std::io::Write;
    use std::os::fd::IntoRawFd;

    const SHARE: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";

    fn read(text: &str, kind: &Kind) -> Result<Contribution, String> {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        drop(writer);
        let source = format!("alice=fd:{}", reader.into_raw_fd());
        let source: Source = source.parse().unwrap();
        let claimed = source.claim(&mut Inheritance::new()).unwrap();
        Contribution::read(&claimed, kind).map_err(|error| error.to_string())
    }

    #[test]
    fn the_derivation_says_which_kind_of_share_it_is() {
        let share = text::share(SHARE.as_bytes()).unwrap();
        assert_eq!(read(SHARE, &Kind::Share), Ok(Contribution::Share(share)));
        let point = format!("07{SHARE}");
        let shamir = text::shamir_share(point.as_bytes()).unwrap();
        assert_eq!(
            read(&point, &Kind::Shamir),
            Ok(Contribution::Shamir(shamir))
        );
    }

    #[test]
    fn comments_before_a_share_are_passed_over() {
        let text = format!("# alice's, of the house\n{SHARE}\n");
        let share = text::share(SHARE.as_bytes()).unwrap();
        assert_eq!(read(&text, &Kind::Share), Ok(Contribution::Share(share)));
    }

    #[test]
    fn a_share_of_the_other_kind_is_refused() {
        let refused = Err("the share of alice is refused: its length is wrong".into());
        assert_eq!(read(SHARE, &Kind::Shamir), refused);
        assert_eq!(read(&format!("07{SHARE}"), &Kind::Share), refused);
    }

    #[test]
    fn a_share_of_a_groups_key_is_given_out_as_it_is_or_signs() {
        let (holders, shares) = holders();
        let text = text::signing_share_hex(&shares[0]);
        let signers = Signers::new(holders.clone(), &MANIFEST);
        let share = SigningShare::copied_from(shares[0].expose_secret());
        assert_eq!(
            read(&text, &Kind::Reveal(Arc::new(holders))),
            Ok(Contribution::Revealed(share))
        );
        let signed = signers.sign(&name("alice"), &shares[0]).unwrap();
        assert_eq!(read(&text, &Kind::Consent(Arc::new(signers))), Ok(signed));
    }

    #[test]
    fn what_is_not_the_participants_share_of_the_group_is_refused() {
        let (holders, shares) = holders();
        let kind = Kind::Reveal(Arc::new(holders));
        let other =
            "the share of alice is refused: the manifest's commitments promise another".to_owned();
        for text in [
            &*text::signing_share_hex(&shares[1]),
            SHARE,
            &"00".repeat(32),
        ] {
            assert_eq!(read(text, &kind), Err(other.clone()));
        }
        let refused = Err("the share of alice is refused: its length is wrong".into());
        assert_eq!(read(&format!("07{SHARE}"), &kind), refused);
    }

    #[test]
    fn a_share_that_was_never_random_is_refused() {
        let refused = Err("the share of alice is refused: it does not look random".into());
        let dull = "a5".repeat(32);
        assert_eq!(read(&dull, &Kind::Share), refused);
        assert_eq!(read(&format!("07{dull}"), &Kind::Shamir), refused);
    }

    #[test]
    fn the_point_of_the_secret_itself_is_refused() {
        assert_eq!(
            read(&format!("00{SHARE}"), &Kind::Shamir),
            Err("the share of alice is refused: its x-coordinate is 0".into())
        );
    }
}
