//! The one message that holds a secret.

use super::{Lease, NotAMessage};
use base64ct::{Base64UrlUnpadded, Encoding};
use mcbn_secret::{ConsentSignature, ShamirShare, Share, SigningShare};
use mcbn_share::{Contribution, text};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// A share, a signature of consent, or a share of a group's key, and a lease on it.
#[derive(Debug, PartialEq, Eq)]
pub struct Released {
    pub share: Contribution,
    pub lease: Lease,
    /// How long the lease runs, from the moment at which the workload asked.
    pub seconds: NonZeroU32,
}

/// As it stands in JSON: one of the first three, and the rest. Private: whatever else has a share cannot be serialized.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    share: Option<&'a str>,
    /// A signature, in place of a share.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    consent: Option<&'a str>,
    /// A share of a group's key, which no program could take for one that makes a key.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    signing_share: Option<&'a str>,
    lease: Lease,
    seconds: NonZeroU32,
}

/// Characters of each kind.
const SHARE: usize = (4 * Share::LENGTH).div_ceil(3);
const SHAMIR_SHARE: usize = (4 * ShamirShare::LENGTH).div_ceil(3);
const CONSENT: usize = (4 * ConsentSignature::LENGTH).div_ceil(3);
const SIGNING_SHARE: usize = (4 * SigningShare::LENGTH).div_ceil(3);

/// Names, marks, lease and seconds need less than this beside it; a buffer that never grows leaves no copy.
const LONGEST_BODY: usize = CONSENT + 128;

impl Released {
    /// The body, as a keeper sends it.
    pub fn expose_body(&self) -> Zeroizing<Vec<u8>> {
        Released::expose_body_of(&self.share, self.lease, self.seconds)
    }

    /// The body of a message that need not be made, as a keeper has one share for all. This is the one place where a
    /// share becomes a text that leaves the process.
    pub fn expose_body_of(
        share: &Contribution,
        lease: Lease,
        seconds: NonZeroU32,
    ) -> Zeroizing<Vec<u8>> {
        let mut room = Zeroizing::new([0; CONSENT]);
        let bytes: &[u8] = match share {
            // The instance has proved that it may have it, and the ledger says so.
            Contribution::Share(share) => share.expose_secret(),
            Contribution::Shamir(share) => share.expose_secret(),
            Contribution::Consent(signature) => signature.expose_secret(),
            Contribution::Revealed(share) => share.expose_secret(),
        };
        let encoded = Base64UrlUnpadded::encode(bytes, &mut *room).expect("there is room");
        let mut body = Body {
            share: None,
            consent: None,
            signing_share: None,
            lease,
            seconds,
        };
        let field = match share {
            Contribution::Share(_) | Contribution::Shamir(_) => &mut body.share,
            Contribution::Consent(_) => &mut body.consent,
            Contribution::Revealed(_) => &mut body.signing_share,
        };
        *field = Some(encoded);
        let mut text = Zeroizing::new(Vec::with_capacity(LONGEST_BODY));
        serde_json::to_writer(&mut *text, &body).expect("its fields are texts and a number");
        debug_assert!(text.capacity() == LONGEST_BODY, "the buffer grew");
        text
    }

    /// Reads the body; wiping it is left to the caller.
    ///
    /// # Errors
    ///
    /// [`NotAMessage`], which repeats nothing of the body.
    pub fn read(body: &[u8]) -> Result<Released, NotAMessage> {
        // A text with an escape in it cannot be borrowed and is refused, so nothing of the share is copied on the way.
        let Body {
            share,
            consent,
            signing_share,
            lease,
            seconds,
        } = super::read(body)?;
        let share = match (share, consent, signing_share) {
            (Some(share), None, None) if share.len() == SHARE => {
                text::share(share.as_bytes()).map(Contribution::Share)
            }
            (Some(share), None, None) if share.len() == SHAMIR_SHARE => {
                text::shamir_share(share.as_bytes()).map(Contribution::Shamir)
            }
            (None, Some(signature), None) if signature.len() == CONSENT => {
                text::consent_signature(signature.as_bytes()).map(Contribution::Consent)
            }
            (None, None, Some(share)) if share.len() == SIGNING_SHARE => {
                text::signing_share(share.as_bytes()).map(Contribution::Revealed)
            }
            _ => return Err(NotAMessage),
        };
        Ok(Released {
            share: share.map_err(|_| NotAMessage)?,
            lease,
            seconds,
        })
    }
}
