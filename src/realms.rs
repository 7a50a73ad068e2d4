//! Realms in memory: configuration that rarely changes, read once and kept until it does.
//!
//! Owns the snapshot and when it is renewed: at once on the node that changed something, within a second on the others
//! ([`Realms::refresh`], which a background task calls). Leaves what may be revoked (users, sessions, grants) to the
//! store, which is asked each time.

use std::borrow::Cow;
use std::collections::HashMap;
mod drafts;
mod keys;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::body::Bytes;
use axum::http::HeaderValue;
use quick_cache::sync::Cache;
use tokio::sync::{Mutex, OnceCell};

use crate::clock::{Clock, Timestamp};
use crate::protocol::client::{Client, ClientSettings};
use crate::protocol::jwk::JwkSet;
use crate::protocol::realm::Realm;
use crate::protocol::redirect_uri::Strictness;
use crate::protocol::role::Roles;
use crate::protocol::scope::Scope;
use crate::protocol::subject;
use crate::protocol::trusted_issuer::TrustedIssuer;
use crate::protocol::user::User;
use crate::protocol::web_origin;
use crate::secrets;
use crate::signer::{Algorithm, KeyError, KeyRing, KeySet, MacKey, RingKey, SigningKey};
use crate::store::{Page, RealmConfiguration, Store, StoreError, UserRoles};
use crate::vault::Vault;

pub use drafts::Drafts;
pub use keys::{KeySource, key_aad, make_key};
use keys::{algorithms, make_keys, missing_keys};

/// Most realms that are kept in memory; beyond it the least used one is read again when it is needed.
const MOST_REALMS: usize = 1_000;
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
    /// One loader at a time, so that a burst of first requests reads once.
    loading: Mutex<()>,
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
    pub ring: KeyRing,
    /// Makes pairwise names of people.
    pub pairwise: MacKey,
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
    /// Settings of the clients that name web origins.
    origins: OnceCell<Vec<ClientSettings>>,
    /// `client_id` by resource that the client declares.
    resources: OnceCell<HashMap<String, String>>,
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
            loading: Mutex::new(()),
            generation: AtomicU64::new(0),
            seen_version: AtomicI64::new(-1),
            clock,
            vault,
            keys,
        }
    }

    /// The realm called `name`, or none if there is none that is enabled.
    ///
    /// # Errors
    /// [`RealmError`] when it exists but cannot be read.
    pub async fn named(&self, store: &Store, name: &str) -> Result<Option<Arc<RealmState>>, RealmError> {
        if let Some(state) = self.cache.get(name)
            && state.ring.changes_at().is_none_or(|at| self.clock.now() < at)
        {
            return Ok(Some(state));
        }
        self.load(store, name).await
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
        let Some(realm) = store.realm_by_name(name).await? else { return Ok(None) };
        let (now, configuration) = (self.clock.now(), store.realm_configuration(&realm.id).await?);
        if missing_keys(&configuration, now).is_empty() {
            if realm.enabled {
                return self.named(store, name).await;
            }
            return Ok(Some(Arc::new(RealmState::new(configuration, &self.vault, now)?)));
        }
        let ring = KeyRing::new(Vec::new(), MacKey::generate(), now);
        Ok(Some(Arc::new(RealmState::with_keys(configuration, ring, MacKey::generate()))))
    }

    async fn load(&self, store: &Store, name: &str) -> Result<Option<Arc<RealmState>>, RealmError> {
        let _one_at_a_time = self.loading.lock().await;
        let now = self.clock.now();
        if let Some(state) = self.cache.get(name)
            && state.ring.changes_at().is_none_or(|at| now < at)
        {
            return Ok(Some(state));
        }
        let generation = self.generation.load(Ordering::Acquire);
        let Some(realm) = store.realm_by_name(name).await?.filter(|realm| realm.enabled) else {
            return Ok(None);
        };
        let mut configuration = store.realm_configuration(&realm.id).await?;
        let missing = missing_keys(&configuration, now);
        if !missing.is_empty() {
            let made = make_keys(&realm, missing, &self.vault, self.keys, now).await?;
            store.add_first_keys(made).await?;
            configuration = store.realm_configuration(&realm.id).await?;
        }
        let state = Arc::new(RealmState::new(configuration, &self.vault, now)?);
        self.cache.insert(name.to_owned(), Arc::clone(&state));
        // Looked at after the insertion: a change that was told of before it may have missed the entry.
        if self.generation.load(Ordering::Acquire) != generation {
            self.cache.remove(name);
        }
        Ok(Some(state))
    }

    /// Drops what the database has newer. Called after each change on this node, and every second for those of others.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot say; what is in memory stays.
    pub async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let version = store.configuration_version().await?;
        if self.seen_version.load(Ordering::Acquire) == version {
            return Ok(());
        }
        let versions = store.realm_versions().await?;
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.cache.retain(|name, state| versions.get(name) == Some(&state.realm.version));
        self.seen_version.store(version, Ordering::Release);
        Ok(())
    }

    /// Drops what the database has newer after a change of this node. When the database cannot say, all goes: the change
    /// is committed, and what was read before it must not answer.
    pub async fn refresh_or_forget(&self, store: &Store) {
        if let Err(error) = self.refresh(store).await {
            tracing::warn!(%error, "realms are read anew, since the database cannot say which have changed");
            self.generation.fetch_add(1, Ordering::AcqRel);
            self.cache.clear();
        }
    }
}

impl RealmState {
    fn new(configuration: RealmConfiguration, vault: &Vault, now: Timestamp) -> Result<Self, RealmError> {
        let RealmConfiguration { realm, keys, .. } = &configuration;
        let fault = |source| RealmError::Keys { realm: realm.name.clone(), source };
        let (mut mac, mut pairwise) = (None, None);
        let mut signing = Vec::new();
        for row in keys {
            let aad = key_aad(&realm.id, &row.id);
            if row.algorithm == MAC_ALGORITHM {
                mac = Some(MacKey::unseal(&row.sealed, vault, &aad).map_err(fault)?);
            } else if row.algorithm == PAIRWISE_ALGORITHM {
                pairwise = Some(MacKey::unseal(&row.sealed, vault, &aad).map_err(fault)?);
            } else if let Ok(algorithm) = row.algorithm.parse::<Algorithm>() {
                let key = Arc::new(SigningKey::unseal(algorithm, &row.sealed, vault, &aad).map_err(fault)?);
                signing.push(RingKey { key, signs_from: row.signs_from, served_until: row.served_until });
            }
        }
        let mac = mac.ok_or_else(|| fault(KeyError::Missing))?;
        let pairwise = pairwise.ok_or_else(|| fault(KeyError::Missing))?;
        Ok(Self::with_keys(configuration, KeyRing::new(signing, mac, now), pairwise))
    }

    fn with_keys(configuration: RealmConfiguration, ring: KeyRing, pairwise: MacKey) -> Self {
        let algorithms = algorithms(&configuration);
        let RealmConfiguration { realm, scopes, roles, .. } = configuration;
        Self {
            algorithms,
            issuer_keys: realm.settings.trusted_issuers.iter().map(issuer_keys).collect(),
            key_set: Document::new(ring.jwks().clone()),
            ring,
            pairwise,
            realm,
            scopes,
            roles,
            documents: Cache::new(MOST_DOCUMENTS),
            clients: Cache::new(MOST_CLIENTS),
            names: Cache::new(MOST_CLIENTS),
            origins: OnceCell::new(),
            resources: OnceCell::new(),
        }
    }

    /// The client called `client_id`. Misses are not kept, so that nobody outside can fill the cache.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn client(
        &self,
        store: &Store,
        client_id: &str,
    ) -> Result<Option<Arc<ClientEntry>>, StoreError> {
        if let Some(entry) = self.clients.get(client_id) {
            return Ok(Some(entry));
        }
        let Some(client) = store.client_by_client_id(&self.realm.id, client_id).await? else {
            return Ok(None);
        };
        let service_account = match store.user_of_service_account(&self.realm.id, &client.id).await? {
            Some(user) => {
                let roles = store.roles_of_user(&self.realm.id, &user.id).await?;
                Some(ServiceAccount { user, roles })
            }
            None => None,
        };
        let (keys, drafts) = (registered_keys(&client), Drafts::default());
        let entry = Arc::new(ClientEntry { keys, client, service_account, drafts });
        self.clients.insert(client_id.to_owned(), Arc::clone(&entry));
        Ok(Some(entry))
    }

    /// The client whose record has this identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn client_of_record(
        &self,
        store: &Store,
        id: &str,
    ) -> Result<Option<Arc<ClientEntry>>, StoreError> {
        let client_id = match self.names.get(id) {
            Some(client_id) => client_id,
            None => {
                let Some(client) = store.client_by_id(&self.realm.id, id).await? else { return Ok(None) };
                self.names.insert(id.to_owned(), client.client_id.clone());
                client.client_id
            }
        };
        self.client(store, &client_id).await
    }

    /// The client that `resource` is an address of (RFC 8707 §2): one that declares it, or whose `client_id` it is.
    /// Which declares which is read once per version of the realm.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn client_of_resource(
        &self,
        store: &Store,
        resource: &str,
    ) -> Result<Option<Arc<ClientEntry>>, StoreError> {
        let declared = self.resources.get_or_try_init(|| async {
            let mut declared = HashMap::new();
            for client in store.clients(&self.realm.id, "", Page::ALL).await? {
                for resource in client.settings.resources {
                    declared.entry(resource).or_insert_with(|| client.client_id.clone());
                }
            }
            Ok::<_, StoreError>(declared)
        });
        let client_id = declared.await?.get(resource).map_or(resource, String::as_str);
        self.client(store, client_id).await
    }

    /// How many clients of the realm are in memory; at most a bounded number.
    #[must_use]
    pub fn clients_kept(&self) -> usize {
        self.clients.len()
    }

    /// The issuer called `issuer`, while the realm trusts it, with those of its keys that stand in the configuration.
    #[must_use]
    pub fn trusted_issuer(&self, issuer: &str) -> Option<(&TrustedIssuer, &KeySet)> {
        let mut trusted = self.realm.settings.trusted_issuers.iter();
        let trusted = trusted.find(|trusted| trusted.issuer == issuer && !trusted.disabled)?;
        Some((trusted, self.issuer_keys.get(issuer)?))
    }

    /// Whether `origin` is one of any client's of the realm. The clients are read once per version of the realm.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn allows_origin(
        &self,
        store: &Store,
        origin: &str,
        strictness: Strictness,
    ) -> Result<bool, StoreError> {
        let clients = self.origins.get_or_try_init(|| async {
            let clients = store.clients(&self.realm.id, "", Page::ALL).await?;
            let with_origins =
                clients.into_iter().filter(|client| client.enabled).map(|client| client.settings);
            Ok::<_, StoreError>(
                with_origins.filter(|settings| !settings.web_origins.is_empty()).collect::<Vec<_>>(),
            )
        });
        Ok(clients.await?.iter().any(|settings| {
            web_origin::allows(&settings.web_origins, &settings.redirect_uris, origin, strictness)
        }))
    }

    /// The name by which `client` knows the user (OpenID Connect Core §8.1): a pairwise one is the keyed hash of sector and
    /// user, the same for ever.
    #[must_use]
    pub fn sub<'a>(&self, client: &Client, user_id: &'a str) -> Cow<'a, str> {
        match subject::sector(client) {
            None => Cow::Borrowed(user_id),
            Some(sector) => Cow::Owned(self.pairwise.digest(&subject::pairwise_input(&sector, user_id))),
        }
    }

    /// The algorithm that the realm signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.realm.settings.signature_algorithm.parse().unwrap_or_default()
    }
}

/// The keys in a client's registration. What cannot be used was refused when it was registered, so it is only left out.
fn issuer_keys(trusted: &TrustedIssuer) -> (String, KeySet) {
    (trusted.issuer.clone(), keys_of(trusted.jwks.as_ref()))
}

fn registered_keys(client: &Client) -> KeySet {
    keys_of(client.settings.jwks.as_ref())
}

/// The keys of a set that stands in the configuration, where validation has seen it.
fn keys_of(jwks: Option<&serde_json::Value>) -> KeySet {
    let members = jwks.and_then(serde_json::Value::as_object);
    let set = members.and_then(|members| JwkSet::read(members).ok()).unwrap_or_default();
    KeySet::new(&set)
}
