//! What a token for a release must say.

use mcbn_binding::Purpose;
use std::fmt::Display;

const RELEASE: Purpose = Purpose::named("release");

/// Whom a token for a release is meant for: the keeper whose TLS key has this pin, and nobody else.
pub fn audience(pin: &impl Display) -> String {
    mcbn_binding::audience(RELEASE, pin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audience_names_purpose_and_pin() {
        let pin = "b-7MjBbFVR2f6z61934tp3O_aL2e-cUpJ86yyG5WiSs";
        assert_eq!(audience(&pin), format!("mcbn/v1/release/{pin}"));
    }
}
