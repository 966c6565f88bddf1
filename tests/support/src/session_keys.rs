//! The published keys of sessions, which a permanent key and both sides' randoms make.
//!
//! They are those of the published sample and one that was computed since; whoever makes keys of sessions is held to them.

use serde_json::Value;

/// The permanent key of the published sample.
pub const KEY: &[u8; 32] = b"change this password to a secret";

/// A session's key, of what it is made, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    /// `random32` or `random28`.
    pub layout: &'static str,
    pub client_random: [u8; 32],
    pub server_random: [u8; 32],
    pub key: [u8; 32],
}

/// What stands where `random28` has no say.
const TIMES: [&str; 2] = ["00000000", "6a5b4c3d"];

/// All of them, made with [`KEY`].
pub fn published() -> Vec<Published> {
    let all: Value = serde_json::from_str(include_str!("../testdata/tpm_psk.json"))
        .expect("it is the project's own");
    assert_eq!(
        all["permanent_key_ascii"].as_str(),
        str::from_utf8(KEY).ok()
    );
    let random32 = each(&all["random32"]).map(|vector| Published {
        layout: "random32",
        client_random: bytes(&text(vector, "client_random_hex")),
        server_random: bytes(&text(vector, "server_random_hex")),
        key: bytes(&text(vector, "psk_hex")),
    });
    let random28 = each(&all["random28"]).map(|vector| Published {
        layout: "random28",
        client_random: bytes(&(TIMES[0].to_owned() + &text(vector, "client_random28_hex"))),
        server_random: bytes(&(TIMES[1].to_owned() + &text(vector, "server_random28_hex"))),
        key: bytes(&text(vector, "psk_hex")),
    });
    random32.chain(random28).collect()
}

fn each(layout: &Value) -> impl Iterator<Item = &Value> {
    layout["vectors"].as_array().expect("a list").iter()
}

fn text(vector: &Value, name: &str) -> String {
    vector[name].as_str().expect("digits").to_owned()
}

fn bytes(digits: &str) -> [u8; 32] {
    assert_eq!(digits.len(), 64, "{digits}");
    std::array::from_fn(|at| {
        u8::from_str_radix(&digits[2 * at..][..2], 16).expect("they are hexadecimal")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_has_published_keys() {
        let of = |layout| {
            let all = published().into_iter();
            all.filter(|one| one.layout == layout).count()
        };
        assert_eq!((of("random32"), of("random28")), (1, 3));
    }
}
