//! Secret numbers: OpenSSL wipes those that it makes as secure ones, its own copies and its contexts' included.

use openssl::bn::{BigNum, BigNumContext, BigNumContextRef, BigNumRef};
use openssl::error::ErrorStack;

/// Zero.
pub fn secret() -> Result<BigNum, ErrorStack> {
    BigNum::new_secure()
}

/// Of big-endian bytes.
pub fn secret_of(bytes: &[u8]) -> Result<BigNum, ErrorStack> {
    let mut number = secret()?;
    number.copy_from_slice(bytes)?;
    // Exponentiation, inversion and division then take a time that depends on the lengths alone.
    number.set_const_time();
    Ok(number)
}

pub fn secret_copy(number: &BigNumRef) -> Result<BigNum, ErrorStack> {
    let mut copy = secret()?;
    copy.lshift(number, 0)?;
    copy.set_const_time();
    Ok(copy)
}

/// Its temporary numbers are wiped.
pub fn context() -> Result<BigNumContext, ErrorStack> {
    BigNumContext::new_secure()
}

/// `number` - 1.
pub fn predecessor(number: &BigNumRef) -> Result<BigNum, ErrorStack> {
    let mut less = secret_copy(number)?;
    less.sub_word(1)?;
    Ok(less)
}

/// `base` to the power of `exponent` modulo an odd `modulus`, with OpenSSL's hardened exponentiation.
pub fn power(
    base: &BigNumRef,
    exponent: &BigNumRef,
    modulus: &BigNumRef,
    context: &mut BigNumContextRef,
) -> Result<BigNum, ErrorStack> {
    debug_assert!(exponent.is_const_time() || modulus.is_const_time());
    let mut power = secret()?;
    power.mod_exp(base, exponent, modulus, context)?;
    Ok(power)
}

pub fn is_one(number: &BigNumRef) -> bool {
    number.num_bits() == 1
}
