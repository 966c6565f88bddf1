//! The encrypted stream.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use openssl::error::ErrorStack;
use openssl::ssl::{Error, ErrorCode, ShutdownState, Ssl, SslStream, SslVersion};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::{HandshakeError, PeerFault, Setup, classify};
use crate::ffi;
use crate::judge::Judge;
use crate::wire::Wire;

/// Plaintext that one write takes: eight full records, which then leave in one system call.
const MAX_WRITE: usize = 8 * RECORD as usize;

/// Bytes that one key encrypts. [RFC 8446 §5.5] allows AES-GCM about 2^24.5 full records; this is a third of it, and OpenSSL
/// does not watch it.
///
/// [RFC 8446 §5.5]: https://www.rfc-editor.org/rfc/rfc8446#section-5.5
const KEY_LIFE: u64 = 1 << 37;

/// Plaintext of a full record. Each write counts for one more: small records wear a key as large ones do.
const RECORD: u64 = 16 * 1024;

/// A connection to a peer that a judge has accepted; `P` is the proof.
///
/// Reading ends (`Ok` with nothing read) only where the peer said so with `close_notify`; a connection that just
/// breaks off is an `UnexpectedEof`, since anyone on the path can break it. Each direction ends on its own.
pub struct TlsStream<S, P> {
    tls: SslStream<Wire<S>>,
    peer: P,
    /// Met after bytes that had to go out first; the next read gives it.
    met: Option<io::Error>,
    /// What the sending key may still encrypt.
    key_life: u64,
}

impl<S, P> TlsStream<S, P> {
    /// What the judge said of the peer.
    pub fn peer(&self) -> &P {
        &self.peer
    }

    /// The stream below.
    pub fn transport(&self) -> &S {
        self.tls.get_ref().stream()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, P> TlsStream<S, P> {
    /// Does the handshake for which `ssl` was prepared, then asks the judge. Ends when the peer lets it end: the caller
    /// sets the deadline.
    pub async fn handshake(
        ssl: Ssl,
        stream: S,
        judge: impl Judge<Proof = P>,
    ) -> Result<Self, HandshakeError> {
        let mut tls = SslStream::new(ssl, Wire::new(stream))
            .map_err(|stack| HandshakeError::Local(Setup::step("make a connection")(stack)))?;
        let outcome = finish(&mut tls, &judge).await;
        // Whatever the outcome, what OpenSSL has to say leaves first: the last flight, or the alert.
        let sent = poll_fn(|cx| tls.get_mut().poll_drain(cx)).await;
        outcome.map_err(|error| judge.own_fault(tls.ssl()).unwrap_or(error))?;
        sent.map_err(HandshakeError::Io)?;
        let peer = match judge.judge(tls.ssl()) {
            Ok(peer) => peer,
            Err(fault) => {
                // No data has passed. `close_notify` is all that can be said at this point.
                let _ = tls.shutdown();
                let _ = poll_fn(|cx| tls.get_mut().poll_drain(cx)).await;
                return Err(HandshakeError::Peer(fault));
            }
        };
        Ok(Self {
            tls,
            peer,
            met: None,
            key_life: KEY_LIFE,
        })
    }
}

async fn finish<S: AsyncRead + AsyncWrite + Unpin>(
    tls: &mut SslStream<Wire<S>>,
    judge: &impl Judge,
) -> Result<(), HandshakeError> {
    loop {
        let place = judge.admit(tls.ssl()).await?;
        let step = poll_fn(|cx| Poll::Ready(step(tls, cx))).await;
        drop(place);
        match step {
            Poll::Ready(outcome) => return outcome,
            Poll::Pending => woken().await,
        }
    }
}

/// Has OpenSSL go on as far as it can. Pending when the task will be woken to go on.
fn step<S: AsyncRead + AsyncWrite + Unpin>(
    tls: &mut SslStream<Wire<S>>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), HandshakeError>> {
    tls.get_mut().attach(cx);
    forget_old_errors();
    match tls.do_handshake() {
        Ok(()) => Poll::Ready(Ok(())),
        Err(error) if is_waiting(&error) => {
            // The flight that the peer must answer.
            match tls.get_mut().poll_drain(cx) {
                Poll::Ready(Err(source)) => Poll::Ready(Err(closed_or_broken(source))),
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            }
        }
        Err(error) => Poll::Ready(Err(classify(error))),
    }
}

/// Ends when the task is polled again: whoever wakes it was told before.
async fn woken() {
    let mut waits = true;
    poll_fn(|_| match std::mem::take(&mut waits) {
        true => Poll::Pending,
        false => Poll::Ready(()),
    })
    .await;
}

fn closed_or_broken(source: io::Error) -> HandshakeError {
    match source.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            HandshakeError::Peer(PeerFault::Closed)
        }
        _ => HandshakeError::Io(source),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, P: Unpin> AsyncRead for TlsStream<S, P> {
    /// Fills as much of `out` as the records at hand allow.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(error) = self.met.take() {
            return Poll::Ready(Err(error));
        }
        let this = &mut *self;
        let tls = &mut this.tls;
        tls.get_mut().attach(cx);
        forget_old_errors();
        let before = out.filled().len();
        while out.remaining() > 0 {
            let error = match tls.ssl_read(out.initialize_unfilled()) {
                Ok(n) => {
                    out.advance(n);
                    continue;
                }
                Err(error) => error,
            };
            let has_read = out.filled().len() > before;
            if error.code() == ErrorCode::ZERO_RETURN {
                // OpenSSL says so again with the next call.
                break;
            }
            // OpenSSL may have had to answer something: a key update, or with an alert.
            let sent = tls.get_mut().poll_drain(cx);
            let failed = match (is_waiting(&error), sent) {
                (true, Poll::Ready(Err(source))) => source,
                (true, _) if has_read => break,
                (true, _) => return Poll::Pending,
                (false, _) => broken(error),
            };
            if has_read {
                this.met = Some(failed);
                break;
            }
            return Poll::Ready(Err(failed));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, P: Unpin> AsyncWrite for TlsStream<S, P> {
    /// Encrypts and sends. Takes nothing while earlier records wait for the network, so that at most one write's
    /// worth of them is ever held.
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let tls = &mut this.tls;
        tls.get_mut().attach(cx);
        ready!(tls.get_mut().poll_drain(cx))?;
        let Some(data) = data
            .get(..data.len().min(MAX_WRITE))
            .filter(|data| !data.is_empty())
        else {
            return Poll::Ready(Ok(0));
        };
        forget_old_errors();
        let wear = (data.len() as u64).next_multiple_of(RECORD);
        if this.key_life < wear && tls.ssl().version2() == Some(SslVersion::TLS1_3) {
            if !ffi::update_sending_key(tls.ssl()) {
                return Poll::Ready(Err(io::Error::other("the sending key cannot be renewed")));
            }
            this.key_life = KEY_LIFE;
        }
        this.key_life = this.key_life.saturating_sub(wear);
        let n = match tls.ssl_write(data) {
            Ok(n) => n,
            Err(error) if is_waiting(&error) => return Poll::Pending,
            Err(error) => return Poll::Ready(Err(broken(error))),
        };
        match tls.get_mut().poll_drain(cx) {
            Poll::Ready(Err(source)) => Poll::Ready(Err(source)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(n)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.tls.get_mut();
        ready!(wire.poll_drain(cx))?;
        Pin::new(wire.stream_mut()).poll_flush(cx)
    }

    /// Says `close_notify`, sends all that waits, and ends the writing direction below. Reading goes on.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tls = &mut self.tls;
        tls.get_mut().attach(cx);
        ready!(tls.get_mut().poll_drain(cx))?;
        if !tls.get_shutdown().contains(ShutdownState::SENT) {
            forget_old_errors();
            match tls.shutdown() {
                Ok(_) => {}
                Err(error) if error.code() == ErrorCode::ZERO_RETURN || is_waiting(&error) => {}
                Err(error) => return Poll::Ready(Err(broken(error))),
            }
        }
        ready!(tls.get_mut().poll_drain(cx))?;
        Pin::new(tls.get_mut().stream_mut()).poll_shutdown(cx)
    }
}

impl<S, P: fmt::Debug> fmt::Debug for TlsStream<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// OpenSSL keeps a queue of errors for each thread. What another connection left there must not be read as ours.
fn forget_old_errors() {
    drop(ErrorStack::get());
}

fn is_waiting(error: &Error) -> bool {
    matches!(error.code(), ErrorCode::WANT_READ | ErrorCode::WANT_WRITE)
}

/// An error of an established connection, as an I/O error.
fn broken(error: Error) -> io::Error {
    match classify(error) {
        HandshakeError::Io(source) => source,
        HandshakeError::Peer(PeerFault::Closed) => io::ErrorKind::UnexpectedEof.into(),
        HandshakeError::Peer(fault) => io::Error::new(io::ErrorKind::InvalidData, fault.reason()),
        HandshakeError::Local(setup) => io::Error::other(setup),
        // Keys belong to handshakes.
        HandshakeError::NoKey(why) => io::Error::other(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::asn1::Asn1Time;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::pkey::PKey;
    use openssl::ssl::{SslMethod, SslRef};
    use openssl::x509::X509;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// A client that takes any certificate, and a server that has one.
    fn pair() -> [Ssl; 2] {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut certificate = X509::builder().unwrap();
        certificate.set_pubkey(&key).unwrap();
        let now = Asn1Time::days_from_now(0).unwrap();
        certificate.set_not_before(&now).unwrap();
        certificate.set_not_after(&now).unwrap();
        certificate.sign(&key, MessageDigest::sha256()).unwrap();
        let client = crate::context(SslMethod::tls_client(), SslVersion::TLS1_3).unwrap();
        let mut server = crate::context(SslMethod::tls_server(), SslVersion::TLS1_3).unwrap();
        server.set_private_key(&key).unwrap();
        server.set_certificate(&certificate.build()).unwrap();
        let [mut client, mut server] = [client, server].map(|ctx| Ssl::new(&ctx.build()).unwrap());
        client.set_connect_state();
        server.set_accept_state();
        [client, server]
    }

    /// The lengths of the records in what one side sent.
    fn records(mut sent: &[u8]) -> Vec<usize> {
        let mut lengths = Vec::new();
        while let Some((header, rest)) = sent.split_first_chunk::<5>() {
            let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
            lengths.push(length);
            sent = &rest[length..];
        }
        lengths
    }

    #[tokio::test]
    async fn a_worn_key_is_renewed() {
        let [client, server] = pair();
        let (near, mut wire) = duplex(1 << 16);
        let (mut wire_far, far) = duplex(1 << 16);
        let relay = tokio::spawn(async move {
            let mut sent = Vec::new();
            let (mut wire_in, mut wire_out) = tokio::io::split(&mut wire);
            let (mut far_in, mut far_out) = tokio::io::split(&mut wire_far);
            let up = async {
                let mut some = [0; 4096];
                loop {
                    let n = wire_in.read(&mut some).await.unwrap();
                    if n == 0 {
                        return far_out.shutdown().await.unwrap();
                    }
                    sent.extend_from_slice(&some[..n]);
                    far_out.write_all(&some[..n]).await.unwrap();
                }
            };
            let down = tokio::io::copy(&mut far_in, &mut wire_out);
            tokio::select! { () = up => {}, _ = down => {} }
            sent
        });
        let (near, far) = tokio::join!(
            TlsStream::handshake(client, near, |_: &SslRef| Ok(())),
            TlsStream::handshake(server, far, |_: &SslRef| Ok(()))
        );
        let (mut near, mut far) = (near.unwrap(), far.unwrap());

        // Three writes of one record each; the second and the third find the key worn.
        for _ in 0..3 {
            near.write_all(&[1; 100]).await.unwrap();
            near.key_life = RECORD - 1;
        }
        near.shutdown().await.unwrap();
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, [1; 300]);

        drop((near, far));
        let lengths = records(&relay.await.unwrap());
        // [RFC 8446 §4.6.3]: type, length and one byte; then the content type and the tag.
        let key_updates = lengths.iter().filter(|length| **length == 5 + 1 + 16);
        assert_eq!(key_updates.count(), 2, "{lengths:?}");
    }
}
