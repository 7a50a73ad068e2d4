//! Table `grants`.

use super::error::StoreError;
use super::revoked::{about, unless_revoked};
use super::row::row;
use super::session::session_columns;
use super::statement::{Statement, json, sql};
use super::user::user_columns;
use super::{Store, session, user};
use crate::clock::Timestamp;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::grant::{Grant, Parent};
use crate::protocol::session::Session;
use crate::protocol::user::{User, UserRoles};

row! {
    /// The columns of a grant, joined as `g`.
    pub(super) struct Row {
        id: String as "grant_id",
        grant_realm_id: String,
        grant_client: String,
        grant_user_id: String,
        grant_session_id: Option<String>,
        scope: String,
        offline: i64,
        auth_time: Timestamp,
        acr: String,
        nonce: Option<String>,
        request: Option<String>,
        confirmation: Option<String>,
        grant_created_at: Timestamp,
        last_used_at: Timestamp,
        parent: Option<String>,
        parent_expires_at: Option<Timestamp>,
        revoked_at: Option<Timestamp>,
    }
}

/// The columns of [`Row`]. A grant is revoked with the one that it was made from (joined as `p`), when that is gone, and while
/// the client of that is switched off.
macro_rules! grant_columns {
    () => {
        "g.id AS grant_id, g.realm_id AS grant_realm_id, g.client AS grant_client, g.user_id AS grant_user_id, \
         g.session_id AS grant_session_id, g.scope, g.offline, g.auth_time, g.acr, g.nonce, g.request, \
         g.confirmation, g.created_at AS grant_created_at, g.last_used_at, g.parent, \
         p.expires_at AS parent_expires_at, \
         CASE WHEN g.parent IS NOT NULL AND p.id IS NULL THEN g.created_at \
         ELSE COALESCE(g.revoked_at, p.revoked_at) END AS revoked_at"
    };
}
pub(super) use grant_columns;

/// Joins that bring a grant's user, and its session and the grant that it was made from if the store still has them.
macro_rules! grant_joins {
    () => {
        " JOIN users u ON u.id = g.user_id AND u.realm_id = g.realm_id \
         LEFT JOIN sessions s ON s.id = g.session_id AND s.realm_id = g.realm_id \
         LEFT JOIN grants p ON p.id = g.parent AND p.realm_id = g.realm_id \
         AND EXISTS (SELECT 1 FROM clients o WHERE o.id = p.client AND o.enabled = 1) "
    };
}
pub(super) use grant_joins;

/// Joins that leave a grant out while its client or its realm is switched off: what other nodes switched off is off at
/// once, although this one may have it in memory as it was.
macro_rules! while_enabled {
    () => {
        " JOIN clients app ON app.id = g.client AND app.realm_id = g.realm_id AND app.enabled = 1 \
         JOIN realms home ON home.id = g.realm_id AND home.enabled = 1 "
    };
}
pub(super) use while_enabled;

impl Row {
    pub(super) fn record(self) -> Result<Grant, StoreError> {
        let request = self.request.as_deref().map(serde_json::from_str).transpose()?;
        Ok(Grant {
            id: self.id,
            realm_id: self.grant_realm_id,
            client: self.grant_client,
            user_id: self.grant_user_id,
            session_id: self.grant_session_id,
            scope: self.scope,
            offline: self.offline != 0,
            auth_time: self.auth_time,
            acr: self.acr,
            nonce: self.nonce,
            request: request.unwrap_or_default(),
            confirmation: confirmation(self.confirmation.as_deref())?,
            parent: self
                .parent
                .map(|id| Parent { id, expires_at: self.parent_expires_at.unwrap_or_default() }),
            created_at: self.grant_created_at,
            last_used_at: self.last_used_at,
            revoked_at: self.revoked_at,
        })
    }
}

row! {
    struct WholeRow {
        grant: Row,
        user: user::Row,
        session: session::Row,
    }
}

row! {
    /// A grant with what is known of who gave it: what every token of it hangs on.
    pub(super) struct TokenRow {
        grant: Row,
        user: user::RowWithRoles,
        session: session::Row,
    }
}

/// The columns of [`TokenRow`], of what [`grant_joins`] brings.
macro_rules! token_columns {
    () => {
        concat!(
            $crate::store::grant::grant_columns!(),
            ", ",
            $crate::store::user::user_columns!(),
            ", ",
            $crate::store::user::role_columns!(),
            ", ",
            $crate::store::session::session_columns!()
        )
    };
}
pub(super) use token_columns;

/// What an access token hangs on.
#[derive(Clone, Debug)]
pub struct TokenGrant {
    /// The grant.
    pub grant: Grant,
    /// Who gave it.
    pub user: User,
    /// What that user holds.
    pub roles: UserRoles,
    /// The session it was given in, while the store still has it.
    pub session: Option<Session>,
}

pub(super) fn add(grant: &Grant, expires_at: Timestamp) -> Result<Statement, StoreError> {
    let request = if grant.request.is_empty() { None } else { Some(json(&grant.request)?) };
    let text = "INSERT INTO grants (id, realm_id, client, user_id, session_id, scope, offline, auth_time, acr, nonce, \
                created_at, last_used_at, revoked_at, expires_at, request, confirmation, parent) \
                SELECT $1, u.realm_id, c.id, u.id, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17 \
                FROM users u JOIN clients c ON c.realm_id = u.realm_id AND c.id = $3 AND c.enabled = 1 \
                WHERE u.realm_id = $2 AND u.id = $4";
    let confirmation = bound_to(grant.confirmation.as_ref())?;
    let statement = sql!(
        text,
        &grant.id,
        &grant.realm_id,
        &grant.client,
        &grant.user_id,
        &grant.session_id,
        &grant.scope,
        grant.offline,
        grant.auth_time,
        &grant.acr,
        &grant.nonce,
        grant.created_at,
        grant.last_used_at,
        grant.revoked_at,
        expires_at,
        request,
        confirmation,
        grant.parent.as_ref().map(|parent| parent.id.clone()),
    );
    Ok(statement.needs("reference"))
}

/// What a column `confirmation` holds.
pub(super) fn bound_to(confirmation: Option<&Confirmation>) -> Result<Option<String>, StoreError> {
    confirmation.map(json).transpose()
}

/// What a column `confirmation` says.
pub(super) fn confirmation(text: Option<&str>) -> Result<Option<Confirmation>, StoreError> {
    Ok(text.map(serde_json::from_str).transpose()?)
}

pub(super) fn revoke_all(realm_id: &str, user_id: &str, at: Timestamp) -> Statement {
    let text =
        "UPDATE grants SET revoked_at = $3 WHERE realm_id = $1 AND user_id = $2 AND revoked_at IS NULL";
    sql!(text, realm_id, user_id, at)
}

pub(super) fn revoke(realm_id: &str, id: &str, at: Timestamp) -> Statement {
    let text = "UPDATE grants SET revoked_at = $3 WHERE realm_id = $1 AND id = $2 AND revoked_at IS NULL";
    sql!(text, realm_id, id, at)
}

/// The grant was used, and will be needed until `expires_at`; no row is changed when it was revoked. The row's lock
/// then orders all that happens to what hangs on it.
pub(super) fn used(realm_id: &str, id: &str, at: Timestamp, expires_at: Timestamp) -> Statement {
    let text = "UPDATE grants SET last_used_at = $3, expires_at = $4 \
                WHERE realm_id = $1 AND id = $2 AND revoked_at IS NULL";
    sql!(text, realm_id, id, at, expires_at)
}

/// As [`used`], for the redemption of the grant's code: what is issued from now on is bound to `confirmation`.
pub(super) fn redeemed(
    realm_id: &str,
    id: &str,
    at: Timestamp,
    expires_at: Timestamp,
    confirmation: Option<&Confirmation>,
) -> Result<Statement, StoreError> {
    let text = "UPDATE grants SET last_used_at = $3, expires_at = $4, confirmation = $5 \
                WHERE realm_id = $1 AND id = $2 AND revoked_at IS NULL";
    Ok(sql!(text, realm_id, id, at, expires_at, bound_to(confirmation)?))
}

impl Store {
    /// The records of `row`.
    pub(super) async fn token_grant(&self, row: TokenRow) -> Result<TokenGrant, StoreError> {
        let (user, roles) = self.with_roles(row.user).await?;
        Ok(TokenGrant { grant: row.grant.record()?, user, roles, session: row.session.record() })
    }

    /// The offline grants that a user gave a client and that still stand, newest first: identifier, when it was given, and
    /// when it was last used, in seconds since 1970.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn offline_grants(
        &self,
        realm_id: &str,
        user_id: &str,
        client: &str,
        now: Timestamp,
    ) -> Result<Vec<(String, i64, i64)>, StoreError> {
        let text = "SELECT id, created_at, last_used_at FROM grants WHERE realm_id = $1 AND user_id = $2 \
                    AND client = $3 AND offline = 1 AND revoked_at IS NULL AND expires_at > $4 ORDER BY id DESC";
        self.db.all(sql!(text, realm_id, user_id, client, now)).await
    }

    /// What an access token of `client` (the identifier of its record) hangs on; none when the token itself was revoked, or one that it was made from, and while that
    /// client, the grant's or the realm is switched off. `lineage` is the `jti` of each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn grant_of_token(
        &self,
        realm_id: &str,
        client: &str,
        id: &str,
        lineage: &[&str],
    ) -> Result<Option<TokenGrant>, StoreError> {
        macro_rules! text {
            ($names:ident) => {
                concat!(
                    "SELECT ",
                    token_columns!(),
                    " FROM grants g",
                    grant_joins!(),
                    while_enabled!(),
                    "JOIN clients holder ON holder.id = $3 AND holder.realm_id = g.realm_id AND holder.enabled = 1 \
                     WHERE g.realm_id = $1 AND g.id = $2",
                    unless_revoked!($names)
                )
            };
        }
        let query = about(text!(one), text!(several), [realm_id, id, client], lineage);
        let Some(row) = self.db.one::<TokenRow>(query).await? else { return Ok(None) };
        self.token_grant(row).await.map(Some)
    }

    /// The grant with its user, and its session if the store still has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn grant_with_user(
        &self,
        realm_id: &str,
        id: &str,
    ) -> Result<Option<(Grant, User, Option<Session>)>, StoreError> {
        let text = concat!(
            "SELECT ",
            grant_columns!(),
            ", ",
            user_columns!(),
            ", ",
            session_columns!(),
            " FROM grants g",
            grant_joins!(),
            "WHERE g.realm_id = $1 AND g.id = $2"
        );
        let Some(row) = self.db.one::<WholeRow>(sql!(text, realm_id, id)).await? else { return Ok(None) };
        Ok(Some((row.grant.record()?, row.user.record()?, row.session.record())))
    }
}
