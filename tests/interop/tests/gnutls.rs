//! Every scenario with gnutls.

mcbn_tests_interop::scenarios!(mcbn_tests_interop::gnutls::GnuTls);
