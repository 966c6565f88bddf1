//! A share of fresh random bytes, for the participant who will keep it.

use crate::quality;
use mcbn_secret::Share;
use std::error::Error;
use std::fmt::{self, Display};

/// `random` fills a slice with fresh random bytes.
///
/// # Errors
///
/// There is no share when there are no random bytes, or when they do not look random.
pub fn share<E>(random: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Share, NotFresh<E>> {
    Share::fill(|bytes| {
        random(bytes).map_err(NotFresh::Random)?;
        match quality::looks_random(bytes) {
            true => Ok(()),
            false => Err(NotFresh::NotRandom),
        }
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFresh<E> {
    NotRandom,
    Random(E),
}

impl<E> Display for NotFresh<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotFresh::NotRandom => "the random bytes do not look random",
            NotFresh::Random(_) => "no random bytes",
        })
    }
}

impl<E: Error + 'static> Error for NotFresh<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NotFresh::Random(error) => Some(error),
            NotFresh::NotRandom => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_what_was_drawn() {
        let drawn: [u8; 32] = std::array::from_fn(|i| i as u8);
        let share = share(|bytes| {
            bytes.copy_from_slice(&drawn);
            Ok::<_, ()>(())
        });
        assert!(share == Ok(Share::copied_from(&drawn)));
    }

    #[test]
    fn a_source_of_anything_but_random_bytes_is_refused() {
        assert_eq!(share(|_| Ok::<_, ()>(())), Err(NotFresh::NotRandom));
        assert_eq!(
            share(|_| Err("no source")),
            Err(NotFresh::Random("no source"))
        );
    }
}
