//! A realm's records out of the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::spec::RealmSpec;
use super::state::{GroupState, State, UserState};
use crate::protocol::credential::Credential;
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

/// As much of the realm as `spec` speaks of: of the users, those that it names and those that hold an identifier or an
/// e-mail address which it gives.
pub(super) async fn load_for(store: &Store, spec: &RealmSpec) -> Result<Option<State>, StoreError> {
    let people = people(spec);
    if people.len() > MANY {
        return load(store, &spec.name).await;
    }
    let Some(mut state) = configuration(store, &spec.name).await? else { return Ok(None) };
    let realm_id = state.realm.id.clone();
    let mut found = BTreeMap::new();
    for (id, username, email) in people {
        if let Some(id) = id
            && let Some(there) = store.user_by_id(&realm_id, id).await?
        {
            found.insert(there.id.clone(), there);
        }
        let mut names = BTreeSet::from([canonical(username)]);
        names.extend(email.filter(|email| !email.is_empty()).map(canonical));
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
    let configuration = store.realm_configuration(&realm.id).await?;
    let clients = store.clients(&realm.id, "", Page::ALL).await?;
    let mut group_roles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (group, role) in store.group_roles(&realm.id).await? {
        group_roles.entry(group).or_default().push(role);
    }
    let groups = store.groups(&realm.id).await?.into_iter();
    let groups =
        groups.map(|group| GroupState { roles: group_roles.remove(&group.id).unwrap_or_default(), group });
    let kept = store.keycloak_records(&realm.id).await?.into_iter();
    let mut state = State {
        realm: configuration.realm,
        scopes: configuration.scopes,
        roles: configuration.roles,
        groups: groups.collect(),
        users: Vec::new(),
        kept: kept.map(|record| ((record.kind.clone(), record.id.clone()), record)).collect(),
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
        credentials: store.credentials_of_user(&user.realm_id, &user.id).await?,
        user,
    })
}

/// What hangs on each user of a realm, by the user's `id`.
struct Links {
    passwords: HashMap<String, String>,
    roles: HashMap<String, Vec<String>>,
    groups: HashMap<String, Vec<String>>,
    credentials: HashMap<String, Vec<Credential>>,
}

impl Links {
    async fn of(store: &Store, realm_id: &str) -> Result<Self, StoreError> {
        let mut credentials: HashMap<String, Vec<Credential>> = HashMap::new();
        for one in store.credentials(realm_id).await? {
            credentials.entry(one.user_id.clone()).or_default().push(one);
        }
        Ok(Self {
            passwords: store.password_hashes(realm_id).await?.into_iter().collect(),
            roles: grouped(store.roles_of_users(realm_id).await?),
            groups: grouped(store.groups_of_users(realm_id).await?),
            credentials,
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

fn grouped(pairs: Vec<(String, String)>) -> HashMap<String, Vec<String>> {
    let mut grouped: HashMap<String, Vec<String>> = HashMap::new();
    for (owner, other) in pairs {
        grouped.entry(owner).or_default().push(other);
    }
    grouped
}
