//! Random tokens, fingerprints, constant-time comparison.
