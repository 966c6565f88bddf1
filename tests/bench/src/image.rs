//! The size of psk-server's image, which digests.lock has.

use std::fs;
use std::path::Path;

use crate::failure::Failure;

pub const NAME: &str = "image, compressed";

/// Bytes of the image's one layer as it is sent.
pub fn size(digests: &Path) -> Result<u64, Failure> {
    let text = fs::read_to_string(digests)
        .map_err(Failure::machine(format!("read {}", digests.display())))?;
    find(&text)
        .ok_or_else(|| Failure::Digests(format!("{}: no size of psk-server", digests.display())))
}

fn find(lock: &str) -> Option<u64> {
    let line = lock.lines().find(|line| line.starts_with("psk-server "))?;
    let size = line
        .split(' ')
        .find_map(|field| field.strip_prefix("size="))?;
    size.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_that_of_psk_server() {
        let lock =
            "# size=1\npsk-client linux/amd64 size=2\npsk-server linux/amd64 layer=x size=3\n";
        assert_eq!(find(lock), Some(3));
    }

    #[test]
    fn a_list_without_it_is_refused() {
        assert_eq!(find("psk-client linux/amd64 size=2\n"), None);
        assert_eq!(find("psk-server linux/amd64 size=x\n"), None);
    }
}
