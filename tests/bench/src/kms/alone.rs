//! The calls without TLS: one signature after another, by each of so many callers, with the client that kms-mtls has.

use std::fmt;
use std::io;
use std::time::Instant;

use mcbn_gcp::{Digest, Endpoints, Google, Kms, Protection};
use tokio::runtime::Builder;

use super::{Kind, Turn};
use crate::cli::CallsAlone;
use crate::client::PATIENCE;
use crate::failure::Failure;

fn failed(error: impl fmt::Display) -> Failure {
    let error = io::Error::other(error.to_string());
    Failure::Server(Kind::CallsAlone.name(), error)
}

/// Prints the rate and the p50 in microseconds.
pub fn alone(asked: &CallsAlone) -> Result<(), Failure> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::machine("start threads"))?;
    let endpoints = Endpoints {
        kms: Some(asked.endpoint.clone()),
        ..Endpoints::default()
    };
    // One for all, as a server has it.
    let kms = Google::new(asked.credentials.clone(), endpoints, PATIENCE).kms();
    let turn = runtime.block_on(async {
        // The connection is made and the token is here before the clock runs.
        sign(&kms, asked, 0).await?;
        let start = Instant::now();
        let callers: Vec<_> = (0..asked.callers)
            .map(|_| tokio::spawn(calls(kms.clone(), asked.clone(), start)))
            .collect();
        let mut taken = Vec::new();
        for caller in callers {
            taken.extend(caller.await.expect("a caller does not panic")?);
        }
        Ok(Turn::of(taken, start.elapsed() - asked.warm_up))
    })?;
    println!("{} {}", turn.per_second, turn.p50);
    Ok(())
}

/// How long each took in the window: at least one.
async fn calls(kms: Kms, asked: CallsAlone, start: Instant) -> Result<Vec<f64>, Failure> {
    let (mut taken, mut calls) = (Vec::new(), 0_u64);
    while start.elapsed() < asked.warm_up + asked.window || taken.is_empty() {
        let begun = Instant::now();
        calls += 1;
        sign(&kms, &asked, calls).await?;
        if begun - start >= asked.warm_up {
            taken.push(begun.elapsed().as_secs_f64() * 1e6);
        }
    }
    Ok(taken)
}

async fn sign(kms: &Kms, asked: &CallsAlone, number: u64) -> Result<(), Failure> {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    let digest = Digest::Sha256(digest);
    let signature = kms.sign(&asked.key, &digest, Protection::Hsm).await;
    signature.map(drop).map_err(failed)
}

/// What it printed.
pub fn turn(printed: &str) -> Result<Turn, Failure> {
    read(printed).ok_or_else(|| failed(format!("it printed {printed:?}")))
}

fn read(printed: &str) -> Option<Turn> {
    let (per_second, p50) = printed.trim_end().split_once(' ')?;
    Some(Turn {
        per_second: per_second.parse().ok()?,
        p50: p50.parse().ok()?,
        signatures: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read() {
        let turn = read("300.5 1250\n").unwrap();
        assert_eq!((turn.per_second, turn.p50), (300.5, 1250.0));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "300", "x 1", "1 x", "1 2 3"] {
            assert!(read(text).is_none(), "{text:?}");
        }
    }
}
