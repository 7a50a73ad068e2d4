//! Client secrets: generated ones by a hash that costs nothing, chosen ones by the pool and a memory of what it said.

use std::sync::Arc;

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use quick_cache::sync::Cache;

use super::guesses::{Guess, Guesses, Tried};
use super::{PasswordError, Passwords, Profile, within_limit};
use crate::clock::Timestamp;
use crate::protocol::brake::SecretCounters;
use crate::protocol::client::{Client, ClientAuthentication};
use crate::secrets::{
    GENERATED_PREFIX, SEALED_PREFIX, SHARED_PREFIX, Secret, hash_generated, random_bytes, same,
};
use crate::vault::Vault;

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
    vault: Arc<Vault>,
    key: Key,
    proven: Cache<[u8; 32], ()>,
    guesses: Guesses,
}

/// What a sealed secret is sealed for.
fn place(realm_id: &str, client_id: &str) -> String {
    format!("clients/{realm_id}/{client_id}/secret")
}

/// Whether a secret in this stored form may have been chosen by someone, and so may be guessed.
fn is_chosen(stored: &str) -> bool {
    !stored.starts_with(GENERATED_PREFIX) && !stored.starts_with(SEALED_PREFIX)
}

/// The reason for which a proof is not remembered.
enum Unproven {
    Wrong,
    Waits(Timestamp),
    Unanswered(PasswordError),
}

impl ClientSecrets {
    /// A checker that hashes on this pool, and seals with this vault what must be read again.
    #[must_use]
    pub fn new(passwords: Passwords, vault: Arc<Vault>) -> Self {
        let key = Key::new(HMAC_SHA256, &random_bytes::<32>());
        Self { passwords, vault, key, proven: Cache::new(REMEMBERED), guesses: Guesses::new() }
    }

    /// The pool that it hashes on.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// The stored form of a secret that this server must be able to read again (`client_secret_jwt`), good for this
    /// client of this realm alone: another `client_id` needs it sealed anew.
    #[must_use]
    pub fn seal(&self, realm_id: &str, client_id: &str, secret: &Secret) -> String {
        let sealed = self.vault.seal(&place(realm_id, client_id), secret.expose().as_bytes());
        format!("{SEALED_PREFIX}{sealed}")
    }

    /// The vault that it seals with.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Whether secrets that clients send are kept so that they can be shown again: for development, where the tools of
    /// Keycloak ask for them, and never where the cost of hashes says that it is meant seriously.
    #[must_use]
    pub fn shows_again(&self) -> bool {
        self.passwords.profile() == Profile::Development
    }

    /// The stored form of a secret that `client` is given, by the way in which it proves itself.
    ///
    /// # Errors
    /// [`PasswordError`]: too long, too busy, or failed.
    pub async fn store(&self, client: &Client, secret: &Secret) -> Result<String, PasswordError> {
        within_limit(secret)?;
        match self.legible(client, secret) {
            Some(stored) => Ok(stored),
            None => self.hash_chosen(self.passwords.profile(), secret.clone()).await,
        }
    }

    /// As [`ClientSecrets::store`], of a secret that this server drew: its hash costs nothing.
    #[must_use]
    pub fn store_drawn(&self, client: &Client, secret: &Secret) -> String {
        self.legible(client, secret).unwrap_or_else(|| hash_generated(secret.expose()))
    }

    /// The stored form that can be read again, where there is to be one.
    fn legible(&self, client: &Client, secret: &Secret) -> Option<String> {
        let prefix = match client.settings.authentication {
            ClientAuthentication::ClientSecretJwt => SEALED_PREFIX,
            _ if self.shows_again() => SHARED_PREFIX,
            _ => return None,
        };
        let place = place(&client.realm_id, &client.client_id);
        Some(format!("{prefix}{}", self.vault.seal(&place, secret.expose().as_bytes())))
    }

    /// Tries `presented` as the secret of `client`, which has one; none for a client that is not there or proves itself in
    /// another way, which takes as long as a generated secret.
    ///
    /// A generated secret is compared at once, and the attempt counted when it is wrong. What someone chose can be guessed:
    /// unless it was proven before, an attempt is counted before it is looked at.
    ///
    /// # Errors
    /// [`PasswordError`]: too busy, or failed.
    pub async fn attempt(
        &self,
        client: Option<&Client>,
        presented: &Secret,
        guess: &Guess<'_>,
    ) -> Result<Tried, PasswordError> {
        let stored = client.and_then(|client| client.secret_hash.as_deref()).unwrap_or_default();
        let found = match client {
            Some(client) if is_chosen(stored) && within_limit(presented).is_ok() => {
                return self.tried(Some(client), stored, presented, Some(guess)).await;
            }
            Some(client) => self.verify_of(client, presented).await,
            None => self.verify(&hash_generated(""), presented).await.map(|_| false),
        };
        match found {
            Ok(true) => Ok(Tried::Right),
            Ok(false) | Err(PasswordError::TooLong) => Ok(self
                .guesses
                .count(&guess.counters(), guess.now)
                .map_or_else(Tried::WaitUntil, |()| Tried::Wrong)),
            Err(error) => Err(error),
        }
    }

    /// Whether `presented` is the secret of `client`, which has one.
    ///
    /// # Errors
    /// [`PasswordError`]: too long, too busy, or failed.
    pub async fn verify_of(&self, client: &Client, presented: &Secret) -> Result<bool, PasswordError> {
        let stored = client.secret_hash.as_deref().unwrap_or_default();
        if stored.starts_with(SHARED_PREFIX) {
            within_limit(presented)?;
            return Ok(self.reveal(client).is_some_and(|secret| secret == *presented));
        }
        self.verify(stored, presented).await
    }

    /// The secret of `client`, when its stored form is what [`ClientSecrets::seal`] or [`ClientSecrets::store`] made for
    /// it so that it can be read again.
    #[must_use]
    pub fn reveal(&self, client: &Client) -> Option<Secret> {
        self.open(&client.realm_id, &client.client_id, client.secret_hash.as_deref()?)
    }

    /// The secret of `client` as far as it is shown to those who look after the client: in development. Production shows
    /// none, be it one that the database holds from development.
    #[must_use]
    pub fn shown(&self, client: &Client) -> Option<Secret> {
        if self.shows_again() { self.reveal(client) } else { None }
    }

    /// As [`ClientSecrets::reveal`], of a stored form.
    #[must_use]
    pub fn open(&self, realm_id: &str, client_id: &str, stored: &str) -> Option<Secret> {
        let sealed = stored.strip_prefix(SEALED_PREFIX).or_else(|| stored.strip_prefix(SHARED_PREFIX))?;
        let opened = self.vault.open(&place(realm_id, client_id), sealed);
        let bytes = opened
            .inspect_err(|error| tracing::warn!(%error, client_id, "a sealed secret stays shut"))
            .ok()?;
        std::str::from_utf8(&bytes).ok().map(Secret::from)
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
        if stored.starts_with(SEALED_PREFIX) || stored.starts_with(SHARED_PREFIX) {
            // Its client makes tokens with it; whoever sends the secret itself is somebody else.
            return Ok(false);
        }
        if stored.starts_with(GENERATED_PREFIX) {
            return Ok(same(stored, &hash_generated(presented.expose())));
        }
        Ok(self.tried(None, stored, presented, None).await? == Tried::Right)
    }

    /// Looks a chosen secret up among the proven ones, else compares it, which counts as `guess` where one is given. The
    /// stored form is read by `client`, whose it is, when it is no hash.
    async fn tried(
        &self,
        client: Option<&Client>,
        stored: &str,
        presented: &Secret,
        guess: Option<&Guess<'_>>,
    ) -> Result<Tried, PasswordError> {
        let proof = async {
            let counters = guess.map(Guess::counters);
            if let Some((guess, counters)) = guess.zip(counters.as_ref()) {
                self.guesses.count(counters, guess.now).map_err(Unproven::Waits)?;
            }
            match self.compare(client, stored, presented, counters.as_ref()).await {
                Ok(true) => {
                    counters.inspect(|counters| self.guesses.forgive(counters));
                    Ok(())
                }
                Ok(false) => Err(Unproven::Wrong),
                Err(error) => {
                    counters.inspect(|counters| self.guesses.give_back(counters));
                    Err(Unproven::Unanswered(error))
                }
            }
        };
        match self.proven.get_or_insert_async(&self.tag(stored, presented), proof).await {
            Ok(()) => Ok(Tried::Right),
            Err(Unproven::Wrong) => Ok(Tried::Wrong),
            Err(Unproven::Waits(until)) => Ok(Tried::WaitUntil(until)),
            Err(Unproven::Unanswered(error)) => Err(error),
        }
    }

    async fn compare(
        &self,
        client: Option<&Client>,
        stored: &str,
        presented: &Secret,
        from: Option<&SecretCounters>,
    ) -> Result<bool, PasswordError> {
        if let Some(client) = client.filter(|_| stored.starts_with(SHARED_PREFIX)) {
            return Ok(self.reveal(client).is_some_and(|secret| secret == *presented));
        }
        let verdict = match from {
            Some(from) => self.passwords.verify_from(&from.address.subject, Some(stored), presented).await,
            None => self.passwords.verify(Some(stored), presented).await,
        }?;
        if let Some(reason) = verdict.unusable {
            tracing::warn!(%reason, "a client's stored secret cannot be used");
        }
        Ok(verdict.matches)
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
    use super::super::Limits;
    use super::*;

    fn checker(limits: Limits) -> ClientSecrets {
        let passwords = Passwords::with_profile(limits, Profile::Development);
        ClientSecrets::new(passwords, Arc::new(Vault::random()))
    }

    const ONE: Limits = Limits { concurrent: 1, queued: 0 };

    #[tokio::test]
    async fn generated_secrets_need_no_pool() {
        let checker = checker(ONE);
        let _full = checker.passwords.queue.turn("elsewhere").await.unwrap();
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
    async fn a_sealed_secret_is_read_in_its_place_and_is_no_password() {
        let checker = checker(ONE);
        let stored = checker.seal("r1", "app", &"s3cret".into());
        assert!(stored.starts_with(SEALED_PREFIX) && !stored.contains("s3cret"));
        assert_eq!(checker.open("r1", "app", &stored), Some("s3cret".into()));
        let bare = stored.strip_prefix(SEALED_PREFIX).unwrap();
        for (name, realm_id, client_id, stored) in [
            ("another realm", "r2", "app", stored.as_str()),
            ("another client", "r1", "web", stored.as_str()),
            ("without its prefix", "r1", "app", bare),
            ("a hash", "r1", "app", "sha256:x"),
        ] {
            assert_eq!(checker.open(realm_id, client_id, stored), None, "{name}");
        }
        let stranger = ClientSecrets::new(checker.passwords.clone(), Arc::new(Vault::random()));
        assert_eq!(stranger.open("r1", "app", &stored), None);
        for presented in ["s3cret", stored.as_str(), ""] {
            assert_eq!(checker.verify(&stored, &presented.into()).await, Ok(false));
        }
    }

    #[tokio::test]
    async fn development_shows_a_secret_again_and_production_never() {
        let vault = Arc::new(Vault::random());
        let secrets = |profile| {
            ClientSecrets::new(Passwords::with_profile(Limits::default(), profile), Arc::clone(&vault))
        };
        let (development, production) = (secrets(Profile::Development), secrets(Profile::Standard));
        let mut client = Client {
            id: "1".to_owned(),
            realm_id: "r1".to_owned(),
            client_id: "app".to_owned(),
            enabled: true,
            secret_hash: None,
            settings: Default::default(),
        };
        for drawn in [false, true] {
            let secret = Secret::from("s3cret");
            for (kept, is_shown) in [(&development, true), (&production, false)] {
                let stored = if drawn {
                    kept.store_drawn(&client, &secret)
                } else {
                    kept.store(&client, &secret).await.unwrap()
                };
                assert!(!stored.contains("s3cret"));
                client.secret_hash = Some(stored);
                assert_eq!(kept.shown(&client).is_some(), is_shown);
                assert_eq!(production.shown(&client), None, "nor what development kept");
                for (presented, right) in [("s3cret", true), ("s3cres", false)] {
                    assert_eq!(production.verify_of(&client, &presented.into()).await, Ok(right));
                }
            }
        }
    }

    #[tokio::test]
    async fn a_chosen_secret_is_hashed_once_and_remembered() {
        let checker = checker(ONE);
        let stored = checker.hash_chosen(Profile::Development, "web-secret".into()).await.unwrap();
        assert_eq!(checker.verify(&stored, &"web-secret".into()).await, Ok(true));
        let _full = checker.passwords.queue.turn("elsewhere").await.unwrap();
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
