//! The names of Google Cloud's resources, and of the places where its services answer.
//!
//! Parsing is all that is done here: nothing is looked up, and no client is linked, so that whoever only reads such names
//! has nothing else of Google's.
//!
//! A name is put into the path of a request as it is. So it has one spelling, and nothing stands in it that a path or a
//! terminal would take for something else: no percent sign, no dot, no control character. What is not in the grammar that
//! Google documents is refused, and so are `latest` in place of a version, which may be another one tomorrow, and project
//! IDs with a domain before them, which have a number as well.
//!
//! Two names that differ may mean one resource all the same: a project has an ID and a number.
#![forbid(unsafe_code)]

mod endpoint;
mod name;

pub use endpoint::{Endpoint, NotAnEndpoint};
pub use name::{
    KeyName, KeyVersionName, NotAKey, NotAKeyVersion, NotAProvider, NotASecretVersion,
    ProviderName, SecretVersionName,
};
