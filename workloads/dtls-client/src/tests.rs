//! Each mode, with real handshakes.

mod listen;
mod send;
