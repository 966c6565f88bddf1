//! A participant's keeper: it holds one share, and hands it to machines that prove what they are, for a time.

pub mod command;
pub mod desk;
pub mod key;
pub mod ledger;
pub mod page;
pub mod run;
pub mod serve;
pub mod settings;
pub mod show;
pub mod verify;
