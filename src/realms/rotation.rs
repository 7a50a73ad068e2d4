//! Changing a realm's keys: new ones, and the end of the old ones.

use uuid::Uuid;

use super::{KeySource, RealmError, RealmState, key_aad, make_key};
use crate::clock::Timestamp;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::key_rotation::{self, Fate, Times};
use crate::signer::{Algorithm, SigningKey};
use crate::store::{Change, KeyRow, Page, Store};
use crate::vault::Vault;

/// A rotation that is to be committed.
#[derive(Debug)]
pub struct Rotation {
    /// When the keys change hands.
    pub times: Times,
    /// Each new key: its algorithm and its identifier.
    pub made: Vec<(&'static str, String)>,
    /// What is to be committed together.
    pub changes: Vec<Change>,
}

/// New keys for each algorithm that the realm signs with, and what becomes of those that it has. `at_once` gives up the
/// wait for others to learn the new ones.
///
/// # Errors
/// [`RealmError`] when the database cannot say, or no key can be made.
pub async fn rotation(
    state: &RealmState,
    store: &Store,
    vault: &Vault,
    now: Timestamp,
    at_once: bool,
) -> Result<Rotation, RealmError> {
    let realm = &state.realm;
    let clients = store.clients(&realm.id, "", Page::ALL).await?;
    let lifetimes = clients.iter().filter_map(|client| client.settings.access_token);
    let longest = lifetimes.max().unwrap_or(0).max(realm.settings.access_token);
    let times = key_rotation::times(now, longest, at_once);
    let keys = store.keys(&realm.id).await?;
    let (mut made, mut changes) = (Vec::new(), Vec::new());
    for algorithm in state.algorithms.iter().map(|algorithm| algorithm.name()) {
        let id = Uuid::now_v7().to_string();
        let from = times.signs_from;
        changes.push(make_key(realm, id.clone(), algorithm, vault, KeySource::Fresh, now, from).await?);
        changes.extend(
            keys.iter().filter(|key| key.algorithm == algorithm).map(|key| end_of(&realm.id, key, &times)),
        );
        changes.push(Change::Audit(rotated(&realm.id, now, &id, algorithm)));
        made.push((algorithm, id));
    }
    Ok(Rotation { times, made, changes })
}

/// The `kid` of a key, as tokens and the key set name it; none for one that signs nothing that others see.
#[must_use]
pub fn kid(realm_id: &str, key: &KeyRow, vault: &Vault) -> Option<String> {
    let algorithm = key.algorithm.parse().ok()?;
    let opened = SigningKey::unseal(algorithm, &key.sealed, vault, &key_aad(realm_id, &key.id));
    opened.ok().map(|key| key.kid().to_owned())
}

/// Why a key cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotForgotten {
    /// The realm has none of this `kid`.
    #[error("the realm has no such key: `key list` names them")]
    Unknown,
    /// It signs now.
    #[error("this key signs: `key rotate --at-once` first")]
    Signs,
}

/// What forgets the key called `kid` of a realm at once: what it signed is believed no more, here or by the key set.
///
/// # Errors
/// [`NotForgotten`].
pub fn forgetting(
    state: &RealmState,
    keys: &[KeyRow],
    vault: &Vault,
    now: Timestamp,
    named: &str,
) -> Result<Vec<Change>, NotForgotten> {
    let realm_id = &state.realm.id;
    let is_it = |key: &&KeyRow| kid(realm_id, key, vault).as_deref() == Some(named);
    let key = keys.iter().find(is_it).ok_or(NotForgotten::Unknown)?;
    let signs = |algorithm: &Algorithm| state.ring.signer(*algorithm).is_some_and(|key| key.kid() == named);
    if state.algorithms.iter().any(signs) {
        return Err(NotForgotten::Signs);
    }
    let event = AuditEvent {
        detail: serde_json::json!({ "key": key.id, "algorithm": key.algorithm, "forgotten": true }),
        ..rotated(realm_id, now, &key.id, &key.algorithm)
    };
    Ok(vec![Change::DeleteKey { realm_id: realm_id.clone(), id: key.id.clone() }, Change::Audit(event)])
}

fn end_of(realm_id: &str, key: &KeyRow, times: &Times) -> Change {
    let (realm_id, id) = (realm_id.to_owned(), key.id.clone());
    match times.fate_of(key.signs_from) {
        Fate::Never => Change::DeleteKey { realm_id, id },
        Fate::ServedUntil(served_until) => Change::RetireKey { realm_id, id, served_until },
    }
}

fn rotated(realm_id: &str, at: Timestamp, id: &str, algorithm: &str) -> AuditEvent {
    AuditEvent {
        id: Uuid::now_v7().to_string(),
        realm_id: realm_id.to_owned(),
        at,
        kind: AuditKind::KeyRotated,
        user_id: None,
        client_id: None,
        session_id: None,
        address: None,
        error: None,
        detail: serde_json::json!({ "key": id, "algorithm": algorithm }),
    }
}
