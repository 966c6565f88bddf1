//! What tells where a permanent key of a TPM is, and what it is.

use crate::share::with_text;
use base64ct::{Base64, Encoding};
use mcbn_tpm::{KeyFile, Parent, Pcrs, Tcti};

/// A file that anyone may have made: nothing in it is trusted before the TPM has checked it.
pub fn key_file(data: &[u8]) {
    if let Ok(key) = KeyFile::from_pem(data) {
        assert_written_again(&key);
    }
}

/// The structure in such a file, which few changes to the text would reach.
pub fn key_structure(data: &[u8]) {
    key_file(pem(data).as_bytes());
}

fn assert_written_again(key: &KeyFile) {
    assert_eq!(KeyFile::from_pem(key.to_pem().as_bytes()).as_ref(), Ok(key));
    assert_eq!(key.policy.is_some(), key.public.has_policy());
    assert_eq!(key.parent.to_string().parse(), Ok(key.parent));
    if let Some(policy) = &key.policy {
        assert_eq!(policy.pcrs.to_string().parse(), Ok(policy.pcrs));
    }
    // The algorithm's number and a SHA-256 digest.
    assert_eq!(key.public.name().to_string().len(), 2 * (2 + 32));
}

fn pem(der: &[u8]) -> String {
    let text = Base64::encode_string(der);
    let lines: String = text
        .as_bytes()
        .chunks(64)
        .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
        .collect();
    format!("-----BEGIN TSS2 PRIVATE KEY-----\n{lines}-----END TSS2 PRIVATE KEY-----\n")
}

pub fn tcti_text(data: &[u8]) {
    with_text(data, |text| {
        if let Ok(tcti) = text.parse::<Tcti>() {
            // Whatever was left out is written.
            assert_eq!(tcti.to_string().parse(), Ok(tcti));
        }
    });
}

pub fn pcrs_text(data: &[u8]) {
    with_text(data, |text| {
        if let Ok(pcrs) = text.parse::<Pcrs>() {
            let numbers = |text: &str| {
                let numbers = text.strip_prefix("sha256:").expect("the one bank");
                let mut numbers: Vec<u32> =
                    numbers.split(',').map(|n| n.parse().unwrap()).collect();
                numbers.sort_unstable();
                numbers
            };
            let shown = pcrs.to_string();
            assert_eq!(shown.parse(), Ok(pcrs));
            assert_eq!(numbers(&shown), numbers(text));
            assert!(numbers(text).iter().all(|number| *number < 24));
        }
    });
}

pub fn key_parent(data: &[u8]) {
    with_text(data, |text| {
        if let Ok(parent) = text.parse::<Parent>() {
            assert_eq!(parent.to_string(), text.to_ascii_lowercase());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without a key to start from, no change would come to one.
    #[test]
    fn the_seeds_are_keys() {
        let sample = include_bytes!("../testdata/tss2_private.pem");
        let sample = KeyFile::from_pem(sample).unwrap();
        for (seed, sealed) in [
            (&include_bytes!("../testdata/tss2_key")[..], false),
            (include_bytes!("../testdata/tss2_sealed_key"), true),
        ] {
            let key = KeyFile::from_pem(pem(seed).as_bytes()).unwrap();
            assert_eq!(key.policy.is_some(), sealed);
            assert_eq!(key == sample, !sealed);
        }
    }
}
