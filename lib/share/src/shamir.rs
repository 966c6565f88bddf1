//! Shamir's secret sharing over GF(256), byte by byte: any t of n shares give the secret, fewer tell nothing.
//!
//! The field is that of AES (x^8 + x^4 + x^3 + x + 1). A share is its x-coordinate, 1 to 255, and the 32 values there.
//! x-coordinates are public; values and coefficients are secret.
//!
//! Shamir alone does not say who sent a bad share. Where more than t shares are given, the surplus is checked against
//! the polynomial of the others, and a set that does not fit is refused as a whole.

use crate::quality;
use mcbn_secret::{ShamirShare, SharedSecret};
use mcbn_threshold::Threshold;
use std::error::Error;
use std::fmt::{self, Display};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

mod gf256;

const VALUES: usize = SharedSecret::LENGTH;

/// A share's x-coordinate and values.
pub(crate) fn point(share: &ShamirShare) -> (u8, &[u8; VALUES]) {
    // To compute with it.
    let (x, values) = share.expose_secret().split_first().expect("33 bytes");
    (*x, values.try_into().expect("33 bytes less one"))
}

/// Recovers the secret from at least `threshold` shares with distinct x-coordinates, none of them 0.
///
/// # Errors
///
/// [`Inconsistent`] when the shares beyond the threshold do not lie on the polynomial of the others.
///
/// # Panics
///
/// On fewer shares, and on x-coordinates that are 0 or equal: the caller has named who sent them.
pub(crate) fn recover(
    shares: &[&ShamirShare],
    threshold: Threshold,
) -> Result<SharedSecret, Inconsistent> {
    let points: Vec<_> = shares.iter().map(|share| point(share)).collect();
    let (base, surplus) = points.split_at(threshold.get());
    let mut fits = Choice::from(1);
    for (x, values) in surplus {
        let mut expected = Zeroizing::new([0; VALUES]);
        interpolate(base, *x, &mut expected);
        fits &= expected.ct_eq(*values);
    }
    SharedSecret::fill(|secret| {
        interpolate(base, 0, secret);
        match bool::from(fits) {
            true => Ok(()),
            false => Err(Inconsistent),
        }
    })
}

/// The value at `at` of the lowest polynomial through the points (Lagrange's form).
fn interpolate<const N: usize>(points: &[(u8, &[u8; N])], at: u8, out: &mut [u8; N]) {
    out.fill(0);
    for (i, (x, values)) in points.iter().enumerate() {
        let mut weight = 1;
        for (j, (other, _)) in points.iter().enumerate() {
            if i != j {
                assert_ne!(x, other, "two points at one x");
                let ratio = gf256::mul(at ^ other, gf256::invert(x ^ other));
                weight = gf256::mul(weight, ratio);
            }
        }
        for (sum, value) in out.iter_mut().zip(*values) {
            *sum ^= gf256::mul(weight, *value);
        }
    }
}

/// Surplus shares contradict the others; which share is wrong cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inconsistent;

/// Makes `count` shares, with the x-coordinates 1 to `count`, of a secret of fresh random bytes that nobody keeps.
///
/// # Errors
///
/// Those of [`split`].
pub fn deal<E>(
    threshold: Threshold,
    count: u8,
    mut random: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Vec<ShamirShare>, NotSplit<E>> {
    let secret = SharedSecret::fill(|bytes| random(bytes)).map_err(NotSplit::Random)?;
    split(&secret, threshold, count, random)
}

/// Makes `count` shares, with the x-coordinates 1 to `count`, any `threshold` of which give the secret.
///
/// `random` fills a slice with fresh random bytes.
///
/// # Errors
///
/// Nothing is shared out when the numbers do not fit, or when the secret, the random bytes or a share made of them do
/// not look random.
pub fn split<E>(
    secret: &SharedSecret,
    threshold: Threshold,
    count: u8,
    mut random: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Vec<ShamirShare>, NotSplit<E>> {
    if usize::from(count) < threshold.get() {
        return Err(NotSplit::FewerThanThreshold);
    }
    // To share it out.
    let secret = secret.expose_secret();
    if !quality::looks_random(secret) {
        return Err(NotSplit::NotRandom);
    }
    let mut coefficients = Vec::with_capacity(threshold.get() - 1);
    for _ in 1..threshold.get() {
        let mut coefficient = Zeroizing::new([0; VALUES]);
        random(&mut *coefficient).map_err(NotSplit::Random)?;
        if !quality::looks_random(&*coefficient) {
            return Err(NotSplit::NotRandom);
        }
        coefficients.push(coefficient);
    }
    (1..=count)
        .map(|x| share_at(x, secret, &coefficients))
        .collect()
}

fn share_at<E>(
    x: u8,
    secret: &[u8; VALUES],
    coefficients: &[Zeroizing<[u8; VALUES]>],
) -> Result<ShamirShare, NotSplit<E>> {
    ShamirShare::fill(|bytes| {
        let (first, values) = bytes.split_first_mut().expect("33 bytes");
        *first = x;
        evaluate(x, secret, coefficients, values);
        match quality::looks_random(values) {
            true => Ok(()),
            false => Err(NotSplit::NotRandom),
        }
    })
}

/// secret + c1·x + c2·x² + …, by Horner's rule.
fn evaluate(x: u8, secret: &[u8], coefficients: &[impl AsRef<[u8]>], values: &mut [u8]) {
    values.fill(0);
    let highest_first = coefficients.iter().rev().map(AsRef::as_ref);
    for coefficient in highest_first.chain([secret]) {
        for (value, c) in values.iter_mut().zip(coefficient) {
            *value = gf256::mul(x, *value) ^ c;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSplit<E> {
    FewerThanThreshold,
    NotRandom,
    Random(E),
}

impl<E> Display for NotSplit<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotSplit::FewerThanThreshold => "fewer shares than the threshold",
            NotSplit::NotRandom => "the secret or the random bytes do not look random",
            NotSplit::Random(_) => "no random bytes",
        })
    }
}

impl<E: Error + 'static> Error for NotSplit<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NotSplit::Random(error) => Some(error),
            NotSplit::FewerThanThreshold | NotSplit::NotRandom => None,
        }
    }
}

#[cfg(test)]
mod tests;
