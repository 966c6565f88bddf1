//! Every scenario with node.

mcbn_tests_interop::scenarios!(mcbn_tests_interop::node::Node);
