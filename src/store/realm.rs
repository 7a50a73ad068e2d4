//! Table `realms`, and the realm's configuration as a whole.

use std::collections::HashMap;

use super::Store;
use super::error::StoreError;
use super::key::KeyRow;
use super::row::row;
use super::statement::{Statement, sql};
use super::statement::{json, key};
use crate::clock::Timestamp;
use crate::protocol::jws::Algorithm;
use crate::protocol::realm::Realm;
use crate::protocol::role::Roles;
use crate::protocol::scope::Scope;

/// What the conflict is about when a realm's configuration is not any more what a change was made from.
pub const REALM_CHANGED: &str = "version of the realm";

/// What nodes keep in memory of a realm.
#[derive(Clone, Debug)]
pub struct RealmConfiguration {
    /// The record.
    pub realm: Realm,
    /// Its keys, sealed.
    pub keys: Vec<KeyRow>,
    /// Its scopes.
    pub scopes: Vec<Scope>,
    /// Its roles.
    pub roles: Roles,
    /// What its clients want signed otherwise than the realm signs.
    pub client_algorithms: Vec<Algorithm>,
}

row! {
    struct Row {
        id: String,
        name: String,
        display_name: Option<String>,
        enabled: i64,
        settings: String,
        version: i64,
    }
}

impl Row {
    fn record(self) -> Result<Realm, StoreError> {
        Ok(Realm {
            id: self.id,
            name: self.name,
            display_name: self.display_name,
            enabled: self.enabled != 0,
            settings: serde_json::from_str(&self.settings)?,
            version: self.version,
        })
    }
}

/// No row is changed when the realm has another version. Changes of configuration come one after another.
pub(super) fn expect(realm_id: &str, version: i64) -> Statement {
    let text = "UPDATE realms SET version = version WHERE id = $1 AND version = $2";
    sql!(text, realm_id, version).needs(REALM_CHANGED)
}

/// Until the end of the transaction, others that hold the realm wait. What refers to it need not.
pub(super) fn hold(realm_id: &str) -> Statement {
    sql!("UPDATE realms SET enabled = enabled WHERE id = $1", realm_id)
}

/// The columns of a realm and their values. One of which nothing is left but the row gives up its identifier.
macro_rules! put {
    () => {
        "INSERT INTO realms (id, name, display_name, enabled, settings, version, created_at, duplicate_emails) \
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, display_name = excluded.display_name, \
         enabled = excluded.enabled, settings = excluded.settings, duplicate_emails = excluded.duplicate_emails, \
         deleted_as = NULL WHERE realms.deleted_as = ''"
    };
}

/// A conflict about the `realm` when another has the identifier or the name: whatever is written after it in the same
/// transaction is a new realm's own.
pub(super) fn add(realm: &Realm, at: Timestamp) -> Result<Statement, StoreError> {
    written(put!(), realm, at)
}

pub(super) fn put(realm: &Realm, at: Timestamp) -> Result<Statement, StoreError> {
    written(concat!(put!(), " OR realms.deleted_as IS NULL"), realm, at)
}

fn written(text: &'static str, realm: &Realm, at: Timestamp) -> Result<Statement, StoreError> {
    Ok(sql!(
        text,
        &realm.id,
        key(&realm.name)?,
        &realm.display_name,
        realm.enabled,
        json(&realm.settings)?,
        at,
        realm.settings.duplicate_emails,
    )
    .needs("realm"))
}

impl Store {
    /// The realm called `name`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn realm_by_name(&self, name: &str) -> Result<Option<Realm>, StoreError> {
        let text = "SELECT id, name, display_name, enabled, settings, version FROM realms \
                    WHERE name = $1 AND deleted_as IS NULL";
        self.db.one::<Row>(sql!(text, name)).await?.map(Row::record).transpose()
    }

    /// The realm with this identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn realm_by_id(&self, id: &str) -> Result<Option<Realm>, StoreError> {
        let text = "SELECT id, name, display_name, enabled, settings, version FROM realms \
                    WHERE id = $1 AND deleted_as IS NULL";
        self.db.one::<Row>(sql!(text, id)).await?.map(Row::record).transpose()
    }

    /// Every realm, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn realms(&self) -> Result<Vec<Realm>, StoreError> {
        let text = "SELECT id, name, display_name, enabled, settings, version FROM realms \
                    WHERE deleted_as IS NULL";
        let rows = self.db.listing::<Row>(sql!(text)).await?;
        let mut realms = rows.into_iter().map(Row::record).collect::<Result<Vec<_>, _>>()?;
        realms.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(realms)
    }

    /// What nodes keep in memory of `realm`, which was read before: so its version makes the copy old when something changes
    /// in between, never falsely new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn realm_configuration(&self, realm: Realm) -> Result<RealmConfiguration, StoreError> {
        Ok(RealmConfiguration {
            keys: self.keys(&realm.id).await?,
            scopes: self.scopes(&realm.id).await?,
            roles: self.roles(&realm.id).await?,
            client_algorithms: self.client_algorithms(&realm.id).await?,
            realm,
        })
    }

    /// The number of the last change of this realm's configuration, if the realm is enabled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn version_of_enabled_realm(&self, realm_id: &str) -> Result<Option<i64>, StoreError> {
        let text = "SELECT version FROM realms WHERE id = $1 AND enabled = 1 AND deleted_as IS NULL";
        Ok(self.db.one::<(i64,)>(sql!(text, realm_id)).await?.map(|(version,)| version))
    }

    /// The number of the last change of configuration.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn configuration_version(&self) -> Result<i64, StoreError> {
        let row = self.db.one::<(i64,)>(sql!("SELECT version FROM configuration WHERE id = 1")).await?;
        Ok(row.map_or(0, |(version,)| version))
    }

    /// The number of the last change of configuration, and the realms that were changed after the change with this number,
    /// deleted ones too: identifier and version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn realms_changed_since(
        &self,
        version: i64,
    ) -> Result<(i64, HashMap<String, i64>), StoreError> {
        // No identifier is empty.
        let text = "SELECT id, version FROM realms WHERE version > $1 \
                    UNION ALL SELECT '' AS id, version FROM configuration WHERE id = 1";
        let rows = self.db.all::<(String, i64)>(sql!(text, version)).await?;
        let mut versions: HashMap<_, _> = rows.into_iter().collect();
        Ok((versions.remove("").unwrap_or_default(), versions))
    }
}
