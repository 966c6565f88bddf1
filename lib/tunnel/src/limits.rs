//! How many connections there may be, in all and from one place.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Hands out slots. Clones hand out the same ones.
#[derive(Clone)]
pub struct Slots(Arc<Shared>);

struct Shared {
    total: usize,
    each_peer: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// The right to one connection, until it is dropped.
pub struct Slot {
    shared: Arc<Shared>,
    peer: IpAddr,
}

/// Why there is no slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Full {
    /// There are as many connections as there may be.
    Total,
    /// There are as many from this address.
    Peer,
    /// As many peers as may have not shown yet that they know the key.
    Handshakes,
}

impl Slots {
    pub fn new(total: NonZeroUsize, each_peer: NonZeroUsize) -> Self {
        Self(Arc::new(Shared {
            total: total.get(),
            each_peer: each_peer.get(),
            taken: Mutex::default(),
        }))
    }

    /// Takes a slot for a connection from `peer`.
    pub fn take(&self, peer: IpAddr) -> Result<Slot, Full> {
        let peer = place(peer);
        let mut taken = self.0.taken();
        if taken.total >= self.0.total {
            return Err(Full::Total);
        }
        let from_peer = taken.by_peer.entry(peer).or_default();
        if *from_peer >= self.0.each_peer {
            return Err(Full::Peer);
        }
        *from_peer += 1;
        taken.total += 1;
        Ok(Slot {
            shared: Arc::clone(&self.0),
            peer,
        })
    }
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing can panic while the lock is held; numbers are right whatever happened.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.shared.taken();
        taken.total -= 1;
        if let Some(from_peer) = taken.by_peer.get_mut(&self.peer) {
            *from_peer -= 1;
            if *from_peer == 0 {
                taken.by_peer.remove(&self.peer);
            }
        }
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// Who counts as one peer: an IPv4 address, or the /64 that an IPv6 host has to itself.
pub fn place(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => {
            const HOST_PART: u128 = u64::MAX as u128;
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !HOST_PART))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(total: usize, each_peer: usize) -> Slots {
        Slots::new(
            NonZeroUsize::new(total).unwrap(),
            NonZeroUsize::new(each_peer).unwrap(),
        )
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_slot_comes_back_when_it_is_dropped() {
        let slots = slots(1, 1);
        let first = slots.take(ip("192.0.2.1")).unwrap();
        assert_eq!(slots.take(ip("192.0.2.2")).unwrap_err(), Full::Total);
        drop(first);
        assert!(slots.take(ip("192.0.2.2")).is_ok());
    }

    #[test]
    fn one_more_from_a_peer_is_refused_and_others_are_not() {
        let slots = slots(10, 2);
        let _held = [
            slots.take(ip("192.0.2.1")).unwrap(),
            slots.take(ip("::ffff:192.0.2.1")).unwrap(),
        ];
        assert_eq!(slots.take(ip("192.0.2.1")).unwrap_err(), Full::Peer);
        assert!(slots.take(ip("192.0.2.2")).is_ok());
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_peer() {
        let slots = slots(10, 1);
        let _held = slots.take(ip("2001:db8::1")).unwrap();
        assert_eq!(slots.take(ip("2001:db8::ffff:2")).unwrap_err(), Full::Peer);
        assert!(slots.take(ip("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn peers_that_left_are_forgotten() {
        let slots = slots(10, 1);
        for last in 0..=255 {
            drop(slots.take(IpAddr::from([192, 0, 2, last])).unwrap());
        }
        assert!(slots.0.taken().by_peer.is_empty());
    }
}
