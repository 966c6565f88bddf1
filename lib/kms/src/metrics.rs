//! What the key is used for, as numbers.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::peer::AuthenticatedPeer;

type Label = [(&'static str, &'static str); 1];

/// Counters of one key. Clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    handshakes: Family<Label, Counter>,
    signatures: Family<Label, Counter>,
    signature_seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            handshakes: Family::default(),
            signatures: Family::default(),
            // From a double on this machine to the other side of the world.
            signature_seconds: Histogram::new([
                0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            ]),
        }
    }
}

impl Metrics {
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "tls_handshakes",
            "Handshakes that were done by kind: full, which costs a signature, or resumed",
            self.handshakes.clone(),
        );
        registry.register(
            "kms_signatures",
            "Signatures by outcome: made, or why there was none",
            self.signatures.clone(),
        );
        registry.register(
            "kms_signature_seconds",
            "Time that Cloud KMS took for a signature, whatever came of it",
            self.signature_seconds.clone(),
        );
    }

    pub(crate) fn handshake(&self, peer: &AuthenticatedPeer) {
        let kind = if peer.is_resumed() { "resumed" } else { "full" };
        self.handshakes.get_or_create(&[("kind", kind)]).inc();
    }

    pub(crate) fn signature(&self, outcome: &'static str, took: Duration) {
        self.signatures.get_or_create(&[("outcome", outcome)]).inc();
        self.signature_seconds.observe(took.as_secs_f64());
    }

    /// How many handshakes of this kind were done, `full` or `resumed`.
    pub fn handshakes(&self, kind: &'static str) -> u64 {
        self.handshakes.get_or_create(&[("kind", kind)]).get()
    }

    /// How many signatures had this outcome.
    pub fn signatures(&self, outcome: &'static str) -> u64 {
        self.signatures.get_or_create(&[("outcome", outcome)]).get()
    }
}
