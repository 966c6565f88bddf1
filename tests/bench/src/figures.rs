//! From samples to figures.

/// A median between the least and the most that was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    /// None where nothing was measured.
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            median: median(&sorted)?,
            least: *sorted.first()?,
            most: *sorted.last()?,
        })
    }

    /// The ratios of neighbours in time.
    pub fn of_ratios(samples: &[f64], to: &[f64]) -> Option<Self> {
        let ratios: Vec<f64> = samples.iter().zip(to).map(|(a, b)| a / b).collect();
        Self::of(&ratios)
    }
}

fn median(sorted: &[f64]) -> Option<f64> {
    let above = *sorted.get(sorted.len() / 2)?;
    let below = *sorted.get((sorted.len() - 1) / 2)?;
    Some((below + above) / 2.0)
}

/// The sample that `share` of all do not exceed.
pub fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        let spread = Spread::of(&[9.0, 1.0, 2.0, 4.0]).unwrap();
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 3.0, 9.0));
    }

    #[test]
    fn ratios_are_those_of_neighbours() {
        let spread = Spread::of_ratios(&[2.0, 30.0, 8.0], &[1.0, 10.0, 2.0]).unwrap();
        assert_eq!(spread.median, 3.0);
    }

    #[test]
    fn nothing_has_no_figure() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn percentiles_are_samples() {
        let sorted: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 0.5), Some(100.0));
        assert_eq!(percentile(&sorted, 0.99), Some(198.0));
        assert_eq!(percentile(&[7.0], 0.99), Some(7.0));
    }
}
