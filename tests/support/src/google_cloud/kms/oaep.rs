//! RSAES-OAEP, with one hash for the label and the mask.

use openssl::encrypt::{Decrypter, Encrypter};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{HasPrivate, HasPublic, PKeyRef};
use openssl::rsa::Padding;

pub(super) fn encrypt<T: HasPublic>(
    key: &PKeyRef<T>,
    hash: MessageDigest,
    plaintext: &[u8],
) -> Result<Vec<u8>, ErrorStack> {
    let mut encrypter = Encrypter::new(key)?;
    encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    encrypter.set_rsa_oaep_md(hash)?;
    encrypter.set_rsa_mgf1_md(hash)?;
    let mut ciphertext = vec![0; encrypter.encrypt_len(plaintext)?];
    let length = encrypter.encrypt(plaintext, &mut ciphertext)?;
    ciphertext.truncate(length);
    Ok(ciphertext)
}

pub(super) fn decrypt<T: HasPrivate>(
    key: &PKeyRef<T>,
    hash: MessageDigest,
    ciphertext: &[u8],
) -> Result<Vec<u8>, ErrorStack> {
    let mut decrypter = Decrypter::new(key)?;
    decrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    decrypter.set_rsa_oaep_md(hash)?;
    decrypter.set_rsa_mgf1_md(hash)?;
    let mut plaintext = vec![0; decrypter.decrypt_len(ciphertext)?];
    let length = decrypter.decrypt(ciphertext, &mut plaintext)?;
    plaintext.truncate(length);
    Ok(plaintext)
}
