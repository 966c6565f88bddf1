//! What a TPM does for this program, as numbers.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

type Label = [(&'static str, &'static str); 1];

/// Counters of one TPM. Clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    keys: Family<Label, Counter>,
    command_seconds: Histogram,
    wait_seconds: Histogram,
    reachable: Gauge,
}

/// How a request for a key ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Made,
    /// Its deadline came while it waited.
    Late,
    Failed,
}

impl Default for Metrics {
    fn default() -> Self {
        // From a TPM in software to a slow chip.
        let seconds = || {
            Histogram::new([
                0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                0.5, 1.0, 2.5, 5.0,
            ])
        };
        Self {
            keys: Family::default(),
            command_seconds: seconds(),
            wait_seconds: seconds(),
            reachable: Gauge::default(),
        }
    }
}

impl Metrics {
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "tpm_keys",
            "Keys of sessions by outcome: made, late or failed",
            self.keys.clone(),
        );
        registry.register(
            "tpm_seconds",
            "Time that the TPM took for a session's key, from the command to its response",
            self.command_seconds.clone(),
        );
        registry.register(
            "tpm_wait_seconds",
            "Time that a request for a key waited in line",
            self.wait_seconds.clone(),
        );
        registry.register(
            "tpm_reachable",
            "1 while the TPM makes keys, else 0",
            self.reachable.clone(),
        );
    }

    pub(crate) fn count(&self, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Made => "made",
            Outcome::Late => "late",
            Outcome::Failed => "failed",
        };
        self.keys.get_or_create(&[("outcome", outcome)]).inc();
    }

    pub(crate) fn took(&self, time: Duration) {
        self.command_seconds.observe(time.as_secs_f64());
    }

    pub(crate) fn waited(&self, time: Duration) {
        self.wait_seconds.observe(time.as_secs_f64());
    }

    pub(crate) fn reachable(&self, is: bool) {
        self.reachable.set(is.into());
    }
}
