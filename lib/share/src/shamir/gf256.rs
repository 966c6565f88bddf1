//! The field of AES: polynomials over GF(2) modulo x^8 + x^4 + x^3 + x + 1. Addition is `^`.
//!
//! Without tables and without branches on the factors: a table would be read at places that a secret chooses.

use std::hint::black_box;

/// The modulus without x^8.
const REDUCTION: u8 = 0x1b;

pub fn mul(a: u8, b: u8) -> u8 {
    let mut product = 0;
    let mut shifted = a;
    for bit in 0..8 {
        product ^= shifted & all_ones_if(b >> bit & 1);
        shifted = (shifted << 1) ^ (REDUCTION & all_ones_if(shifted >> 7));
    }
    product
}

/// a^254, which is the inverse; 0 for 0.
pub fn invert(a: u8) -> u8 {
    // 254 = 0b1111_1110: square, then multiply for each but the last bit.
    let mut power = a;
    for _ in 0..6 {
        power = mul(mul(power, power), a);
    }
    mul(power, power)
}

/// 0xff for 1 and 0 for 0. The compiler is kept from making a branch of it.
fn all_ones_if(bit: u8) -> u8 {
    black_box(bit).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Products by discrete logarithms to the base 3, which generates the field.
    #[test]
    fn every_product_is_that_of_the_tables() {
        let mut powers = [0; 255];
        let mut logarithm = [0; 256];
        let mut power: u8 = 1;
        for (i, entry) in powers.iter_mut().enumerate() {
            *entry = power;
            logarithm[usize::from(power)] = i;
            let doubled = (power << 1) ^ if power & 0x80 == 0 { 0 } else { 0x1b };
            power ^= doubled;
        }
        assert_eq!(power, 1);
        for a in 0..=255 {
            for b in 0..=255 {
                let expected = match (a, b) {
                    (0, _) | (_, 0) => 0,
                    _ => powers[(logarithm[usize::from(a)] + logarithm[usize::from(b)]) % 255],
                };
                assert_eq!(mul(a, b), expected, "{a} * {b}");
            }
        }
    }

    /// [FIPS 197 §4.2](https://doi.org/10.6028/NIST.FIPS.197-upd1): {57} • {83} = {c1}, {57} • {13} = {fe}.
    #[test]
    fn products_of_the_standard() {
        assert_eq!(mul(0x57, 0x83), 0xc1);
        assert_eq!(mul(0x57, 0x13), 0xfe);
    }

    #[test]
    fn every_inverse_is_one() {
        for a in 1..=255 {
            assert_eq!(mul(a, invert(a)), 1, "{a}");
        }
        assert_eq!(invert(0), 0);
    }
}
