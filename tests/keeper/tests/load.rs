//! The load that the figures of a keeper come from, for a moment: it works, and every release is written down.

use std::time::Duration;

use mcbn_tests_keeper::releases::Load;

#[tokio::test(flavor = "multi_thread")]
async fn every_release_under_load_is_in_the_ledger() {
    let load = Load::new(4);
    let turn = load.turn(Duration::from_millis(200)).await;
    assert!(turn.releases >= 4, "each client asks at least once");
    load.keeper.end().expect_code(0);
    let log = load.house.log();
    let released = log.iter().filter(|kind| *kind == "released").count();
    assert_eq!(released, turn.releases);
}
