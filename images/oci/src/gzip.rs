//! Compression whose output is the same bytes everywhere.
//!
//! `miniz_oxide` does it: pure safe Rust without paths that depend on the CPU, where zlib-ng and
//! zlib-rs may choose hash functions by CPU features and so find other matches. Its version is
//! held by Cargo.lock, its output by the tests below: an update that compresses otherwise turns
//! them red before it moves a digest.

use std::io::{self, Read, Write};

use flate2::bufread::{GzDecoder, MultiGzDecoder};
use flate2::{Compression, GzBuilder};

/// gzip without name, comment or time; the operating system byte says unknown.
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    const UNKNOWN_SYSTEM: u8 = 255;
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(UNKNOWN_SYSTEM)
        .write(Vec::new(), Compression::best());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("a Vec takes every write")
}

/// The content of exactly one gzip member; bytes after it are refused, since they would be
/// hashed but never seen. `limit` bounds what a hostile layer can unfold to.
pub fn decompress(bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    let mut decoder = GzDecoder::new(bytes);
    let content = unfold(&mut decoder, limit)?;
    if !decoder.into_inner().is_empty() {
        return Err(invalid("bytes after the end of the gzip member".to_owned()));
    }
    Ok(content)
}

/// The content of one or more gzip members, as some other tools write them, and of nothing else.
pub fn decompress_any(bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    unfold(&mut MultiGzDecoder::new(bytes), limit)
}

fn unfold(decoder: &mut impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    decoder.take(limit + 1).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(invalid(format!("unfolds to more than {limit} bytes")));
    }
    Ok(content)
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    /// Half compressible, half not, from a fixed linear congruence: 300,000 bytes reach matches,
    /// literals, stored and dynamic blocks.
    fn sample() -> Vec<u8> {
        let mut state = 1_u32;
        (0..300_000_u32)
            .map(|at| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if (at / 4096) % 2 == 0 {
                    (state >> 24) as u8
                } else {
                    (state >> 30) as u8 * 7
                }
            })
            .collect()
    }

    #[test]
    fn the_compressed_form_of_fixed_bytes_is_fixed() {
        assert_eq!(
            Digest::of(&compress(&sample())).to_string(),
            "sha256:091518a9e4f201c3cc856a210c71fb41fde992d42e4b86e92491ca1de010cd46"
        );
    }

    #[test]
    fn the_header_names_no_file_time_or_system() {
        assert_eq!(compress(b"x")[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    }

    #[test]
    fn what_went_in_comes_out() {
        assert_eq!(decompress(&compress(&sample()), 300_000).unwrap(), sample());
    }

    #[test]
    fn several_members_are_one_content_where_any_form_is_read() {
        let (a, b) = (compress(b"one "), compress(b"two"));
        let both = [&a[..], &b[..]].concat();
        assert_eq!(decompress_any(&both, 7).unwrap(), b"one two");
        assert!(decompress_any(&both, 6).is_err());
        assert!(decompress_any(&[&both[..], b"hidden"].concat(), 7).is_err());
        assert!(decompress_any(&both[..both.len() - 1], 7).is_err());
    }

    #[test]
    fn trailing_bytes_a_cut_and_a_bomb_are_refused() {
        let good = compress(&sample());
        let mut trailing = good.clone();
        trailing.push(0);
        assert!(decompress(&trailing, 300_000).is_err());
        assert!(decompress(&[good.clone(), good.clone()].concat(), 600_000).is_err());
        assert!(decompress(&good[..good.len() - 1], 300_000).is_err());
        let bomb = decompress(&good, 299_999).unwrap_err();
        assert_eq!(bomb.to_string(), "unfolds to more than 299999 bytes");
    }
}
