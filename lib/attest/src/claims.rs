//! What a token says of a machine, as types.

/// Every claim that a policy may judge, and those that name the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {}
