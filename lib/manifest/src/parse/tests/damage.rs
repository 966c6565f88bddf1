//! Whatever happens to a manifest, reading it ends, and says where each mistake is in terms that a terminal can show.

use super::{THRESHOLD, UNANIMOUS};
use crate::{Manifest, Mistakes};

fn survives(bytes: &[u8]) {
    match Manifest::parse(bytes) {
        Ok(manifest) => {
            assert!(!manifest.participants().is_empty() && !manifest.workloads().is_empty());
        }
        Err(mistakes) => assert_presentable(&mistakes, bytes),
    }
}

fn assert_presentable(mistakes: &Mistakes, bytes: &[u8]) {
    let lines: Vec<_> = bytes.split(|b| *b == b'\n').collect();
    assert_ne!(mistakes.iter().len(), 0);
    let places: Vec<_> = mistakes.iter().map(|m| (m.line(), m.column())).collect();
    assert!(places.is_sorted(), "{mistakes}");
    for mistake in mistakes.iter() {
        let line = lines.get(mistake.line() - 1).expect("no such line");
        assert!(
            (1..=line.len() + 1).contains(&mistake.column()),
            "{mistake}"
        );
        let message = mistake.message();
        assert!(
            message.bytes().all(|b| (b' '..=b'~').contains(&b)),
            "{message:?}"
        );
        assert!((1..=400).contains(&message.len()), "{message:?}");
        assert!(!message.ends_with('.'), "{message:?}");
    }
}

#[test]
fn cut_anywhere() {
    for text in [UNANIMOUS, THRESHOLD] {
        for end in 0..text.len() {
            survives(&text.as_bytes()[..end]);
            survives(&text.as_bytes()[end..]);
        }
    }
}

#[test]
fn a_bit_flipped_anywhere() {
    for text in [UNANIMOUS, THRESHOLD] {
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= 1 << (at % 8);
            survives(&bytes);
        }
    }
}

#[test]
fn something_put_in_anywhere() {
    const ODD: &[&str] = &[
        "\n", "\0", "\x1b[2J", "\"", "[", "{", ".", "= 1\n", "\u{202e}",
    ];
    for text in [UNANIMOUS, THRESHOLD] {
        for at in 0..=text.len() {
            let mut bytes = text.as_bytes().to_vec();
            let odd = ODD[at % ODD.len()].bytes();
            bytes.splice(at..at, odd);
            survives(&bytes);
        }
    }
}

#[test]
fn a_line_lost_or_moved() {
    for text in [UNANIMOUS, THRESHOLD] {
        let lines: Vec<_> = text.lines().collect();
        for i in 0..lines.len() {
            let mut fewer = lines.clone();
            let moved = fewer.remove(i);
            survives(fewer.join("\n").as_bytes());
            for to in 0..lines.len() {
                let mut other = fewer.clone();
                other.insert(to, moved);
                survives(other.join("\n").as_bytes());
            }
        }
    }
}

#[test]
fn made_to_take_long_or_to_go_deep() {
    let all = |unit: &str| unit.repeat(Manifest::MAX_LEN / unit.len());
    for text in [
        all("[[a]]\n"),
        all("["),
        all("{a="),
        all("a."),
        all("a\n"),
        all("\""),
        all("[[participant]]\n"),
        all("\u{1f600}"),
        format!("a = [{}]", "[],".repeat(80_000)),
        format!("{} = 1", "a.".repeat(79) + "a"),
        format!("a = {}1{}", "[".repeat(70), "]".repeat(70)),
        format!("{}a = 1", "[a]\n".repeat(50_000)),
        (0..20_000).map(|i| format!("a{i} = 1\n")).collect(),
        UNANIMOUS.replace(
            "[\"STABLE\"]",
            &format!("[{}]", "\"STABLE\",".repeat(20_000)),
        ),
        UNANIMOUS.replace("[\"STABLE\"]", &format!("[{}]", "1,".repeat(100_000))),
        UNANIMOUS.replace("alice", &"x".repeat(50_000)),
    ] {
        assert!(text.len() <= Manifest::MAX_LEN);
        survives(text.as_bytes());
    }
}
