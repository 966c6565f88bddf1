//! The connector.

use mcbn_manifest::Pin;
use mcbn_pinned::{Connector, NoStream, PinnedPeer, PinnedStream, Plain, Setup};
use mcbn_tls13::{Client, Judge, Shown, public_key};
use rustls::{CertificateError, Error};
use tokio_rustls::client::TlsStream;

use crate::error::no_stream;
use crate::handshake::Handshake;

/// Connects to servers by their pins.
#[derive(Clone)]
pub struct Rustls;

impl Connector for Rustls {
    type Tls<S: Plain> = Box<TlsStream<S>>;

    fn new() -> Result<Self, Setup> {
        Ok(Self)
    }

    async fn connect<S: Plain>(
        &self,
        stream: S,
        pin: &Pin,
    ) -> Result<PinnedStream<Self::Tls<S>>, NoStream> {
        // rustls asks the judge of a configuration, so each pin has one.
        let client = Client::new(OnlyKey(*pin), None).map_err(Setup::because);
        let client = client.map_err(NoStream::Local)?;
        let tls = client.connect(stream).await;
        let tls = tls.map_err(|error| no_stream(error.into()))?;
        let peer = PinnedPeer::of(&Handshake(tls.get_ref().1), pin)?;
        // A kilobyte of state, which would else stand in every future around it.
        Ok(PinnedStream::new(Box::new(tls), peer))
    }
}

/// Lets one key pass. What stands beside the server's own certificate is not looked at.
#[derive(Debug)]
pub struct OnlyKey(pub Pin);

impl Judge for OnlyKey {
    fn judge(&self, shown: Shown<'_>) -> Result<(), Error> {
        match Pin::of_key(&public_key(shown.certificate)?) == self.0 {
            true => Ok(()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }
}
