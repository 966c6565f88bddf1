use super::*;
use crate::tests::{derived, index, random, unhex};
use std::convert::Infallible;

fn context() -> Context {
    Context {
        request: RequestId([1; 32]),
        commitments: [2; 32],
        owner: index(3),
    }
}

fn share() -> SigningShare {
    SigningShare::copied_from(&[0x5a; 32])
}

fn key(seed: u8) -> OpeningKey {
    opening_key(random(seed)).unwrap()
}

fn sealed() -> SealedShare {
    let to = EncryptionKey::of(&key(1));
    SealedShare::seal(&context(), &to, &share(), random(9)).unwrap()
}

#[test]
fn its_owner_opens_it() {
    assert_eq!(sealed().open(&context(), &key(1)), Ok(share()));
}

#[test]
fn a_share_sealed_to_another_key_is_refused() {
    assert_eq!(sealed().open(&context(), &key(2)), Err(NotOpened));
}

#[test]
fn a_share_sealed_for_something_else_is_refused() {
    let other_request = Context {
        request: RequestId([9; 32]),
        ..context()
    };
    let other_group = Context {
        commitments: [9; 32],
        ..context()
    };
    let other_owner = Context {
        owner: index(4),
        ..context()
    };
    for other in [other_request, other_group, other_owner] {
        assert_eq!(sealed().open(&other, &key(1)), Err(NotOpened), "{other:?}");
    }
}

#[test]
fn a_changed_share_is_refused() {
    for place in 0..SealedShare::LENGTH {
        let mut changed = sealed();
        changed.0[place] ^= 1;
        assert_eq!(changed.open(&context(), &key(1)), Err(NotOpened), "{place}");
    }
}

#[test]
fn a_sealed_share_whose_key_is_of_small_order_is_refused() {
    let mut changed = sealed();
    changed.0[..ENC].fill(0);
    assert_eq!(changed.open(&context(), &key(1)), Err(NotOpened));
}

#[test]
fn an_encryption_key_of_small_order_is_refused() {
    // Those of RFC 7748's curve, as libsodium's and others' lists have them: 0, 1, two of order 8, and p - 1.
    for small in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let bytes = unhex(small).try_into().unwrap();
        assert_eq!(EncryptionKey::from_bytes(&bytes), Err(NotAnEncryptionKey));
    }
}

#[test]
fn another_encoding_of_an_encryption_key_is_refused() {
    let mut bytes = EncryptionKey::of(&key(1)).to_bytes();
    assert!(EncryptionKey::from_bytes(&bytes).is_ok());
    bytes[31] |= 0x80;
    assert_eq!(EncryptionKey::from_bytes(&bytes), Err(NotAnEncryptionKey));
    // p + 9, for 9.
    let mut nine = [0; 32];
    nine[0] = 9;
    assert!(EncryptionKey::from_bytes(&nine).is_ok());
    let mut other = [0xff; 32];
    (other[0], other[31]) = (0xf6, 0x7f);
    assert_eq!(EncryptionKey::from_bytes(&other), Err(NotAnEncryptionKey));
}

#[test]
fn a_source_of_random_bytes_that_fails_seals_nothing() {
    let to = EncryptionKey::of(&key(1));
    let refused = SealedShare::seal(&context(), &to, &share(), |_| Err("empty"));
    assert_eq!(refused, Err("empty"));
    assert_eq!(opening_key(|_| Err("empty")), Err("empty"));
}

/// [RFC 9180 §A.2.1](https://www.rfc-editor.org/rfc/rfc9180#appendix-A.2.1), the first encryption.
mod rfc_9180_a_2_1 {
    use super::*;

    const INFO: &str = "4f6465206f6e2061204772656369616e2055726e";
    const IKM_E: &str = "909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b";
    const IKM_R: &str = "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df";
    const SK_R: &str = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
    const PK_R: &str = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
    const ENC: &str = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
    const PLAIN: &str = "4265617574792069732074727574682c20747275746820626561757479";
    const AAD: &str = "436f756e742d30";
    const SEALED: &str = "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28";

    #[test]
    fn the_keys_are_those_of_the_appendix() {
        let (private, public) = X25519HkdfSha256::derive_keypair(&unhex(IKM_R));
        assert!(private == PrivateKey::from_bytes(&unhex(SK_R)).unwrap());
        assert_eq!(public.to_bytes().as_slice(), unhex(PK_R));
        let kept = OpeningKey::copied_from(&unhex(SK_R).try_into().unwrap());
        assert_eq!(EncryptionKey::of(&kept).0.as_slice(), unhex(PK_R));
    }

    #[test]
    fn sealing_gives_the_ciphertext() {
        let (plain, expected) = (unhex(PLAIN), unhex(SEALED));
        let (expected, expected_tag) = expected.split_at(plain.len());
        let mut sealed = vec![0; plain.len()];
        let (enc, tag) = seal_to(
            &PublicKey::from_bytes(&unhex(PK_R)).unwrap(),
            &unhex(INFO),
            &unhex(AAD),
            InOutBuf::new(&plain, &mut sealed).unwrap(),
            &unhex(IKM_E).try_into().unwrap(),
        );
        assert_eq!(enc.to_bytes().as_slice(), unhex(ENC));
        assert_eq!(sealed, expected);
        assert_eq!(tag.to_bytes().as_slice(), expected_tag);
    }

    #[test]
    fn opening_gives_the_plaintext() {
        let sealed = unhex(SEALED);
        let (ciphertext, tag) = sealed.split_at(sealed.len() - TAG);
        let mut plain = vec![0; ciphertext.len()];
        let opened = open_with(
            &PrivateKey::from_bytes(&unhex(SK_R)).unwrap(),
            &unhex(INFO),
            &unhex(AAD),
            &unhex(ENC),
            InOutBuf::new(ciphertext, &mut plain).unwrap(),
            tag,
        );
        assert_eq!(opened, Ok(()));
        assert_eq!(plain, unhex(PLAIN));
    }
}

/// Computed by testdata/derive.py with another implementation of HPKE.
#[test]
fn the_layout_has_a_known_answer() {
    let answer = derived("sealed");
    let field = |name: &str| -> Vec<u8> { unhex(answer[name].as_str().unwrap()) };
    let fixed = |name: &str| <[u8; 32]>::try_from(field(name)).unwrap();
    let context = Context {
        request: RequestId(fixed("request")),
        commitments: fixed("commitments"),
        owner: index(7),
    };
    let key = OpeningKey::copied_from(&fixed("opening_key"));
    assert_eq!(EncryptionKey::of(&key).0, fixed("encryption_key"));
    let sealed = SealedShare(field("sealed").try_into().unwrap());
    let share = SigningShare::copied_from(&fixed("share"));
    assert_eq!(sealed.open(&context, &key), Ok(share));
    let share = SigningShare::copied_from(&fixed("share"));
    let again = SealedShare::seal(&context, &EncryptionKey::of(&key), &share, |bytes| {
        bytes.copy_from_slice(&fixed("ephemeral"));
        Ok::<_, Infallible>(())
    });
    assert_eq!(again, Ok(sealed));
}
