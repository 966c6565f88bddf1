use super::*;
use crate::participants::Participants;
use crate::tests::{derived, index, key, keys, terms, terms_of, unhex};

const ID: RequestId = RequestId([3; 32]);

#[track_caller]
fn refuses(other: Request) {
    let approval = Request {
        id: ID,
        terms: &terms(3),
        payload: b"a payload",
    }
    .approve(&key(2));
    let refused = NotApproved::NotGenuine(index(2));
    assert_eq!(other.verify(index(2), &approval), Err(refused));
}

#[test]
fn an_approval_is_of_one_participant_and_one_request() {
    let terms = terms(3);
    let request = Request {
        id: ID,
        terms: &terms,
        payload: b"a payload",
    };
    let approval = request.approve(&key(2));
    let verified = request.verify(index(2), &approval).unwrap();
    assert_eq!((verified.index(), verified.request()), (index(2), ID));
    for other in [1, 3] {
        let refused = NotApproved::NotGenuine(index(other));
        assert_eq!(request.verify(index(other), &approval), Err(refused));
    }
    let refused = NotApproved::Stranger(index(4));
    assert_eq!(request.verify(index(4), &approval), Err(refused));
}

#[test]
fn an_approval_moved_to_another_request_is_refused() {
    refuses(Request {
        id: RequestId([4; 32]),
        terms: &terms(3),
        payload: b"a payload",
    });
}

#[test]
fn an_approval_of_another_payload_is_refused() {
    for payload in [b"".as_slice(), b"a payloa", b"another payload"] {
        refuses(Request {
            id: ID,
            terms: &terms(3),
            payload,
        });
    }
}

#[test]
fn an_approval_of_other_terms_is_refused() {
    let three = || Participants::new(keys(3)).unwrap();
    let mut turned = keys(3);
    turned.swap(0, 2);
    for other in [
        terms_of([9; 32], [2; 32], 2, three()),
        terms_of([1; 32], [9; 32], 2, three()),
        terms_of([1; 32], [2; 32], 3, three()),
        terms_of([1; 32], [2; 32], 2, Participants::new(keys(4)).unwrap()),
        terms_of([1; 32], [2; 32], 2, Participants::new(turned).unwrap()),
    ] {
        refuses(Request {
            id: ID,
            terms: &other,
            payload: b"a payload",
        });
    }
}

/// The order of the group, little-endian: 2^252 + 27742317777372353535851937790883648493.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

#[test]
fn another_signature_of_the_same_thing_is_refused() {
    let terms = terms(3);
    let request = Request {
        id: ID,
        terms: &terms,
        payload: b"a payload",
    };
    let Approval(mut bytes) = request.approve(&key(2));
    // S + the order: the same number, if it were reduced.
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(unhex(ORDER)) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert_eq!(carry, 0);
    let refused = NotApproved::NotGenuine(index(2));
    assert_eq!(request.verify(index(2), &Approval(bytes)), Err(refused));
}

#[test]
fn a_signature_whose_point_is_encoded_otherwise_is_refused() {
    // Under a key at the identity (which is no participant's), R at the identity and S zero verify; the same R as
    // y = p + 1 does not.
    let mut identity = [0; 32];
    identity[0] = 1;
    let verify = |r: [u8; 32]| {
        let signature = [r, [0; 32]].concat();
        UnparsedPublicKey::new(&ED25519, identity).verify(b"whatever there is", &signature)
    };
    assert!(verify(identity).is_ok());
    let mut other = [0xff; 32];
    (other[0], other[31]) = (0xee, 0x7f);
    assert!(verify(other).is_err());
}

#[test]
fn every_bit_counts() {
    let terms = terms(3);
    let request = Request {
        id: ID,
        terms: &terms,
        payload: b"a payload",
    };
    let approval = request.approve(&key(2));
    for place in 0..Approval::LENGTH {
        let mut other = approval;
        other.0[place] ^= 1;
        assert!(request.verify(index(2), &other).is_err(), "{place}");
    }
}

#[test]
fn what_is_no_private_key_is_refused() {
    assert!(SigningKey::from_pkcs8(b"").is_err());
    assert!(SigningKey::from_pkcs8(&[0x30; 48]).is_err());
}

#[test]
fn debug_shows_no_private_key() {
    assert_eq!(format!("{:?}", key(1)), "SigningKey(..)");
}

/// Computed by testdata/derive.py.
#[test]
fn the_layout_and_the_signature_have_a_known_answer() {
    let answer = derived("approval");
    let text = |name: &str| answer[name].as_str().unwrap();
    let fixed = |name: &str| <[u8; 32]>::try_from(unhex(text(name))).unwrap();
    let keys = answer["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| {
            let bytes = unhex(key.as_str().unwrap()).try_into().unwrap();
            ParticipantKey::from_bytes(&bytes).unwrap()
        });
    let terms = terms_of(
        fixed("manifest"),
        fixed("image"),
        2,
        Participants::new(keys.collect()).unwrap(),
    );
    let request = Request {
        id: RequestId(fixed("request")),
        terms: &terms,
        payload: &unhex(text("payload")),
    };
    assert_eq!(request.bytes(), unhex(text("signed")));
    let signer = SigningKey::from_pkcs8(&unhex(text("pkcs8"))).unwrap();
    let approval = request.approve(&signer);
    assert_eq!(approval.0.as_slice(), unhex(text("signature")));
    assert!(request.verify(index(3), &approval).is_ok());
}
