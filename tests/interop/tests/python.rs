//! Every scenario with python.

mcbn_tests_interop::scenarios!(mcbn_tests_interop::python::Python);
