//! Password hashes on a bounded pool.
