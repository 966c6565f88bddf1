//! Points of BLS12-381, and what participants send a server that makes a key or signs.

use crate::share::with_text;
use mcbn_ceremony::message::{
    Announcement, AskAnnounce, AskApprove, AskConfirm, AskSubmit, GivenReceipt, GivenShare, read,
    write,
};
use mcbn_threshold::{PublicKey, Signature};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

pub fn bls_public_key(data: &[u8]) {
    if let Ok(bytes) = data.try_into()
        && let Ok(key) = PublicKey::from_bytes(bytes)
    {
        assert_eq!(key.to_bytes(), *bytes);
    }
    with_text(data, |text| {
        if let Ok(key) = text.parse::<PublicKey>() {
            assert_eq!(key.to_string(), text);
        }
    });
}

pub fn bls_signature(data: &[u8]) {
    if let Ok(bytes) = data.try_into()
        && let Ok(signature) = Signature::from_bytes(bytes)
    {
        assert_eq!(signature.to_bytes(), *bytes);
    }
}

pub fn ceremony_message(data: &[u8]) {
    same::<Announcement>(data);
    same::<AskApprove>(data);
    same::<AskConfirm>(data);
    same::<GivenShare>(data);
    same::<AskAnnounce>(data);
    same::<AskSubmit>(data);
    if let Some(receipt) = same::<GivenReceipt>(data) {
        // Whatever it says, it proves itself or is none.
        let _ = receipt.receipt();
    }
}

/// What was read is written as a message that reads the same.
fn same<M: DeserializeOwned + Serialize + PartialEq + Debug>(data: &[u8]) -> Option<M> {
    let message: M = read(data).ok()?;
    assert_eq!(read::<M>(&write(&message)).as_ref(), Ok(&message));
    Some(message)
}
