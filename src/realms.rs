//! Realms in memory: configuration that rarely changes, read once and kept until it does.
//!
//! Owns the snapshot and when it is renewed: at once on the node that changed something, within a second on the others
//! ([`Realms::refresh`], which a background task calls). Leaves what may be revoked (users, sessions, grants) to the
//! store, which is asked each time; of clients and their accounts it is asked whether they are as they were
//! ([`RealmState::is_current`]).

mod current;
mod drafts;
mod keys;
mod opened;
mod rotation;
mod state;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderValue;
use quick_cache::sync::Cache;
use tokio::sync::OnceCell;

use crate::clock::{Clock, Timestamp};
use crate::protocol::client::Client;
use crate::protocol::realm::Realm;
use crate::protocol::role::Roles;
use crate::protocol::scope::Scope;
use crate::protocol::user::{User, UserRoles};
use crate::protocol::web_origin::Origins;
use crate::secrets;
use crate::signer::{Algorithm, KeyError, KeyRing, KeySet, MacKey, ProvenTokens};
use crate::store::{RealmConfiguration, Store, StoreError};
use crate::turns::{NoTurn, Turns};
use crate::vault::Vault;

use current::Answers;
pub use drafts::Drafts;
pub use keys::{KeySource, key_aad, make_key};
use keys::{make_keys, missing_keys};
use opened::OpenedKeys;
pub use rotation::{NotForgotten, Rotation, forgetting, kid, rotation};

/// Most realms that are kept in memory; beyond it the least used one is read again when it is needed. The cache is divided
/// into parts that fill unevenly, so that it holds a thousand and `master` only when there is room for many more.
const MOST_REALMS: usize = 4_096;
/// How long a request waits for a realm that another one reads: to make a first RSA key may take a slow machine seconds.
const MOST_WAIT: Duration = Duration::from_secs(30);
/// Most clients that are kept per realm.
const MOST_CLIENTS: usize = 1_000;
/// Most spellings of the issuer for which a metadata document is kept.
const MOST_DOCUMENTS: usize = 16;
/// The algorithm name of the key that signs refresh tokens, which this server alone reads.
pub const MAC_ALGORITHM: &str = "HS512";
/// The algorithm name of the key that makes pairwise names of people. It never changes hands, since they would become
/// strangers to their apps.
pub const PAIRWISE_ALGORITHM: &str = "pairwise";
/// Keys that are no part of the key set.
pub const INNER_ALGORITHMS: [&str; 2] = [MAC_ALGORITHM, PAIRWISE_ALGORITHM];

/// The realms of this server.
#[derive(Debug)]
pub struct Realms {
    cache: Cache<String, Arc<RealmState>>,
    /// What was made of each realm's keys, by its identifier: most changes of a realm are none of its keys.
    opened: Cache<String, Arc<OpenedKeys>>,
    proven: Arc<ProvenTokens>,
    /// Who reads which realm: one at a time each, so that a burst of first requests reads once.
    loading: Turns,
    /// Grows when the cache is told of a change; a load that began before it must not be kept.
    generation: AtomicU64,
    seen_version: AtomicI64,
    clock: Clock,
    vault: Arc<Vault>,
    keys: KeySource,
}

/// Why a realm could not be brought into memory.
#[derive(Debug, thiserror::Error)]
pub enum RealmError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others read it, and are not done.
    #[error(transparent)]
    Busy(#[from] NoTurn),
    /// Its keys cannot be opened or made.
    #[error("the keys of realm {realm} cannot be used: {source}")]
    Keys {
        /// The realm's name.
        realm: String,
        /// What is wrong.
        source: KeyError,
    },
}

/// A realm as of one version of its configuration.
#[derive(Debug)]
pub struct RealmState {
    /// The record.
    pub realm: Realm,
    /// Its keys.
    pub ring: Arc<KeyRing>,
    /// Makes pairwise names of people.
    pub pairwise: Arc<MacKey>,
    /// Its scopes.
    pub scopes: Vec<Scope>,
    /// Its roles.
    pub roles: Roles,
    /// Every algorithm that something is signed with, the realm's first.
    pub algorithms: Vec<Algorithm>,
    /// The key set.
    pub key_set: Document,
    /// The keys of issuers that it trusts, as far as they stand in its configuration.
    issuer_keys: HashMap<String, KeySet>,
    /// Rendered metadata by issuer; only issuers that are ours get here.
    pub documents: Cache<String, Document>,
    clients: Cache<String, Arc<ClientEntry>>,
    /// `client_id` by identifier of the record.
    names: Cache<String, String>,
    directory: OnceCell<Directory>,
    /// Its version in the database.
    versions: Answers<Option<i64>>,
}

/// What clients are found by beside their names.
#[derive(Debug, Default)]
struct Directory {
    /// The origins of those that are enabled.
    origins: Origins,
    /// `client_id` by resource that the client declares.
    resources: HashMap<String, String>,
}

/// A public document: bytes made once, and the tag by which a caller that has them is told so.
#[derive(Clone, Debug)]
pub struct Document {
    /// The bytes.
    pub body: Bytes,
    /// Value of `ETag`.
    pub tag: HeaderValue,
}

impl Document {
    /// A document of these bytes.
    #[must_use]
    pub fn new(body: Bytes) -> Self {
        let tag = format!("\"{}\"", secrets::fingerprint(&String::from_utf8_lossy(&body)));
        Self { tag: HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\"")), body }
    }
}

/// A client with its service account.
#[derive(Debug)]
pub struct ClientEntry {
    /// The record.
    pub client: Client,
    /// The keys that its registration holds; those of a `jwks_uri` are in `key_sets`.
    pub keys: KeySet,
    /// The account that it acts as by `client_credentials`.
    pub service_account: Option<ServiceAccount>,
    /// What its own tokens begin with.
    pub drafts: Drafts,
}

/// The user that a client acts as.
#[derive(Debug)]
pub struct ServiceAccount {
    /// The record.
    pub user: User,
    /// Its roles and groups.
    pub roles: UserRoles,
}

impl Realms {
    /// An empty cache.
    #[must_use]
    pub fn new(clock: Clock, vault: Arc<Vault>, keys: KeySource) -> Self {
        Self {
            cache: Cache::new(MOST_REALMS),
            opened: Cache::new(MOST_REALMS),
            proven: Arc::default(),
            loading: Turns::new(MOST_WAIT),
            generation: AtomicU64::new(0),
            seen_version: AtomicI64::new(-1),
            clock,
            vault,
            keys,
        }
    }

    /// The realm called `name`, if it is in memory and none of its keys has begun or ended since.
    #[must_use]
    pub fn at_hand(&self, name: &str) -> Option<Arc<RealmState>> {
        let fresh = |state: &Arc<RealmState>| state.ring.changes_at().is_none_or(|at| self.clock.now() < at);
        self.cache.get(name).filter(fresh)
    }

    /// The realm called `name`, or none if there is none that is enabled.
    ///
    /// # Errors
    /// [`RealmError`] when it exists but cannot be read.
    pub async fn named(&self, store: &Store, name: &str) -> Result<Option<Arc<RealmState>>, RealmError> {
        match self.at_hand(name) {
            Some(state) => Ok(Some(state)),
            None => self.load(store, name).await,
        }
    }

    /// How many realms are in memory; at most a bounded number.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.cache.len()
    }

    /// The realm called `name`, without waiting for its first keys while they are being made: for what needs none, such
    /// as its metadata. It signs nothing then, and verifies nothing.
    ///
    /// # Errors
    /// [`RealmError`] when it exists but cannot be read.
    pub async fn described(&self, store: &Store, name: &str) -> Result<Option<Arc<RealmState>>, RealmError> {
        Ok(self.administered(store, name).await?.filter(|state| state.realm.enabled))
    }

    /// As [`Realms::described`], of a realm that may be disabled: for those who look after it.
    ///
    /// # Errors
    /// [`RealmError`] when it exists but cannot be read.
    pub async fn administered(
        &self,
        store: &Store,
        name: &str,
    ) -> Result<Option<Arc<RealmState>>, RealmError> {
        if let Some(state) = self.cache.get(name) {
            return Ok(Some(state));
        }
        let generation = self.generation.load(Ordering::Acquire);
        let Some(realm) = store.realm_by_name(name).await? else { return Ok(None) };
        let (now, configuration) = (self.clock.now(), store.realm_configuration(realm).await?);
        if !missing_keys(&configuration, now).is_empty() {
            let ring = Arc::new(KeyRing::new(Vec::new(), MacKey::generate(), 0, now));
            let state = RealmState::with_keys(configuration, ring, Arc::new(MacKey::generate()));
            return Ok(Some(Arc::new(state)));
        }
        let state = Arc::new(self.state(configuration, now)?);
        if state.realm.enabled {
            self.keep(&state, generation);
        }
        Ok(Some(state))
    }

    async fn load(&self, store: &Store, name: &str) -> Result<Option<Arc<RealmState>>, RealmError> {
        let _one_at_a_time = self.loading.of(name, 1).await?;
        if let Some(state) = self.at_hand(name) {
            return Ok(Some(state));
        }
        let now = self.clock.now();
        let generation = self.generation.load(Ordering::Acquire);
        let Some(realm) = store.realm_by_name(name).await?.filter(|realm| realm.enabled) else {
            return Ok(None);
        };
        let mut configuration = store.realm_configuration(realm).await?;
        let missing = missing_keys(&configuration, now);
        if !missing.is_empty() {
            let realm = &configuration.realm;
            let made = make_keys(realm, missing, &self.vault, self.keys, now).await?;
            store.add_first_keys(made).await?;
            configuration.keys = store.keys(&realm.id).await?;
        }
        let state = Arc::new(self.state(configuration, now)?);
        self.keep(&state, generation);
        Ok(Some(state))
    }

    /// Keeps in memory what began to be read at `generation`.
    fn keep(&self, state: &Arc<RealmState>, generation: u64) {
        let name = &state.realm.name;
        self.cache.insert(name.clone(), Arc::clone(state));
        // Looked at after the insertion: a change that was told of before it may have missed the entry.
        if self.generation.load(Ordering::Acquire) != generation {
            self.cache.remove(name);
        }
    }

    /// The realm as it is configured. Its keys are opened only when they are others than before: with them goes which tokens
    /// are proven.
    fn state(&self, configuration: RealmConfiguration, now: Timestamp) -> Result<RealmState, RealmError> {
        let realm_id = &configuration.realm.id;
        let opened = match self.opened.get(realm_id).filter(|opened| opened.fits(&configuration, now)) {
            Some(opened) => opened,
            None => {
                let opened = Arc::new(OpenedKeys::new(&configuration, &self.vault, &self.proven, now)?);
                self.opened.insert(realm_id.clone(), Arc::clone(&opened));
                opened
            }
        };
        let (ring, pairwise) = (Arc::clone(&opened.ring), Arc::clone(&opened.pairwise));
        Ok(RealmState::with_keys(configuration, ring, pairwise))
    }

    /// Drops what the database has newer. Called after each change on this node, and every second for those of others.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot say; what is in memory stays.
    pub async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        if self.seen_version.load(Ordering::Acquire) == store.configuration_version().await? {
            return Ok(());
        }
        self.follow(store).await
    }

    /// The same where something surely changed.
    async fn follow(&self, store: &Store) -> Result<(), StoreError> {
        let seen = self.seen_version.load(Ordering::Acquire);
        let (version, changed) = store.realms_changed_since(seen).await?;
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.cache.retain(|_, state| {
            changed.get(&state.realm.id).is_none_or(|version| *version == state.realm.version)
        });
        self.seen_version.store(version, Ordering::Release);
        Ok(())
    }

    /// Drops what the database has newer after a change of this node. When the database cannot say, all goes: the change
    /// is committed, and what was read before it must not answer.
    pub async fn refresh_or_forget(&self, store: &Store) {
        if let Err(error) = self.follow(store).await {
            tracing::warn!(%error, "realms are read anew, since the database cannot say which have changed");
            self.generation.fetch_add(1, Ordering::AcqRel);
            self.cache.clear();
        }
    }
}
