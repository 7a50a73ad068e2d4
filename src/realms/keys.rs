//! The keys of a realm as it begins: which are missing, and making them.
//!
//! An RSA key pair takes 60 ms, at times four times as long, and nobody waits for it who does not need it: a server that
//! starts for the first time listens and tells its metadata at once, makes the pairs in the background, and holds up the
//! requests that come for keys or signatures until they are there. An elliptic pair that answers in the meantime would be
//! sooner still, and wrong: clients take the algorithm from the metadata, and many know none but RS256.

use std::sync::{Arc, LazyLock};

use super::{INNER_ALGORITHMS, RealmError};
use crate::clock::Timestamp;
use crate::protocol::realm::Realm;
use crate::signer::{Algorithm, KeyError, MacKey, SigningKey};
use crate::store::{Change, KeyRow, RealmConfiguration};
use crate::threads::Threads;
use crate::vault::Vault;

/// Most key pairs that are made side by side.
const MOST_MAKERS: usize = 4;

/// Where key pairs are made: beside whatever answers, and behind it.
static MAKERS: LazyLock<Threads> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Threads::new("key-maker", cores.min(MOST_MAKERS))
});

/// Where the first keys of a realm come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeySource {
    /// Each is made for its realm.
    #[default]
    Fresh,
    /// Realms of one process share one, made once: for tests, which cannot wait for an RSA key pair each.
    SharedInProcess,
}

impl KeySource {
    fn generate(self, algorithm: Algorithm) -> Result<Arc<SigningKey>, KeyError> {
        static SHARED: std::sync::Mutex<Vec<Arc<SigningKey>>> = std::sync::Mutex::new(Vec::new());
        if self == Self::Fresh {
            return SigningKey::generate(algorithm).map(Arc::new);
        }
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(key) = shared.iter().find(|key| key.algorithm() == algorithm) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(SigningKey::generate(algorithm)?);
        shared.push(Arc::clone(&key));
        Ok(key)
    }
}

/// What a key is sealed for: its row, so that a sealed key is of no use in another one.
#[must_use]
pub fn key_aad(realm_id: &str, key_id: &str) -> String {
    format!("signing_keys/{realm_id}/{key_id}/sealed")
}

/// Every algorithm that the realm signs with, for itself and for its clients.
pub(super) fn algorithms(configuration: &RealmConfiguration) -> Vec<Algorithm> {
    let own = configuration.realm.settings.signature_algorithm.parse().unwrap_or_default();
    let others = configuration.client_algorithms.iter().copied().filter(|algorithm| *algorithm != own);
    std::iter::once(own).chain(others).collect()
}

/// Algorithms that the realm needs a key of and has none that signs.
pub(super) fn missing_keys(configuration: &RealmConfiguration, now: Timestamp) -> Vec<String> {
    let needed = algorithms(configuration);
    needed
        .into_iter()
        .map(Algorithm::name)
        .chain(INNER_ALGORITHMS)
        .filter(|algorithm| {
            !configuration.keys.iter().any(|key| {
                key.algorithm == *algorithm
                    && key.signs_from <= now
                    && key.served_until.is_none_or(|until| now < until)
            })
        })
        .map(str::to_owned)
        .collect()
}

/// Makes the first key of each algorithm. The rows' identifiers are the same on every node, so that of two nodes
/// which make one at the same time only one keeps it.
pub(super) async fn make_keys(
    realm: &Realm,
    algorithms: Vec<String>,
    vault: &Vault,
    source: KeySource,
    now: Timestamp,
) -> Result<Vec<Change>, RealmError> {
    let mut made = Vec::new();
    for algorithm in algorithms {
        let id = format!("{}:{algorithm}:first", realm.id);
        made.push(make_key(realm, id, &algorithm, vault, source, now, now).await?);
    }
    Ok(made)
}

/// Makes a key of `algorithm` that signs from `signs_from`, sealed for its row `id`.
///
/// # Errors
/// [`RealmError::Keys`] for an algorithm that is not ours, or when no key could be made.
pub async fn make_key(
    realm: &Realm,
    id: String,
    algorithm: &str,
    vault: &Vault,
    source: KeySource,
    now: Timestamp,
    signs_from: Timestamp,
) -> Result<Change, RealmError> {
    let fault = |source| RealmError::Keys { realm: realm.name.clone(), source };
    let aad = key_aad(&realm.id, &id);
    let sealed = if INNER_ALGORITHMS.contains(&algorithm) {
        MacKey::generate().seal(vault, &aad)
    } else {
        let algorithm: Algorithm = algorithm.parse().map_err(|_| fault(KeyError::Missing))?;
        let made = MAKERS.run(move || source.generate(algorithm)).await;
        let key = made.unwrap_or(Err(KeyError::Missing)).map_err(fault)?;
        key.seal(vault, &aad).map_err(fault)?
    };
    let row = KeyRow {
        id,
        algorithm: algorithm.to_owned(),
        sealed,
        created_at: now,
        signs_from,
        served_until: None,
    };
    Ok(Change::AddKey { realm_id: realm.id.clone(), key: row })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::protocol::realm::RealmSettings;
    use crate::realms::Realms;
    use crate::store::{Store, StoreOptions};

    #[tokio::test]
    async fn a_realm_is_told_before_its_keys_are_made_and_signs_after() {
        let vault = Arc::new(Vault::random());
        let store = Store::open(&StoreOptions::new("sqlite::memory:"), Arc::clone(&vault)).await.unwrap();
        store.migrate().await.unwrap();
        let (name, settings) = ("main".to_owned(), RealmSettings::default());
        let realm = Realm { id: "id".into(), name, display_name: None, enabled: true, settings, version: 0 };
        store.commit(vec![Change::PutRealm { realm, at: Timestamp(1) }]).await.unwrap();
        let realms = Realms::new(Clock::system(), vault, KeySource::SharedInProcess);

        let told = realms.described(&store, "main").await.unwrap().unwrap();
        assert!(told.ring.keys().is_empty() && store.keys("id").await.unwrap().is_empty());
        let whole = realms.named(&store, "main").await.unwrap().unwrap();
        assert!(whole.ring.signer(whole.algorithm()).is_some(), "what told the realm is not kept");
        let told = realms.described(&store, "main").await.unwrap().unwrap();
        assert!(Arc::ptr_eq(&told, &whole), "and now it is the same");
        assert!(realms.described(&store, "other").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn keys_are_opened_anew_only_when_they_change() {
        let vault = Arc::new(Vault::random());
        let store = Store::open(&StoreOptions::new("sqlite::memory:"), Arc::clone(&vault)).await.unwrap();
        store.migrate().await.unwrap();
        let (name, settings) = ("main".to_owned(), RealmSettings::default());
        let realm = Realm { id: "id".into(), name, display_name: None, enabled: true, settings, version: 0 };
        store.commit(vec![Change::PutRealm { realm, at: Timestamp(1) }]).await.unwrap();
        let realms = Realms::new(Clock::system(), vault, KeySource::SharedInProcess);
        let state = async || {
            realms.refresh(&store).await.unwrap();
            realms.named(&store, "main").await.unwrap().unwrap()
        };
        let begun = state().await;
        store.commit(vec![Change::Reconfigure { realm_id: "id".into() }]).await.unwrap();
        let changed = state().await;
        assert!(changed.realm.version > begun.realm.version, "the realm is read anew");
        assert!(
            Arc::ptr_eq(&changed.ring, &begun.ring),
            "and its keys are the same, with what they have verified"
        );
        let first = store.keys("id").await.unwrap().remove(0);
        let (realm_id, served_until) = ("id".to_owned(), Timestamp(i64::MAX / 2));
        store.commit(vec![Change::RetireKey { realm_id, id: first.id, served_until }]).await.unwrap();
        assert!(!Arc::ptr_eq(&state().await.ring, &begun.ring), "a key has another end");
    }

    #[tokio::test]
    async fn nobody_waits_for_the_keys_of_another_realm() {
        let vault = Arc::new(Vault::random());
        let store = Store::open(&StoreOptions::new("sqlite::memory:"), Arc::clone(&vault)).await.unwrap();
        store.migrate().await.unwrap();
        let realm = |name: &str| {
            let (id, name, settings) = (name.to_owned(), name.to_owned(), RealmSettings::default());
            let realm = Realm { id, name, display_name: None, enabled: true, settings, version: 0 };
            Change::PutRealm { realm, at: Timestamp(1) }
        };
        store.commit(vec![realm("main"), realm("fresh")]).await.unwrap();
        let realms = Realms::new(Clock::system(), vault, KeySource::SharedInProcess);

        let _makes_keys = realms.loading.of("fresh", 1).await.unwrap();
        assert!(realms.named(&store, "main").await.unwrap().is_some());
        let waits = tokio::time::timeout(std::time::Duration::from_millis(20), realms.named(&store, "fresh"));
        assert!(waits.await.is_err(), "two make keys of one realm");
    }
}
