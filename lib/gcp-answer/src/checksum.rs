//! CRC32C, with which Google's services let their callers check what went over the wire.

use crate::{Corrupt, Failure};

/// As a service takes it.
pub fn of(bytes: &[u8]) -> i64 {
    crc32c::crc32c(bytes).into()
}

/// # Errors
///
/// The checksum is another, or was not given.
pub fn check(bytes: &[u8], given: Option<i64>) -> Result<(), Failure> {
    match given == Some(of(bytes)) {
        true => Ok(()),
        false => Err(Failure::Corrupt(Corrupt::Checksum)),
    }
}

/// # Errors
///
/// The service got something else than what was sent.
pub fn was_verified(verified: bool) -> Result<(), Failure> {
    match verified {
        true => Ok(()),
        false => Err(Failure::Corrupt(Corrupt::Request)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue() {
        // CRC-32/ISCSI in the catalogue of parametrised CRC algorithms, https://reveng.sourceforge.io/crc-catalogue/
        assert_eq!(of(b"123456789"), 0xe306_9283);
        assert!(check(b"123456789", Some(0xe306_9283)).is_ok());
    }

    #[test]
    fn a_wrong_checksum_is_refused() {
        for given in [Some(0), Some(0xe306_9282), Some(-1), None] {
            let refused = check(b"123456789", given).unwrap_err();
            assert!(
                matches!(refused, Failure::Corrupt(Corrupt::Checksum)),
                "{given:?}"
            );
        }
    }

    #[test]
    fn a_request_that_arrived_as_another_is_refused() {
        assert!(was_verified(true).is_ok());
        assert!(was_verified(false).is_err());
    }
}
