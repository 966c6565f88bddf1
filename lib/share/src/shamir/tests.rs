use super::*;
use std::convert::Infallible;

/// The smallest generator that gives well mixed bytes (SplitMix64); fixed, so that a failure comes again.
pub fn random(seed: u64) -> impl FnMut(&mut [u8]) -> Result<(), Infallible> {
    let mut state = seed;
    move |buffer| {
        for byte in buffer {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (z ^ (z >> 31)) as u8;
        }
        Ok(())
    }
}

fn secret(seed: u64) -> SharedSecret {
    SharedSecret::fill(|bytes| random(seed)(bytes)).unwrap()
}

fn threshold(t: u8) -> Threshold {
    Threshold::new(t).unwrap()
}

fn shared(t: u8, n: u8) -> (SharedSecret, Vec<ShamirShare>) {
    let secret = secret(1);
    let shares = split(&secret, threshold(t), n, random(2)).unwrap();
    (secret, shares)
}

fn hex<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let text: String = text.split_whitespace().collect();
    base16ct::upper::decode(text, &mut bytes).unwrap();
    bytes
}

#[test]
fn what_is_dealt_out_is_fresh_and_whole() {
    let mut source = random(3);
    let shares = deal(threshold(2), 3, &mut source).unwrap();
    let recovered = |a: usize, b: usize| recover(&[&shares[a], &shares[b]], threshold(2)).unwrap();
    // The first bytes of the source, as nobody else could know them.
    assert!(recovered(0, 1) == secret(3));
    assert!(recovered(2, 1) == secret(3));
    let more = deal(threshold(2), 3, &mut source).unwrap();
    assert!(recover(&[&more[0], &more[1]], threshold(2)).unwrap() != secret(3));
    assert_eq!(
        deal(threshold(2), 3, |_| Err("no source")),
        Err(NotSplit::Random("no source"))
    );
}

/// Every set of t of n gives the secret, in any order.
#[test]
fn any_threshold_of_shares_gives_the_secret() {
    for (t, n) in [(2, 2), (2, 3), (3, 5), (5, 5), (4, 7)] {
        let (secret, shares) = shared(t, n);
        for set in 0..1u32 << n {
            if set.count_ones() != u32::from(t) {
                continue;
            }
            let mut chosen: Vec<_> = (0..n)
                .filter(|i| set >> i & 1 == 1)
                .map(|i| &shares[usize::from(i)])
                .collect();
            assert!(recover(&chosen, threshold(t)).unwrap() == secret);
            chosen.reverse();
            assert!(recover(&chosen, threshold(t)).unwrap() == secret);
        }
    }
}

#[test]
fn the_largest_sharing_gives_the_secret() {
    let (secret, shares) = shared(255, 255);
    let all: Vec<_> = shares.iter().collect();
    assert!(recover(&all, threshold(255)).unwrap() == secret);
}

#[test]
fn surplus_shares_that_fit_are_taken() {
    let (secret, shares) = shared(3, 6);
    let all: Vec<_> = shares.iter().collect();
    assert!(recover(&all, threshold(3)).unwrap() == secret);
}

/// Whichever share is bad, first or surplus, and whichever of its bytes.
#[test]
fn one_bad_share_among_surplus_shares_is_refused() {
    let (_, shares) = shared(3, 5);
    for bad in 0..shares.len() {
        for byte in 1..ShamirShare::LENGTH {
            let altered = ShamirShare::fill(|bytes| {
                bytes.copy_from_slice(shares[bad].expose_secret());
                bytes[byte] ^= 1;
                Ok::<_, Infallible>(())
            });
            let altered = altered.unwrap();
            let mut all: Vec<_> = shares.iter().collect();
            all[bad] = &altered;
            assert_eq!(recover(&all, threshold(3)), Err(Inconsistent));
        }
    }
}

#[test]
fn shares_of_a_higher_threshold_are_refused_when_there_is_a_surplus() {
    let (_, shares) = shared(4, 5);
    let all: Vec<_> = shares.iter().collect();
    assert_eq!(recover(&all, threshold(3)), Err(Inconsistent));
}

/// For every candidate of the secret there is a polynomial through t - 1 shares: they say nothing. Seen here on one
/// byte of a 2-of-n sharing, where each value of the secret's byte leads to another value of the missing share.
#[test]
fn fewer_shares_than_the_threshold_fit_every_secret() {
    let (_, shares) = shared(2, 2);
    let (x, values) = point(&shares[0]);
    let mut seen = [false; 256];
    for candidate in 0..=255 {
        let mut other = [0];
        interpolate(&[(0, &[candidate]), (x, &[values[0]])], 2, &mut other);
        seen[usize::from(other[0])] = true;
    }
    assert!(seen.iter().all(|seen| *seen));
}

/// TV011B of [draft-mcgrew-tss-03](https://datatracker.ietf.org/doc/html/draft-mcgrew-tss-03), as
/// Bouncy Castle's tests also hold them.
#[test]
fn published_sharings_are_made_and_recovered() {
    const SECRET: [u8; 5] = *b"SAMTC";
    let cases: [(&[u8; 5], &[&str], &[&str]); 4] = [
        (
            b"test\0",
            &["A8 7B 34 91 B5"],
            &["DC 1E 47 E5 B5", "3F 93 1B 4D 71"],
        ),
        (
            &SECRET,
            &["39 5D 39 6C 87"],
            &[
                "6A 1C 74 38 C4",
                "21 FB 3F 8C 56",
                "18 A6 06 E0 D1",
                "B7 2E A9 FF 69",
            ],
        ),
        (
            &SECRET,
            &["27 1A AB 79 06", "3A 28 99 BC 37"],
            &[
                "4E 73 7F 91 72",
                "F5 D5 52 60 93",
                "E8 E7 60 A5 A2",
                "42 9F 84 9E 06",
            ],
        ),
        (
            &SECRET,
            &["1A 1E 0A 9D 44", "22 E9 73 05 34", "4C 76 A0 77 67"],
            &[
                "27 C0 94 BB 54",
                "B9 69 F9 F4 0E",
                "7E C7 CD 32 50",
                "AB AF 81 82 8D",
            ],
        ),
    ];
    for (secret, coefficients, splits) in cases {
        let coefficients: Vec<[u8; 5]> = coefficients.iter().map(|c| hex(c)).collect();
        let splits: Vec<[u8; 5]> = splits.iter().map(|s| hex(s)).collect();
        let mut points = Vec::new();
        for (x, expected) in (1..).zip(&splits) {
            let mut values = [0; 5];
            evaluate(x, secret, &coefficients, &mut values);
            assert_eq!(values, *expected);
            points.push((x, expected));
        }
        let needed = coefficients.len() + 1;
        for window in points.windows(needed) {
            let mut recovered = [0; 5];
            interpolate(window, 0, &mut recovered);
            assert_eq!(&recovered, secret);
        }
    }
}

#[test]
fn fewer_shares_than_the_threshold_are_not_made() {
    let refused = split(&secret(1), threshold(3), 2, random(2));
    assert_eq!(refused.unwrap_err(), NotSplit::FewerThanThreshold);
}

#[test]
fn a_secret_that_does_not_look_random_is_not_shared_out() {
    let refused = split(
        &SharedSecret::copied_from(&[7; 32]),
        threshold(2),
        2,
        random(2),
    );
    assert_eq!(refused.unwrap_err(), NotSplit::NotRandom);
}

#[test]
fn a_broken_source_of_randomness_is_refused() {
    let zeros = |buffer: &mut [u8]| {
        buffer.fill(0);
        Ok::<_, Infallible>(())
    };
    let refused = split(&secret(1), threshold(2), 2, zeros);
    assert_eq!(refused.unwrap_err(), NotSplit::NotRandom);
    let failing = |_: &mut [u8]| Err("no randomness");
    let refused = split(&secret(1), threshold(2), 2, failing);
    assert_eq!(refused.unwrap_err(), NotSplit::Random("no randomness"));
}

/// A coefficient that is the secret itself makes the share at x = 1 all zeros.
#[test]
fn a_share_that_does_not_look_random_is_not_handed_out() {
    let secret = secret(1);
    let copy = |buffer: &mut [u8]| {
        buffer.copy_from_slice(secret.expose_secret());
        Ok::<_, Infallible>(())
    };
    let refused = split(&secret, threshold(2), 2, copy);
    assert_eq!(refused.unwrap_err(), NotSplit::NotRandom);
}
