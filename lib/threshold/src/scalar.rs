//! Whole numbers modulo the order of the group: coefficients, shares and weights.
//!
//! blst's own functions take the same time for every value. The crate wraps those of keys and points safely; those of
//! scalars it does not, so this file calls them itself.
#![allow(unsafe_code)]

use blst::min_pk::SecretKey;
use blst::{
    blst_scalar, blst_scalar_from_bendian, blst_sk_add_n_check, blst_sk_check, blst_sk_inverse,
    blst_sk_mul_n_check, blst_sk_sub_n_check,
};

use crate::index::Index;

/// Neither zero nor as large as the order. blst wipes it; in a box it is moved without copies.
pub(crate) struct Scalar(Box<blst_scalar>);

/// Bytes of a scalar.
pub(crate) const LENGTH: usize = 32;

impl Scalar {
    /// Big-endian, as in a file or on the wire.
    pub(crate) fn from_bytes(bytes: &[u8; LENGTH]) -> Option<Self> {
        let mut scalar = Box::<blst_scalar>::default();
        // SAFETY: it reads 32 bytes, and writes to a scalar that nothing else refers to.
        unsafe { blst_scalar_from_bendian(&mut *scalar, bytes.as_ptr()) };
        Self::checked(scalar)
    }

    /// [KeyGen](https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-bls-signature-06#section-2.3) of 32 random bytes,
    /// which is uniform but for a part in 2^128.
    pub(crate) fn of_random(bytes: &[u8; LENGTH]) -> Self {
        let key = SecretKey::key_gen(bytes, &[]).expect("at least 32 bytes");
        let mut scalar = Box::<blst_scalar>::default();
        scalar.b.copy_from_slice(&<&blst_scalar>::from(&key).b);
        Self::checked(scalar).expect("KeyGen gives no other")
    }

    pub(crate) fn one() -> Self {
        Self::from(Index::new(1).expect("not zero"))
    }

    fn checked(scalar: Box<blst_scalar>) -> Option<Self> {
        // SAFETY: it only reads the scalar.
        unsafe { blst_sk_check(&*scalar) }.then_some(Self(scalar))
    }

    /// None where the sum is zero.
    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        let mut sum = Box::<blst_scalar>::default();
        // SAFETY: it reads two scalars, and writes to a third that nothing else refers to.
        let fits = unsafe { blst_sk_add_n_check(&mut *sum, &*self.0, &*other.0) };
        fits.then_some(Self(sum))
    }

    /// None where they are equal.
    pub(crate) fn minus(&self, other: &Self) -> Option<Self> {
        let mut difference = Box::<blst_scalar>::default();
        // SAFETY: as for the sum.
        let fits = unsafe { blst_sk_sub_n_check(&mut *difference, &*self.0, &*other.0) };
        fits.then_some(Self(difference))
    }

    pub(crate) fn times(&self, other: &Self) -> Self {
        let mut product = Box::<blst_scalar>::default();
        // SAFETY: as for the sum.
        let fits = unsafe { blst_sk_mul_n_check(&mut *product, &*self.0, &*other.0) };
        assert!(fits, "neither is zero, and the order is a prime");
        Self(product)
    }

    pub(crate) fn inverse(&self) -> Self {
        let mut inverse = Box::<blst_scalar>::default();
        // SAFETY: it reads a scalar, and writes to another that nothing else refers to.
        unsafe { blst_sk_inverse(&mut *inverse, &*self.0) };
        Self(inverse)
    }

    pub(crate) fn key(&self) -> &SecretKey {
        <&SecretKey>::try_from(&*self.0).expect("neither zero nor too large")
    }

    /// As multiplication of points takes them.
    pub(crate) fn little_endian(&self) -> &[u8; LENGTH] {
        &self.0.b
    }
}

impl From<Index> for Scalar {
    fn from(index: Index) -> Self {
        let mut scalar = Box::<blst_scalar>::default();
        scalar.b[0] = index.get();
        Self(scalar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(number: u8) -> Scalar {
        Scalar::from(Index::new(number).unwrap())
    }

    fn bytes(scalar: &Scalar) -> [u8; LENGTH] {
        scalar.key().to_bytes()
    }

    /// The order of G1 and G2, <https://www.rfc-editor.org/rfc/rfc9380#section-8.8>.
    const ORDER: &str = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";

    fn order_less(less: u8) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        base16ct::mixed::decode(ORDER, &mut bytes).unwrap();
        assert_eq!(bytes[31], 1);
        for _ in 0..less {
            // It ends in 00000001.
            let low = u32::from_be_bytes(bytes[28..].try_into().unwrap());
            match low.checked_sub(1) {
                Some(low) => bytes[28..].copy_from_slice(&low.to_be_bytes()),
                None => {
                    bytes[28..].fill(0xff);
                    bytes[27] -= 1;
                }
            }
        }
        bytes
    }

    #[test]
    fn arithmetic_is_that_of_a_field() {
        assert_eq!(bytes(&small(7).times(&small(6))), bytes(&small(42)));
        assert_eq!(bytes(&small(7).plus(&small(6)).unwrap()), bytes(&small(13)));
        assert_eq!(bytes(&small(7).minus(&small(6)).unwrap()), bytes(&small(1)));
        let minus_two = small(4).minus(&small(6)).unwrap();
        assert_eq!(bytes(&minus_two), order_less(2));
        assert_eq!(bytes(&minus_two.plus(&small(3)).unwrap()), bytes(&small(1)));
        let seventh = small(7).inverse();
        assert_eq!(bytes(&seventh.times(&small(7))), bytes(&Scalar::one()));
        assert_eq!(seventh.little_endian().last(), bytes(&seventh).first());
    }

    #[test]
    fn zero_is_none() {
        assert!(small(4).minus(&small(4)).is_none());
        let minus_four = Scalar::from_bytes(&order_less(4)).unwrap();
        assert!(minus_four.plus(&small(4)).is_none());
    }

    #[test]
    fn another_scalar_is_refused() {
        assert!(Scalar::from_bytes(&[0; LENGTH]).is_none());
        assert!(Scalar::from_bytes(&order_less(0)).is_none());
        assert!(Scalar::from_bytes(&[0xff; LENGTH]).is_none());
        assert!(Scalar::from_bytes(&order_less(1)).is_some());
    }
}
