//! One peer, from its handshake to its end.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::time::Duration;

use mcbn_psk::{Asking, Source};
use mcbn_tls::{HandshakeError, PeerFault, classify};
use mcbn_tunnel::datagram::Dropped;
use openssl::error::ErrorStack;
use openssl::ssl::{ErrorCode, SslStream};
use tokio::time::{Instant, timeout_at};

use crate::ffi;
use crate::link::{Link, Unreadable};
use crate::peer::AuthenticatedPeer;

/// Datagrams to and from a peer that has shown that it knows the key.
///
/// When it is dropped the peer is told, as far as the link carries it.
pub struct Session {
    stream: SslStream<Link>,
    peer: AuthenticatedPeer,
    /// What overtook the end of the handshake waits inside OpenSSL, where only a read finds it.
    is_new: bool,
}

/// The most bytes that a record holds ([RFC 6347 §4.1]).
///
/// [RFC 6347 §4.1]: https://www.rfc-editor.org/rfc/rfc6347#section-4.1
const LARGEST: usize = 1 << 14;

thread_local! {
    /// Where records are decrypted: a buffer for each session would be most of what a session needs.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; LARGEST]);
}

impl Session {
    pub(crate) async fn handshake(
        mut stream: SslStream<Link>,
        source: &Source,
        limit: Duration,
    ) -> Result<Self, NoSession> {
        let until = Instant::now() + limit;
        if let Some(asking) = Asking::of(stream.ssl()) {
            asking.give_up_at(until.into());
        }
        let done = timeout_at(until, finish(&mut stream, source)).await;
        let asking = Asking::of(stream.ssl());
        match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let refused = asking.and_then(Asking::refused);
                return Err(refused.map_or(error, NoSession::Failed));
            }
            Err(_) if asking.is_some_and(Asking::has_asked) => return Err(NoSession::Unproven),
            Err(_) => return Err(NoSession::NoAnswer),
        }
        match AuthenticatedPeer::of(stream.ssl()) {
            Ok(peer) => Ok(Self {
                stream,
                peer,
                is_new: true,
            }),
            Err(fault) => {
                // It may be lost, and then the peer learns by its own deadline.
                let _ = stream.shutdown();
                Err(NoSession::Failed(HandshakeError::Peer(fault)))
            }
        }
    }

    pub fn peer(&self) -> &AuthenticatedPeer {
        &self.peer
    }

    /// Waits for the peer's next datagram and hands it to `take`. Nothing is lost when it is dropped.
    pub async fn receive<T>(&mut self, mut take: impl FnMut(&[u8]) -> T) -> Result<T, Ended> {
        loop {
            // A read that finds nothing would leave the session a buffer of a record's size: OpenSSL gives it back only
            // after a record.
            if !self.is_new && !ffi::has_pending(self.stream.ssl()) {
                let readable = self.stream.get_mut().readable().await;
                readable.map_err(|error| match error {
                    Unreadable::Io(error) => Ended::Broken(error),
                    Unreadable::Replaced => Ended::Replaced,
                })?;
            }
            self.is_new = false;
            forget_errors();
            let read = BUFFER.with_borrow_mut(|buffer| {
                let length = self.stream.ssl_read(buffer)?;
                Ok(take(&buffer[..length]))
            });
            match read {
                Ok(taken) => return Ok(taken),
                Err(error) => Ended::unless_waiting(error)?,
            }
        }
    }

    /// Sends one datagram whole, or not at all. Does not wait: where the link is busy, the datagram is lost.
    pub fn send(&mut self, datagram: &[u8]) -> Result<(), NotSent> {
        // DTLS peers do not tell an empty record from none.
        if datagram.is_empty() {
            return Err(NotSent::Dropped(Dropped::Empty));
        }
        if datagram.len() > self.largest() {
            return Err(NotSent::Dropped(Dropped::TooLarge));
        }
        forget_errors();
        // Of something that OpenSSL sent by itself.
        self.stream.get_mut().take_fault();
        let written = self.stream.ssl_write(datagram);
        written.map_err(|error| match Ended::unless_waiting(error) {
            Ok(()) => NotSent::Dropped(Dropped::Busy),
            Err(ended) => NotSent::Ended(ended),
        })?;
        match self.stream.get_mut().take_fault() {
            None => Ok(()),
            Some(error) => Err(NotSent::of(error)),
        }
    }

    /// The largest datagram that can be sent, in bytes.
    pub fn largest(&self) -> usize {
        ffi::largest_payload(self.stream.ssl()).min(LARGEST)
    }
}

/// OpenSSL keeps errors by thread, and takes what another session left there for one of this.
fn forget_errors() {
    drop(ErrorStack::get());
}

/// OpenSSL sends its last flight again whenever it is asked to go on and the time is there.
async fn finish(stream: &mut SslStream<Link>, source: &Source) -> Result<(), NoSession> {
    loop {
        let seat = source.seat(stream.ssl()).await;
        let seat = seat.map_err(NoSession::Failed)?;
        forget_errors();
        let step = stream.do_handshake();
        drop(seat);
        match step {
            Ok(()) => return Ok(()),
            Err(error) if error.code() == ErrorCode::WANT_READ => {}
            Err(error) => return Err(NoSession::Failed(classify(error))),
        }
        match stream.get_mut().take_fault() {
            // Lost, and sent again in time.
            Some(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Some(error) => return Err(NoSession::Failed(HandshakeError::Io(error))),
            None => {}
        }
        let left = ffi::until_retransmission(stream.ssl());
        let readable = stream.get_mut().readable();
        let readable = match left {
            Some(left) => timeout_at(Instant::now() + left, readable).await,
            None => Ok(readable.await),
        };
        match readable {
            Ok(Err(Unreadable::Io(error))) => {
                return Err(NoSession::Failed(HandshakeError::Io(error)));
            }
            Ok(Err(Unreadable::Replaced)) => return Err(NoSession::Replaced),
            Ok(Ok(())) | Err(_) => {}
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It fails where the session has ended otherwise.
        let _ = self.stream.shutdown();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// Why there is no session.
#[derive(Debug)]
pub enum NoSession {
    Failed(HandshakeError),
    /// The deadline came before the peer had gone on to the key.
    NoAnswer,
    /// The deadline came, and the peer has not shown that it knows the key. DTLS says nothing to one that has another
    /// ([RFC 6347 §4.1.2.7]).
    ///
    /// [RFC 6347 §4.1.2.7]: https://www.rfc-editor.org/rfc/rfc6347#section-4.1.2.7
    Unproven,
    /// The peer has begun anew.
    Replaced,
}

impl NoSession {
    /// A short fixed word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Failed(error) => error.reason(),
            Self::NoAnswer => "deadline",
            Self::Unproven => PeerFault::WrongKey.reason(),
            Self::Replaced => "replaced",
        }
    }
}

impl fmt::Display for NoSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::NoAnswer => f.write_str("no answer to the handshake in time"),
            Self::Unproven => f.write_str(
                "the peer did not show in time that it knows the key: it has another one, or knows no such identity",
            ),
            Self::Replaced => f.write_str("the peer has begun another handshake"),
        }
    }
}

impl std::error::Error for NoSession {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(error) => std::error::Error::source(error),
            Self::NoAnswer | Self::Unproven | Self::Replaced => None,
        }
    }
}

/// Why nothing more will come.
#[derive(Debug)]
pub enum Ended {
    /// The peer said so.
    Closed,
    /// The peer has a newer session from the same address ([RFC 6347 §4.2.8]).
    ///
    /// [RFC 6347 §4.2.8]: https://www.rfc-editor.org/rfc/rfc6347#section-4.2.8
    Replaced,
    /// The peer's machine refuses datagrams, or this one's network is gone.
    Broken(io::Error),
    /// The peer broke the protocol, under the key.
    Protocol,
}

impl Ended {
    /// A short fixed word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Replaced => "replaced",
            Self::Broken(_) => "peer_broke",
            Self::Protocol => "protocol",
        }
    }

    /// Nothing has ended where OpenSSL only wants more.
    fn unless_waiting(error: openssl::ssl::Error) -> Result<(), Self> {
        match error.code() {
            ErrorCode::WANT_READ | ErrorCode::WANT_WRITE => Ok(()),
            ErrorCode::ZERO_RETURN => Err(Self::Closed),
            _ => Err(error.into_io_error().map_or(Self::Protocol, Self::Broken)),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the peer ended the session"),
            Self::Replaced => f.write_str("the peer has begun another session"),
            Self::Broken(error) => write!(f, "the session broke: {error}"),
            Self::Protocol => f.write_str("the peer broke the protocol"),
        }
    }
}

impl std::error::Error for Ended {}

/// Why a datagram was not sent.
#[derive(Debug)]
pub enum NotSent {
    /// This one is lost; the next may not be.
    Dropped(Dropped),
    Ended(Ended),
}

impl NotSent {
    fn of(error: io::Error) -> Self {
        match Dropped::of(&error) {
            // The peer's machine says that nobody is there any more.
            Some(_) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Self::Ended(Ended::Broken(error))
            }
            Some(dropped) => Self::Dropped(dropped),
            None => Self::Ended(Ended::Broken(error)),
        }
    }
}
