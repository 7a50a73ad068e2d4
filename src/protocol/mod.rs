//! The law: records and pure functions.
