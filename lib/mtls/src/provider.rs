//! The cryptography of TLS, for both ends.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

/// Named here and nowhere else: rustls' process-wide default is whatever some crate turned on.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
