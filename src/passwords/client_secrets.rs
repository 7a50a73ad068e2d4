//! Client secrets: generated ones by a hash that costs nothing, chosen ones by the pool and a memory of what it said.

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use quick_cache::sync::Cache;

use super::{PasswordError, Passwords, Profile, within_limit};
use crate::secrets::{GENERATED_PREFIX, Secret, hash_generated, random_bytes, same};

/// How many proven secrets are remembered; beyond it, the ones that are asked for least go.
const REMEMBERED: usize = 4096;

/// Checks client secrets against their stored forms: `sha256:…` for what this server generated
/// ([`hash_generated`]), a password hash for what someone chose.
///
/// A service with a chosen secret would pay an Argon2 hash for every token. So a proof is remembered, as an HMAC under
/// a key of this process over the stored form and the secret: nothing that could be reversed or carried elsewhere, and
/// a changed secret has another stored form, so its old proof is never found again. Only what is right is remembered.
#[derive(Debug)]
pub struct ClientSecrets {
    passwords: Passwords,
    key: Key,
    proven: Cache<[u8; 32], ()>,
}

/// The reason for which a proof is not remembered.
enum Unproven {
    Wrong,
    Unanswered(PasswordError),
}

impl ClientSecrets {
    /// A checker that hashes on this pool.
    #[must_use]
    pub fn new(passwords: Passwords) -> Self {
        let key = Key::new(HMAC_SHA256, &random_bytes::<32>());
        Self { passwords, key, proven: Cache::new(REMEMBERED) }
    }

    /// The stored form of a secret that someone chose.
    ///
    /// # Errors
    /// [`PasswordError`]: too long, too busy, or failed.
    pub async fn hash_chosen(&self, profile: Profile, secret: Secret) -> Result<String, PasswordError> {
        self.passwords.hash(profile, secret).await
    }

    /// Whether `presented` is the secret behind `stored`. Callers with the same secret at the same time wait for one
    /// hash instead of asking for one each.
    ///
    /// # Errors
    /// [`PasswordError`]: too long, too busy, or failed.
    pub async fn verify(&self, stored: &str, presented: &Secret) -> Result<bool, PasswordError> {
        within_limit(presented)?;
        if stored.starts_with(GENERATED_PREFIX) {
            return Ok(same(stored, &hash_generated(presented.expose())));
        }
        let proof = async {
            match self.passwords.verify(Some(stored), presented).await {
                Ok(verdict) if verdict.matches => Ok(()),
                Ok(verdict) => {
                    if let Some(reason) = verdict.unusable {
                        tracing::warn!(%reason, "a client's stored secret cannot be used");
                    }
                    Err(Unproven::Wrong)
                }
                Err(error) => Err(Unproven::Unanswered(error)),
            }
        };
        match self.proven.get_or_insert_async(&self.tag(stored, presented), proof).await {
            Ok(()) => Ok(true),
            Err(Unproven::Wrong) => Ok(false),
            Err(Unproven::Unanswered(error)) => Err(error),
        }
    }

    /// The lengths keep the two texts apart: no other pair has the same input.
    fn tag(&self, stored: &str, presented: &Secret) -> [u8; 32] {
        let mut context = Context::with_key(&self.key);
        context.update(&stored.len().to_be_bytes());
        context.update(stored.as_bytes());
        context.update(presented.expose().as_bytes());
        let mut tag = [0; 32];
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        tag
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Limits;
    use super::*;

    fn checker(limits: Limits) -> ClientSecrets {
        ClientSecrets::new(Passwords::with_profile(limits, Profile::Development))
    }

    const ONE: Limits = Limits { concurrent: 1, queued: 0 };

    #[tokio::test]
    async fn generated_secrets_need_no_pool() {
        let checker = checker(ONE);
        let _full = Arc::clone(&checker.passwords.entrance).try_acquire_owned().unwrap();
        let stored = hash_generated("s3cret");
        assert_eq!(checker.verify(&stored, &"s3cret".into()).await, Ok(true));
        for (name, wrong) in [
            ("another", "s3cres"),
            ("shorter", "s3cre"),
            ("empty", ""),
            ("its stored form", stored.as_str()),
            ("its fingerprint", &stored[7..]),
        ] {
            assert_eq!(checker.verify(&stored, &wrong.into()).await, Ok(false), "{name}");
        }
        assert!(checker.proven.is_empty());
    }

    #[tokio::test]
    async fn a_chosen_secret_is_hashed_once_and_remembered() {
        let checker = checker(ONE);
        let stored = checker.hash_chosen(Profile::Development, "web-secret".into()).await.unwrap();
        assert_eq!(checker.verify(&stored, &"web-secret".into()).await, Ok(true));
        let _full = Arc::clone(&checker.passwords.entrance).try_acquire_owned().unwrap();
        assert_eq!(checker.verify(&stored, &"web-secret".into()).await, Ok(true), "from memory");
        assert_eq!(
            checker.verify(&stored, &"wrong".into()).await,
            Err(PasswordError::Busy),
            "never from memory"
        );
    }

    #[tokio::test]
    async fn a_wrong_secret_is_never_remembered() {
        let checker = checker(ONE);
        let stored = checker.hash_chosen(Profile::Development, "web-secret".into()).await.unwrap();
        for _ in 0..2 {
            assert_eq!(checker.verify(&stored, &"wrong".into()).await, Ok(false));
        }
        assert!(checker.proven.is_empty());
    }

    #[tokio::test]
    async fn a_rotated_secret_is_wrong_at_once() {
        let checker = checker(ONE);
        let old = checker.hash_chosen(Profile::Development, "old".into()).await.unwrap();
        assert_eq!(checker.verify(&old, &"old".into()).await, Ok(true));
        let new = checker.hash_chosen(Profile::Development, "new".into()).await.unwrap();
        assert_eq!(checker.verify(&new, &"old".into()).await, Ok(false));
        assert_eq!(checker.verify(&new, &"new".into()).await, Ok(true));
    }

    #[tokio::test]
    async fn many_with_the_same_secret_at_once_share_one_hash() {
        let checker = Arc::new(checker(ONE));
        let stored = checker.hash_chosen(Profile::Development, "web-secret".into()).await.unwrap();
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (checker, stored) = (Arc::clone(&checker), stored.clone());
                tokio::spawn(async move { checker.verify(&stored, &"web-secret".into()).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(true), "with one place in the pool and no queue");
        }
    }

    #[tokio::test]
    async fn stored_forms_that_are_no_hash_match_nothing() {
        let checker = checker(ONE);
        for stored in [
            "",
            "web-secret",
            "sha256:",
            "sha512:abc",
            "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
        ] {
            for presented in ["", "web-secret", stored] {
                assert_eq!(
                    checker.verify(stored, &presented.into()).await,
                    Ok(false),
                    "{stored:?} {presented:?}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_long_secret_is_refused_before_it_is_hashed() {
        let checker = checker(ONE);
        let long = Secret::from("x".repeat(super::super::MAX_PASSWORD_BYTES + 1));
        for stored in [hash_generated("x"), "$argon2id$".to_owned()] {
            assert_eq!(checker.verify(&stored, &long).await, Err(PasswordError::TooLong));
        }
    }

    #[tokio::test]
    async fn the_printed_checker_shows_no_key() {
        let shown = format!("{:?}", checker(ONE));
        assert!(!shown.contains("key_value"), "{shown}");
    }
}
