//! A realm's records out of the database.

use std::collections::{BTreeMap, BTreeSet};

use super::spec::RealmSpec;
use super::state::{GroupState, State, UserState};
use crate::protocol::user::{User, canonical};
use crate::store::{Page, Store, StoreError};

/// How many users are read at a time.
const USERS: i64 = 500;

/// The whole realm called `name`; none if there is none.
///
/// # Errors
/// [`StoreError`].
pub async fn load(store: &Store, name: &str) -> Result<Option<State>, StoreError> {
    let Some(mut state) = configuration(store, name).await? else { return Ok(None) };
    let mut page = Page { first: 0, max: USERS };
    loop {
        let users = store.users(&state.realm.id, "", page).await?;
        let last = i64::try_from(users.len()).unwrap_or(USERS) < USERS;
        for user in users {
            state.users.push(with_links(store, user).await?);
        }
        if last {
            return Ok(Some(state));
        }
        page.first = page.first.saturating_add(USERS);
    }
}

/// As much of the realm as `spec` speaks of: of the users, those that it names and those that hold an e-mail address
/// which it gives.
pub(super) async fn load_for(store: &Store, spec: &RealmSpec) -> Result<Option<State>, StoreError> {
    let Some(mut state) = configuration(store, &spec.name).await? else { return Ok(None) };
    let realm_id = state.realm.id.clone();
    let mut found = BTreeMap::new();
    for user in &spec.users {
        let mut names = BTreeSet::from([canonical(&user.username)]);
        names.extend(user.email.as_deref().filter(|email| !email.is_empty()).map(canonical));
        for name in names {
            if let Some(there) = store.user_by_login(&realm_id, &name, true).await? {
                found.insert(there.user.id.clone(), there.user);
            }
        }
    }
    found.retain(|_, user| user.service_account_client.is_none());
    for user in found.into_values() {
        state.users.push(with_links(store, user).await?);
    }
    Ok(Some(state))
}

/// All but the people.
async fn configuration(store: &Store, name: &str) -> Result<Option<State>, StoreError> {
    let Some(realm) = store.realm_by_name(name).await? else { return Ok(None) };
    let configuration = store.realm_configuration(&realm.id).await?;
    let clients = store.clients(&realm.id, "", Page::ALL).await?;
    let mut group_roles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (group, role) in store.group_roles(&realm.id).await? {
        group_roles.entry(group).or_default().push(role);
    }
    let groups = store.groups(&realm.id).await?.into_iter();
    let groups =
        groups.map(|group| GroupState { roles: group_roles.remove(&group.id).unwrap_or_default(), group });
    let mut state = State {
        realm: configuration.realm,
        scopes: configuration.scopes,
        roles: configuration.roles,
        groups: groups.collect(),
        users: Vec::new(),
        clients,
    };
    for client in &state.clients {
        if let Some(user) = store.user_of_service_account(&realm.id, &client.id).await? {
            state.users.push(with_links(store, user).await?);
        }
    }
    Ok(Some(state))
}

async fn with_links(store: &Store, user: User) -> Result<UserState, StoreError> {
    Ok(UserState {
        password_hash: store.password_hash(&user.realm_id, &user.id).await?,
        roles: store.direct_roles_of_user(&user.realm_id, &user.id).await?,
        groups: store.groups_of_user(&user.realm_id, &user.id).await?,
        user,
    })
}
