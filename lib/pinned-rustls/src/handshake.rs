//! What rustls says of a finished handshake.

use mcbn_consent::message::Exporter;
use mcbn_pinned::Finished;
use mcbn_tls13::{exporter, is_full, public_key};
use rustls::{ClientConnection, ProtocolVersion};

pub struct Handshake<'a>(pub &'a ClientConnection);

impl Finished for Handshake<'_> {
    fn is_tls13(&self) -> bool {
        self.0.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    fn is_full(&self) -> bool {
        is_full(self.0)
    }

    fn server_key(&self) -> Option<Vec<u8>> {
        public_key(self.0.peer_certificates()?.first()?).ok()
    }

    fn exporter(&self) -> Option<Exporter> {
        exporter(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::OnlyKey;
    use mcbn_manifest::Pin;
    use mcbn_pinned::{PinnedPeer, Unproven};
    use mcbn_tls13::{Verifier, provider};
    use rcgen::{CertificateParams, KeyPair, PublicKeyData};
    use rustls::version::TLS13;
    use rustls::{ClientConfig, HandshakeKind, ServerConfig, ServerConnection};
    use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
    use std::sync::Arc;

    /// Both ends as rustls makes them, tickets and all, and the pin of the server's key.
    fn ends() -> (Arc<ServerConfig>, Arc<ClientConfig>, Pin) {
        let key = KeyPair::generate().unwrap();
        let pin = Pin::of_key(&key.subject_public_key_info());
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let server = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.into()], private)
            .unwrap();
        let client = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier::new(OnlyKey(pin))))
            .with_no_client_auth();
        (Arc::new(server), Arc::new(client), pin)
    }

    /// The client's end of a handshake that is done; `look` sees it before.
    fn shaken(
        server: &Arc<ServerConfig>,
        client: &Arc<ClientConfig>,
        look: impl Fn(&ClientConnection),
    ) -> ClientConnection {
        let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
        let name = ServerName::try_from("server.invalid").unwrap();
        let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
        while client.is_handshaking() || client.wants_write() || server.wants_write() {
            if client.is_handshaking() {
                look(&client);
            }
            let mut bytes = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut bytes).unwrap();
            }
            server.read_tls(&mut &*bytes).unwrap();
            server.process_new_packets().unwrap();
            let mut bytes = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut bytes).unwrap();
            }
            client.read_tls(&mut &*bytes).unwrap();
            client.process_new_packets().unwrap();
        }
        client
    }

    #[test]
    fn a_handshake_with_the_pinned_key_is_accepted_when_it_is_done() {
        let (server, client, pin) = ends();
        let not_yet = |client: &_| {
            PinnedPeer::of(&Handshake(client), &pin).unwrap_err();
        };
        let done = shaken(&server, &client, not_yet);
        let peer = PinnedPeer::of(&Handshake(&done), &pin).unwrap();
        assert_eq!(peer.pin(), &pin);
    }

    #[test]
    fn a_handshake_with_another_key_is_refused() {
        let (server, client, pin) = ends();
        let done = shaken(&server, &client, |_| {});
        for byte in [0, 31] {
            let mut other = pin;
            other.0[byte] ^= 1;
            let refused = PinnedPeer::of(&Handshake(&done), &other);
            assert_eq!(refused, Err(Unproven::Key));
        }
    }

    /// rustls gives the certificate of the first handshake there; nobody has signed the second one.
    #[test]
    fn a_handshake_that_was_resumed_is_refused() {
        let (server, client, pin) = ends();
        let first = shaken(&server, &client, |_| {});
        PinnedPeer::of(&Handshake(&first), &pin).unwrap();
        let second = shaken(&server, &client, |_| {});
        assert_eq!(second.handshake_kind(), Some(HandshakeKind::Resumed));
        assert!(second.peer_certificates().is_some());
        let refused = PinnedPeer::of(&Handshake(&second), &pin);
        assert_eq!(refused, Err(Unproven::Key));
    }
}
