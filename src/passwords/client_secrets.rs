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
        self.store_hashed(client, secret, None).await
    }

    /// As [`ClientSecrets::store`], with a hash of the secret that was made ahead by [`ClientSecrets::hash_ahead`], where
    /// a hash is what is stored.
    ///
    /// # Errors
    /// [`PasswordError`]: too long, too busy, or failed.
    pub async fn store_hashed(
        &self,
        client: &Client,
        secret: &Secret,
        hash: Option<&str>,
    ) -> Result<String, PasswordError> {
        within_limit(secret)?;
        match (self.legible(client, secret), hash) {
            (Some(stored), _) => Ok(stored),
            (None, Some(hash)) => Ok(hash.to_owned()),
            (None, None) => self.hash_chosen(self.passwords.profile(), secret.clone()).await,
        }
    }

    /// The hash of a secret that somebody chose, for a client of which more is to be read; none where secrets are kept so
    /// that they can be shown again.
    ///
    /// # Errors
    /// [`PasswordError`]: too long, too busy, or failed.
    pub async fn hash_ahead(&self, secret: &Secret) -> Result<Option<String>, PasswordError> {
        within_limit(secret)?;
        if self.shows_again() {
            return Ok(None);
        }
        self.hash_chosen(self.passwords.profile(), secret.clone()).await.map(Some)
    }

    /// As [`ClientSecrets::store`], of a secret that this server drew: its hash costs nothing.
    #[must_use]
    pub fn store_drawn(&self, client: &Client, secret: &Secret) -> String {
        self.legible(client, secret).unwrap_or_else(|| hash_generated(secret.expose()))
    }

    fn legible(&self, client: &Client, secret: &Secret) -> Option<String> {
        let signs = client.settings.authentication == ClientAuthentication::ClientSecretJwt;
        self.legible_of(&client.realm_id, &client.client_id, signs, secret)
    }

    /// The stored form that can be read again, where there is to be one: of a client that signs with its secret, and in
    /// development of every one.
    #[must_use]
    pub fn legible_of(
        &self,
        realm_id: &str,
        client_id: &str,
        signs: bool,
        secret: &Secret,
    ) -> Option<String> {
        let prefix = match signs {
            true => SEALED_PREFIX,
            false if self.shows_again() => SHARED_PREFIX,
            false => return None,
        };
        Some(format!("{prefix}{}", self.vault.seal(&place(realm_id, client_id), secret.expose().as_bytes())))
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
#[path = "client_secrets_tests.rs"]
mod tests;
