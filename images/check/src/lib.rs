//! What must hold for every image, whatever made it: a second pair of eyes on `images/oci`.
//!
//! The image's own promise (ports, labels, file list) is compared with the committed text that a
//! reviewer read. The rest is held by rule here, so that a promise which was rewritten without
//! reading still cannot bring in a root user, a shell, a writable file, a key or a program
//! without its hardening.

#![forbid(unsafe_code)]

pub mod elf;
pub mod rules;
pub mod secrets;
