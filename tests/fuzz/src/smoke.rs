//! A short run of every target, the same in every run.

use crate::{TARGETS, Target};
use std::panic::catch_unwind;

const RUNS: u64 = 10_000;

/// Longer inputs only repeat what shorter ones show.
const LONGEST: usize = 4096;

pub fn run(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.expect("the table and the tests come from one list");
    try_one(target, &[]);
    for seed in target.seeds {
        try_one(target, seed);
    }
    let mut random = Random(0);
    for _ in 0..RUNS {
        let input = mutated(target.seeds, &mut random);
        try_one(target, &input);
    }
}

fn try_one(target: &Target, input: &[u8]) {
    if catch_unwind(|| (target.run)(input)).is_err() {
        panic!(
            "{} broke on {:?}",
            target.name,
            input.escape_ascii().to_string()
        );
    }
}

/// A seed with a few changes that keep most of its structure.
fn mutated(seeds: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let mut input = random.one_of(seeds).to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(input.len() + 1);
        let end = at + random.below(input.len() - at + 1);
        match random.below(8) {
            0 => input.insert(at, random.byte()),
            1 => drop(input.drain(at..end)),
            2 => {
                let repeated = input[at..end].to_vec();
                input.splice(at..at, repeated);
            }
            3 => {
                let other = random.one_of(seeds);
                let from = random.below(other.len() + 1);
                input.splice(at..end, other[from..].iter().copied());
            }
            4 => {
                let token = random.one_of(TOKENS);
                input.splice(at..at, token.iter().copied());
            }
            5 => {
                let token = random.one_of(TOKENS);
                input.splice(at..end, token.iter().copied());
            }
            6 => input[at..end].make_ascii_uppercase(),
            _ => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    input.truncate(LONGEST);
    input
}

/// What parsers take to be special.
const TOKENS: &[&[u8]] = &[
    b"",
    b" ",
    b"\n",
    b"\r\n",
    b"\t",
    b"\0",
    b"=",
    b"==",
    b":",
    b",",
    b"-",
    b"--",
    b"_",
    b"+",
    b"/",
    b".",
    b"0",
    b"00",
    b"1",
    b"-1",
    b"255",
    b"256",
    b"65536",
    b"2147483648",
    b"18446744073709551615",
    b"18446744073709551616",
    b"0x",
    b"file:",
    b"sha256:",
    b"0x81",
    b"path=",
    b"fd:",
    b"alice",
    b"MCBN_",
    b"--listen=",
    b"true",
    b"ms",
    b"KiB",
    b"[::1]",
    b"%",
    b"\\",
    b"\"",
    b"\"\"\"",
    b"[[",
    b"{",
    b"#",
    b"\x1b[0m",
    b"\xff",
    b"\xc3\xa9",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x94\x91",
    b"2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90",
];

/// SplitMix64: small, and good enough to spread mutations.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    fn one_of<'a>(&mut self, list: &[&'a [u8]]) -> &'a [u8] {
        list[self.below(list.len())]
    }
}

#[test]
fn a_broken_promise_is_found() {
    let broken = Target {
        name: "broken",
        run: |data| assert!(data.len() < 3 || data[..2] != *b"ba", "found"),
        seeds: &[b"aba", b"bba"],
    };
    let mut random = Random(0);
    let found = (0..RUNS).any(|_| {
        let input = mutated(broken.seeds, &mut random);
        catch_unwind(|| try_one(&broken, &input)).is_err()
    });
    assert!(found);
}
