use super::*;
use crate::NotTaken;
use crate::approval::{Approval, NotApproved, RequestId};
use crate::generation;
use crate::signing::{self, Limits, Message, Signers, Signing, Subject};
use crate::tests::{at, index, key, keys, purpose, random, terms};
use mcbn_body::base64url;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

#[track_caller]
fn stands_as<'a, M>(message: M, body: &'a str)
where
    M: Serialize + Deserialize<'a> + PartialEq + Debug,
{
    assert_eq!(str::from_utf8(&write(&message)), Ok(body));
    assert_eq!(read(body.as_bytes()), Ok(message));
}

#[track_caller]
fn refuses<'a, M: Deserialize<'a> + PartialEq + Debug>(body: &'a str) {
    assert_eq!(read::<M>(body.as_bytes()), Err(NotAMessage), "{body}");
}

#[test]
fn every_refusal_has_a_name_and_a_status() {
    for code in Code::ALL {
        let body = format!(r#"{{"refused":"{code}"}}"#);
        stands_as(Refusal::from(*code), &body);
        assert!((400..600).contains(&code.status()));
    }
    let named = Refusal::from(NotTaken::<_, ()>::Refused(signing::Refused::BadPartial(
        index(3),
    )));
    stands_as(named, r#"{"refused":"partial","participant":3}"#);
    let not_genuine = NotApproved::NotGenuine(index(2));
    let named = Refusal::from(generation::Refused::NotApproved(not_genuine));
    stands_as(named, r#"{"refused":"approval","participant":2}"#);
    let failed = Refusal::from(NotTaken::<signing::Refused, _>::Random(()));
    stands_as(failed, r#"{"refused":"unavailable"}"#);
    refuses::<Refusal>(r#"{"refused":"maybe"}"#);
    refuses::<Refusal>(r#"{"refused":"partial","participant":0}"#);
    refuses::<Refusal>(r#"{"refused":"partial","more":1}"#);
}

mod generate;
mod sign;
