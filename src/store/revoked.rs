//! Table `revoked_tokens`: access tokens that have no grant which could be revoked in their place.

use super::Store;
use super::error::StoreError;
use super::statement::{Statement, Value, sql};
use super::user::{RowWithRoles, role_columns, user_columns};
use crate::clock::Timestamp;
use crate::protocol::grants::token_exchange::MOST_ACTORS;
use crate::protocol::user::{User, UserRoles};

pub(super) fn add(realm_id: &str, jti: &str, expires_at: Timestamp) -> Statement {
    let text = "INSERT INTO revoked_tokens (realm_id, jti, expires_at) VALUES ($1, $2, $3) \
                ON CONFLICT (realm_id, jti) DO NOTHING";
    sql!(text, realm_id, jti, expires_at)
}

/// A condition on a token of realm `$1`, and on those that it was made from: the token `$4`, or the tokens `$4…$9`. Most were
/// made from none, and a list to look in costs more than everything else about it.
macro_rules! unless_revoked {
    (one) => {
        " AND NOT EXISTS (SELECT 1 FROM revoked_tokens r WHERE r.realm_id = $1 AND r.jti = $4)"
    };
    (several) => {
        " AND NOT EXISTS (SELECT 1 FROM revoked_tokens r WHERE r.realm_id = $1 \
         AND r.jti IN ($4, $5, $6, $7, $8, $9))"
    };
}
pub(super) use unless_revoked;

/// A token and the most exchanges that it may have gone through.
const LONGEST: usize = MOST_ACTORS + 1;

// As many as the text for `several` names: of more, the last ones, the token's own among them, would not be looked for.
const _: () = assert!(LONGEST == 6);

/// The statement about a token with these values before its names: the text for `one`, or for `several`, the same for any
/// number of them. No token that this server issued has more than fit.
pub(super) fn about(
    one: &'static str,
    several: &'static str,
    values: [&str; 3],
    lineage: &[&str],
) -> Statement {
    let [a, b, c] = values;
    if let [name] = lineage {
        return sql!(one, a, b, c, *name);
    }
    let name = |at| lineage.get(at).or(lineage.last()).copied().unwrap_or_default();
    sql!(several, a, b, c).with((0..LONGEST).map(name).map(Value::from))
}

impl Store {
    /// The user whom an access token of `client` (the identifier of its record) speaks for, and what that user holds, unless
    /// that very token was revoked, or one that it was made from, and while neither client nor realm is switched off.
    /// `lineage` is the `jti` of each (see `access_token::lineage`).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_of_token(
        &self,
        realm_id: &str,
        client: &str,
        user_id: &str,
        lineage: &[&str],
    ) -> Result<Option<(User, UserRoles)>, StoreError> {
        macro_rules! text {
            ($names:ident) => {
                concat!(
                    "SELECT ",
                    user_columns!(),
                    ", ",
                    role_columns!(),
                    " FROM users u JOIN realms home ON home.id = u.realm_id AND home.enabled = 1 \
                     JOIN clients holder ON holder.id = $3 AND holder.realm_id = u.realm_id AND holder.enabled = 1 \
                     WHERE u.realm_id = $1 AND u.id = $2",
                    unless_revoked!($names)
                )
            };
        }
        let query = about(text!(one), text!(several), [realm_id, user_id, client], lineage);
        let Some(row) = self.db.one::<RowWithRoles>(query).await? else { return Ok(None) };
        self.with_roles(row).await.map(Some)
    }
}
