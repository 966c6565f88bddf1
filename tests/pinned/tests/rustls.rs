//! Pinned keys over rustls.

mod scenarios;

use mcbn_pinned_rustls::Rustls as Stack;
