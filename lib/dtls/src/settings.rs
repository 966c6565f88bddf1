//! The settings of DTLS, which are the same for every program that speaks it.

use mcbn_psk::settings::Protocol;
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_secret::Psk;
use mcbn_share::{Combined, ContextTooLong};

use crate::context::Suites;
use crate::mtu::Mtu;

pub const CCM8: Setting = Setting::switch(
    "ccm8",
    "also speak TLS_PSK_WITH_AES_128_CCM_8, whose tags have 8 bytes, for small devices that have nothing else",
);

pub const MTU: Setting = Setting::value(
    "mtu",
    "BYTES",
    "the largest IP packet that the path carries whole; what does not fit is dropped and counted",
)
.default("1280")
.operator();

/// What the settings say of the handshake and the path.
#[derive(Clone, Copy, Debug)]
pub struct Dtls {
    pub suites: Suites,
    pub mtu: Mtu,
}

impl Protocol for Dtls {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let suites = match given.on(&CCM8) {
            true => Suites::AndCcm8,
            false => Suites::Strong,
        };
        let mtu = given.one(&MTU)?;
        Ok(Self { suites, mtu })
    }

    fn key(combined: &Combined, identity: &[u8]) -> Result<Psk, ContextTooLong> {
        combined.dtls_psk(identity)
    }
}
