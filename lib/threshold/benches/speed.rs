//! How long each step takes, beside blst itself and beside blsful, in turns in the same process:
//!
//! ```text
//! cargo bench -p mcbn-threshold --bench speed [TURNS]
//! ```
//!
//! blst has single signatures alone: its numbers are what a step that is one of its own operations could take at best.
//! blsful combines without verifying, so the time to verify each partial signature is added to its own.

use std::hint::black_box;
use std::time::Instant;

use blsful::{Bls12381G2Impl, SignatureSchemes};
use blst::{BLST_ERROR, min_pk};
use mcbn_threshold::{Dealt, PartialSignature, Threshold, generate};

const MESSAGE: &[u8] = &[7; 32];
const TAG: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

fn main() {
    let turns = std::env::args().find_map(|argument| argument.parse().ok());
    let turns: usize = turns.unwrap_or(15);
    println!("{turns} turns, medians in ms, and how many times blst's and blsful's");
    for (threshold, count) in [(2, 3), (7, 10), (67, 100)] {
        println!("{threshold} of {count}");
        let mut steps = Steps::default();
        for turn in 0..turns {
            steps.take(threshold, count, turn);
        }
        steps.print();
    }
}

#[derive(Default)]
struct Steps(Vec<Step>);

struct Step {
    name: &'static str,
    ours: Vec<f64>,
    blst: Vec<f64>,
    blsful: Vec<f64>,
}

impl Steps {
    fn take(&mut self, threshold: u8, count: u8, turn: usize) {
        let threshold = Threshold::new(threshold).expect("2 or more");
        let Dealt { group, shares, .. } = self.ours("generate", || {
            generate(threshold, count, random).expect("they fit")
        });
        let (t, n) = (threshold.get(), usize::from(count));
        // Without commitments, so that it is not the same step.
        let theirs = blsful::SecretKey::<Bls12381G2Impl>::from_hash(turn.to_be_bytes());
        let their_shares = theirs.split(t, n).expect("they fit");

        // One participant after another, so that the same is not measured again and again.
        let share = &shares[turn % n];
        let secret = share.secret();
        let alone = min_pk::SecretKey::from_bytes(secret.expose_secret()).expect("a scalar");
        self.ours("check a share", || group.check(share).expect("it fits"));
        let partial = self.ours("sign", || share.sign(MESSAGE));
        let signature = self.blst("sign", || alone.sign(MESSAGE, TAG, &[]));
        let their_share = &their_shares[turn % n];
        let scheme = SignatureSchemes::ProofOfPossession;
        let their_partial = self.blsful("sign", || {
            their_share.sign(scheme, MESSAGE).expect("it signs")
        });

        self.ours("verify a partial signature", || {
            group
                .verify_partial(MESSAGE, &partial)
                .expect("it verifies");
        });
        let key = alone.sk_to_pk();
        self.blst("verify a partial signature", || {
            let verified = signature.verify(false, MESSAGE, TAG, &[], &key, false);
            assert_eq!(verified, BLST_ERROR::BLST_SUCCESS);
        });
        let their_key = their_share.public_key().expect("it has one");
        self.blsful("verify a partial signature", || {
            their_partial
                .verify(&their_key, MESSAGE)
                .expect("it verifies");
        });

        let partials: Vec<PartialSignature> = shares[n - t..]
            .iter()
            .map(|share| share.sign(MESSAGE))
            .collect();
        self.ours("verify all and combine", || {
            group.combine(MESSAGE, &partials, random).expect("enough")
        });
        let their_partials: Vec<_> = their_shares[n - t..]
            .iter()
            .map(|share| share.sign(scheme, MESSAGE).expect("it signs"))
            .collect();
        let their_keys: Vec<_> = their_shares[n - t..]
            .iter()
            .map(|share| share.public_key().expect("it has one"))
            .collect();
        self.blsful("verify all and combine", || {
            for (partial, key) in their_partials.iter().zip(&their_keys) {
                partial.verify(key, MESSAGE).expect("it verifies");
            }
            blsful::Signature::from_shares(&their_partials).expect("enough")
        });
    }

    fn step(&mut self, name: &'static str) -> &mut Step {
        let place = self.0.iter().position(|step| step.name == name);
        let place = place.unwrap_or_else(|| {
            self.0.push(Step {
                name,
                ours: vec![],
                blst: vec![],
                blsful: vec![],
            });
            self.0.len() - 1
        });
        &mut self.0[place]
    }

    fn ours<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        timed(&mut self.step(name).ours, work)
    }

    fn blst<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        timed(&mut self.step(name).blst, work)
    }

    fn blsful<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        timed(&mut self.step(name).blsful, work)
    }

    fn print(self) {
        for step in self.0 {
            let ours = median(step.ours).expect("measured");
            print!("  {:26} {ours:7.2}", step.name);
            for (name, theirs) in [("blst", step.blst), ("blsful", step.blsful)] {
                if let Some(theirs) = median(theirs) {
                    print!("  {:.2} times {name}'s {theirs:.2}", ours / theirs);
                }
            }
            println!();
        }
    }
}

fn timed<T>(times: &mut Vec<f64>, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = black_box(work());
    times.push(1000.0 * start.elapsed().as_secs_f64());
    done
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

fn random(bytes: &mut [u8]) -> Result<(), ring::error::Unspecified> {
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), bytes)
}
