//! What a participant agreed on with the others before a key is made.

use super::member::{Member, MemberConfig, NotAgreedOn};
use mcbn_ceremony::generation::Expected;
use mcbn_ceremony::{Purpose, Terms};
use mcbn_runtime::settings::{Given, Reported, Setting};

/// The program that is joined, as the manifest names it.
pub const WORKLOAD: &str = "threshold-generate";

pub const PURPOSE: Setting = Setting::value(
    "purpose",
    "TEXT",
    "what the key will be for, as all have agreed; the server must say the same, to the letter",
)
.required();

pub struct AgreedConfig {
    member: MemberConfig,
    purpose: Purpose,
}

pub struct Agreed {
    pub member: Member,
    pub expected: Expected,
}

impl AgreedConfig {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let member = MemberConfig::read(given);
        let purpose = given.one(&PURPOSE);
        Ok(Self {
            member: member?,
            purpose: purpose?,
        })
    }

    pub fn agreed(self) -> Result<Agreed, NotAgreedOn> {
        let terms = |manifest: &_| Terms::agreed(manifest, WORKLOAD);
        let (member, terms) = self.member.agreed(terms)?;
        let expected = Expected {
            terms,
            purpose: self.purpose,
            index: member.index,
        };
        Ok(Agreed { member, expected })
    }
}
