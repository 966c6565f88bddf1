//! The TPM without TLS: one key after another, as fast as it makes them.

use std::io;
use std::time::{Duration, Instant};

use mcbn_psk::Randoms;
use mcbn_tpm::{KeyConfig, KeyFile, KeyPlace, Layout, LoadedKey};

use super::Turn;
use super::server::{LIMIT, failed};
use crate::cli::TpmAlone;
use crate::failure::Failure;
use crate::machine::processor_time;
use crate::measure::Rate;

/// Prints keys, seconds, the processor's seconds, and the seconds that the TPM was at work.
pub fn alone(asked: &TpmAlone) -> Result<(), Failure> {
    let pem = std::fs::read(&asked.key).map_err(Failure::machine("read the key's file"))?;
    let file = KeyFile::from_pem(&pem).map_err(failed)?;
    let mut key = LoadedKey::load(&KeyConfig {
        tcti: asked.tcti.clone(),
        key: KeyPlace::File(Box::new(file)),
        key_auth: None,
        parent_auth: None,
        limit: LIMIT,
    })
    .map_err(failed)?;
    keys_for(&mut key, asked.warm_up)?;
    let own = std::process::id();
    let before = processor_time(own)?;
    key.take_busy();
    let (keys, time) = keys_for(&mut key, asked.window)?;
    let busy = key.take_busy();
    let used = processor_time(own)? - before;
    let (time, busy) = (time.as_secs_f64(), busy.as_secs_f64());
    println!("{keys} {time} {used} {busy}");
    Ok(())
}

fn keys_for(key: &mut LoadedKey, time: Duration) -> Result<(u64, Duration), Failure> {
    let start = Instant::now();
    let mut keys = 0_u64;
    while start.elapsed() < time {
        // No two sessions have the same.
        let mut client = [0; 32];
        client[..8].copy_from_slice(&keys.to_be_bytes());
        let randoms = Randoms {
            client,
            server: [7; 32],
        };
        key.hmac(&Layout::Random32.message(&randoms))
            .map_err(failed)?;
        keys += 1;
    }
    Ok((keys, start.elapsed()))
}

/// What it printed.
pub fn turn(printed: &str) -> Result<Turn, Failure> {
    read(printed).ok_or_else(|| failed(io::Error::other(format!("it printed {printed:?}"))))
}

fn read(printed: &str) -> Option<Turn> {
    let (keys, rest) = printed.trim_end().split_once(' ')?;
    let seconds: Vec<f64> = rest
        .split(' ')
        .map(|seconds| seconds.parse().ok())
        .collect::<Option<_>>()?;
    let [time, used, busy] = seconds[..] else {
        return None;
    };
    let whole = Duration::try_from_secs_f64(time).ok()?;
    Some(Turn {
        rate: Rate::of(keys.parse().ok()?, whole, used),
        share: Some(busy / time),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read() {
        let turn = read("300 1.5 0.25 1.2\n").unwrap();
        assert_eq!(turn.rate.per_second, 200.0);
        assert_eq!(turn.rate.per_processor_second, 1200.0);
        assert_eq!(turn.share, Some(1.2 / 1.5));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "300",
            "300 1.5 0.2",
            "300 1.5 0.2 x",
            "x 1 1 1",
            "1 1 1 1 1",
        ] {
            assert!(read(text).is_none(), "{text:?}");
        }
    }
}
