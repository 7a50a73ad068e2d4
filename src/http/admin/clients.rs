//! Clients as administrators see and change them.

pub(super) mod account;
pub(super) mod certificates;
mod cover;
pub(super) mod describe;
pub(super) mod evaluate;
pub(super) mod scopes;
pub(super) mod secrets;
pub(super) mod sessions;

use uuid::Uuid;

use super::answer::{AdminError, Answer, done, told};
use super::beside;
use super::call::{Call, Operation, is_identifier};
use crate::keycloak::client::{
    begin, from_representation, gets_no_tokens, name_problem, problem, to_representation,
};
use crate::keycloak::representation::ClientRepresentation;
use crate::keycloak::secret::{masked, unmask};
use crate::keycloak::{Beside, Kept, mapper, overlay};
use crate::protocol::admin::Permission;
use crate::protocol::client::Client;
use crate::store::{Change, Page};

pub(super) use cover::{changeable, covers_mappers, named};

/// The clients that the parameters find, by `client_id`. Who may only find clients learns their names.
pub(super) async fn list(call: Call) -> Answer {
    let page = call.server.page(i64::MAX)?;
    let sees = call.may(Permission::ViewClients);
    if !sees && call.server.flag("viewableOnly")? == Some(true) {
        return told(&[(); 0]);
    }
    let all = cover::covers_everything(&call);
    let shown = found(&call, page).await?.into_iter().map(|(client, kept)| {
        if sees {
            let secret = if all { secrets::shown(&call, &client) } else { secrets::masked(&client) };
            return representation(&call, &client, secret, kept);
        }
        ClientRepresentation {
            id: Some(client.id),
            client_id: Some(client.client_id),
            description: client.settings.description,
            ..ClientRepresentation::default()
        }
    });
    told(&shown.collect::<Vec<_>>())
}

/// Clients with what is kept beside them: by the whole `client_id`, or by a part of it or of the name.
async fn found(call: &Call, page: Page) -> Result<Vec<(Client, Kept)>, AdminError> {
    let (store, realm_id) = (call.store(), call.realm_id());
    let part = call.server.flag("search")? == Some(true);
    let name = call.server.query.get("clientId").filter(|name| !name.is_empty());
    let attributes =
        call.server.query.get("q").map(super::users::attributes).transpose()?.unwrap_or_default();
    if let Some(name) = name.filter(|_| !part) {
        let Some(client) = store.client_by_client_id(realm_id, name).await? else { return Ok(Vec::new()) };
        let kept = beside::kept(call, Beside::Client, &client.id).await?;
        return Ok(page.of(vec![(client, kept)]));
    }
    let name = name.unwrap_or_default();
    if attributes.is_empty() {
        return Ok(store.clients_with_kept(realm_id, name, page).await?);
    }
    let fits = |(client, kept): &(Client, Kept)| {
        let shown = to_representation(client, None, &call.state.realm.settings, kept.clone());
        let own = shown.attributes.unwrap_or_default();
        attributes.iter().all(|(name, value)| own.get(name) == Some(value))
    };
    let clients = store.clients_with_kept(realm_id, name, Page::ALL).await?;
    Ok(page.of(clients.into_iter().filter(fits).collect()))
}

/// A client as answers show it. `secret` is what is shown of its secret.
fn representation(call: &Call, client: &Client, secret: Option<String>, kept: Kept) -> ClientRepresentation {
    let mut kept = masked(kept);
    let mappers = mapper::identified(&client.id, &client.settings.mappers, &mut kept.clone());
    kept.entry("surrogateAuthRequired").or_insert(false.into());
    kept.entry("alwaysDisplayInConsole").or_insert(false.into());
    kept.entry("authenticationFlowBindingOverrides").or_insert_with(|| serde_json::json!({}));
    let manages = call.may(Permission::ManageClients);
    let access = [("view", true), ("configure", manages), ("manage", manages)];
    let mut shown = to_representation(client, secret.as_deref(), &call.state.realm.settings, kept);
    // Keycloak's clients have refresh tokens unless this says otherwise: terraform takes its absence for a no.
    let attributes = shown.attributes.get_or_insert_default();
    attributes.entry("use.refresh.tokens".to_owned()).or_insert_with(|| "true".to_owned());
    ClientRepresentation {
        protocol_mappers: Some(mappers).filter(|mappers| !mappers.is_empty()),
        access: Some(access.map(|(name, granted)| (name.to_owned(), granted)).into()),
        ..shown
    }
}

/// One client.
pub(super) async fn read(call: Call) -> Answer {
    let client = named(&call).await?;
    let kept = beside::kept(&call, Beside::Client, &client.id).await?;
    let secret = match cover::covered(&call, &client).await {
        Ok(()) if call.may(Permission::ManageClients) => secrets::shown(&call, &client),
        Ok(()) | Err(AdminError::Refused(..)) => secrets::masked(&client),
        Err(error) => return Err(error),
    };
    told(&representation(&call, &client, secret, kept))
}

fn read_body(call: &Call) -> Result<ClientRepresentation, AdminError> {
    let body: ClientRepresentation = call.server.json()?;
    problem(&body).map_or(Ok(body), |problem| Err(AdminError::bad(problem)))
}

/// Makes a client with all that the body says.
pub(super) async fn create(call: Call) -> Answer {
    let hash = secrets::hashed(&call, &read_body(&call)?).await?;
    call.repeated(move |call| {
        let hash = hash.clone();
        Box::pin(async move { try_create(call, hash.as_deref()).await })
    })
    .await
}

async fn try_create(call: &Call, hash: Option<&str>) -> Answer {
    let body = read_body(call)?;
    let named = body.id.is_some();
    let id = identifier(call, body.id.as_deref()).await?;
    let name = body.client_id.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone());
    let base = begin(call.realm_id(), &name, id.clone());
    let read = from_representation(body, base, &mut || Uuid::new_v4().to_string());
    let mut client = read.client;
    checked(call, &client)?;
    cover::scopes(call, None, &mut client)?;
    cover::settings(call, None, &client)?;
    secrets::settled(call, None, &mut client, read.secret, hash).await?;
    // An identifier that was free must still be.
    let mut changes: Vec<Change> = named.then(|| call.unmoved()).into_iter().collect();
    let account = account::changes(call, &client, None).await?;
    changes.push(Change::PutClient { client: Box::new(client), at: call.now() });
    changes.extend(account);
    changes.extend(beside::begin(call.realm_id(), Beside::Client, &id, read.kept));
    commit(call, changes, Operation::Create, &id, &name).await?;
    call.created(&["clients", &id])
}

/// The identifier that the body names, when nothing else has it.
async fn identifier(call: &Call, id: Option<&str>) -> Result<String, AdminError> {
    let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(Uuid::new_v4().to_string()) };
    is_identifier(id)?;
    match call.store().client_by_id(call.realm_id(), id).await? {
        Some(_) => Err(AdminError::conflict(format!("Client with id {id} already exists"))),
        None => Ok(id.to_owned()),
    }
}

/// What every client must be like.
fn checked(call: &Call, client: &Client) -> Result<(), AdminError> {
    let name = &client.client_id;
    if let Some(problem) = name_problem(name) {
        return Err(AdminError::bad(problem));
    }
    let app = &call.server.app;
    let (strictness, outbound) = (app.rules.strictness, app.fetcher.rules());
    if let Some(problem) = crate::protocol::client_addresses::problem(&client.settings, strictness, outbound)
    {
        return Err(AdminError::bad(format!("Client {name}: {problem}")));
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
    let done = call.commit(changes, operation, "CLIENT", &format!("clients/{id}")).await;
    done.map_err(|error| {
        AdminError::of_conflict(error, |what| match what {
            "client" => AdminError::conflict(format!("Client {name} already exists")),
            "user name" => AdminError::conflict(format!("The service account of {name} already exists")),
            _ => AdminError::conflict(format!("Client {name}: an identifier is taken")),
        })
    })
}

/// Changes what the body says.
pub(super) async fn update(call: Call) -> Answer {
    changeable(&call).await?;
    let hash = secrets::hashed(&call, &read_body(&call)?).await?;
    call.repeated(move |call| {
        let hash = hash.clone();
        Box::pin(async move { try_update(call, hash.as_deref()).await })
    })
    .await
}

async fn try_update(call: &Call, hash: Option<&str>) -> Answer {
    let old = changeable(call).await?;
    let body = read_body(call)?;
    if old.settings.built_in && body.client_id.as_ref().is_some_and(|name| *name != old.client_id) {
        return Err(AdminError::bad(format!(
            "Client {} comes with the realm and keeps its name",
            old.client_id
        )));
    }
    let base = identified(old.clone());
    let read = from_representation(body, base, &mut || Uuid::new_v4().to_string());
    let mut client = read.client;
    let kept = beside::kept(call, Beside::Client, &client.id).await?;
    let mut new = read.kept;
    unmask(&mut new, &kept);
    let mut all = kept.clone();
    overlay(&mut all, new);
    if gets_no_tokens(&all) {
        client.settings.grants.clear();
    }
    checked(call, &client)?;
    cover::scopes(call, Some(&old), &mut client)?;
    cover::settings(call, Some(&old), &client)?;
    secrets::settled(call, Some(&old), &mut client, read.secret, hash).await?;
    let (id, name) = (client.id.clone(), client.client_id.clone());
    let mut changes =
        vec![call.unmoved(), Change::PutClient { client: Box::new(client.clone()), at: call.now() }];
    changes.extend(account::changes(call, &client, Some(&old)).await?);
    changes.extend(beside::replace(call.realm_id(), Beside::Client, &id, &kept, all));
    commit(call, changes, Operation::Update, &id, &name).await?;
    done()
}

/// The client with the identifiers by which its mappers are known.
fn identified(mut client: Client) -> Client {
    for one in &mut client.settings.mappers {
        one.id = mapper::identifier(&client.id, one);
    }
    client
}

/// Takes a client away, with its roles, its grants and its service account.
pub(super) async fn delete(call: Call) -> Answer {
    let client = changeable(&call).await?;
    if client.settings.built_in {
        let why = format!("Client {} comes with the realm and cannot be removed", client.client_id);
        return Err(AdminError::bad(why));
    }
    let change = Change::DeleteClient { realm_id: client.realm_id.clone(), id: client.id.clone() };
    commit(&call, vec![change], Operation::Delete, &client.id, &client.client_id).await?;
    done()
}
