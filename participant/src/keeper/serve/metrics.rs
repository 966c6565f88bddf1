//! What the keeper answers, as numbers.

use mcbn_tunnel::metrics::Metrics as Connections;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub connections: Connections,
    answers: Family<[(&'static str, &'static str); 1], Counter>,
    verification_seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            connections: Connections::default(),
            answers: Family::default(),
            // From a signature alone to one for which keys are fetched.
            verification_seconds: Histogram::new([
                0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.1, 1.0, 10.0,
            ]),
        }
    }
}

impl Metrics {
    pub fn register(&self, registry: &mut Registry) {
        self.connections.register(registry);
        registry.register(
            "answers",
            "Requests answered: challenge, released, renewed, or the code of the refusal",
            self.answers.clone(),
        );
        registry.register(
            "verification_seconds",
            "Time from a token's turn to its verdict",
            self.verification_seconds.clone(),
        );
    }

    pub fn answered(&self, answer: &'static str) {
        self.answers.get_or_create(&[("answer", answer)]).inc();
    }

    pub fn verified(&self, took: Duration) {
        self.verification_seconds.observe(took.as_secs_f64());
    }
}
