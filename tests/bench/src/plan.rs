//! How much is measured.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Turns that each server gets for each figure.
    pub rounds: usize,
    /// What a turn leaves out at its beginning.
    pub warm_up: Duration,
    /// What a turn measures.
    pub window: Duration,
    /// Streams of a throughput figure with many.
    pub streams: usize,
    /// Connections that idle.
    pub idle: usize,
    /// Turns for memory, which varies little.
    pub idle_rounds: usize,
}

impl Plan {
    pub const FULL: Self = Self {
        rounds: 7,
        warm_up: Duration::from_millis(400),
        window: Duration::from_millis(1600),
        streams: 64,
        idle: 1000,
        idle_rounds: 3,
    };

    pub const QUICK: Self = Self {
        rounds: 3,
        warm_up: Duration::from_millis(150),
        window: Duration::from_millis(450),
        idle_rounds: 1,
        ..Self::FULL
    };

    pub const SMOKE: Self = Self {
        rounds: 1,
        warm_up: Duration::from_millis(20),
        window: Duration::from_millis(100),
        streams: 3,
        idle: 20,
        idle_rounds: 1,
    };
}
