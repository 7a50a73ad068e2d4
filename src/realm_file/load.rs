//! A realm's records out of the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::spec::RealmSpec;
use super::state::{GroupState, State, UserState};
use crate::protocol::credential::Credential;
use crate::protocol::look_alike::look_alike;
use crate::protocol::user::{User, canonical};
use crate::store::{Page, Store, StoreError};

/// How many users are read at a time.
const USERS: i64 = 500;

/// From how many users on it is quicker to read them all.
const MANY: usize = 200;

/// The whole realm called `name`; none if there is none.
///
/// # Errors
/// [`StoreError`].
pub async fn load(store: &Store, name: &str) -> Result<Option<State>, StoreError> {
    let Some(mut state) = configuration(store, name).await? else { return Ok(None) };
    let mut page = Page { first: 0, max: USERS };
    let mut links = Links::of(store, &state.realm.id).await?;
    let accounts = store.service_accounts(&state.realm.id).await?;
    state.users.extend(accounts.into_iter().map(|user| links.take(user)));
    loop {
        let users = store.users(&state.realm.id, page).await?;
        let last = i64::try_from(users.len()).unwrap_or(USERS) < USERS;
        state.users.extend(users.into_iter().map(|user| links.take(user)));
        if last {
            return Ok(Some(state));
        }
        page.first = page.first.saturating_add(USERS);
    }
}

/// As [`load`], of its users the service accounts alone.
///
/// # Errors
/// [`StoreError`].
pub async fn load_without_people(store: &Store, name: &str) -> Result<Option<State>, StoreError> {
    let Some(mut state) = configuration(store, name).await? else { return Ok(None) };
    let accounts = store.service_accounts(&state.realm.id).await?;
    state.users = with_links(store, &state.realm.id, accounts).await?;
    Ok(Some(state))
}

/// As much of the realm as `spec` speaks of: of the users, those that it names or names look like, and those that hold
/// an identifier or an e-mail address which it gives.
pub(super) async fn load_for(store: &Store, spec: &RealmSpec) -> Result<Option<State>, StoreError> {
    let people = people(spec);
    if people.len() > MANY {
        return load(store, &spec.name).await;
    }
    let Some(mut state) = configuration(store, &spec.name).await? else { return Ok(None) };
    let ids: BTreeSet<&str> = people.iter().filter_map(|(id, ..)| *id).collect();
    let names = people.iter().flat_map(|(_, username, email)| [Some(*username), *email]).flatten();
    let mut names: BTreeSet<String> = names.map(canonical).filter(|name| !name.is_empty()).collect();
    let look_alikes: Vec<String> = names.iter().filter_map(|name| look_alike(name)).collect();
    names.extend(look_alikes);
    let [ids, names] = [ids.into_iter().map(str::to_owned).collect(), names.into_iter().collect::<Vec<_>>()];
    let mut found = store.people_of_ids(&state.realm.id, &ids).await?;
    found.extend(store.people_of_logins(&state.realm.id, &names).await?);
    let found: BTreeMap<String, User> = found.into_iter().map(|user| (user.id.clone(), user)).collect();
    let accounts = store.service_accounts(&state.realm.id).await?.into_iter();
    let users = accounts.chain(found.into_values()).collect();
    state.users = with_links(store, &state.realm.id, users).await?;
    Ok(Some(state))
}

/// Identifiers, user names and e-mail addresses that `spec` speaks of.
fn people(spec: &RealmSpec) -> Vec<(Option<&str>, &str, Option<&str>)> {
    let own =
        spec.users.iter().map(|user| (user.id.as_deref(), user.username.as_str(), user.email.as_deref()));
    let foreign = spec.keycloak.iter().flat_map(|realm| realm.0.users.iter().flatten()).map(|user| {
        let username = user.username.as_deref().unwrap_or_default();
        (user.id.as_deref(), username, user.email.as_deref())
    });
    own.chain(foreign).collect()
}

/// All but the people.
async fn configuration(store: &Store, name: &str) -> Result<Option<State>, StoreError> {
    let Some(realm) = store.realm_by_name(name).await? else { return Ok(None) };
    let configuration = store.realm_configuration(realm).await?;
    let realm_id = &configuration.realm.id;
    let clients = store.clients(realm_id, "", Page::ALL).await?;
    let mut group_roles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (group, role) in store.group_roles(realm_id).await? {
        group_roles.entry(group).or_default().push(role);
    }
    let groups = store.groups(realm_id).await?.into_iter();
    let groups =
        groups.map(|group| GroupState { roles: group_roles.remove(&group.id).unwrap_or_default(), group });
    let kept = store.keycloak_records(realm_id).await?.into_iter();
    Ok(Some(State {
        realm: configuration.realm,
        scopes: configuration.scopes,
        roles: configuration.roles,
        groups: groups.collect(),
        users: Vec::new(),
        kept: kept.map(|record| ((record.kind.clone(), record.id.clone()), record)).collect(),
        clients,
    }))
}

async fn with_links(store: &Store, realm_id: &str, users: Vec<User>) -> Result<Vec<UserState>, StoreError> {
    let ids: Vec<String> = users.iter().map(|user| user.id.clone()).collect();
    let mut links = Links::among(store, realm_id, &ids).await?;
    Ok(users.into_iter().map(|user| links.take(user)).collect())
}

/// What hangs on each user of a realm, by the user's `id`.
struct Links {
    passwords: HashMap<String, String>,
    roles: HashMap<String, Vec<String>>,
    groups: HashMap<String, Vec<String>>,
    credentials: HashMap<String, Vec<Credential>>,
}

impl Links {
    /// Of all users of the realm.
    async fn of(store: &Store, realm_id: &str) -> Result<Self, StoreError> {
        Ok(Self {
            passwords: store.password_hashes(realm_id).await?.into_iter().collect(),
            roles: grouped(store.roles_of_users(realm_id).await?),
            groups: grouped(store.groups_of_users(realm_id).await?),
            credentials: by_user(store.credentials(realm_id).await?),
        })
    }

    /// Of the users with these identifiers.
    async fn among(store: &Store, realm_id: &str, ids: &[String]) -> Result<Self, StoreError> {
        Ok(Self {
            passwords: store.password_hashes_among(realm_id, ids).await?.into_iter().collect(),
            roles: grouped(store.roles_among(realm_id, ids).await?),
            groups: grouped(store.memberships_among(realm_id, ids).await?),
            credentials: by_user(store.credentials_among(realm_id, ids).await?),
        })
    }

    fn take(&mut self, user: User) -> UserState {
        UserState {
            password_hash: self.passwords.remove(&user.id),
            roles: self.roles.remove(&user.id).unwrap_or_default(),
            groups: self.groups.remove(&user.id).unwrap_or_default(),
            credentials: self.credentials.remove(&user.id).unwrap_or_default(),
            user,
        }
    }
}

fn by_user(all: Vec<Credential>) -> HashMap<String, Vec<Credential>> {
    let mut credentials: HashMap<String, Vec<Credential>> = HashMap::new();
    for one in all {
        credentials.entry(one.user_id.clone()).or_default().push(one);
    }
    credentials
}

fn grouped(pairs: Vec<(String, String)>) -> HashMap<String, Vec<String>> {
    let mut grouped: HashMap<String, Vec<String>> = HashMap::new();
    for (owner, other) in pairs {
        grouped.entry(owner).or_default().push(other);
    }
    grouped
}
