//! The one message that holds a secret.

use super::{Lease, NotAMessage};
use base64ct::{Base64UrlUnpadded, Encoding};
use mcbn_secret::ShamirShare;
use mcbn_share::{Contribution, text};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// A share, and a lease on it.
#[derive(Debug, PartialEq, Eq)]
pub struct Released {
    pub share: Contribution,
    pub lease: Lease,
    /// How long the lease runs, from the moment at which the workload asked.
    pub seconds: NonZeroU32,
}

/// As it stands in JSON. Private: whatever else has a share cannot be serialized.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    share: &'a str,
    lease: Lease,
    seconds: NonZeroU32,
}

/// Characters of the longer kind of share.
const LONGEST_SHARE: usize = (4 * ShamirShare::LENGTH).div_ceil(3);

/// Names, marks, lease and seconds need less than this beside the share; a buffer that never grows leaves no copy.
const LONGEST_BODY: usize = LONGEST_SHARE + 128;

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
        let mut room = Zeroizing::new([0; LONGEST_SHARE]);
        let bytes: &[u8] = match share {
            // The instance has proved that it may have it, and the ledger says so.
            Contribution::Share(share) => share.expose_secret(),
            Contribution::Shamir(share) => share.expose_secret(),
        };
        let body = Body {
            share: Base64UrlUnpadded::encode(bytes, &mut *room).expect("there is room"),
            lease,
            seconds,
        };
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
            lease,
            seconds,
        } = super::read(body)?;
        let share = match share.len() {
            43 => text::share(share.as_bytes()).map(Contribution::Share),
            LONGEST_SHARE => text::shamir_share(share.as_bytes()).map(Contribution::Shamir),
            _ => return Err(NotAMessage),
        };
        Ok(Released {
            share: share.map_err(|_| NotAMessage)?,
            lease,
            seconds,
        })
    }
}
