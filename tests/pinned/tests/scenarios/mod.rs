//! What every connector does. Each file beside this folder names one, as `Stack`.

mod handshake;
mod keepers;
