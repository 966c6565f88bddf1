//! Load on one keeper: clients that ask for releases one after the other, each with a token of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcbn_tests_support::confidential_space::{Instance, Machine, Profile};
use tokio::task::JoinSet;

use crate::{House, Keeper, Workload};

/// What a turn came to.
pub struct Turn {
    pub releases: usize,
    pub seconds: f64,
    /// Processor time of the keeper, all threads.
    pub processor_seconds: f64,
    /// From a client's question to its share, the token and all, in ascending order.
    pub latencies: Vec<Duration>,
}

/// Clients on machines of their own, and a keeper without the limits that are against strangers.
pub struct Load {
    pub house: House,
    pub keeper: Keeper,
    workloads: Vec<Arc<Workload>>,
    _machines: Vec<Machine>,
}

impl Load {
    pub fn new(clients: usize) -> Self {
        let house = House::new();
        let keeper = house.start_with(|command| {
            command
                .args(["--tokens-per-minute", "1000000"])
                .args(["--max-connections-per-peer", "4096"]);
        });
        let machines: Vec<Machine> = (0..clients)
            .map(|n| {
                house.machine(Profile {
                    instance: Instance::named(&format!("load-{n}")),
                    ..Profile::production()
                })
            })
            .collect();
        let workloads = machines
            .iter()
            .map(|machine| Arc::new(house.workload(&keeper, machine)))
            .collect();
        Self {
            house,
            keeper,
            workloads,
            _machines: machines,
        }
    }

    /// Every client asks until the time is over. Whatever is refused ends the run.
    pub async fn turn(&self, length: Duration) -> Turn {
        let before = self.keeper.processor_seconds();
        let start = Instant::now();
        let mut clients = JoinSet::new();
        for workload in &self.workloads {
            let workload = Arc::clone(workload);
            clients.spawn(async move {
                let mut latencies = Vec::new();
                while start.elapsed() < length {
                    let asked = Instant::now();
                    workload.release().await.expect("a release");
                    latencies.push(asked.elapsed());
                }
                latencies
            });
        }
        let mut latencies = clients.join_all().await.concat();
        let seconds = start.elapsed().as_secs_f64();
        latencies.sort();
        Turn {
            releases: latencies.len(),
            seconds,
            processor_seconds: self.keeper.processor_seconds() - before,
            latencies,
        }
    }
}
