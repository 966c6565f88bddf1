//! A policy of PCRs: the key can be used while the machine is in one state.

use std::fmt;
use std::str::FromStr;

use der::Sequence;
use der::asn1::OctetString;
use tss_esapi::interface_types::algorithm::HashingAlgorithm;
use tss_esapi::structures::{PcrSelectionList, PcrSlot};

/// What has to hold when the key is used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    pub pcrs: Pcrs,
    /// The digest of the PCRs' values.
    pub(crate) digest: [u8; 32],
    /// Whether the key's authorization value is needed as well.
    pub with_auth: bool,
}

/// Registers of one bank, as tpm2-tools writes them: `sha256:0,7`. Only the SHA-256 bank.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pcrs(u32);

/// Registers that a PC has.
const COUNT: u32 = 24;

/// `TPM2_ALG_SHA256`.
const SHA256: u16 = 0x000b;

impl Pcrs {
    fn numbers(self) -> impl Iterator<Item = u32> {
        (0..COUNT).filter(move |number| self.0 & (1 << number) != 0)
    }

    /// Each alone.
    pub(crate) fn each(self) -> impl Iterator<Item = Self> {
        self.numbers().map(|number| Self(1 << number))
    }

    pub(crate) fn selection(self) -> PcrSelectionList {
        let slots: Vec<PcrSlot> = self
            .numbers()
            .filter_map(|number| PcrSlot::try_from(1u32 << number).ok())
            .collect();
        PcrSelectionList::builder()
            .with_selection(HashingAlgorithm::Sha256, &slots)
            .build()
            .expect("one bank and known registers")
    }

    /// > TPML_PCR_SELECTION: count(4), then hash(2) sizeofSelect(1) pcrSelect(3)
    fn marshalled(self) -> [u8; 10] {
        let [select @ .., _] = self.0.to_le_bytes();
        let mut bytes = [0; 10];
        bytes[..4].copy_from_slice(&1u32.to_be_bytes());
        bytes[4..6].copy_from_slice(&SHA256.to_be_bytes());
        bytes[6] = 3;
        bytes[7..].copy_from_slice(&select);
        bytes
    }

    fn unmarshalled(bytes: &[u8]) -> Option<Self> {
        let [.., a, b, c] = *bytes else { return None };
        let pcrs = Self(u32::from_le_bytes([a, b, c, 0]));
        (pcrs.0 != 0 && pcrs.marshalled() == bytes).then_some(pcrs)
    }
}

impl FromStr for Pcrs {
    type Err = NotPcrs;

    fn from_str(text: &str) -> Result<Self, NotPcrs> {
        let numbers = text.strip_prefix("sha256:").ok_or(NotPcrs)?;
        let mut pcrs = 0;
        for number in numbers.split(',') {
            let parsed: u32 = number.parse().map_err(|_| NotPcrs)?;
            // One number, one spelling; and each once.
            if parsed >= COUNT || parsed.to_string() != number || pcrs & (1 << parsed) != 0 {
                return Err(NotPcrs);
            }
            pcrs |= 1 << parsed;
        }
        Ok(Self(pcrs))
    }
}

impl fmt::Display for Pcrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.numbers().map(|number| number.to_string()).collect();
        write!(f, "sha256:{}", numbers.join(","))
    }
}

/// The text names no PCRs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotPcrs;

impl fmt::Display for NotPcrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not PCRs of the SHA-256 bank, from 0 to 23, as in sha256:0,7")
    }
}

impl std::error::Error for NotPcrs {}

/// > TPMPolicy ::= SEQUENCE { CommandCode [0] EXPLICIT INTEGER, CommandPolicy [1] EXPLICIT OCTET STRING }
#[derive(Sequence)]
pub(super) struct Step {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    code: u32,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT")]
    parameters: OctetString,
}

/// `TPM2_CC_PolicyPCR` and `TPM2_CC_PolicyAuthValue`.
const POLICY_PCR: u32 = 0x17f;
const POLICY_AUTH_VALUE: u32 = 0x16b;

/// The parameters of each step are those of its command: for PCRs a TPM2B_DIGEST and the selection.
pub(super) fn encode(policy: &Policy) -> Vec<Step> {
    let digest = policy.digest;
    let size = [0, 32];
    let parameters = [&size[..], &digest, &policy.pcrs.marshalled()].concat();
    let step = |code, parameters| Step {
        code,
        parameters: OctetString::new(parameters).expect("it is short"),
    };
    let auth = policy
        .with_auth
        .then(|| step(POLICY_AUTH_VALUE, Vec::new()));
    std::iter::once(step(POLICY_PCR, parameters))
        .chain(auth)
        .collect()
}

/// None for any other policy.
pub(super) fn decode(steps: &[Step]) -> Option<Policy> {
    let (first, rest) = steps.split_first()?;
    let with_auth = match rest {
        [] => false,
        [step] if step.code == POLICY_AUTH_VALUE && step.parameters.is_empty() => true,
        _ => return None,
    };
    let (size, parameters) = first.parameters.as_bytes().split_first_chunk::<2>()?;
    let (digest, selection) = parameters.split_first_chunk()?;
    if first.code != POLICY_PCR || *size != [0, 32] {
        return None;
    }
    Some(Policy {
        pcrs: Pcrs::unmarshalled(selection)?,
        digest: *digest,
        with_auth,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(with_auth: bool) -> Policy {
        Policy {
            pcrs: "sha256:0,7,16".parse().unwrap(),
            digest: [7; 32],
            with_auth,
        }
    }

    #[test]
    fn registers_are_read_as_they_are_shown() {
        for text in ["sha256:0", "sha256:0,7", "sha256:23"] {
            let pcrs: Pcrs = text.parse().unwrap();
            assert_eq!(pcrs.to_string(), text);
        }
        assert_eq!(
            "sha256:7,0".parse::<Pcrs>().unwrap().to_string(),
            "sha256:0,7"
        );
    }

    #[test]
    fn other_registers_are_refused() {
        for text in [
            "",
            "0,7",
            "sha1:0",
            "sha256:",
            "sha256:24",
            "sha256:0,",
            "sha256:00",
            "sha256:+1",
            "sha256:0,0",
            "sha256:0 ,7",
        ] {
            assert_eq!(text.parse::<Pcrs>(), Err(NotPcrs), "{text}");
        }
    }

    #[test]
    fn a_policy_is_read_as_it_is_written() {
        for with_auth in [false, true] {
            let policy = policy(with_auth);
            let steps = encode(&policy);
            let selection = [0, 0, 0, 1, 0, 0x0b, 3, 0x81, 0, 1];
            let parameters = [&[0, 32][..], &[7; 32], &selection].concat();
            assert_eq!(steps[0].parameters.as_bytes(), parameters);
            assert_eq!(decode(&steps), Some(policy));
        }
    }

    #[test]
    fn another_policy_is_refused() {
        let change = |change: fn(&mut Vec<Step>)| {
            let mut steps = encode(&policy(true));
            change(&mut steps);
            decode(&steps)
        };
        let with = |at: usize, value: u8| {
            let mut steps = encode(&policy(false));
            let mut bytes = steps[0].parameters.as_bytes().to_vec();
            bytes[at] = value;
            steps[0].parameters = OctetString::new(bytes).unwrap();
            decode(&steps)
        };
        assert_eq!(change(Vec::clear), None);
        assert_eq!(change(|steps| drop(steps.remove(0))), None);
        assert_eq!(change(|steps| steps.reverse()), None);
        assert_eq!(change(|steps| steps[0].code = 0x16d), None);
        assert_eq!(change(|steps| steps[1].code = 0x18c), None);
        // Another size of digest, two banks, SHA-1, another size of selection, no register.
        for (at, value) in [(1, 20), (37, 2), (39, 4), (40, 4)] {
            assert_eq!(with(at, value), None, "{at}");
        }
        let mut none = encode(&policy(false));
        let mut bytes = none[0].parameters.as_bytes().to_vec();
        bytes[41..].fill(0);
        none[0].parameters = OctetString::new(bytes).unwrap();
        assert_eq!(decode(&none), None);
    }
}
