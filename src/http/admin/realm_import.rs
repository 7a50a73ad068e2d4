//! Making realms, and bringing records into them and out: Keycloak's realm JSON, by way of what realm files do.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{AdminError, Answer, created, told};
use super::call::{Call, Operation, ServerCall};
use super::realms::{bad_name, taken};
use crate::app::App;
use crate::keycloak::representation::{RealmRepresentation, UserRepresentation};
use crate::protocol::built_in::{MASTER, REALM_ADMIN_ROLE, management_client};
use crate::protocol::realm::is_realm_name;
use crate::protocol::redirect_uri::Strictness;
use crate::protocol::user::canonical;
use crate::realm_file::keycloak::representation;
use crate::realm_file::{self, ApplyError, KeycloakExport, PlanOptions, Prepared, RealmSpec};
use crate::store::{Change, StoreError};

/// Makes a realm with all that the body says. Its keys are made in the background; whatever needs one waits for them.
pub(super) async fn create(call: ServerCall) -> Answer {
    let body: RealmRepresentation = call.json()?;
    let name = body.realm.clone().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| AdminError::bad("Realm name cannot be empty"))?;
    if !is_realm_name(&name) {
        return Err(bad_name());
    }
    // Stands in addresses, as the name of a realm does.
    if body.id.as_deref().is_some_and(|id| !id.is_empty() && !is_realm_name(id)) {
        return Err(AdminError::bad("An id has 1 to 64 letters, digits, '-', '_' and '.'"));
    }
    let id = body.id.clone();
    if is_taken(&call, &name, id.as_deref()).await? {
        return Err(taken());
    }
    let changes = match prepared(&call.app, body, true).await {
        Ok(prepared) => prepared.changes,
        // What is wrong with it now is that somebody else was faster.
        Err(_) if is_taken(&call, &name, id.as_deref()).await? => return Err(taken()),
        Err(error) => return Err(error),
    };
    let told = call.event(&call.who.realm_id, Operation::Create, "REALM", &name);
    let beside = overseen(&call, &name).await?.into_iter().chain([told]);
    let changes = Change::with_their_kind(changes, beside);
    let made = call.app.commit(changes).await;
    made.map_err(|error| AdminError::of_conflict(error, conflict))?;
    let (app, made) = (Arc::clone(&call.app), name.clone());
    tokio::spawn(async move {
        // `master` is what the next request begins with, and it has changed: it oversees one realm more.
        for realm in [MASTER, &made] {
            if let Err(error) = app.realms.named(&app.store, realm).await {
                tracing::error!(realm, %error, "a realm cannot be used");
            }
        }
    });
    created(&format!("{}/admin/realms/{name}", call.base))
}

/// Whether a realm has this name or identifier.
async fn is_taken(call: &ServerCall, name: &str, id: Option<&str>) -> Result<bool, StoreError> {
    let store = &call.app.store;
    let by_name = store.realm_by_name(name).await?.is_some();
    Ok(by_name
        || match id {
            Some(id) => store.realm_by_id(id).await?.is_some(),
            None => false,
        })
}

fn conflict(what: &'static str) -> AdminError {
    match what {
        "realm" | "identifier" => taken(),
        "reference" => AdminError::conflict("The realm gives a record the id of another's"),
        what => AdminError::conflict(format!("The realm names a {what} twice")),
    }
}

/// The changes that bring a realm to what `body` says; a new one is none that is there.
async fn prepared(app: &App, body: RealmRepresentation, is_new: bool) -> Result<Prepared, AdminError> {
    let spec = RealmSpec::from(body);
    if app.rules.strictness == Strictness::Serve {
        let refused = realm_file::production_refusals(&spec, app.fetcher.rules());
        if let Some(first) = refused.first() {
            return Err(AdminError::bad(first.to_string()));
        }
    }
    let (secrets, now) = (&app.client_secrets, app.clock.now());
    let plan = if is_new {
        realm_file::plan_new(&app.store, secrets, &spec, now).await
    } else {
        realm_file::plan(&app.store, secrets, &spec, PlanOptions::default(), now).await
    };
    let plan = plan.map_err(|error| match error {
        ApplyError::File(problems) => AdminError::bad(problems.to_string()),
        ApplyError::Store(error) => error.into(),
        ApplyError::Password(error) => error.into(),
        ApplyError::Moved => AdminError::Moved,
    })?;
    Ok(realm_file::prepare(&plan, secrets, now).await?)
}

/// What `master` gets of a new realm. Whoever made it, without being above all realms, looks after it.
async fn overseen(call: &ServerCall, name: &str) -> Result<Vec<Change>, AdminError> {
    let app = &call.app;
    let Some(master) = app.realms.administered(&app.store, MASTER).await? else { return Ok(Vec::new()) };
    let master = &master.realm;
    let mut changes = realm_file::oversight(master, name, app.clock.now());
    if call.caller.over(name).is_empty() {
        let roles = changes.iter().filter_map(|change| match change {
            Change::PutRole(role) => Some(role.id.clone()),
            _ => None,
        });
        let given: Vec<Change> = roles
            .map(|role_id| Change::AddUserRole {
                realm_id: master.id.clone(),
                user_id: call.who.user_id.clone(),
                role_id,
            })
            .collect();
        changes.extend(given);
    }
    Ok(changes)
}

/// What a partial import says.
#[derive(Deserialize)]
struct Import {
    #[serde(rename = "ifResourceExists", alias = "policy")]
    policy: Option<Policy>,
    #[serde(flatten)]
    realm: RealmRepresentation,
}

/// What becomes of a record that is there already.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum Policy {
    Fail,
    Skip,
    Overwrite,
}

const CLIENT_ROLE: &str = "CLIENT_ROLE";

/// One record of an import.
struct Item {
    kind: &'static str,
    name: String,
    /// `client_id` of the client whose role it is.
    client: Option<String>,
    there: bool,
}

/// Brings records into the realm. Only for who may do everything in it, since what comes may make administrators.
pub(super) async fn partial_import(call: Call) -> Answer {
    whole_rights(&call).await?;
    let Import { policy, mut realm } = call.server.json()?;
    let policy = policy.unwrap_or(Policy::Fail);
    let items = items(&call, &realm).await?;
    if policy == Policy::Fail
        && let Some(there) = items.iter().find(|item| item.there)
    {
        return Err(AdminError::conflict(format!("{} '{}' already exists.", there.kind, there.name)));
    }
    if policy == Policy::Skip {
        leave_out(&mut realm, &items);
    }
    let only = RealmRepresentation {
        realm: Some(call.state.realm.name.clone()),
        users: realm.users,
        groups: realm.groups,
        clients: realm.clients,
        roles: realm.roles,
        identity_providers: realm.identity_providers,
        identity_provider_mappers: realm.identity_provider_mappers,
        ..RealmRepresentation::default()
    };
    let changes = prepared(&call.server.app, only, false).await?.changes;
    let imported = call.commit(changes, Operation::Action, "REALM", "partialImport").await;
    imported.map_err(|error| {
        AdminError::of_conflict(error, |what| {
            AdminError::conflict(format!("The import names a {what} twice"))
        })
    })?;
    let action = |item: &Item| match (item.there, policy) {
        (false, _) => "ADDED",
        (true, Policy::Skip) => "SKIPPED",
        (true, _) => "OVERWRITTEN",
    };
    let count = |name: &str| items.iter().filter(|item| action(item) == name).count();
    let results: Vec<Value> = items
        .iter()
        .map(|item| json!({ "action": action(item), "resourceType": item.kind, "resourceName": item.name }))
        .collect();
    told(&json!({
        "overwritten": count("OVERWRITTEN"),
        "added": count("ADDED"),
        "skipped": count("SKIPPED"),
        "results": results,
    }))
}

async fn whole_rights(call: &Call) -> Result<(), AdminError> {
    let realm = &call.state.realm.name;
    let client = call.store().client_by_client_id(call.realm_id(), management_client(realm)).await?;
    let roles = &call.state.roles;
    let name = if realm == MASTER { "manage-realm" } else { REALM_ADMIN_ROLE };
    let all = client.and_then(|client| roles.client_role(&client.id, name).map(|role| role.id.clone()));
    let ids = roles.iter().filter(|role| realm == MASTER || Some(&role.id) == all.as_ref());
    if all.is_some() && call.rights.covers(realm, roles, ids.map(|role| role.id.as_str())) {
        Ok(())
    } else {
        Err(AdminError::forbidden())
    }
}

/// The records of an import, and which of them are there.
async fn items(call: &Call, realm: &RealmRepresentation) -> Result<Vec<Item>, AdminError> {
    let (store, id, roles) = (call.store(), call.realm_id(), &call.state.roles);
    let mut items = Vec::new();
    let mut add = |kind, name: Option<&String>, there| {
        items.push(Item { kind, name: name.cloned().unwrap_or_default(), client: None, there });
    };
    let name = |user: &UserRepresentation| canonical(user.username.as_deref().unwrap_or_default());
    let names: Vec<String> = realm.users.iter().flatten().map(name).collect();
    let users = store.people_of_logins(id, &names).await?;
    let users: BTreeSet<&str> = users.iter().map(|user| user.username.as_str()).collect();
    for (user, name) in realm.users.iter().flatten().zip(&names) {
        add("USER", user.username.as_ref(), users.contains(name.as_str()));
    }
    let groups = store.groups(id).await?;
    let tops = groups.iter().filter(|group| group.parent.is_none()).map(|group| &group.name);
    let tops: BTreeSet<&String> = tops.collect();
    for group in realm.groups.iter().flatten() {
        add("GROUP", group.name.as_ref(), group.name.as_ref().is_some_and(|name| tops.contains(name)));
    }
    let client_ids = realm.clients.iter().flatten().filter_map(|client| client.client_id.clone());
    let clients = store.client_ids_among(id, &client_ids.collect::<Vec<_>>()).await?;
    for client in realm.clients.iter().flatten() {
        let there = client.client_id.as_ref().is_some_and(|client_id| clients.contains(client_id));
        add("CLIENT", client.client_id.as_ref(), there);
    }
    for role in realm.roles.iter().flat_map(|all| all.realm.iter().flatten()) {
        let there = roles.realm_role(role.name.as_deref().unwrap_or_default()).is_some();
        add("REALM_ROLE", role.name.as_ref(), there);
    }
    let mut of_clients = Vec::new();
    for (client_id, named) in realm.roles.iter().flat_map(|all| all.client.iter().flatten()) {
        for role in named {
            let there = roles
                .iter()
                .any(|one| roles.client_id(one) == Some(client_id) && Some(&one.name) == role.name.as_ref());
            let name = role.name.clone().unwrap_or_default();
            of_clients.push(Item { kind: CLIENT_ROLE, name, client: Some(client_id.clone()), there });
        }
    }
    let providers = store.keycloak_records_of_kind(id, "identity-provider").await?;
    for provider in realm.identity_providers.iter().flatten() {
        let alias = provider.get("alias").and_then(Value::as_str).unwrap_or_default().to_owned();
        add("IDP", Some(&alias), providers.iter().any(|one| one.name == alias));
    }
    items.extend(of_clients);
    Ok(items)
}

/// Takes out of an import what is there.
fn leave_out(realm: &mut RealmRepresentation, items: &[Item]) {
    let known = items.iter().filter(|item| item.there).map(|item| (item.kind, item.name.as_str()));
    let known: BTreeSet<(&str, &str)> = known.collect();
    let there =
        |kind: &str, name: Option<&String>| name.is_some_and(|name| known.contains(&(kind, name.as_str())));
    if let Some(users) = &mut realm.users {
        users.retain(|user| !there("USER", user.username.as_ref()));
    }
    if let Some(groups) = &mut realm.groups {
        groups.retain(|group| !there("GROUP", group.name.as_ref()));
    }
    if let Some(clients) = &mut realm.clients {
        clients.retain(|client| !there("CLIENT", client.client_id.as_ref()));
    }
    if let Some(roles) = &mut realm.roles {
        if let Some(named) = &mut roles.realm {
            named.retain(|role| !there("REALM_ROLE", role.name.as_ref()));
        }
        for (client, named) in roles.client.iter_mut().flatten() {
            let of_client =
                |item: &&Item| item.there && item.kind == CLIENT_ROLE && item.client.as_ref() == Some(client);
            named.retain(|role| {
                !items.iter().filter(of_client).any(|item| Some(&item.name) == role.name.as_ref())
            });
        }
    }
    if let Some(providers) = &mut realm.identity_providers {
        providers.retain(|provider| {
            let alias = provider.get("alias").and_then(Value::as_str).map(str::to_owned);
            !there("IDP", alias.as_ref())
        });
    }
}

/// The realm as Keycloak's realm JSON, without users; clients, groups and roles as far as they are asked for. Secrets are
/// masked (attacks A06). Only for who may do everything in it, since all of it is told.
pub(super) async fn partial_export(call: Call) -> Answer {
    whole_rights(&call).await?;
    let clients = call.server.flag("exportClients")? == Some(true);
    let groups_and_roles = call.server.flag("exportGroupsAndRoles")? == Some(true);
    let app = &call.server.app;
    let state = realm_file::load_without_people(&app.store, &call.state.realm.name).await?;
    let state = state.ok_or_else(|| AdminError::not_found("Realm not found."))?;
    let options = KeycloakExport { users: false, with_secrets: false, minimal: false };
    let mut realm = representation(&state, options, &app.client_secrets);
    if !clients {
        realm.clients = None;
    }
    if !groups_and_roles {
        realm.groups = None;
        realm.roles = None;
    }
    told(&realm)
}
