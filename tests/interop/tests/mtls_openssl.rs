//! Every scenario of mutual TLS.

mcbn_tests_interop::mtls_scenarios!(
    mcbn_tests_interop::openssl::OpenSsl,
    mcbn_tests_interop::mtls::Material::new()
);
