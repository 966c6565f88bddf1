//! How a share, and a key that is not made of shares, is written: hex digits of either case, or unpadded base64url.
//!
//! White space around it is allowed, as a file's last line feed is; inside it is not. Decoding takes the same time
//! for every text of one length. In a file, lines that begin with `#` may stand before it: they say to people what it is.

use crate::quality;
use base64ct::{Base64UrlUnpadded, Encoding};
use mcbn_secret::{ConsentSignature, HmacKey, ShamirShare, Share, SigningShare};
use std::fmt::{self, Display};
use std::str;
use zeroize::{Zeroize, Zeroizing};

/// What stands in a file below its comments.
pub fn below_comments(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.trim_ascii_start();
        if !text.starts_with(b"#") {
            return text;
        }
        let end = text.iter().position(|byte| *byte == b'\n');
        text = &text[end.map_or(text.len(), |end| end + 1)..];
    }
}

/// 64 hex digits or 43 base64url characters.
pub fn share(text: &[u8]) -> Result<Share, NotAShare> {
    Share::fill(|bytes| decode(text, bytes))
}

/// 66 hex digits or 44 base64url characters; the first byte is the x-coordinate.
pub fn shamir_share(text: &[u8]) -> Result<ShamirShare, NotAShare> {
    ShamirShare::fill(|bytes| decode(text, bytes))
}

/// 64 hex digits or 43 base64url characters, as a share.
pub fn signing_share(text: &[u8]) -> Result<SigningShare, NotAShare> {
    SigningShare::fill(|bytes| decode(text, bytes))
}

/// 192 hex digits or 128 base64url characters.
pub fn consent_signature(text: &[u8]) -> Result<ConsentSignature, NotAShare> {
    ConsentSignature::fill(|bytes| decode(text, bytes))
}

/// As a share. Like one, it was drawn at random, or it is refused.
pub fn hmac_key(text: &[u8]) -> Result<HmacKey, NotAKey> {
    HmacKey::fill(|bytes| {
        decode(text, bytes).map_err(NotAKey::Text)?;
        match quality::looks_random(bytes) {
            true => Ok(()),
            false => Err(NotAKey::NotRandom),
        }
    })
}

/// Lower-case hex digits, for the participant who will keep the share.
pub fn share_hex(share: &Share) -> Zeroizing<String> {
    // This is the text that the participant asked for.
    hex(share.expose_secret(), &mut [0; 2 * Share::LENGTH])
}

/// Lower-case hex digits, for the participant who will keep the share.
pub fn shamir_share_hex(share: &ShamirShare) -> Zeroizing<String> {
    // This is the text that the participant asked for.
    hex(share.expose_secret(), &mut [0; 2 * ShamirShare::LENGTH])
}

/// Lower-case hex digits, for the participant who will keep the share.
pub fn signing_share_hex(share: &SigningShare) -> Zeroizing<String> {
    // This is the text that the participant asked for.
    hex(share.expose_secret(), &mut [0; 2 * SigningShare::LENGTH])
}

fn hex<const N: usize>(bytes: &[u8], buffer: &mut [u8; N]) -> Zeroizing<String> {
    let text = base16ct::lower::encode_str(bytes, buffer);
    let text = Zeroizing::new(text.expect("the buffer is twice as long").to_owned());
    buffer.zeroize();
    text
}

fn decode<const N: usize>(text: &[u8], bytes: &mut [u8; N]) -> Result<(), NotAShare> {
    let text = text.trim_ascii();
    let decoded = if text.len() == 2 * N {
        base16ct::mixed::decode(text, bytes).is_ok()
    } else if text.len() == (4 * N).div_ceil(3) {
        str::from_utf8(text).is_ok_and(|text| Base64UrlUnpadded::decode(text, bytes).is_ok())
    } else {
        return Err(NotAShare::Length);
    };
    match decoded {
        true => Ok(()),
        false => Err(NotAShare::Digits),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAShare {
    /// It is neither as long as the hex form nor as long as the base64url form.
    Length,
    /// A character stands in it that its form does not have, or bits beyond the last byte are set.
    Digits,
}

impl Display for NotAShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotAShare::Length => "its length is wrong",
            NotAShare::Digits => "it is neither hex digits nor base64url",
        })
    }
}

impl std::error::Error for NotAShare {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAKey {
    /// It is not written as a share is.
    Text(NotAShare),
    NotRandom,
}

impl Display for NotAKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAKey::Text(why) => why.fmt(f),
            NotAKey::NotRandom => f.write_str("it does not look random"),
        }
    }
}

impl std::error::Error for NotAKey {}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";
    const BASE64URL: &str = "LG9j-MD1OlZdsEG5HAqVrdiRP8ECZwWJ2zmCIo2_7ZA";

    #[test]
    fn every_way_of_writing_a_share_gives_the_same_bytes() {
        let plain = share(HEX.as_bytes()).unwrap();
        assert_eq!(plain.expose_secret()[..3], [0x2c, 0x6f, 0x63]);
        assert_eq!(*share_hex(&plain), HEX);
        for text in [
            HEX.to_ascii_uppercase(),
            format!("2C6f{}", &HEX[4..]),
            format!(" \t\r\n{HEX}\r\n"),
            BASE64URL.into(),
            format!("{BASE64URL}\n"),
        ] {
            assert!(share(text.as_bytes()) == Ok(share(HEX.as_bytes()).unwrap()));
        }
    }

    #[test]
    fn comments_stand_before_a_share() {
        for comments in [
            "",
            "#\n",
            "# of alice\n",
            "\n# of alice\r\n#more\n\n",
            " # indented\n",
        ] {
            let text = format!("{comments}{HEX}\n");
            assert_eq!(
                below_comments(text.as_bytes()),
                format!("{HEX}\n").as_bytes()
            );
        }
        for nothing in ["", "#", "# of alice", "# of alice\n", " \n"] {
            assert_eq!(below_comments(nothing.as_bytes()), b"");
        }
        // One behind it, or inside, is part of it.
        for text in [format!("{HEX} # of alice"), format!("{HEX}\n# of alice\n")] {
            let below = below_comments(text.as_bytes());
            assert_eq!(share(below), Err(NotAShare::Length));
        }
    }

    #[test]
    fn a_share_of_another_length_is_refused() {
        for text in [
            "",
            " \n",
            &HEX[1..],
            &HEX[..62],
            &BASE64URL[1..],
            &format!("{HEX}0"),
            &format!("0x{HEX}"),
            &format!("{BASE64URL}="),
            &format!("{} {}", &HEX[..32], &HEX[32..]),
            &format!("\u{feff}{HEX}"),
            &format!("{HEX}\n{HEX}"),
        ] {
            assert_eq!(share(text.as_bytes()), Err(NotAShare::Length), "{text:?}");
        }
    }

    #[test]
    fn other_characters_are_refused() {
        for text in [
            &HEX.replacen('c', "g", 1),
            &HEX.replacen('c', "\0", 1),
            &HEX.replacen("2c", " c", 1).replace(" c", "c "),
            &BASE64URL.replace('-', "+"),
            &BASE64URL.replace('_', "/"),
            &BASE64URL.replace('-', " "),
        ] {
            assert_eq!(share(text.as_bytes()), Err(NotAShare::Digits), "{text:?}");
        }
        let mut bytes = BASE64URL.as_bytes().to_vec();
        bytes[7] = 0xff;
        assert_eq!(share(&bytes), Err(NotAShare::Digits));
    }

    #[test]
    fn bits_beyond_the_last_byte_are_refused() {
        let sibling = format!("{}B", &BASE64URL[..42]);
        assert_eq!(share(sibling.as_bytes()), Err(NotAShare::Digits));
    }

    #[test]
    fn a_shamir_share_is_one_byte_longer() {
        let hex = format!("07{HEX}");
        let point = shamir_share(hex.as_bytes()).unwrap();
        assert_eq!(point.expose_secret()[0], 7);
        assert_eq!(*shamir_share_hex(&point), hex);
        assert_eq!(shamir_share(HEX.as_bytes()), Err(NotAShare::Length));
        assert_eq!(share(hex.as_bytes()), Err(NotAShare::Length));
        let base64url = "ByxvY_jA9TpWXbBBuRwKla3YkT_BAmcFids5giKNv-2Q";
        assert!(shamir_share(base64url.as_bytes()) == Ok(point));
    }

    #[test]
    fn a_key_is_written_as_a_share_is() {
        let key = HmacKey::copied_from(share(HEX.as_bytes()).unwrap().expose_secret());
        for text in [HEX.into(), BASE64URL.into(), format!(" {HEX}\n")] {
            assert!(hmac_key(text.as_bytes()).as_ref() == Ok(&key));
        }
    }

    #[test]
    fn a_key_of_another_form_is_refused() {
        for (text, why) in [
            (&HEX[1..], NotAShare::Length),
            (&format!("07{HEX}"), NotAShare::Length),
            (&HEX.replacen('c', "g", 1), NotAShare::Digits),
        ] {
            let refused = hmac_key(text.as_bytes()).unwrap_err();
            assert_eq!(refused, NotAKey::Text(why), "{text:?}");
            assert_eq!(refused.to_string(), why.to_string());
        }
    }

    #[test]
    fn a_key_that_was_never_random_is_refused() {
        for text in ["00".repeat(32), "0123456789abcde0".repeat(4)] {
            let refused = hmac_key(text.as_bytes()).unwrap_err();
            assert_eq!(refused, NotAKey::NotRandom);
            assert_eq!(refused.to_string(), "it does not look random");
        }
    }
}
