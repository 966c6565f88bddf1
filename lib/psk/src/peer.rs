//! The proof that a handshake was authenticated by the key.

use std::time::Instant;

use mcbn_tls::{HandshakeError, Judge, PeerFault, TlsStream};
use openssl::ssl::{SslRef, SslVersion};
use tokio::sync::OwnedSemaphorePermit;

use crate::asking::Asking;
use crate::sessions::{LastSession, Resumption};
use crate::source::Source;

/// A connection to a peer that has shown that it knows the key.
pub type PskStream<S> = TlsStream<S, AuthenticatedPeer>;

/// The peer knows the key. Made only from a finished handshake that the key authenticated, never otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthenticatedPeer {
    protocol: Protocol,
    cipher_suite: &'static str,
    is_resumed: bool,
}

/// A protocol version.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    Tls12,
    Tls13,
}

impl AuthenticatedPeer {
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The cipher suite by its IANA name, such as `TLS_AES_128_GCM_SHA256`.
    pub fn cipher_suite(&self) -> &'static str {
        self.cipher_suite
    }

    /// Whether the peer has shown the key in an earlier connection, and this one goes on from that: see [`Resumption`].
    pub fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// Asks a finished handshake what authenticated it. A session that can be resumed came from such a one, on the same
    /// context, and is judged like it once more.
    ///
    /// A completed TLS 1.3 handshake proves nothing alone: a server with a certificate completes one as well, and
    /// the key is then never used.
    fn of(ssl: &SslRef, resumption: Resumption) -> Result<Self, PeerFault> {
        if ssl.peer_certificate().is_some() {
            return Err(PeerFault::Certificate);
        }
        let cipher_suite = ssl
            .current_cipher()
            .and_then(|cipher| cipher.standard_name())
            .ok_or(PeerFault::Protocol)?;
        let protocol = match ssl.version2() {
            // An external key counts as a resumption ([RFC 8446 §2.2]): the server selected it and both sides
            // have verified a MAC under it. Tickets are off, so that it can be no other resumption.
            Some(SslVersion::TLS1_3) if ssl.session_reused() => Protocol::Tls13,
            Some(SslVersion::TLS1_3) => return Err(PeerFault::Certificate),
            Some(SslVersion::TLS1_2)
                if cipher_suite.starts_with("TLS_ECDHE_PSK_")
                    && (!ssl.session_reused() || resumption == Resumption::On) =>
            {
                if ssl.extms_support() != Some(true) {
                    return Err(PeerFault::NoExtendedMasterSecret);
                }
                Protocol::Tls12
            }
            Some(SslVersion::TLS1_2) => return Err(PeerFault::Certificate),
            _ => return Err(PeerFault::Version),
        };
        Ok(Self {
            protocol,
            cipher_suite,
            is_resumed: protocol == Protocol::Tls12 && ssl.session_reused(),
        })
    }
}

/// Stands beside a handshake whose key may be long in coming.
pub(crate) struct KeyJudge<'a> {
    pub(crate) source: &'a Source,
    pub(crate) resumption: Resumption,
    /// Where a client keeps its session.
    pub(crate) last: Option<&'a LastSession>,
}

impl Judge for KeyJudge<'_> {
    type Proof = AuthenticatedPeer;

    async fn admit(&self, ssl: &SslRef) -> Result<Option<OwnedSemaphorePermit>, HandshakeError> {
        self.source.seat(ssl).await
    }

    fn own_fault(&self, ssl: &SslRef) -> Option<HandshakeError> {
        Asking::of(ssl).and_then(Asking::refused)
    }

    fn judge(self, ssl: &SslRef) -> Result<AuthenticatedPeer, PeerFault> {
        let peer = AuthenticatedPeer::of(ssl, self.resumption)?;
        if self.resumption == Resumption::On
            && let Some(last) = self.last
        {
            last.keep(ssl, Instant::now());
        }
        Ok(peer)
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
    use openssl::ssl::{
        Ssl, SslContext, SslContextBuilder, SslMethod, SslSession, SslSessionCacheMode, SslStream,
        SslVerifyMode,
    };
    use openssl::x509::X509;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::sync::{Arc, Mutex};

    struct Certified {
        client: SslContext,
        server: SslContext,
        sessions: Arc<Mutex<Vec<SslSession>>>,
    }

    /// Two sides that use a certificate, and would resume.
    fn certified(version: SslVersion) -> Certified {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut certificate = X509::builder().unwrap();
        certificate.set_pubkey(&key).unwrap();
        let now = Asn1Time::days_from_now(0).unwrap();
        certificate.set_not_before(&now).unwrap();
        certificate.set_not_after(&now).unwrap();
        certificate.sign(&key, MessageDigest::sha256()).unwrap();

        let context = |method| {
            let mut ctx = SslContextBuilder::new(method).unwrap();
            ctx.set_min_proto_version(Some(version)).unwrap();
            ctx.set_max_proto_version(Some(version)).unwrap();
            ctx.set_verify(SslVerifyMode::NONE);
            ctx
        };
        let mut server = context(SslMethod::tls_server());
        server.set_private_key(&key).unwrap();
        server.set_certificate(&certificate.build()).unwrap();
        let mut client = context(SslMethod::tls_client());
        let sessions = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&sessions);
        client.set_session_cache_mode(SslSessionCacheMode::CLIENT);
        client.set_new_session_callback(move |_, session| kept.lock().unwrap().push(session));
        Certified {
            client: client.build(),
            server: server.build(),
            sessions,
        }
    }

    impl Certified {
        /// What each side would say of this handshake, had nothing else refused it.
        fn meet(&self, session: Option<&SslSession>) -> [Result<AuthenticatedPeer, PeerFault>; 2] {
            let (near, far) = UnixStream::pair().unwrap();
            let ssl = Ssl::new(&self.server).unwrap();
            let accepting = std::thread::spawn(move || {
                let mut far = SslStream::new(ssl, far).unwrap();
                far.accept().unwrap();
                far.write_all(b"x").unwrap();
                let peer = judged(far.ssl());
                // Stays until the other side has said goodbye.
                let _ = far.read(&mut [0]);
                peer
            });
            let mut ssl = Ssl::new(&self.client).unwrap();
            if let Some(session) = session {
                // SAFETY: the session comes from the same context.
                #[allow(unsafe_code)]
                unsafe {
                    ssl.set_session(session).unwrap();
                }
            }
            let mut near = SslStream::new(ssl, near).unwrap();
            near.connect().unwrap();
            // Tickets come before the data; and a session whose connection just breaks off is not resumed.
            near.read_exact(&mut [0]).unwrap();
            near.shutdown().unwrap();
            assert_eq!(near.ssl().session_reused(), session.is_some());
            [judged(near.ssl()), accepting.join().unwrap()]
        }
    }

    /// As it is judged where more is allowed.
    fn judged(ssl: &SslRef) -> Result<AuthenticatedPeer, PeerFault> {
        AuthenticatedPeer::of(ssl, Resumption::On)
    }

    const REFUSED: Result<AuthenticatedPeer, PeerFault> = Err(PeerFault::Certificate);

    #[test]
    fn a_handshake_without_the_key_is_refused_on_both_sides() {
        for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
            assert_eq!(certified(version).meet(None), [REFUSED, REFUSED]);
        }
    }

    #[test]
    fn a_resumed_handshake_without_the_key_is_refused() {
        for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
            let certified = certified(version);
            certified.meet(None)[0].as_ref().unwrap_err();
            let session = certified.sessions.lock().unwrap().pop().unwrap();
            let [client, _] = certified.meet(Some(&session));
            assert_eq!(client, REFUSED);
        }
    }
}
