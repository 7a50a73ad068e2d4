//! The fixture for tests.
