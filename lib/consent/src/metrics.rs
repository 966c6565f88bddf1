//! What becomes of the questions to participants, as numbers.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    leases: Gauge,
    releases: Counter,
    renewals: Counter,
    failures: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Metrics {
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "consent_leases",
            "Participants whose lease runs now",
            self.leases.clone(),
        );
        registry.register(
            "consent_releases",
            "Shares that participants released",
            self.releases.clone(),
        );
        registry.register(
            "consent_renewals",
            "Leases that participants renewed",
            self.renewals.clone(),
        );
        registry.register(
            "consent_failures",
            "Questions to participants that gave nothing, by reason",
            self.failures.clone(),
        );
    }

    pub(crate) fn leases(&self, live: usize) {
        self.leases.set(live.try_into().unwrap_or(i64::MAX));
    }

    pub(crate) fn released(&self) {
        self.releases.inc();
    }

    pub(crate) fn renewed(&self) {
        self.renewals.inc();
    }

    pub(crate) fn failed(&self, reason: &'static str) {
        self.failures.get_or_create(&[("reason", reason)]).inc();
    }
}
