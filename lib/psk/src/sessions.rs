//! Sessions of TLS 1.2 that are resumed, where that is asked for ([RFC 5246 §7.3]).
//!
//! A resumed session has the master secret of an earlier one, and asks for no key: who had the key then is let in again
//! without it, and what leaks of the first session opens the later ones too. A session can be resumed only where it was
//! made, by the key and with an extended master secret, and for as long as [`LIFETIME`] says. Nothing of it is outside this
//! process: there are no tickets.
//!
//! [RFC 5246 §7.3]: https://www.rfc-editor.org/rfc/rfc5246#section-7.3

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mcbn_tls::Setup;
use openssl::ssl::{SslContextBuilder, SslRef, SslSessionCacheMode};

use crate::ffi::{self, OwnSession};

/// Whether a session may be resumed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Resumption {
    /// Every connection asks for a key of its own.
    #[default]
    Off,
    /// A server can resume its last 1024 sessions, and a connector its last one, for five minutes each: a connection that
    /// resumes one asks for no key, and its secrets are derived from those of the session.
    On,
}

/// How many sessions a server keeps: the oldest go first.
const MOST: i32 = 1024;

/// How long a session can be resumed.
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// Has a server keep sessions.
pub(crate) fn keep(ctx: &mut SslContextBuilder) -> Result<(), Setup> {
    // The other kinds of contexts of this process have no sessions; this names them all the same.
    ctx.set_session_id_context(b"mcbn session keys")
        .map_err(Setup::step("name the sessions"))?;
    ctx.set_session_cache_mode(SslSessionCacheMode::SERVER);
    ctx.set_session_cache_size(MOST);
    ffi::set_session_lifetime(ctx, LIFETIME);
    Ok(())
}

/// The last session of a connector: none before the first, and never one of another connector.
#[derive(Clone, Default)]
pub(crate) struct LastSession(Arc<Mutex<Option<(OwnSession, Instant)>>>);

impl LastSession {
    /// Offers the session to the server, which is free to take it.
    pub(crate) fn offer(&self, ssl: &mut SslRef, now: Instant) -> Result<(), Setup> {
        match &*self.lock() {
            Some((session, made)) if now.saturating_duration_since(*made) < LIFETIME => {
                session.offer(ssl).map_err(Setup::step("offer a session"))
            }
            _ => Ok(()),
        }
    }

    /// Keeps that of a handshake whose peer was judged. One that was resumed is as old as it was.
    pub(crate) fn keep(&self, ssl: &SslRef, now: Instant) {
        if !ssl.session_reused() {
            *self.lock() = OwnSession::of(ssl).map(|session| (session, now));
        }
    }

    pub(crate) fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<(OwnSession, Instant)>> {
        // Nothing can panic while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context;
    use openssl::ssl::{Ssl, SslContext, SslMethod, SslStream};
    use std::os::unix::net::UnixStream;

    /// A client's and a server's, with one key.
    fn contexts() -> [SslContext; 2] {
        let mut client = context::of_session_keys(SslMethod::tls_client()).unwrap();
        client.set_psk_client_callback(|_, _, name, out| {
            name[..2].copy_from_slice(b"x\0");
            out[..32].fill(7);
            Ok(32)
        });
        let mut server = context::of_session_keys(SslMethod::tls_server()).unwrap();
        server.set_psk_server_callback(|_, _, out| {
            out[..32].fill(7);
            Ok(32)
        });
        keep(&mut server).unwrap();
        [client.build(), server.build()]
    }

    /// The client's connection, and how long the server would resume its session, in seconds.
    fn meet([client, server]: &[SslContext; 2]) -> (SslStream<UnixStream>, i64) {
        let (near, far) = UnixStream::pair().unwrap();
        let ssl = Ssl::new(server).unwrap();
        let accepting = std::thread::spawn(move || {
            let mut far = SslStream::new(ssl, far).unwrap();
            far.accept().unwrap();
            far.ssl().session().unwrap().timeout()
        });
        let mut near = SslStream::new(Ssl::new(client).unwrap(), near).unwrap();
        near.connect().unwrap();
        (near, accepting.join().unwrap())
    }

    #[test]
    fn a_session_has_five_minutes_at_either_end() {
        let contexts = contexts();
        let (near, lifetime) = meet(&contexts);
        assert_eq!(lifetime, 300);

        let now = Instant::now();
        let last = LastSession::default();
        last.keep(near.ssl(), now);
        let offered = |at| {
            let mut ssl = Ssl::new(&contexts[0]).unwrap();
            last.offer(&mut ssl, at).unwrap();
            ssl.session().map(|session| session.id().to_vec())
        };
        let own = near.ssl().session().unwrap().id();
        assert!(!own.is_empty());
        assert_eq!(
            offered(now + LIFETIME - Duration::from_millis(1)).as_deref(),
            Some(own)
        );
        assert_eq!(offered(now + LIFETIME), None);
        last.forget();
        assert_eq!(offered(now), None);
    }

    #[test]
    fn a_session_of_another_context_is_refused() {
        let (near, _) = meet(&contexts());
        let now = Instant::now();
        let last = LastSession::default();
        last.keep(near.ssl(), now);
        let [another, _] = contexts();
        let mut ssl = Ssl::new(&another).unwrap();
        last.offer(&mut ssl, now).unwrap();
        assert!(ssl.session().is_none());
    }

    #[test]
    fn a_server_keeps_a_bounded_number_of_sessions() {
        let mut server = context::of_session_keys(SslMethod::tls_server()).unwrap();
        keep(&mut server).unwrap();
        // What was there before.
        assert_eq!(server.set_session_cache_size(1), i64::from(MOST));
    }
}
