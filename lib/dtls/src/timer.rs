//! When a flight of the handshake goes again.

use std::ffi::c_uint;

/// In microseconds. [RFC 6347 §4.2.4.1] recommends a second and allows less where a short handshake matters: with this,
/// a deadline of ten seconds sees six retransmissions in place of three, which is what a lossy link needs.
///
/// [RFC 6347 §4.2.4.1]: https://www.rfc-editor.org/rfc/rfc6347#section-4.2.4.1
const FIRST: c_uint = 250_000;

const LONGEST: c_uint = 4_000_000;

/// The wait after one of `last` microseconds; 0 is none yet.
pub(crate) fn next(last: c_uint) -> c_uint {
    match last {
        0 => FIRST,
        _ => last.saturating_mul(2).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_the_last_up_to_the_longest() {
        let waits: Vec<c_uint> = std::iter::successors(Some(next(0)), |last| Some(next(*last)))
            .take(6)
            .collect();
        let quarter = 250_000;
        assert_eq!(waits, [1, 2, 4, 8, 16, 16].map(|n| n * quarter));
        assert_eq!(next(c_uint::MAX), LONGEST);
    }
}
