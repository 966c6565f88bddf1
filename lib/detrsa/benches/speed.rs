//! How long a key takes, beside OpenSSL's own generator, the one of `openssl genrsa`, of the same build in the same process:
//!
//! ```text
//! cargo bench -p mcbn-detrsa --bench speed [SEEDS]
//! ```
//!
//! How long depends on the luck of each seed, so medians are of many, taken in turns.

use mcbn_detrsa::{Algorithm, Seed, Size, generate};
use openssl::rsa::Rsa;
use std::time::Instant;

fn main() {
    let seeds = std::env::args().find_map(|argument| argument.parse().ok());
    let seeds: u32 = seeds.unwrap_or(100);
    println!(
        "{}, {seeds} seeds, medians in ms",
        openssl::version::version()
    );
    for size in Size::ALL {
        let mut openssl = Vec::new();
        let mut ours = Algorithm::ALL.map(|algorithm| (algorithm, Vec::new()));
        for number in 0..seeds {
            openssl.push(milliseconds(|| {
                Rsa::generate(size.bits()).expect("OpenSSL makes keys of these sizes");
            }));
            let seed = seed(number);
            for (algorithm, times) in &mut ours {
                times.push(milliseconds(|| {
                    // A seed without provable primes takes its time too.
                    let _ = generate(*algorithm, size, &seed);
                }));
            }
        }
        let base = median(openssl);
        println!("{size} openssl genrsa {base:.1}");
        for (algorithm, times) in ours {
            let median = median(times);
            println!("{size} {algorithm} {median:.1}, {:.2} times", median / base);
        }
    }
}

fn seed(number: u32) -> Seed {
    let mut bytes: [u8; 32] = std::array::from_fn(|i| 7 * i as u8);
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Seed::copied_from(&bytes)
}

fn milliseconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    1000.0 * start.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
