//! Argon2id (RFC 9106) in the caller's memory, for Vestibule's passwords.
//!
//! A package of its own for one reason: `argon2`'s function is generic over the memory, so it is compiled where it is called,
//! and Vestibule's library is compiled for size.

pub use argon2::{Block, Error, Params};

use argon2::{Algorithm, Argon2, Version};

/// Writes the Argon2id hash, version 1.3, of `password` into `hash`. `memory` holds [`Params::block_count`] blocks or more;
/// what is in it before does not matter, and what is left in it tells of the password.
///
/// # Errors
/// [`Error`] when `salt`, `hash` or `memory` is shorter than `params` and the algorithm ask.
// Inlined into its caller it would be compiled as the caller is.
#[inline(never)]
pub fn hash(
    params: Params,
    salt: &[u8],
    password: &[u8],
    memory: &mut [Block],
    hash: &mut [u8],
) -> Result<(), Error> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password, salt, hash, memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of RFC 9106 §5.3 asks for a secret and associated data, which nothing here has; this one is of the
    /// reference implementation (`test.c`, version 0x13, Argon2id, t = 2, m = 2^16, p = 1).
    #[test]
    fn hashes_as_the_reference_implementation() {
        let params = Params::new(65_536, 2, 1, Some(32)).unwrap();
        let mut memory = vec![Block::default(); params.block_count()];
        let mut found = [0; 32];
        hash(params, b"somesalt", b"password", &mut memory, &mut found).unwrap();
        let text: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7");
    }

    #[test]
    fn too_little_memory_is_an_error() {
        let params = Params::new(64, 1, 1, Some(32)).unwrap();
        let mut memory = vec![Block::default(); params.block_count() - 1];
        assert_eq!(
            hash(params, b"somesalt", b"password", &mut memory, &mut [0; 32]),
            Err(Error::MemoryTooLittle)
        );
    }
}
