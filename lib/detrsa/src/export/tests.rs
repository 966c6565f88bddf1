use super::*;
use crate::{Algorithm, Seed, Size, generate};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::x509::X509Name;

fn key(number: u8) -> RsaKey {
    let seed = Seed::copied_from(&std::array::from_fn(|i| (7 * i as u8) ^ number));
    generate(Algorithm::ChaCha20V1, Size::Bits2048, &seed).unwrap()
}

fn certificate(key: &RsaKey) -> Vec<u8> {
    let key = private_key(key).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "example").unwrap();
    let mut certificate = X509::builder().unwrap();
    certificate.set_subject_name(&name.build()).unwrap();
    certificate.set_pubkey(&key).unwrap();
    certificate
        .set_not_before(&Asn1Time::from_unix(0).unwrap())
        .unwrap();
    certificate
        .set_not_after(&Asn1Time::from_unix(1).unwrap())
        .unwrap();
    certificate.sign(&key, MessageDigest::sha256()).unwrap();
    certificate.build().to_der().unwrap()
}

fn passphrase() -> Passphrase {
    use std::io::{Seek, Write};
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"correct horse\n").unwrap();
    file.rewind().unwrap();
    Passphrase::read(file).unwrap()
}

#[test]
fn pem_and_der_hold_the_key() {
    let key = key(1);
    let pem = pem(&key).unwrap();
    assert!(
        pem.expose_secret()
            .starts_with(b"-----BEGIN PRIVATE KEY-----\n")
    );
    let read = PKey::private_key_from_pem(pem.expose_secret()).unwrap();
    assert_eq!(read.public_key_to_der().unwrap(), key.spki_der());
    let read = PKey::private_key_from_pkcs8(pkcs8(&key).expose_secret()).unwrap();
    assert_eq!(read.public_key_to_der().unwrap(), key.spki_der());
}

#[test]
fn pkcs12_opens_with_its_passphrase_only() {
    let key = key(1);
    let certificate = certificate(&key);
    let exported = pkcs12(&key, &certificate, "mcbn", &passphrase()).unwrap();
    let file = Pkcs12::from_der(exported.expose_secret()).unwrap();
    let read = file.parse2("correct horse").unwrap();
    assert_eq!(
        read.pkey.unwrap().public_key_to_der().unwrap(),
        key.spki_der()
    );
    assert_eq!(read.cert.unwrap().to_der().unwrap(), certificate);
    assert!(file.parse2("correct house").is_err());
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    let refused = pkcs12(&key(1), &certificate(&key(2)), "mcbn", &passphrase());
    assert_eq!(refused.map(|_| ()), Err(NotExported::OtherKey));
}

#[test]
fn what_is_no_certificate_is_refused() {
    let refused = pkcs12(&key(1), b"none", "mcbn", &passphrase());
    assert_eq!(refused.map(|_| ()), Err(NotExported::Certificate));
}

#[test]
fn no_secret_is_shown() {
    let key = key(1);
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        pkcs8(&key),
        key.pkcs8_der(),
        key,
        passphrase()
    );
    assert_eq!(
        shown,
        "Exported(..) PrivateDer(..) RsaKey(..) Passphrase(..)"
    );
}
