//! The bytes of a key's file, read by nothing of this project's.

use der::asn1::AnyRef;
use der::pem::LineEnding;
use der::{Decode, Reader, SliceReader};

/// The two octet strings at the end: a TPM2B_PUBLIC and a TPM2B_PRIVATE.
pub fn parts(pem: &[u8]) -> [Vec<u8>; 2] {
    let (_, der) = der::pem::decode_vec(pem).expect("it is a key's file");
    let sequence = AnyRef::from_der(&der).expect("it is a key's file");
    let mut fields = SliceReader::new(sequence.value()).expect("it is short");
    let mut all = Vec::new();
    while !fields.is_finished() {
        let field: AnyRef<'_> = fields.decode().expect("a key's fields");
        all.push(field.value().to_vec());
    }
    let private = all.pop().expect("it has fields");
    let public = all.pop().expect("it has fields");
    [public, private]
}

/// The file with a bit of its private part changed; `at` counts after the part's size.
pub fn spoilt(pem: &[u8], at: usize) -> Vec<u8> {
    let [_, private] = parts(pem);
    let (label, mut der) = der::pem::decode_vec(pem).expect("it is a key's file");
    let start = der.len() - private.len() + 2;
    der[start + at] ^= 1;
    let pem = der::pem::encode_string(label, LineEnding::LF, &der);
    pem.expect("the label was one before").into_bytes()
}
