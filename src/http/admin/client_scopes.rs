//! Client scopes as administrators see and change them.

use std::collections::HashMap;

use uuid::Uuid;

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation, is_identifier};
use super::{beside, clients};
use crate::keycloak::client_scope::{from_representation, to_representation};
use crate::keycloak::representation::ClientScopeRepresentation;
use crate::keycloak::{Beside, Kept, mapper};
use crate::protocol::scope::{OPENID, Scope, ScopeSettings};
use crate::store::{Change, Page};

/// Longest name.
const LONGEST: usize = 255;

/// All of them, by name.
pub(super) async fn list(call: Call) -> Answer {
    let records = call.store().keycloak_records_of_kind(call.realm_id(), Beside::ClientScope.kind()).await?;
    let mut kept: HashMap<String, Kept> =
        records.into_iter().map(|record| (record.id, record.content)).collect();
    let shown =
        call.state.scopes.iter().map(|scope| shown(scope, kept.remove(&scope.id).unwrap_or_default()));
    told(&shown.collect::<Vec<_>>())
}

fn shown(scope: &Scope, kept: Kept) -> ClientScopeRepresentation {
    let kept = crate::keycloak::secret::masked(kept);
    let mappers = mapper::identified(&scope.id, &scope.settings.mappers, &mut kept.clone());
    ClientScopeRepresentation {
        protocol_mappers: Some(mappers).filter(|mappers| !mappers.is_empty()),
        ..to_representation(scope, kept)
    }
}

/// The client scope of the address.
pub(super) fn named(call: &Call) -> Result<&Scope, AdminError> {
    let id = call.part("scope");
    let found = call.state.scopes.iter().find(|scope| scope.id == id);
    found.ok_or_else(|| AdminError::not_found("Could not find client scope"))
}

/// Whether the caller may give clients what the scope gives: its mappers, and the roles that it lets through.
pub(super) fn covered(call: &Call, scope: &Scope) -> Result<(), AdminError> {
    let (realm, roles) = (&call.state.realm.name, &call.state.roles);
    let settings = &scope.settings;
    let mappers = settings.mappers.iter().all(|mapper| call.rights.covers_mapper(realm, roles, mapper));
    if mappers && call.rights.covers(realm, roles, settings.scope_mappings.iter().map(String::as_str)) {
        Ok(())
    } else {
        Err(AdminError::above("The client scope"))
    }
}

/// One of them.
pub(super) async fn read(call: Call) -> Answer {
    let scope = named(&call)?;
    let kept = beside::kept(&call, Beside::ClientScope, &scope.id).await?;
    told(&shown(scope, kept))
}

/// Makes one.
pub(super) async fn create(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create(call))).await
}

async fn try_create(call: &Call) -> Answer {
    let body: ClientScopeRepresentation = call.server.json()?;
    let id = match body.id.clone().filter(|id| !id.is_empty()) {
        Some(id) if call.state.scopes.iter().any(|scope| scope.id == id) => {
            return Err(AdminError::conflict(format!("Client Scope with id {id} already exists")));
        }
        Some(id) => {
            is_identifier(&id)?;
            id
        }
        None => Uuid::new_v4().to_string(),
    };
    let base = Scope {
        id: id.clone(),
        realm_id: call.realm_id().to_owned(),
        name: String::new(),
        description: None,
        settings: ScopeSettings { include_in_token: true, ..ScopeSettings::default() },
    };
    let (scope, kept) = from_representation(body, base, &mut || Uuid::new_v4().to_string());
    checked(&scope)?;
    clients::covers_mappers(call, &[], &scope.settings.mappers)?;
    let name = scope.name.clone();
    let mut changes = vec![call.unmoved(), Change::PutScope(scope)];
    changes.extend(beside::begin(call.realm_id(), Beside::ClientScope, &id, kept));
    commit(call, changes, Operation::Create, &id, &name).await?;
    call.created(&["client-scopes", &id])
}

/// The name is a scope token (RFC 6749 §3.3) that means nothing else.
fn checked(scope: &Scope) -> Result<(), AdminError> {
    let name = &scope.name;
    let token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if name.is_empty() || name.len() > LONGEST || name == OPENID || !name.bytes().all(token) {
        return Err(AdminError::bad(format!("Unexpected name \"{name}\" for ClientScope")));
    }
    Ok(())
}

async fn commit(
    call: &Call,
    changes: Vec<Change>,
    operation: Operation,
    id: &str,
    name: &str,
) -> Result<(), AdminError> {
    let done = call.commit(changes, operation, "CLIENT_SCOPE", &format!("client-scopes/{id}")).await;
    done.map_err(|error| {
        AdminError::of_conflict(error, |_| {
            AdminError::conflict(format!("Client Scope {name} already exists"))
        })
    })
}

/// Changes one. A new name goes to the clients that have it.
pub(super) async fn update(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update(call))).await
}

async fn try_update(call: &Call) -> Answer {
    let old = named(call)?;
    covered(call, old)?;
    let body: ClientScopeRepresentation = call.server.json()?;
    let mut base = old.clone();
    for one in &mut base.settings.mappers {
        one.id = mapper::identifier(&old.id, one);
    }
    let (scope, new) = from_representation(body, base, &mut || Uuid::new_v4().to_string());
    checked(&scope)?;
    clients::covers_mappers(call, &old.settings.mappers, &scope.settings.mappers)?;
    let (id, name) = (scope.id.clone(), scope.name.clone());
    let mut changes = vec![call.unmoved()];
    changes.extend(renamed(call, &old.name, Some(&name)).await?);
    changes.push(Change::PutScope(scope));
    changes.extend(beside::keep(call, Beside::ClientScope, &id, new).await?);
    commit(call, changes, Operation::Update, &id, &name).await?;
    done()
}

/// Takes one away, from the clients that have it too.
pub(super) async fn delete(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_delete(call))).await
}

async fn try_delete(call: &Call) -> Answer {
    let scope = named(call)?;
    covered(call, scope)?;
    let (id, name) = (scope.id.clone(), scope.name.clone());
    let mut changes = vec![call.unmoved()];
    changes.extend(renamed(call, &name, None).await?);
    changes.push(Change::DeleteScope { realm_id: call.realm_id().to_owned(), id: id.clone() });
    commit(call, changes, Operation::Delete, &id, &name).await?;
    done()
}

/// The lists of the realm and of its clients, which know scopes by name: `old` is called `new`, or gone.
async fn renamed(call: &Call, old: &str, new: Option<&str>) -> Result<Vec<Change>, AdminError> {
    if new == Some(old) {
        return Ok(Vec::new());
    }
    let rename = |names: &mut Vec<String>| {
        let there = names.iter().any(|name| name == old);
        *names = names
            .drain(..)
            .filter_map(|name| match new {
                _ if name != old => Some(name),
                new => new.map(str::to_owned),
            })
            .collect();
        there
    };
    let at = call.now();
    let mut changes = Vec::new();
    let mut realm = call.state.realm.clone();
    let settings = &mut realm.settings;
    if rename(&mut settings.default_scopes) | rename(&mut settings.optional_scopes) {
        changes.push(Change::PutRealm { realm, at });
    }
    for mut client in call.store().clients(call.realm_id(), "", Page::ALL).await? {
        let settings = &mut client.settings;
        let lists = [settings.default_scopes.as_mut(), settings.optional_scopes.as_mut()];
        if lists.into_iter().flatten().fold(false, |there, list| rename(list) | there) {
            changes.push(Change::PutClient { client: Box::new(client), at });
        }
    }
    Ok(changes)
}
