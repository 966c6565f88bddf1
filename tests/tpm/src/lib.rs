//! What the tests of `lib/tpm` share that need programs of others.

#![forbid(unsafe_code)]
