//! Prints the public CA certificates that images carry, as one PEM bundle.
//!
//! They are Mozilla's roots for TLS servers, from a crate: Cargo.lock pins them by checksum, the
//! registry never changes what it has published, and an update is one reviewable line.

#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write};

fn main() -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        out.write_all(pem(certificate).as_bytes())?;
    }
    out.flush()
}

/// [RFC 7468 §2](https://www.rfc-editor.org/rfc/rfc7468#section-2): lines of 64 characters.
fn pem(certificate: &[u8]) -> String {
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    // 48 bytes are 64 characters.
    for line in certificate.chunks(48) {
        for group in line.chunks(3) {
            pem.push_str(&base64(group));
        }
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

/// One group of one to three bytes, [RFC 4648 §4](https://www.rfc-editor.org/rfc/rfc4648#section-4).
fn base64(group: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = (0..3).fold(0, |bits, at| {
        bits << 8 | u32::from(*group.get(at).unwrap_or(&0))
    });
    (0..4)
        .map(|at| match at <= group.len() {
            true => char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]),
            false => '=',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_gives_the_answers_of_rfc_4648() {
        let encode = |text: &str| text.as_bytes().chunks(3).map(base64).collect::<String>();
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(text), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
    }

    #[test]
    fn lines_have_64_characters_but_the_last() {
        assert_eq!(
            pem(&[0; 50]),
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\nAAA=\n-----END CERTIFICATE-----\n",
                "A".repeat(64)
            )
        );
    }
}
