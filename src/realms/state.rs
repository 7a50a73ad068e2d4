//! What is asked of a realm in memory: its clients, their keys and origins, and the names that people have.

use std::borrow::Cow;
use std::sync::Arc;

use quick_cache::sync::Cache;
use tokio::sync::OnceCell;

use super::current::Answers;
use super::drafts::Drafts;
use super::keys::algorithms;
use super::{ClientEntry, Directory, Document, MOST_CLIENTS, MOST_DOCUMENTS, RealmState, ServiceAccount};
use crate::protocol::client::Client;
use crate::protocol::jwk::JwkSet;
use crate::protocol::redirect_uri::Strictness;
use crate::protocol::subject::{self, Pairwise};
use crate::protocol::trusted_issuer::TrustedIssuer;
use crate::signer::{Algorithm, KeyRing, KeySet, MacKey};
use crate::store::{ListedClient, RealmConfiguration, Store, StoreError};

impl RealmState {
    pub(super) fn with_keys(
        configuration: RealmConfiguration,
        ring: Arc<KeyRing>,
        pairwise: Arc<MacKey>,
    ) -> Self {
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
            directory: OnceCell::new(),
            versions: Answers::default(),
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
        // Its name may have gone to another one since.
        Ok(self.client(store, &client_id).await?.filter(|entry| entry.client.id == id))
    }

    /// The client that `resource` is an address of (RFC 8707 §2): one that declares it, or whose `client_id` it is.
    /// Which declares which is read once per version of the realm, and nothing else of them is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn client_of_resource(
        &self,
        store: &Store,
        resource: &str,
    ) -> Result<Option<Arc<ClientEntry>>, StoreError> {
        let declared = &self.directory(store).await?.resources;
        let client_id = declared.get(resource).map_or(resource, String::as_str);
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

    /// Whether `origin` is one of any client's of the realm. They are read once per version of the realm, and
    /// nothing else of the clients is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn allows_origin(
        &self,
        store: &Store,
        origin: &str,
        strictness: Strictness,
    ) -> Result<bool, StoreError> {
        Ok(self.directory(store).await?.origins.allow(origin, strictness))
    }

    async fn directory(&self, store: &Store) -> Result<&Directory, StoreError> {
        let read = self.directory.get_or_try_init(|| async {
            let mut directory = Directory::default();
            let see = |client: ListedClient| directory.add(client);
            store.for_each_client(&self.realm.id, see).await?;
            Ok(directory)
        });
        read.await
    }

    /// The name by which `client` knows the user (OpenID Connect Core §8.1): a pairwise one is the keyed hash of sector and
    /// user, the same for ever.
    #[must_use]
    pub fn sub<'a>(&self, client: &Client, user_id: &'a str) -> Cow<'a, str> {
        match subject::pairwise(client) {
            None => Cow::Borrowed(user_id),
            Some(Pairwise { sector, salt: Some(salt) }) => {
                Cow::Owned(subject::keycloak_name(&sector, user_id, salt))
            }
            Some(Pairwise { sector, salt: None }) => {
                Cow::Owned(self.pairwise.digest(&subject::pairwise_input(&sector, user_id)))
            }
        }
    }

    /// The algorithm that the realm signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.realm.settings.signature_algorithm.parse().unwrap_or_default()
    }
}

impl Directory {
    fn add(&mut self, client: ListedClient) {
        if client.enabled {
            self.origins.add(&client.listed.web_origins, &client.listed.redirect_uris);
        }
        for resource in client.listed.resources {
            self.resources.entry(resource).or_insert_with(|| client.client_id.clone());
        }
    }
}

fn issuer_keys(trusted: &TrustedIssuer) -> (String, KeySet) {
    (trusted.issuer.clone(), keys_of(trusted.jwks.as_ref()))
}

/// The keys in a client's registration. What cannot be used was refused when it was registered, so it is only left out.
fn registered_keys(client: &Client) -> KeySet {
    keys_of(client.settings.jwks.as_ref())
}

/// The keys of a set that stands in the configuration, where validation has seen it.
fn keys_of(jwks: Option<&serde_json::Value>) -> KeySet {
    let members = jwks.and_then(serde_json::Value::as_object);
    let set = members.and_then(|members| JwkSet::read(members).ok()).unwrap_or_default();
    KeySet::new(&set)
}
