//! Every scenario with stunnel.

mcbn_tests_interop::scenarios!(mcbn_tests_interop::stunnel::Stunnel);
