//! What the participants' side of a configuration and their files hold.

use mcbn_share::{Derivation, Participant, Place, Source, Threshold, text};
use std::str;

pub fn share_text(data: &[u8]) {
    let share = text::share(data);
    assert_hides(&format!("{share:?}"), data);
    if let Ok(share) = share {
        // To write it again.
        reads_back(data, share.expose_secret(), |text| {
            text::share(text).is_ok_and(|again| again == share)
        });
    }
}

pub fn shamir_share_text(data: &[u8]) {
    let share = text::shamir_share(data);
    assert_hides(&format!("{share:?}"), data);
    if let Ok(share) = share {
        reads_back(data, share.expose_secret(), |text| {
            text::shamir_share(text).is_ok_and(|again| again == share)
        });
        assert!(text::shamir_share(text::shamir_share_hex(&share).as_bytes()) == Ok(share));
    }
}

/// A key is what a share could be.
pub fn hmac_key_text(data: &[u8]) {
    let (key, share) = (text::hmac_key(data), text::share(data));
    assert_hides(&format!("{key:?}"), data);
    match (key, share) {
        // To compare them.
        (Ok(key), Ok(share)) => assert_eq!(key.expose_secret(), share.expose_secret()),
        (Err(text::NotAKey::Text(why)), Err(refused)) => assert_eq!(why, refused),
        (key, share) => assert!(key == Err(text::NotAKey::NotRandom) && share.is_ok()),
    }
}

/// The text is one of the two ways of writing the bytes.
fn reads_back(data: &[u8], bytes: &[u8], same: impl Fn(&[u8]) -> bool) {
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    assert!(same(hex.as_bytes()));
    let trimmed = data.trim_ascii();
    match trimmed.len() == hex.len() {
        true => assert_eq!(trimmed.to_ascii_lowercase(), hex.as_bytes()),
        false => assert_eq!(trimmed.len(), (4 * bytes.len()).div_ceil(3)),
    }
}

pub fn share_source(data: &[u8]) {
    with_text(data, |text| match text.parse::<Source>() {
        Ok(source) => assert_eq!(text.parse(), Ok(source)),
        Err(error) => assert_hides(&error.to_string(), data),
    });
}

pub fn secret_place(data: &[u8]) {
    with_text(data, |text| match text.parse::<Place>() {
        Ok(place) => {
            let source = Source::new("alice".parse().expect("a name"), place);
            assert_eq!(format!("alice={text}").parse(), Ok(source));
        }
        Err(error) => assert_hides(&error.to_string(), data),
    });
}

pub fn participant_name(data: &[u8]) {
    with_text(data, |text| match text.parse::<Participant>() {
        Ok(name) => {
            assert_eq!(name.to_string(), text);
            assert!((1..=63).contains(&text.len()));
            assert!(
                text.bytes()
                    .all(|b| b.is_ascii_graphic() && !b"=,:/\\".contains(&b))
            );
        }
        Err(error) => assert_hides(&error.to_string(), data),
    });
}

pub fn derivation_label(data: &[u8]) {
    with_text(data, |text| {
        if let Ok(derivation) = text.parse::<Derivation>() {
            assert_eq!(derivation.label(), text);
        }
    });
}

pub fn threshold(data: &[u8]) {
    with_text(data, |text| {
        if let Ok(threshold) = text.parse::<Threshold>() {
            assert!((2..=255).contains(&threshold.get()));
        }
    });
}

pub(crate) fn with_text(data: &[u8], check: impl FnOnce(&str)) {
    if let Ok(text) = str::from_utf8(data) {
        check(text);
    }
}

/// No eight bytes of the input with two digits among them, as of a key, are in a message.
pub(crate) fn assert_hides(message: &str, data: &[u8]) {
    let is_odd = |part: &&[u8]| part.iter().filter(|b| b.is_ascii_digit()).count() >= 2;
    for part in data.windows(8).filter(is_odd) {
        if let Ok(part) = str::from_utf8(part) {
            assert!(!message.contains(part), "{part:?} is shown in {message:?}");
        }
    }
}
