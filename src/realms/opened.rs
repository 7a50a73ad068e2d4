//! A realm's keys, opened: kept beside the realm, which is read anew whenever anything of its configuration changes.

use std::sync::Arc;

use super::keys::key_aad;
use super::{MAC_ALGORITHM, PAIRWISE_ALGORITHM, RealmError};
use crate::clock::Timestamp;
use crate::protocol::key_rotation;
use crate::signer::{Algorithm, KeyError, KeyRing, MacKey, ProvenTokens, RingKey, SigningKey};
use crate::store::{KeyRow, RealmConfiguration};
use crate::vault::Vault;

/// What was made of the keys of a realm as they stood in the database.
#[derive(Debug)]
pub(super) struct OpenedKeys {
    rows: Vec<KeyRow>,
    hints_for: i64,
    /// Signs and verifies, and remembers what it has verified.
    pub(super) ring: Arc<KeyRing>,
    /// Makes pairwise names of people.
    pub(super) pairwise: Arc<MacKey>,
}

impl OpenedKeys {
    /// Opens the keys of the realm whose time is not over. What they verify is remembered among `proven`.
    ///
    /// # Errors
    /// [`RealmError::Keys`] when one cannot be opened or is missing.
    pub(super) fn new(
        configuration: &RealmConfiguration,
        vault: &Vault,
        proven: &Arc<ProvenTokens>,
        now: Timestamp,
    ) -> Result<Self, RealmError> {
        let RealmConfiguration { realm, keys, .. } = configuration;
        let fault = |source| RealmError::Keys { realm: realm.name.clone(), source };
        let (mut mac, mut pairwise) = (None, None);
        let mut signing = Vec::new();
        let hints_for = key_rotation::hints_for(&realm.settings);
        let over = |row: &&KeyRow| row.served_until.is_some_and(|until| until.plus(hints_for) <= now);
        for row in keys.iter().filter(|row| !over(row)) {
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
        let ring = KeyRing::new(signing, mac, hints_for, now).remembering(Arc::clone(proven));
        let ring = Arc::new(ring);
        Ok(Self { rows: keys.clone(), hints_for, ring, pairwise: Arc::new(pairwise) })
    }

    /// Whether they are the keys of this configuration still, and none has begun or ended since.
    pub(super) fn fits(&self, configuration: &RealmConfiguration, now: Timestamp) -> bool {
        let RealmConfiguration { realm, keys, .. } = configuration;
        self.rows == *keys
            && self.hints_for == key_rotation::hints_for(&realm.settings)
            && self.ring.changes_at().is_none_or(|at| now < at)
    }
}
