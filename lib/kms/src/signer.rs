//! The key as rustls sees it: something that signs while the caller waits.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcbn_gcp::Failure;
use mcbn_mutual::Unsigned;
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio::time::timeout_at;

use crate::key::{Key, Signs};
use crate::metrics::Metrics;
use crate::turn::Turn;

/// A key, and who signs with it.
pub(crate) struct RemoteKey<S> {
    key: Key,
    signs: Arc<S>,
    /// For one signature.
    limit: Duration,
    metrics: Metrics,
}

impl<S: Signs> RemoteKey<S> {
    pub(crate) fn new(key: Key, signs: Arc<S>, limit: Duration, metrics: Metrics) -> Self {
        Self {
            key,
            signs,
            limit,
            metrics,
        }
    }

    /// A signature of this message, made by whoever has the key, that is one.
    pub(crate) async fn sign(&self, message: &[u8], until: Instant) -> Result<Vec<u8>, NotSigned> {
        let start = Instant::now();
        let until = until.min(start + self.limit);
        let signature = timeout_at(until.into(), self.signs.sign(self.key.digest(message))).await;
        let signature = match signature {
            Ok(Ok(signature)) if self.key.has_signed(message, &signature) => Ok(signature),
            Ok(Ok(_)) => Err(NotSigned::Foreign),
            Ok(Err(failure)) => Err(NotSigned::Failed(failure)),
            Err(_) => Err(NotSigned::Failed(Failure::Slow)),
        };
        let outcome = signature
            .as_ref()
            .map_or_else(NotSigned::reason, |_| "made");
        self.metrics.signature(outcome, start.elapsed());
        signature
    }
}

impl<S: Signs> SigningKey for Shared<S> {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let is_offered = offered.contains(&self.0.key.scheme());
        is_offered.then(|| Box::new(Shared(Arc::clone(&self.0))) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(self.0.key.spki()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.key.kind()
    }
}

impl<S: Signs> Signer for Shared<S> {
    /// Blocks the thread, and so runs only where [`Turn`] has a seat for it.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let turn = Turn::current().ok_or_else(|| Error::General("nobody waits for this".into()))?;
        turn.signs();
        let signing = self.0.sign(message, turn.until());
        // Other tasks of this thread move to another one first.
        let signature = block_in_place(|| Handle::current().block_on(signing));
        signature.map_err(|why| why.unsigned().into())
    }

    fn scheme(&self) -> SignatureScheme {
        self.0.key.scheme()
    }
}

/// rustls wants to own it, and so do we.
pub(crate) struct Shared<S>(pub(crate) Arc<RemoteKey<S>>);

impl<S> fmt::Debug for Shared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteKey(..)")
    }
}

/// There is no signature, and why.
#[derive(Debug)]
pub(crate) enum NotSigned {
    Failed(Failure),
    /// What came is no signature of this message by this key.
    Foreign,
    /// Too many handshakes waited for one.
    NoSeat,
}

impl NotSigned {
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            // Which of the four it is stands in the message.
            Self::Failed(failure) if failure.is_of_credentials() => "kms_credentials",
            Self::Failed(failure) => failure.reason_of_kms(),
            Self::Foreign => "kms_foreign_signature",
            Self::NoSeat => "kms_no_seat",
        }
    }

    pub(crate) fn unsigned(self) -> Unsigned {
        Unsigned {
            reason: self.reason(),
            may_pass: match &self {
                Self::Failed(failure) => !failure.is_final(),
                Self::Foreign => false,
                Self::NoSeat => true,
            },
            source: Arc::new(self),
        }
    }
}

impl fmt::Display for NotSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => failure.fmt(f),
            Self::Foreign => f.write_str("what came is no signature of this message by this key"),
            Self::NoSeat => f.write_str("too many handshakes wait for a signature"),
        }
    }
}

impl std::error::Error for NotSigned {}
