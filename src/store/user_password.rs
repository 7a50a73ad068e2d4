//! The columns of table `users` that hold a password: its stored form, and how often it was set.

use super::Store;
use super::error::StoreError;
use super::statement::{Statement, sql};

pub(super) fn set_password(realm_id: &str, user_id: &str, hash: &str) -> Statement {
    let text = "UPDATE users SET password_hash = $3, password_changes = password_changes + 1 \
                WHERE id = $2 AND realm_id = $1";
    sql!(text, realm_id, user_id, hash).about(2).needs("reference")
}

pub(super) fn remove_password(realm_id: &str, user_id: &str) -> Statement {
    let text = "UPDATE users SET password_hash = NULL, password_changes = password_changes + 1 \
                WHERE id = $2 AND realm_id = $1";
    sql!(text, realm_id, user_id).needs("reference")
}

/// A password that was right when it was looked at, which takes a while: what the sign-in stands on.
#[derive(Clone)]
pub struct PasswordProof {
    /// The user's realm.
    pub realm_id: String,
    /// Whose password it is.
    pub user_id: String,
    /// How often it had been set by then.
    pub changes: i64,
    /// The stored form to keep from now on (a PHC string), when the one that is there is not made as new ones are.
    pub kept: Option<String>,
}

impl std::fmt::Debug for PasswordProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordProof").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// A sign-in counts only while the password that it proved is the user's and the user is enabled: neither a reset nor a
/// lock-out is overtaken by an attempt that began before it. The row is locked for the rest of the transaction.
pub(super) fn prove(proof: &PasswordProof) -> Statement {
    let PasswordProof { realm_id, user_id, changes, kept } = proof;
    let text = "UPDATE users SET password_hash = COALESCE($4, password_hash) \
                WHERE id = $2 AND realm_id = $1 AND password_changes = $3 AND enabled = 1";
    sql!(text, realm_id, user_id, *changes, kept).needs("password")
}

impl Store {
    /// The stored form of a user's password.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn password_hash(&self, realm_id: &str, user_id: &str) -> Result<Option<String>, StoreError> {
        let text = "SELECT password_hash FROM users WHERE realm_id = $1 AND id = $2";
        Ok(self.db.one::<(Option<String>,)>(sql!(text, realm_id, user_id)).await?.and_then(|(hash,)| hash))
    }

    /// The stored form of each user's password, by the user's identifier, for exports.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn password_hashes(&self, realm_id: &str) -> Result<Vec<(String, String)>, StoreError> {
        let text = "SELECT id, password_hash FROM users WHERE realm_id = $1 AND password_hash IS NOT NULL";
        self.db.listing(sql!(text, realm_id)).await
    }
}
