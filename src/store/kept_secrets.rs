//! Secrets of others in what is kept of Keycloak: sealed for their row before they are written, opened when it is read.
//!
//! Which members are secrets is said once, by [`crate::keycloak::secret`]. Where a secret is (`${vault.name}`) is none.

use serde_json::Value;

use super::Store;
use super::commit::Changes;
use super::error::StoreError;
use super::keycloak_record::{Row, seal_again};
use super::statement::sql;
use crate::keycloak::KeycloakRecord;
use crate::keycloak::secret::each_secret;
use crate::vault::{Vault, VaultError};

/// How a sealed secret begins; what a [`Vault`] made of its JSON follows.
const SEALED: &str = "sealed:";

/// The list of secret names by which rows are sealed now. When names are added to it this is counted up, so that the next
/// start seals what they name.
pub(super) const SEALING: i64 = 1;

/// How many rows are sealed at a time.
const BATCH: i64 = 200;

/// What the secrets of a record are sealed for.
fn place(record: &KeycloakRecord) -> String {
    format!("keycloak_records/{}/{}/{}/content", record.realm_id, record.kind, record.id)
}

/// `record` as it is written: no secret of it can be read.
pub(super) fn sealed(mut record: KeycloakRecord, vault: &Vault) -> KeycloakRecord {
    let place = place(&record);
    each_secret(&mut record.content, &mut |secret| {
        if !stays_shut(secret, vault, &place) {
            *secret = format!("{SEALED}{}", vault.seal(&place, secret.to_string().as_bytes())).into();
        }
    });
    record
}

/// Whether `secret` was sealed under a key that is not here: it came back as it was read, and the key may come back too.
fn stays_shut(secret: &Value, vault: &Vault, place: &str) -> bool {
    let sealed = secret.as_str().and_then(|text| text.strip_prefix(SEALED));
    sealed.is_some_and(|sealed| vault.open(place, sealed).err() == Some(VaultError::UnknownKey))
}

/// `record`, of a row that was read, with its secrets. One from before they were sealed is as it was.
pub(super) fn opened(mut record: KeycloakRecord, vault: &Vault) -> KeycloakRecord {
    let place = place(&record);
    each_secret(&mut record.content, &mut |secret| {
        let Some(sealed) = secret.as_str().and_then(|text| text.strip_prefix(SEALED)) else { return };
        match vault.open(&place, sealed) {
            // What has this form by chance, or is another row's, is nobody's secret but its own.
            Ok(plain) => *secret = serde_json::from_slice(&plain).unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, kind = record.kind, id = record.id, "a sealed secret stays shut");
            }
        }
    });
    record
}

/// Whether there may be something to open.
pub(super) fn holds_sealed(content: &str) -> bool {
    content.contains(SEALED)
}

impl Store {
    /// Seals what is kept in rows from before secrets were sealed, a few at a time; gives how many there were.
    ///
    /// # Errors
    /// [`StoreError`]; what was sealed until then stays so.
    pub async fn seal_kept_secrets(&self) -> Result<usize, StoreError> {
        let text = "SELECT realm_id, kind, id, parent, name, content FROM keycloak_records \
                    WHERE sealing < $1 AND (realm_id, kind, id) > ($2, $3, $4) ORDER BY realm_id, kind, id LIMIT $5";
        let (mut count, mut after) = (0_usize, <[String; 3]>::default());
        loop {
            let [realm_id, kind, id] = &after;
            let rows = self.db.all::<Row>(sql!(text, SEALING, realm_id, kind, id, BATCH)).await?;
            let Some(last) = rows.last() else { return Ok(count) };
            after = [last.realm_id.clone(), last.kind.clone(), last.id.clone()];
            let mut statements = Vec::new();
            for row in rows {
                let content = row.content.clone();
                // What cannot be read any more is no reason not to start.
                if let Ok(record) = row.record(&self.vault) {
                    statements.push(seal_again(&sealed(record, &self.vault), content)?);
                }
            }
            count = count.saturating_add(statements.len());
            self.db.write(Changes::plain(statements)).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(id: &str, content: Value) -> KeycloakRecord {
        KeycloakRecord {
            realm_id: "realm".into(),
            kind: "component".into(),
            id: id.into(),
            parent: String::new(),
            name: String::new(),
            content: content.as_object().cloned().unwrap_or_default(),
        }
    }

    fn vault(key: u8) -> Vault {
        Vault::from_keys(vec![[key; 32]]).unwrap()
    }

    #[test]
    fn what_is_sealed_is_as_before_when_it_is_opened() {
        let vault = vault(1);
        for (row, content, is_sealed) in [
            ("a text", json!({ "config": { "clientSecret": "canary" } }), true),
            ("a list", json!({ "privateKey": ["canary", "canary-2"] }), true),
            ("a number", json!({ "bindCredential": 7_162_534 }), true),
            ("what looks sealed", json!({ "secret": "sealed:canary" }), true),
            ("a reference", json!({ "secret": "${vault.x}" }), false),
            ("no secret", json!({ "alias": "google", "tokenUrl": "https://x" }), false),
        ] {
            let plain = record("a", content);
            let shut = sealed(plain.clone(), &vault);
            let text = serde_json::to_string(&shut.content).unwrap();
            assert_eq!(holds_sealed(&text), is_sealed, "{row}");
            assert!(!text.contains("canary") && !text.contains("7162534"), "{row}: {text}");
            assert_eq!(opened(shut, &vault), plain, "{row}");
        }
    }

    #[test]
    fn a_secret_opens_in_its_own_row_alone() {
        let vault = vault(1);
        let shut = sealed(record("a", json!({ "secret": "canary" })), &vault);
        let elsewhere = KeycloakRecord { id: "b".into(), ..shut };
        assert_eq!(opened(elsewhere.clone(), &vault), elsewhere);
    }

    #[test]
    fn what_was_sealed_under_a_key_that_is_not_here_outlives_a_change() {
        let plain = record("a", json!({ "secret": "canary" }));
        let shut = sealed(plain.clone(), &vault(1));
        let written = sealed(opened(shut.clone(), &vault(2)), &vault(2));
        assert_eq!(written, shut);
        assert_eq!(opened(written, &vault(1)), plain);
    }

    #[test]
    fn what_was_never_sealed_is_read_as_it_is() {
        let plain = record("a", json!({ "secret": "canary" }));
        assert_eq!(opened(plain.clone(), &vault(1)), plain);
    }
}
