//! The permanent key, then what the keys of sessions are for, until the end of either.

use mcbn_dtls_endpoint::client::Client as DatagramClient;
use mcbn_dtls_endpoint::server::Server as DatagramServer;
use mcbn_endpoint::client::Client as StreamClient;
use mcbn_endpoint::server::Server as StreamServer;
use mcbn_psk::{Resumption, Witness};
use mcbn_runtime::process::Process;

use crate::config::{Config, Work};
use crate::error::Error;

pub async fn run(config: Config, process: Process) -> Result<(), Error> {
    let Config {
        key,
        identity,
        work,
    } = config;
    let (key, consent) = tokio::select! {
        made = key.make(&identity, work.dns_server(), &process.admin) => made?,
        // A person who is to approve may be long about it.
        () = process.shutdown.draining() => return work.cut(),
    };
    if let Some(name) = key.name() {
        match work {
            // Its standard error is for what went wrong.
            Work::StreamClient(..) | Work::DatagramClient(..) => {
                tracing::debug!(%name, "the TPM has the permanent key");
            }
            Work::StreamServer(..) | Work::DatagramServer(..) => {
                tracing::info!(%name, "the TPM has the permanent key");
            }
        }
    }
    match work {
        Work::StreamServer(server, resumption) => {
            warn(resumption);
            let acceptor = mcbn_psk::Acceptor::of_session_keys(identity, key, resumption);
            let acceptor = acceptor.map_err(Error::Tls)?;
            let server = StreamServer::open(server, acceptor, &process);
            let server = server.map_err(Error::StreamServer)?;
            let witness = server.service.handshake().witness();
            let outcome = server.serve(consent, process).await;
            ended(witness);
            outcome.map_err(Error::ConsentLost)
        }
        Work::StreamClient(client, mode, resumption) => {
            warn(resumption);
            let connector = mcbn_psk::Connector::of_session_keys(identity, key, resumption);
            let connector = connector.map_err(Error::Tls)?;
            let witness = connector.witness();
            let client = StreamClient::new(client, connector, &process).map_err(Error::Names)?;
            let outcome = client.run(mode, consent, process).await;
            ended(witness);
            outcome.map_err(Error::StreamClient)
        }
        Work::DatagramServer(server, dtls) => {
            let acceptor = mcbn_dtls::Acceptor::new(identity, key, dtls.suites, dtls.mtu);
            let acceptor = acceptor.map_err(Error::Tls)?;
            let server = DatagramServer::open(server, acceptor, &process);
            let server = server.map_err(Error::DatagramServer)?;
            let witness = server.witness();
            let outcome = server.serve(consent, process).await;
            ended(witness);
            outcome.map_err(Error::ConsentLost)
        }
        Work::DatagramClient(client, mode, dtls) => {
            let connector = mcbn_dtls::Connector::new(identity, key, dtls.suites, dtls.mtu);
            let connector = connector.map_err(Error::Tls)?;
            let witness = connector.witness();
            let client = DatagramClient::new(client, connector, &process).map_err(Error::Names)?;
            let outcome = client.run(mode, consent, process).await;
            ended(witness);
            outcome.map_err(Error::DatagramClient)
        }
    }
}

fn warn(resumption: Resumption) {
    if resumption == Resumption::On {
        tracing::warn!(
            "sessions are resumed for five minutes: a resumed one is opened by the secret of an earlier one, and the \
             TPM is not asked"
        );
    }
}

fn ended(witness: Witness) {
    debug_assert!(witness.key_is_wiped(), "something outlives the work");
}
