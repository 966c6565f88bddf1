//! The proof that a participant is at the other end.

use super::admission::Admission;
use mcbn_binding::Exporter;
use mcbn_manifest::Pin;
use mcbn_tls13::{exporter, is_full};
use rustls::ServerConnection;

/// Who asks: a participant who has shown their key on this connection. Made only from a finished TLS 1.3 handshake;
/// handlers have it as an extension of each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pin: Pin,
    exporter: Exporter,
}

impl Caller {
    /// Of the key that they have shown.
    pub fn pin(&self) -> &Pin {
        &self.pin
    }

    /// What both ends of this connection can compute, and nobody else: its channel binding.
    pub fn exporter(&self) -> &Exporter {
        &self.exporter
    }

    /// Asks a finished handshake. rustls has checked that the client signed it with the key in this certificate.
    pub(super) fn of(connection: &ServerConnection, admission: &Admission) -> Option<Caller> {
        if !is_full(connection) {
            return None;
        }
        let pin = admission.admits(connection.peer_certificates()?).ok()?;
        let exporter = exporter(connection)?;
        Some(Caller { pin, exporter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;
    use crate::client::certificate::AnyCertificate;
    use mcbn_tls13::{Verifier, provider};
    use rustls::server::NoClientAuth;
    use rustls::server::danger::ClientCertVerifier;
    use rustls::version::TLS13;
    use rustls::{ClientConfig, ClientConnection, HandshakeKind, ServerConfig};
    use rustls_pki_types::ServerName;
    use std::sync::Arc;

    fn judged(admission: &Arc<Admission>) -> Arc<dyn ClientCertVerifier> {
        Arc::new(Verifier::new(Arc::clone(admission)))
    }

    fn server(judge: Arc<dyn ClientCertVerifier>) -> Arc<ServerConfig> {
        let (certificates, private) = Identity::ephemeral().unwrap().into_parts().unwrap();
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_client_cert_verifier(judge)
            .with_single_cert(certificates, private);
        Arc::new(config.unwrap())
    }

    fn client(identity: Identity) -> Arc<ClientConfig> {
        let (certificates, private) = identity.into_parts().unwrap();
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier::new(AnyCertificate)))
            .with_client_auth_cert(certificates, private);
        Arc::new(config.unwrap())
    }

    /// The server's end of a handshake that is done; `look` sees it before.
    fn handshake(
        server: &Arc<ServerConfig>,
        client: &Arc<ClientConfig>,
        look: impl Fn(&ServerConnection),
    ) -> ServerConnection {
        let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
        let name = ServerName::try_from("server.invalid").unwrap();
        let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
        while server.is_handshaking() || server.wants_write() {
            if server.is_handshaking() {
                look(&server);
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
        server
    }

    fn identity() -> (Pin, Identity) {
        let identity = Identity::ephemeral().unwrap();
        (identity.pin(), identity)
    }

    #[test]
    fn a_handshake_makes_a_caller_when_it_is_done() {
        let (pin, identity) = identity();
        let admission = Arc::new(Admission::of([pin].into()));
        let none_yet = |server: &_| assert_eq!(Caller::of(server, &admission), None);
        let server = server(judged(&admission));
        let done = handshake(&server, &client(identity), none_yet);
        assert_eq!(Caller::of(&done, &admission).unwrap().pin, pin);
    }

    #[test]
    fn a_handshake_that_asked_for_no_key_is_refused() {
        let (pin, identity) = identity();
        let done = handshake(&server(Arc::new(NoClientAuth)), &client(identity), |_| {});
        assert_eq!(Caller::of(&done, &Admission::of([pin].into())), None);
    }

    #[test]
    fn a_handshake_that_others_have_judged_is_refused() {
        let (pin, identity) = identity();
        let others = server(judged(&Arc::new(Admission::of([pin].into()))));
        let done = handshake(&others, &client(identity), |_| {});
        let (ours, _) = self::identity();
        assert_eq!(Caller::of(&done, &Admission::of([ours].into())), None);
    }

    /// rustls gives the certificate of the first handshake there; nobody has signed the second one.
    #[test]
    fn a_handshake_that_was_resumed_is_refused() {
        let (pin, identity) = identity();
        let admission = Arc::new(Admission::of([pin].into()));
        // A server as rustls makes it, which gives out tickets.
        let server = server(judged(&admission));
        let client = client(identity);
        let first = handshake(&server, &client, |_| {});
        assert!(Caller::of(&first, &admission).is_some());
        let second = handshake(&server, &client, |_| {});
        assert_eq!(second.handshake_kind(), Some(HandshakeKind::Resumed));
        assert!(second.peer_certificates().is_some());
        assert_eq!(Caller::of(&second, &admission), None);
    }
}
