//! Arithmetic modulo an odd number, in a time that depends on nothing but its length.
//!
//! OpenSSL's big numbers drop leading zeros and have no selection between two values, which a Lucas test of a secret number
//! needs at every step. Its exponentiation, which is hardened, is used everywhere else.
//!
//! A value x is held as x·R modulo n, R = 2^(64·k)
//! ([P. L. Montgomery, 1985](https://doi.org/10.1090/S0025-5718-1985-0777282-X)), k words, the lowest first.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

/// 2048 bits.
pub const MAX_WORDS: usize = 32;

/// Wiped on drop; words above the length of the modulus are zero.
pub type Residue = Zeroizing<[u64; MAX_WORDS]>;

pub struct Modulus {
    words: usize,
    n: Residue,
    /// -1/n modulo 2^64.
    negative_inverse: u64,
}

impl Drop for Modulus {
    fn drop(&mut self) {
        self.negative_inverse.zeroize();
    }
}

impl Modulus {
    /// Of a big-endian number whose highest and lowest bits are set.
    ///
    /// # Panics
    ///
    /// For a number of another form, or longer than 256 bytes, or whose length is no multiple of eight.
    pub fn new(number: &[u8]) -> Modulus {
        assert!(number.len() <= 8 * MAX_WORDS && number.len().is_multiple_of(8));
        assert!(number[0] >= 0x80 && number[number.len() - 1] & 1 == 1);
        let mut n = Residue::default();
        for (word, bytes) in n.iter_mut().zip(number.rchunks(8)) {
            *word = u64::from_be_bytes(bytes.try_into().expect("a multiple of eight"));
        }
        // Newton's iteration: n·n = 1 modulo 8, and each round doubles the bits that are right.
        let mut inverse = n[0];
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(n[0].wrapping_mul(inverse)));
        }
        Modulus {
            words: number.len() / 8,
            n,
            negative_inverse: inverse.wrapping_neg(),
        }
    }

    /// R - n, as n is more than half of R.
    pub fn one(&self) -> Residue {
        let mut one = Residue::default();
        let mut borrow = false;
        for (word, n) in one.iter_mut().zip(&self.n[..self.words]) {
            (*word, borrow) = 0u64.borrowing_sub(*n, borrow);
        }
        one
    }

    pub fn is_zero(&self, a: &Residue) -> bool {
        let all = a.iter().fold(0, |all, word| all | word);
        all.ct_eq(&0).into()
    }

    pub fn add(&self, a: &Residue, b: &Residue) -> Residue {
        let mut sum = Residue::default();
        let mut carry = false;
        for i in 0..self.words {
            (sum[i], carry) = a[i].carrying_add(b[i], carry);
        }
        self.reduced(sum, carry)
    }

    pub fn negated(&self, a: &Residue) -> Residue {
        let mut difference = Residue::default();
        let mut borrow = false;
        for i in 0..self.words {
            (difference[i], borrow) = self.n[i].borrowing_sub(a[i], borrow);
        }
        // n - 0 is n.
        self.reduced(difference, false)
    }

    pub fn halved(&self, a: &Residue) -> Residue {
        let odd = (a[0] & 1).wrapping_neg();
        let mut half = Residue::default();
        let mut carry = false;
        for i in 0..self.words {
            (half[i], carry) = a[i].carrying_add(self.n[i] & odd, carry);
        }
        let mut above = u64::from(carry);
        for word in half[..self.words].iter_mut().rev() {
            let shifted = *word >> 1 | above << 63;
            above = *word & 1;
            *word = shifted;
        }
        half
    }

    pub fn multiplied(&self, a: &Residue, b: &Residue) -> Residue {
        let k = self.words;
        let (a, n) = (&a[..k], &self.n[..k]);
        let mut sum = Residue::default();
        let mut top = false;
        for b in &b[..k] {
            // sum = (sum + a·b + m·n) / 2^64, where m makes the lowest word zero.
            let sum = &mut sum[..k];
            let (low, mut a_carry) = a[0].carrying_mul_add(*b, sum[0], 0);
            let m = low.wrapping_mul(self.negative_inverse);
            let (_, mut n_carry) = n[0].carrying_mul_add(m, low, 0);
            for i in 1..k {
                let word;
                (word, a_carry) = a[i].carrying_mul_add(*b, sum[i], a_carry);
                (sum[i - 1], n_carry) = n[i].carrying_mul_add(m, word, n_carry);
            }
            (sum[k - 1], top) = a_carry.carrying_add(n_carry, top);
        }
        self.reduced(sum, top)
    }

    /// Of a value below 2n, whose highest bit is apart.
    fn reduced(&self, a: Residue, top: bool) -> Residue {
        let mut less = Residue::default();
        let mut borrow = false;
        for i in 0..self.words {
            (less[i], borrow) = a[i].borrowing_sub(self.n[i], borrow);
        }
        let fits = Choice::from(u8::from(borrow)) & !Choice::from(u8::from(top));
        selected(&less, &a, fits)
    }
}

/// The second where `choice` is set.
pub fn selected(a: &Residue, b: &Residue, choice: Choice) -> Residue {
    let mut selected = Residue::default();
    for i in 0..MAX_WORDS {
        selected[i] = u64::conditional_select(&a[i], &b[i], choice);
    }
    selected
}
