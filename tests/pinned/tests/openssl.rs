//! Pinned keys over OpenSSL.

mod scenarios;

use mcbn_pinned_openssl::OpenSsl as Stack;
