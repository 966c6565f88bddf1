//! The identities inside a ClientHello's `pre_shared_key` extension ([RFC 8446 §4.2.11]).
//!
//! [RFC 8446 §4.2.11]: https://www.rfc-editor.org/rfc/rfc8446#section-4.2.11

use crate::identity::Identity;

/// Identities that one client offers at most: a ticket or two, and its key under a few names.
///
/// OpenSSL asks for each until one has a key, so that the time until an answer tells at which place a guess was right.
/// Of 1500 identities the last one takes 200 µs longer than the first, of this many less than half a microsecond.
const MOST: usize = 4;

/// Whether `own` is among the identities, which are few, and none of them would become it by ending at its first zero byte, where
/// OpenSSL's callback for keys ends them.
///
/// Every identity is looked at, so that the time does not say which one matched.
pub(crate) fn names_exactly(extension: &[u8], own: &Identity) -> bool {
    let (mut found, mut cut, mut count) = (false, false, 0);
    for name in identities(extension) {
        let head = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let [whole, begins] = [name, head].map(|text| own.matches(text));
        found |= whole;
        cut |= begins & !whole;
        count += 1;
    }
    found & !cut & (count <= MOST)
}

/// Iterates over the identities of an extension body. Ends early where the bytes make no sense: OpenSSL parses
/// the same bytes again afterwards and refuses what is malformed.
///
/// > opaque identity<1..2^16-1>; uint32 obfuscated_ticket_age; … PskIdentity identities<7..2^16-1>;
fn identities(extension: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = length_prefixed(extension).map_or(&[][..], |(list, _binders)| list);
    std::iter::from_fn(move || {
        let (identity, after) = length_prefixed(rest)?;
        let (_ticket_age, after) = after.split_first_chunk::<4>()?;
        rest = after;
        Some(identity)
    })
}

/// Splits off a vector with a two-byte length.
fn length_prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extension(list: &[&[u8]]) -> Vec<u8> {
        let mut body = Vec::new();
        for identity in list {
            body.extend((identity.len() as u16).to_be_bytes());
            body.extend(*identity);
            body.extend([0; 4]);
        }
        let mut all = (body.len() as u16).to_be_bytes().to_vec();
        all.extend(body);
        // The binders that follow must not be read as identities.
        all.extend([0, 33, 32]);
        all.extend([7; 32]);
        all
    }

    #[test]
    fn every_identity_is_seen_in_order() {
        let bytes = extension(&[b"ticket", b"Client1", b"x"]);
        let seen: Vec<&[u8]> = identities(&bytes).collect();
        assert_eq!(seen, [&b"ticket"[..], b"Client1", b"x"]);
    }

    #[test]
    fn an_identity_is_found_wherever_it_stands() {
        let own = "Client1".parse().expect("a good identity");
        for list in [
            &[&b"Client1"[..]][..],
            &[b"ticket\0", b"Client1", b"x"],
            &[b"Client2", b"Client", b"\0Client1", b"Client1"],
        ] {
            assert!(names_exactly(&extension(list), &own), "{list:?}");
        }
    }

    #[test]
    fn a_list_that_is_too_long_is_refused() {
        let own = "Client1".parse().expect("a good identity");
        let list = |others: usize| {
            let mut names = vec![&b"x"[..]; others];
            names.push(b"Client1");
            extension(&names)
        };
        assert!(names_exactly(&list(MOST - 1), &own));
        assert!(!names_exactly(&list(MOST), &own));
    }

    #[test]
    fn an_identity_that_only_begins_with_it_is_refused() {
        let own = "Client1".parse().expect("a good identity");
        for list in [
            &[][..],
            &[&b"Client2"[..]],
            &[b"Client1\0"],
            &[b"Client1\0evil"],
            &[b"Client1\0evil", b"Client1"],
            &[b"Client1", b"Client1\0"],
        ] {
            assert!(!names_exactly(&extension(list), &own), "{list:?}");
        }
    }

    #[test]
    fn cut_and_lying_lengths_end_the_list() {
        let whole = extension(&[b"Client1", b"Client2"]);
        for cut in 0..whole.len() {
            assert!(identities(&whole[..cut]).count() <= 2);
        }
        assert_eq!(identities(&[]).count(), 0);
        assert_eq!(identities(&[0xff, 0xff, 0, 1, b'a']).count(), 0);
        // A list of 8 bytes whose only identity claims 200.
        assert_eq!(identities(&[0, 8, 0, 200, 1, 2, 3, 4, 5, 6]).count(), 0);
    }
}
