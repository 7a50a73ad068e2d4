//! What changes a user, their roles and their groups.

use super::error::StoreError;
use super::realm::REALM_CHANGED;
use super::statement::{Statement, json, key, sql};
use super::user_email::{email_key, email_keys};
use super::{backchannel_logout, user_search};
use crate::clock::Timestamp;
use crate::protocol::user::{User, canonical};

/// Touches no row when another user's name is this one's address, or the other way round.
pub(super) fn expect_own_logins(realm_id: &str, id: &str) -> Statement {
    let text = "UPDATE users SET username = username WHERE realm_id = $1 AND id = $2 AND NOT EXISTS (\
                SELECT 1 FROM users o WHERE o.realm_id = $1 AND o.username = users.email_key AND o.id <> $2) \
                AND NOT EXISTS (\
                SELECT 1 FROM users o WHERE o.realm_id = $1 AND o.email_key = users.username AND o.id <> $2)";
    sql!(text, realm_id, id).needs("user name")
}

/// Touches no row when another user signs in by `look_alike`.
pub(super) fn expect_unlike(realm_id: &str, id: &str, look_alike: &str) -> Statement {
    let text = "UPDATE users SET username = username WHERE realm_id = $1 AND id = $2 AND NOT EXISTS (\
                SELECT 1 FROM users o WHERE o.realm_id = $1 AND o.username = $3 AND o.id <> $2) \
                AND NOT EXISTS (\
                SELECT 1 FROM users o WHERE o.realm_id = $1 AND o.email_key = $3 AND o.id <> $2)";
    sql!(text, realm_id, id, look_alike).needs("user name")
}

pub(super) fn put(user: &User) -> Result<Statement, StoreError> {
    let text = concat!(
        "INSERT INTO users (id, realm_id, username, email, email_key, email_verified, enabled, first_name, \
         last_name, attributes, service_account_client, not_before, search_key, created_at, required_actions, \
         name_key, last_name_key) VALUES ($1, $2, $3, $4, ",
        email_key!(realm "$2", user "$1", address "$5", shared "$18"),
        ", $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
         ON CONFLICT (id) DO UPDATE SET username = excluded.username, email = excluded.email, \
         email_key = excluded.email_key, email_verified = excluded.email_verified, \
         enabled = excluded.enabled, first_name = excluded.first_name, last_name = excluded.last_name, \
         attributes = excluded.attributes, not_before = excluded.not_before, search_key = excluded.search_key, \
         required_actions = excluded.required_actions, name_key = excluded.name_key, \
         last_name_key = excluded.last_name_key \
         WHERE users.realm_id = excluded.realm_id"
    );
    let username = canonical(&user.username);
    let [email_key, shared_key] = email_keys(user)?;
    let [name_key, last_name_key] = user_search::names(user);
    let search_key = user_search::key(user, &username, email_key.as_deref().unwrap_or_default());
    let required = &user.required_actions;
    let required_actions = if required.is_empty() { None } else { Some(json(required)?) };
    let statement = sql!(
        text,
        &user.id,
        &user.realm_id,
        key(&username)?,
        &user.email,
        email_key,
        user.email_verified,
        user.enabled,
        &user.first_name,
        &user.last_name,
        json(&user.attributes)?,
        &user.service_account_client,
        user.not_before,
        search_key,
        user.created_at,
        required_actions,
        name_key,
        last_name_key,
        shared_key,
    );
    Ok(statement.about(1).needs("reference"))
}

/// No row is changed when the user is not as it was read.
pub(super) fn expect(user: &User) -> Result<Statement, StoreError> {
    let text = "UPDATE users SET enabled = enabled WHERE realm_id = $1 AND id = $2 AND username = $3 \
                AND email IS NOT DISTINCT FROM $4 AND email_verified = $5 AND enabled = $6 \
                AND first_name IS NOT DISTINCT FROM $7 AND last_name IS NOT DISTINCT FROM $8 AND attributes = $9 \
                AND not_before IS NOT DISTINCT FROM $10 AND COALESCE(required_actions, '[]') = $11";
    let statement = sql!(
        text,
        &user.realm_id,
        &user.id,
        &user.username,
        &user.email,
        user.email_verified,
        user.enabled,
        &user.first_name,
        &user.last_name,
        json(&user.attributes)?,
        user.not_before,
        json(&user.required_actions)?,
    );
    Ok(statement.about(2).needs(REALM_CHANGED))
}

pub(super) fn delete(realm_id: &str, id: &str, at: Timestamp, to: &mut Vec<Statement>) {
    to.push(backchannel_logout::queue_user(realm_id, id, at));
    to.push(sql!("DELETE FROM users WHERE id = $2 AND realm_id = $1", realm_id, id));
}

pub(super) fn change_profile(user: &User) -> Result<Statement, StoreError> {
    let text = concat!(
        "UPDATE users SET email = $3, email_key = ",
        email_key!(realm "$1", user "$2", address "$4", shared "$12"),
        ", email_verified = $5, first_name = $6, last_name = $7, \
         search_key = $8, name_key = $9, last_name_key = $10 \
         WHERE id = $2 AND realm_id = $1 AND username = $11 AND enabled = 1"
    );
    let username = canonical(&user.username);
    let [email_key, shared_key] = email_keys(user)?;
    let [name_key, last_name_key] = user_search::names(user);
    let search_key = user_search::key(user, &username, email_key.as_deref().unwrap_or_default());
    let statement = sql!(
        text,
        &user.realm_id,
        &user.id,
        &user.email,
        email_key,
        user.email_verified,
        &user.first_name,
        &user.last_name,
        search_key,
        name_key,
        last_name_key,
        key(&username)?,
        shared_key,
    );
    Ok(statement.needs("user"))
}

pub(super) fn set_required_actions(
    realm_id: &str,
    user_id: &str,
    actions: &[String],
) -> Result<Statement, StoreError> {
    let text = "UPDATE users SET required_actions = $3 WHERE id = $2 AND realm_id = $1";
    let actions = if actions.is_empty() { None } else { Some(json(&actions)?) };
    Ok(sql!(text, realm_id, user_id, actions).needs("reference"))
}

/// User and role are looked up in the realm, so that no role of another realm can be given.
pub(super) fn add_role(realm_id: &str, user_id: &str, role_id: &str) -> Statement {
    let text = "INSERT INTO user_roles (realm_id, user_id, role_id) \
                SELECT u.realm_id, u.id, r.id FROM users u JOIN roles r ON r.realm_id = u.realm_id \
                WHERE u.realm_id = $1 AND u.id = $2 AND r.id = $3 \
                ON CONFLICT (user_id, role_id) DO UPDATE SET realm_id = excluded.realm_id";
    sql!(text, realm_id, user_id, role_id).about(3).needs("reference")
}

pub(super) fn remove_role(realm_id: &str, user_id: &str, role_id: &str) -> Statement {
    let text = "DELETE FROM user_roles WHERE realm_id = $1 AND user_id = $2 AND role_id = $3";
    sql!(text, realm_id, user_id, role_id)
}

pub(super) fn add_group(realm_id: &str, user_id: &str, group_id: &str) -> Statement {
    let text = "INSERT INTO user_groups (realm_id, user_id, group_id) \
                SELECT u.realm_id, u.id, g.id FROM users u JOIN groups g ON g.realm_id = u.realm_id \
                WHERE u.realm_id = $1 AND u.id = $2 AND g.id = $3 \
                ON CONFLICT (user_id, group_id) DO UPDATE SET realm_id = excluded.realm_id";
    sql!(text, realm_id, user_id, group_id).about(3).needs("reference")
}

pub(super) fn remove_group(realm_id: &str, user_id: &str, group_id: &str) -> Statement {
    let text = "DELETE FROM user_groups WHERE realm_id = $1 AND user_id = $2 AND group_id = $3";
    sql!(text, realm_id, user_id, group_id)
}
