//! Keys that stay inside a TPM 2.0, and what is asked of them.
