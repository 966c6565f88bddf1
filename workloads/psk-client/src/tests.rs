//! Each mode, with real handshakes.

mod get;
mod listen;
mod stdio;
