//! How long ten people need to make a key, if nobody has to be waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::House;

/// From the first connection until everybody has checked the receipt: with the real program, mutual TLS, and a token over
/// every answer from a simulated machine.
///
/// # Panics
///
/// Where anything goes wrong.
pub async fn generate(house: &Arc<House>) -> Duration {
    let enclave = house.start();
    let address = enclave.address;
    let count = house.people.len();
    // Where participants wait for each other, they would ask again and again.
    let all_have = Arc::new(Barrier::new(count));
    let begun = Instant::now();
    let mut everybody = JoinSet::new();
    for number in 0..count {
        let (house, all_have) = (Arc::clone(house), Arc::clone(&all_have));
        everybody.spawn(async move {
            let person = &house.people[number];
            let mut visit = house.visit_at(person, address).await.expect("a connection");
            let joining = visit.joining().await;
            visit.approve(&joining).await.expect("it is genuine");
            all_have.wait().await;
            let opened = visit.open(&joining).await;
            visit.confirm(&opened).await.expect("it is genuine");
            all_have.wait().await;
            let receipt = visit.receipt().await.expect("all have confirmed");
            opened.finish(&receipt).expect("it is of this group");
        });
    }
    everybody.join_all().await;
    let took = begun.elapsed();
    enclave.process.end().expect_code(0);
    took
}
