//! Sealing with the key-encryption key.
