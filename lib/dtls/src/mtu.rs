//! How large a packet may be.

use std::fmt;
use std::str::FromStr;

/// The largest IP packet that a path carries whole, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mtu(u16);

impl Mtu {
    /// Every path that carries IPv6 carries so much ([RFC 8200 §5]).
    ///
    /// [RFC 8200 §5]: https://www.rfc-editor.org/rfc/rfc8200#section-5
    pub const SAFE: Self = Self(1280);

    /// What every IPv4 host takes ([RFC 791 §3.1]).
    ///
    /// [RFC 791 §3.1]: https://www.rfc-editor.org/rfc/rfc791#section-3.1
    const LEAST: u16 = 576;

    /// An IPv6 header and a UDP header; those of IPv4 are shorter.
    const HEADERS: u16 = 40 + 8;

    /// The payload of a UDP datagram that fits.
    pub(crate) fn datagram(self) -> u32 {
        u32::from(self.0 - Self::HEADERS)
    }
}

impl Default for Mtu {
    fn default() -> Self {
        Self::SAFE
    }
}

impl FromStr for Mtu {
    type Err = NotAnMtu;

    fn from_str(text: &str) -> Result<Self, NotAnMtu> {
        match text.parse() {
            // `+1280` parses as a number.
            Ok(bytes) if bytes >= Self::LEAST && !text.starts_with('+') => Ok(Self(bytes)),
            _ => Err(NotAnMtu),
        }
    }
}

/// The text is no MTU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAnMtu;

impl fmt::Display for NotAnMtu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a number of bytes from {} to 65535", Mtu::LEAST)
    }
}

impl std::error::Error for NotAnMtu {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_are_taken_off() {
        assert_eq!(Mtu::SAFE.datagram(), 1232);
        assert_eq!("1500".parse::<Mtu>().unwrap().datagram(), 1452);
    }

    #[test]
    fn what_no_path_has_is_refused() {
        for text in ["", "575", "65536", "-1", "+1280", "1280 ", "0x500"] {
            assert_eq!(text.parse::<Mtu>(), Err(NotAnMtu), "{text}");
        }
    }
}
