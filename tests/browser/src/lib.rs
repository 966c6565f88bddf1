//! The keeper's page in a real browser: what a person sees and does, and what other sites cannot do.
//!
//! The keeper is the real program, the machine that asks it is simulated, and the browser is Chromium without a window,
//! driven over a pair of pipes.

#![forbid(unsafe_code)]

pub mod browser;
pub mod elsewhere;
pub mod house;
pub mod tab;
