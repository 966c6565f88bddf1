//! The cookies that prove an address ([RFC 6347 §4.2.1]).
//!
//! A client gets its cookie only if it receives what is sent to its address. The server remembers none: each is a MAC
//! over what the client will send again.
//!
//! [RFC 6347 §4.2.1]: https://www.rfc-editor.org/rfc/rfc6347#section-4.2.1

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use openssl::error::ErrorStack;
use sha2::Sha256;
use zeroize::Zeroizing;

/// How long new cookies are made with one secret. Each is good for that long at least, and for twice at most.
const PERIOD: Duration = Duration::from_secs(60);

const LABEL: &[u8; 16] = b"mcbn dtls cookie";

type Secret = Zeroizing<[u8; 32]>;

/// Makes cookies, with secrets that change.
pub(crate) struct Oven {
    current: Secret,
    previous: Secret,
    since: Instant,
}

/// The cookies that are good for one ClientHello: the one that is given out, and that of the period before.
#[derive(Clone, Copy)]
pub(crate) struct Cookies {
    current: [u8; 32],
    previous: [u8; 32],
}

impl Oven {
    pub(crate) fn new(now: Instant) -> Result<Self, ErrorStack> {
        Ok(Self {
            current: secret()?,
            previous: secret()?,
            since: now,
        })
    }

    /// For a client at this address, and for this one of its attempts.
    pub(crate) fn cookies(
        &mut self,
        client: SocketAddr,
        random: &[u8; 32],
        now: Instant,
    ) -> Result<Cookies, ErrorStack> {
        let age = now.saturating_duration_since(self.since);
        if age >= PERIOD {
            let next = secret()?;
            self.previous = match age < 2 * PERIOD {
                true => std::mem::replace(&mut self.current, next),
                // Nobody came for so long that the last secret is as old as the one before it may be.
                false => {
                    self.current = next;
                    secret()?
                }
            };
            self.since = now;
        }
        Ok(Cookies {
            current: bake(&self.current, client, random),
            previous: bake(&self.previous, client, random),
        })
    }
}

impl Cookies {
    /// The one to give out.
    pub(crate) fn fresh(&self) -> &[u8; 32] {
        &self.current
    }

    pub(crate) fn has(&self, cookie: &[u8]) -> bool {
        let is = |own: &[u8; 32]| own.len() == cookie.len() && openssl::memcmp::eq(own, cookie);
        is(&self.current) | is(&self.previous)
    }
}

fn secret() -> Result<Secret, ErrorStack> {
    let mut secret = Secret::default();
    openssl::rand::rand_bytes(&mut *secret)?;
    Ok(secret)
}

/// Every field has a fixed length: a label, 16 bytes of address (IPv4 in its IPv6 form), 2 of port, 32 of random.
fn bake(secret: &Secret, client: SocketAddr, random: &[u8; 32]) -> [u8; 32] {
    let address = match client.ip() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(&**secret).expect("HMAC takes any key");
    mac.update(LABEL);
    mac.update(&address.octets());
    mac.update(&client.port().to_be_bytes());
    mac.update(random);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: [u8; 32] = [7; 32];

    fn client(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_cookie_is_good_for_the_period_after_its_own() {
        let start = Instant::now();
        let mut oven = Oven::new(start).unwrap();
        let peer = client("192.0.2.1:1000");
        let mut at = |time| oven.cookies(peer, &RANDOM, time).unwrap();
        let cookie = *at(start).fresh();
        assert!(at(start + PERIOD - Duration::from_millis(1)).has(&cookie));
        let next = at(start + PERIOD);
        assert!(next.has(&cookie));
        assert_ne!(next.fresh(), &cookie);
    }

    #[test]
    fn an_older_cookie_is_refused() {
        let start = Instant::now();
        let peer = client("192.0.2.1:1000");
        for waits in [&[1, 2][..], &[2], &[100]] {
            let mut oven = Oven::new(start).unwrap();
            let mut at = |periods: u32| {
                let time = start + PERIOD * periods;
                oven.cookies(peer, &RANDOM, time).unwrap()
            };
            let cookie = *at(0).fresh();
            let last = waits.iter().map(|wait| at(*wait)).last().unwrap();
            assert!(!last.has(&cookie), "{waits:?}");
        }
    }

    #[test]
    fn the_cookie_of_another_hello_is_refused() {
        let now = Instant::now();
        let mut oven = Oven::new(now).unwrap();
        let mut cookie = |peer: &str, random: &[u8; 32]| {
            *oven.cookies(client(peer), random, now).unwrap().fresh()
        };
        let others = [
            cookie("192.0.2.1:1001", &RANDOM),
            cookie("192.0.2.2:1000", &RANDOM),
            cookie("192.0.2.1:1000", &[8; 32]),
        ];
        let own = cookie("192.0.2.1:1000", &RANDOM);
        assert_eq!(own, cookie("[::ffff:192.0.2.1]:1000", &RANDOM));
        let good = oven
            .cookies(client("192.0.2.1:1000"), &RANDOM, now)
            .unwrap();
        assert!(good.has(&own));
        for other in others {
            assert!(!good.has(&other));
        }
        assert!(!good.has(&[]) && !good.has(&own[..31]));
    }
}
