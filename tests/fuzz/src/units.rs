//! Times, sizes and counts.

use crate::share::with_text;
use mcbn_runtime::units::{Count, Period, Size};
use std::time::Duration;

pub fn period(data: &[u8]) {
    with_text(data, |text| {
        if let Ok(period) = text.parse::<Period>() {
            let year = Duration::from_secs(365 * 24 * 60 * 60);
            assert!(period.get() > Duration::ZERO && period.get() <= year);
            let milliseconds = format!("{}ms", period.get().as_millis());
            assert_eq!(milliseconds.parse(), Ok(period));
        }
    });
}

pub fn count(data: &[u8]) {
    with_text(data, |text| {
        if let Ok(count) = text.parse::<Count>() {
            assert!(text.bytes().all(|b| b.is_ascii_digit()));
            assert_eq!(count.get().to_string(), text.trim_start_matches('0'));
        }
    });
}

pub fn size(data: &[u8]) {
    with_text(data, |text| {
        if let Ok(size) = text.parse::<Size>() {
            assert!(size.get() > 0 && isize::try_from(size.get()).is_ok());
            assert_eq!(size.get().to_string().parse(), Ok(size));
        }
    });
}
