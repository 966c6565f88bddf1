//! Sessions that may be resumed: at the server by the ticket's name, at the client in a jar of tickets.
//!
//! Each has its end with it, which is that of the handshake that was signed, however often the session was resumed since:
//! it is handed from the ticket that opened a connection to those that the connection gives.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::server::StoresServerSessions;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::{ServerName, UnixTime};
use zeroize::Zeroizing;

use crate::turn::Turn;

/// At one time; the oldest goes first.
const MOST_SESSIONS: usize = 4096;

/// Of one session: it holds the peer's certificates.
const LONGEST_SESSION: usize = 16 * 1024;

/// At one time, at a client.
const MOST_TICKETS: usize = 16;

/// A server's. What is written nowhere is gone with the program.
pub(crate) struct Sessions {
    clock: Arc<dyn TimeProvider>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    sessions: HashMap<Vec<u8>, Session>,
    /// Names in the order in which they came; some are taken already.
    order: VecDeque<Vec<u8>>,
}

struct Session {
    value: Zeroizing<Vec<u8>>,
    until: UnixTime,
}

impl Sessions {
    pub(crate) fn new(clock: Arc<dyn TimeProvider>) -> Sessions {
        Sessions {
            clock,
            held: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // What is in there is whole at any time.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Drops what has ended, as far as nothing stands before it, and what there is no room for.
    fn sweep(&mut self, now: UnixTime) {
        while let Some(first) = self.order.front() {
            let stays = self
                .sessions
                .get(first)
                .is_some_and(|first| now < first.until);
            if stays
                && self.sessions.len() <= MOST_SESSIONS
                && self.order.len() <= 2 * MOST_SESSIONS
            {
                return;
            }
            let first = self.order.pop_front().expect("it is there");
            self.sessions.remove(&first);
        }
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, name: Vec<u8>, value: Vec<u8>) -> bool {
        let value = Zeroizing::new(value);
        let until = Turn::current().and_then(|turn| turn.good_until());
        let (Some(until), Some(now)) = (until, self.clock.current_time()) else {
            return false;
        };
        if until <= now || value.len() > LONGEST_SESSION {
            return false;
        }
        let mut held = self.held();
        held.order.push_back(name.clone());
        held.sessions.insert(name, Session { value, until });
        held.sweep(now);
        true
    }

    /// TLS 1.2 asks so, which resumes nothing here.
    fn get(&self, _name: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn take(&self, name: &[u8]) -> Option<Vec<u8>> {
        let now = self.clock.current_time()?;
        let turn = Turn::current()?;
        let session = {
            let mut held = self.held();
            let session = held.sessions.remove(name);
            held.sweep(now);
            session?
        };
        if session.until <= now {
            return None;
        }
        turn.set_good_until(session.until);
        Some(session.value.to_vec())
    }

    fn can_cache(&self) -> bool {
        true
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions(..)")
    }
}

/// A client's tickets, for all its connections.
pub(crate) struct Jar {
    clock: Arc<dyn TimeProvider>,
    tickets: Mutex<VecDeque<(UnixTime, Tls13ClientSessionValue)>>,
}

impl Jar {
    pub(crate) fn new(clock: Arc<dyn TimeProvider>) -> Jar {
        Jar {
            clock,
            tickets: Mutex::default(),
        }
    }

    fn tickets(&self) -> MutexGuard<'_, VecDeque<(UnixTime, Tls13ClientSessionValue)>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The jar as one connection has it: its tickets come after its handshake, and end with the session.
pub(crate) struct JarOfConnection {
    pub(crate) jar: Arc<Jar>,
    pub(crate) turn: Arc<Turn>,
}

impl ClientSessionStore for JarOfConnection {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        let (Some(until), Some(now)) = (self.turn.good_until(), self.jar.clock.current_time())
        else {
            return;
        };
        let mut tickets = self.jar.tickets();
        tickets.retain(|(until, _)| now < *until);
        if tickets.len() == MOST_TICKETS {
            tickets.pop_front();
        }
        tickets.push_back((until, ticket));
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        let now = self.jar.clock.current_time()?;
        let mut tickets = self.jar.tickets();
        tickets.retain(|(until, _)| now < *until);
        let (until, ticket) = tickets.pop_back()?;
        // A server that does not know it has to show its certificate, and the judge says anew.
        self.turn.set_good_until(until);
        Some(ticket)
    }
}

impl fmt::Debug for JarOfConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JarOfConnection(..)")
    }
}
