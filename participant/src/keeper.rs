//! A participant's keeper: it holds one share, and hands it to machines that prove what they are, for a time.

pub mod key;
pub mod ledger;
pub mod serve;
pub mod verify;
