//! The key, then what it is for, until the end of either.

use std::sync::Arc;

use mcbn_consent::lease::Consent;
use mcbn_detrsa::RsaKey;
use mcbn_endpoint::client::Client;
use mcbn_endpoint::client::settings::Mode;
use mcbn_endpoint::server::Server;
use mcbn_mtls::settings::CertificateConfig;
use mcbn_mtls::{Acceptor, Checks, Connector, Credentials, Key};
use mcbn_runtime::process::Process;
use mcbn_tunnel::settings::{ClientConfig, ServerConfig};
use rustls::time_provider::DefaultTimeProvider;

use crate::config::{Config, Work};
use crate::error::Error;
use crate::request;

pub async fn run(config: Config, process: Process) -> Result<(), Error> {
    let (key, consent) = tokio::select! {
        made = config.key.make(config.work.dns_server(), &process.admin) => made?,
        // A person who is to approve may be long about it.
        () = process.shutdown.draining() => return config.work.cut(),
    };
    let spki_sha256 = key.spki_sha256();
    match config.work {
        // Its standard error is for what went wrong.
        Work::Client { .. } => tracing::debug!(%spki_sha256, "key made"),
        _ => tracing::info!(%spki_sha256, "key made"),
    }
    match config.work {
        Work::Server {
            server,
            certificate,
        } => serve(server, certificate, key, consent, process).await,
        Work::Client {
            client,
            mode,
            certificate,
        } => connect(client, mode, certificate, key, consent, process).await,
        Work::Request { subject, to, .. } => {
            let text = mcbn_mtls::request(&own(&key)?, &subject).map_err(Error::Setup)?;
            let written = request::write(&to, &text);
            written.map_err(|error| Error::Write(to, error))
        }
        Work::Export { export, .. } => export.write(key),
    }
}

async fn serve(
    config: ServerConfig,
    certificate: CertificateConfig,
    key: RsaKey,
    consent: Consent,
    process: Process,
) -> Result<(), Error> {
    let server = open(config, certificate, key, &process)?;
    let witness = server.service.handshake().witness();
    let outcome = server.serve(consent, process).await;
    debug_assert!(witness.key_is_wiped(), "something outlives the server");
    outcome.map_err(Error::ConsentLost)
}

/// Makes the certificate, then opens the port.
fn open(
    config: ServerConfig,
    certificate: CertificateConfig,
    key: RsaKey,
    process: &Process,
) -> Result<Server<Acceptor>, Error> {
    let (credentials, checks) = credentials(&key, certificate)?;
    drop(key);
    let acceptor = Acceptor::new(credentials, checks).map_err(Error::Setup)?;
    Server::open(config, acceptor, process).map_err(Error::Server)
}

async fn connect(
    config: ClientConfig,
    mode: Mode,
    certificate: CertificateConfig,
    key: RsaKey,
    consent: Consent,
    process: Process,
) -> Result<(), Error> {
    let (credentials, checks) = credentials(&key, certificate)?;
    drop(key);
    let connector = Connector::new(credentials, checks).map_err(Error::Setup)?;
    let witness = connector.witness();
    let client = Client::new(config, connector, &process).map_err(Error::Names)?;
    let outcome = client.run(mode, consent, process).await;
    debug_assert!(witness.key_is_wiped(), "something outlives the client");
    outcome.map_err(Error::Client)
}

/// The key with a certificate of it. The caller drops the key that it was made of.
pub(crate) fn credentials(
    key: &RsaKey,
    config: CertificateConfig,
) -> Result<(Arc<Credentials>, Checks), Error> {
    let credentials = Credentials::new(
        own(key)?,
        config.subject,
        config.issuer,
        config.validity,
        Arc::new(DefaultTimeProvider),
    );
    Ok((Arc::new(credentials.map_err(Error::Setup)?), config.checks))
}

/// The key where it is used.
fn own(key: &RsaKey) -> Result<Key, Error> {
    // To sign handshakes and certificates with it.
    Key::from_pkcs8(key.pkcs8_der().expose_secret()).map_err(Error::Setup)
}

#[cfg(test)]
mod tests;
