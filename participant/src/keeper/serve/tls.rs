//! TLS 1.3 and nothing before it, without anything that could carry a connection over into another one.

use crate::keeper::key::{Key, NoKey};
use crate::key_file::Kind;
use mcbn_consent::message::{EXPORTER_LABEL, Exporter};
use rustls::crypto::ring;
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use rustls::{ServerConfig, ServerConnection};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

pub fn acceptor(key: Key) -> Result<TlsAcceptor, NoKey> {
    let certificate = key.certificate()?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .expect("the provider has the suites of TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into_private())
        .map_err(|_| NoKey::NotAKey(Kind::Tls))?;
    // The pin is checked, and the exporter is another one, on each connection.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What a token must be bound to. None before the handshake is done.
pub fn exporter(connection: &ServerConnection) -> Option<Exporter> {
    let exported = connection.export_keying_material([0; 32], EXPORTER_LABEL.as_bytes(), None);
    exported.map(Exporter).ok()
}
