//! What a token must say to vouch for one connection: the project's page on the wire, §5.

use super::Challenge;
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

/// Whom a token for a release is meant for: the keeper whose TLS key has this pin, and nobody else.
pub fn audience(pin: &impl Display) -> String {
    format!("mcbn/v1/release/{pin}")
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by another implementation of SHA-256 and base64.
    #[test]
    fn the_nonces_have_a_known_answer() {
        let challenge = Challenge(std::array::from_fn(|i| i as u8));
        let exporter = Exporter(std::array::from_fn(|i| 0x40 + i as u8));
        let manifest = ManifestDigest(Sha256::digest(b"version = 1\n").into());
        assert_eq!(
            nonces(&challenge, &exporter, &manifest),
            [
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
                "ATi_AhEupTOi9XxsQ3jWUvfphmjLIZwl9yhaD50ul9Y",
                "26sSZl2YrvAhumSVPGGw7YqQjPtWocAeL8tLBStxoqE",
            ]
        );
    }

    #[test]
    fn the_audience_names_purpose_and_pin() {
        let pin = "b-7MjBbFVR2f6z61934tp3O_aL2e-cUpJ86yyG5WiSs";
        assert_eq!(audience(&pin), format!("mcbn/v1/release/{pin}"));
    }
}
