//! Key sets that others publish at an address (`jwks_uri`), kept in memory and read anew when they have to be.
//!
//! Owns how old a set may be and how often an address is asked (attacks J02): an unknown `kid` asks again, since its
//! owner may have rotated (OpenID Connect Core §10.1.1), but no oftener than every ten seconds, whoever sends it. Leaves
//! fetching to [`crate::fetch`], and proving to [`crate::signer::KeySet`].

use std::sync::{Arc, PoisonError, RwLock};

use axum::http::HeaderMap;
use axum::http::header::CACHE_CONTROL;
use quick_cache::sync::Cache;
use tokio::sync::Mutex;

use crate::clock::{Clock, Timestamp};
use crate::fetch::{FetchError, Fetcher};
use crate::protocol::jwk::{JwkFault, JwkSet};
use crate::signer::{Algorithm, KeySet, TokenError, VerifiedJws};

/// Addresses whose sets are kept; beyond it the least used one is fetched again when it is needed.
const MOST: usize = 1_000;

/// Seconds for which a set is used at most, whatever its owner allows: a key that was taken back is gone by then.
const OLDEST: i64 = 600;

/// Seconds that must lie between two requests to the same address, the failed ones included.
pub const PAUSE: i64 = 10;

/// Why a token is not believed.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// The set is not to be had.
    #[error("the key set cannot be fetched: {0}")]
    Fetch(#[from] FetchError),
    /// The address answers with another status than 200.
    #[error("the key set's address answers with status {0}")]
    Status(u16),
    /// What is there is no key set.
    #[error("what is at the key set's address is none: {0}")]
    Set(#[from] JwkFault),
    /// It was not to be had a moment ago, and it is too early to ask again.
    #[error("the key set could not be fetched a moment ago")]
    Pausing,
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl KeySetError {
    /// Whether the keys were not to be had, which says nothing of the token, and may pass within [`PAUSE`] seconds.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        !matches!(self, Self::Token(_))
    }
}

/// The key sets of others, by their address.
#[derive(Debug)]
pub struct KeySets {
    fetcher: Fetcher,
    clock: Clock,
    slots: Cache<String, Arc<Slot>>,
}

/// What is known of one address.
#[derive(Debug, Default)]
struct Slot {
    state: RwLock<State>,
    /// Held by the one who fetches; others wait and use what it brought.
    fetching: Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    /// Until when `keys` are used.
    fresh_until: Timestamp,
    /// When somebody asked last, with success or without.
    asked_at: Option<Timestamp>,
}

impl State {
    fn fresh(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        self.keys.clone().filter(|_| now < self.fresh_until)
    }

    fn pauses(&self, now: Timestamp) -> bool {
        self.asked_at.is_some_and(|asked| (0..PAUSE).contains(&now.since(asked)))
    }
}

impl KeySets {
    /// None yet.
    #[must_use]
    pub fn new(fetcher: Fetcher, clock: Clock) -> Self {
        Self { fetcher, clock, slots: Cache::new(MOST) }
    }

    /// Proves that a key published at `url` signed `token`, as [`KeySet::verify`] does.
    ///
    /// # Errors
    /// [`KeySetError`].
    pub async fn verify(
        &self,
        url: &str,
        token: &str,
        allowed: &[Algorithm],
    ) -> Result<VerifiedJws, KeySetError> {
        let slot = self.slot(url);
        let keys = match slot.read().fresh(self.clock.now()) {
            Some(keys) => keys,
            None => self.fetch(url, &slot, None).await?,
        };
        match keys.verify(token, allowed) {
            Err(TokenError::UnknownKey) => {
                let newer = self.fetch(url, &slot, Some(&keys)).await?;
                Ok(newer.verify(token, allowed)?)
            }
            result => Ok(result?),
        }
    }

    /// Whether the key with this thumbprint (RFC 7638) is published at `url`.
    ///
    /// # Errors
    /// [`KeySetError`], when the set is not to be had.
    pub async fn holds(&self, url: &str, thumbprint: &str) -> Result<bool, KeySetError> {
        let slot = self.slot(url);
        let keys = match slot.read().fresh(self.clock.now()) {
            Some(keys) => keys,
            None => self.fetch(url, &slot, None).await?,
        };
        if keys.holds(thumbprint) {
            return Ok(true);
        }
        Ok(self.fetch(url, &slot, Some(&keys)).await?.holds(thumbprint))
    }

    fn slot(&self, url: &str) -> Arc<Slot> {
        self.slots
            .get_or_insert_with(url, || Ok::<_, std::convert::Infallible>(Arc::default()))
            .unwrap_or_default()
    }

    /// The set after `old`, which somebody else may have fetched meanwhile; `old` itself while it is too early to ask.
    /// Whoever waits may go away: the answer is waited for all the same, so that no stranger can make the others pause.
    async fn fetch(
        &self,
        url: &str,
        slot: &Arc<Slot>,
        old: Option<&Arc<KeySet>>,
    ) -> Result<Arc<KeySet>, KeySetError> {
        let asking = Asking {
            fetcher: self.fetcher.clone(),
            clock: self.clock.clone(),
            slot: Arc::clone(slot),
            url: url.to_owned(),
        };
        let old = old.cloned();
        // It ends unheard when the process does.
        tokio::spawn(async move { asking.fetch(old).await }).await.unwrap_or(Err(KeySetError::Pausing))
    }
}

/// A request for a key set, on its own.
struct Asking {
    fetcher: Fetcher,
    clock: Clock,
    slot: Arc<Slot>,
    url: String,
}

impl Asking {
    async fn fetch(self, old: Option<Arc<KeySet>>) -> Result<Arc<KeySet>, KeySetError> {
        let _turn = self.slot.fetching.lock().await;
        let (now, state) = (self.clock.now(), self.slot.read());
        let fresh = state.fresh(now);
        if let Some(keys) = &fresh
            && old.is_none_or(|old| !Arc::ptr_eq(&old, keys))
        {
            return Ok(Arc::clone(keys));
        }
        if state.pauses(now) {
            return fresh.ok_or(KeySetError::Pausing);
        }
        self.slot.write(State { asked_at: Some(now), ..state.clone() });
        let (keys, seconds) = self.ask().await.inspect_err(|error| {
            tracing::warn!(url = self.url, %error, "a key set cannot be used");
        })?;
        let keys = Arc::new(keys);
        let fresh_until = now.plus(seconds);
        self.slot.write(State { keys: Some(Arc::clone(&keys)), fresh_until, asked_at: Some(now) });
        Ok(keys)
    }

    async fn ask(&self) -> Result<(KeySet, i64), KeySetError> {
        let answer = self.fetcher.get(&self.url, "application/jwk-set+json, application/json").await?;
        if answer.status != 200 {
            return Err(KeySetError::Status(answer.status));
        }
        Ok((KeySet::new(&JwkSet::parse(&answer.body)?), lifetime(&answer.headers)))
    }
}

impl Slot {
    fn read(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// Seconds for which an answer may be used (RFC 9111 §5.2.2.1), within our own bounds.
fn lifetime(headers: &HeaderMap) -> i64 {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let max_age = directives
        .flat_map(|value| value.split(','))
        .find_map(|directive| directive.trim().strip_prefix("max-age=")?.parse::<i64>().ok());
    max_age.map_or(OLDEST, |seconds| seconds.clamp(PAUSE, OLDEST))
}

#[cfg(test)]
mod tests;
