//! What an attestation token must say to vouch for one connection: the project's page on the wire, §5.
//!
//! A token is for one reader ([`audience`]) and carries nonces in a fixed order: the reader's [`Challenge`], the
//! connection's [`Exporter`] and the consent manifest ([`nonces`]); where it vouches for an answer, the answer's bytes
//! as well ([`answer_nonces`]). Both ends of every protocol make them here.
//!
//! What this crate is not: it knows no TLS library and no form of token. It links next to nothing, since every image
//! links it.
//!
//! Invariants, and the threat that each one answers:
//! - Whatever a nonce stands for has a fixed length or enters as a digest, and has its place: two different uses never
//!   have equal nonces.
//! - The exporter enters as a digest under a label of its own, so a token shows nothing that another protocol could
//!   use.
#![forbid(unsafe_code)]

mod challenge;
mod purpose;

pub use challenge::Challenge;
pub use purpose::Purpose;

use mcbn_body::base64url;
use mcbn_share::ManifestDigest;
use sha2::{Digest, Sha256};
use std::fmt::Display;

/// The label of the exporter that binds a token to its connection, with an empty context and 32 bytes
/// ([RFC 9266 §2](https://www.rfc-editor.org/rfc/rfc9266#section-2)).
pub const EXPORTER_LABEL: &str = "EXPORTER-Channel-Binding";

/// The connection's `tls-exporter`. It tells nothing of the keys, and enters a token as a digest only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exporter(pub [u8; 32]);

/// Whom a token is meant for: whoever has the TLS key with this pin, for this purpose, and nobody else.
pub fn audience(purpose: Purpose, pin: &impl Display) -> String {
    format!("mcbn/v1/{purpose}/{pin}")
}

/// The token's nonces, in their order: this challenge, on this connection, for this manifest.
pub fn nonces(
    challenge: &Challenge,
    exporter: &Exporter,
    manifest: &ManifestDigest,
) -> [String; 3] {
    let binding = Sha256::new()
        .chain_update(b"mcbn/v1/ekm\0")
        .chain_update(exporter.0)
        .finalize();
    [&challenge.0, binding.as_slice(), &manifest.0].map(base64url)
}

/// Those of a token that vouches for an answer too: [`nonces`], and the answer's exact bytes.
pub fn answer_nonces(
    challenge: &Challenge,
    exporter: &Exporter,
    manifest: &ManifestDigest,
    answer: &[u8],
) -> [String; 4] {
    let [challenge, exporter, manifest] = nonces(challenge, exporter, manifest);
    let answer = base64url(&Sha256::digest(answer));
    [challenge, exporter, manifest, answer]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge() -> Challenge {
        Challenge(std::array::from_fn(|i| i as u8))
    }

    fn exporter() -> Exporter {
        Exporter(std::array::from_fn(|i| 0x40 + i as u8))
    }

    fn manifest() -> ManifestDigest {
        ManifestDigest(Sha256::digest(b"version = 1\n").into())
    }

    /// Computed by another implementation of SHA-256 and base64.
    const KNOWN: [&str; 3] = [
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "ATi_AhEupTOi9XxsQ3jWUvfphmjLIZwl9yhaD50ul9Y",
        "26sSZl2YrvAhumSVPGGw7YqQjPtWocAeL8tLBStxoqE",
    ];

    #[test]
    fn the_nonces_have_a_known_answer() {
        assert_eq!(nonces(&challenge(), &exporter(), &manifest()), KNOWN);
    }

    /// Computed by another implementation, too.
    #[test]
    fn the_nonces_of_an_answer_have_a_known_answer() {
        for (answer, known) in [
            (
                &b"{\"state\":\"waiting\"}"[..],
                "pC0O8QX8WmFvSasLpsu6h8JJ8-EKFDi2lgudrGaDEqg",
            ),
            (b"", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"),
        ] {
            let [a, b, c] = KNOWN;
            assert_eq!(
                answer_nonces(&challenge(), &exporter(), &manifest(), answer),
                [a, b, c, known]
            );
        }
    }

    #[test]
    fn the_audience_names_purpose_and_pin() {
        let pin = "b-7MjBbFVR2f6z61934tp3O_aL2e-cUpJ86yyG5WiSs";
        let purpose = Purpose::named("release");
        assert_eq!(audience(purpose, &pin), format!("mcbn/v1/release/{pin}"));
    }
}
