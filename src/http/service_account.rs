//! The user that a client acts as when it acts as itself: it comes with the first grant that needs it, has the client's
//! name, and goes with the last.

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::protocol::client::{Client, GrantType};
use crate::protocol::user::{User, service_account_name};
use crate::realms::RealmState;
use crate::store::{Change, Store, StoreError};

/// Whether the client acts as itself.
fn acts(client: &Client) -> bool {
    client.may(GrantType::ClientCredentials) || client.may(GrantType::JwtBearer)
}

/// What becomes of the service account of `client`, which was `old` before (none: it is new). They belong after the change
/// of the client, in the same commit.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn changes(
    store: &Store,
    state: &RealmState,
    client: &Client,
    old: Option<&Client>,
    now: Timestamp,
) -> Result<Vec<Change>, StoreError> {
    let there = match old {
        Some(old) => store.user_of_service_account(&state.realm.id, &old.id).await?,
        None => None,
    };
    let username = service_account_name(&client.client_id);
    Ok(match (acts(client), there) {
        (true, None) => fresh(state, client, &username, now),
        (true, Some(user)) if user.username != username => {
            vec![Change::PutUser(Box::new(User { username, ..user }))]
        }
        (false, Some(user)) => vec![Change::DeleteUser { realm_id: user.realm_id, id: user.id, at: now }],
        (true, Some(_)) | (false, None) => Vec::new(),
    })
}

/// What comes in the place of the service account of `client`, when that goes and the client still acts as itself.
pub(super) fn renewed(state: &RealmState, client: &Client, now: Timestamp) -> Vec<Change> {
    if !acts(client) {
        return Vec::new();
    }
    fresh(state, client, &service_account_name(&client.client_id), now)
}

/// A new service account, with what every user of the realm has.
fn fresh(state: &RealmState, client: &Client, username: &str, now: Timestamp) -> Vec<Change> {
    let (realm_id, id) = (state.realm.id.clone(), Uuid::new_v4().to_string());
    let user =
        User { service_account_client: Some(client.id.clone()), ..User::new(&realm_id, &id, username, now) };
    let default = state.roles.realm_role(&state.realm.default_role());
    let role = default.map(|role| Change::AddUserRole { realm_id, user_id: id, role_id: role.id.clone() });
    std::iter::once(Change::PutUser(Box::new(user))).chain(role).collect()
}
