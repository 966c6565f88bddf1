//! Every scenario with openssl.

mcbn_tests_interop::scenarios!(mcbn_tests_interop::openssl::OpenSsl);
