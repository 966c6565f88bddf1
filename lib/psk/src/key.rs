//! Stands in for `mcbn_secret::Psk` until that crate has it.

pub struct Psk([u8; Psk::LEN]);

impl Psk {
    pub const LEN: usize = 32;

    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    pub fn expose_secret(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}
