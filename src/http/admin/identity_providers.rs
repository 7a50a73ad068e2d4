//! Identity providers and their mappers: kept without effect, until this server signs people in by them.

use serde_json::{Value, json};

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::documents::{Shelf, masked, text};
use crate::keycloak::document::DocumentKind;
use crate::keycloak::identity_provider::config_of_metadata;
use crate::keycloak::{Kept, KeycloakRecord};
use crate::store::Change;

const PROVIDERS: Shelf = Shelf {
    kind: DocumentKind::IdentityProvider,
    resource: "IDENTITY_PROVIDER",
    missing: "Could not find identity provider",
};

const MAPPERS: Shelf = Shelf {
    kind: DocumentKind::IdentityProviderMapper,
    resource: "IDENTITY_PROVIDER_MAPPER",
    missing: "Model not found",
};

fn address(alias: &str) -> String {
    format!("identity-provider/instances/{alias}")
}

/// The providers, by alias; those whose alias or display name holds `search`.
pub(super) async fn list(call: Call) -> Answer {
    let page = call.server.page(i64::MAX)?;
    let search = call.server.query.get("search").unwrap_or_default().trim_matches('*').to_lowercase();
    let fits = |content: &Kept| {
        ["alias", "displayName"].iter().any(|name| text(content, name).to_lowercase().contains(&search))
    };
    let all = PROVIDERS.all(&call).await?.into_iter().map(|record| record.content).filter(fits);
    told(&page.of(all.map(masked).collect()))
}

/// The provider of the address.
pub(super) async fn named(call: &Call) -> Result<KeycloakRecord, AdminError> {
    PROVIDERS.named(call, call.part("alias")).await
}

/// One of them.
pub(super) async fn read(call: Call) -> Answer {
    told(&masked(named(&call).await?.content))
}

/// Keeps a new one.
pub(super) async fn create(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create(call))).await
}

async fn try_create(call: &Call) -> Answer {
    let content: Kept = call.server.json()?;
    for member in ["alias", "providerId"] {
        if text(&content, member).is_empty() {
            return Err(AdminError::bad(format!("{member} is missing")));
        }
    }
    free(call, text(&content, "alias")).await?;
    let record = PROVIDERS.make(call, content).await?;
    let alias = record.name.clone();
    PROVIDERS.put(call, record, Operation::Create, &address(&alias)).await?;
    call.created(&["identity-provider", "instances", &alias])
}

async fn free(call: &Call, alias: &str) -> Result<(), AdminError> {
    if PROVIDERS.all(call).await?.iter().any(|record| record.name == alias) {
        return Err(AdminError::conflict(format!("Identity Provider {alias} already exists")));
    }
    Ok(())
}

/// Changes one. A new alias goes to its mappers.
pub(super) async fn update(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update(call))).await
}

async fn try_update(call: &Call) -> Answer {
    let old = named(call).await?;
    let mut content = old.content.clone();
    content.extend(call.server.json::<Kept>()?);
    let record = PROVIDERS.change(&old, content)?;
    if record.name.is_empty() {
        return Err(AdminError::bad("alias is missing"));
    }
    let mut changes = vec![call.unmoved(), Change::Reconfigure { realm_id: call.realm_id().to_owned() }];
    if record.name != old.name {
        free(call, &record.name).await?;
        for mapper in mappers_of(call, &old).await? {
            let mut content = mapper.content.clone();
            content.insert("identityProviderAlias".to_owned(), record.name.clone().into());
            changes.push(Change::PutKeycloakRecord(MAPPERS.change(&mapper, content)?));
        }
    }
    let path = address(&record.name);
    changes.push(Change::PutKeycloakRecord(record));
    call.commit(changes, Operation::Update, PROVIDERS.resource, &path).await?;
    done()
}

/// Takes one away with its mappers.
pub(super) async fn delete(call: Call) -> Answer {
    let old = named(&call).await?;
    let mappers = mappers_of(&call, &old).await?;
    let mut changes: Vec<Change> = mappers.iter().map(|mapper| MAPPERS.gone(&call, &mapper.id)).collect();
    changes.push(PROVIDERS.gone(&call, &old.id));
    call.commit(changes, Operation::Delete, PROVIDERS.resource, &address(&old.name)).await?;
    done()
}

async fn mappers_of(call: &Call, provider: &KeycloakRecord) -> Result<Vec<KeycloakRecord>, AdminError> {
    let kind = MAPPERS.kind.kind();
    Ok(call.store().keycloak_records_below(call.realm_id(), kind, &provider.name).await?)
}

/// The mappers of a provider.
pub(super) async fn mappers(call: Call) -> Answer {
    let provider = named(&call).await?;
    let mappers = mappers_of(&call, &provider).await?;
    told(&mappers.into_iter().map(|mapper| masked(mapper.content)).collect::<Vec<_>>())
}

async fn mapper(call: &Call) -> Result<(KeycloakRecord, KeycloakRecord), AdminError> {
    let provider = named(call).await?;
    let mapper = MAPPERS.of_id(call, call.part("mapper")).await?;
    if mapper.parent != provider.name {
        return Err(AdminError::not_found(MAPPERS.missing));
    }
    Ok((provider, mapper))
}

/// One mapper.
pub(super) async fn read_mapper(call: Call) -> Answer {
    let (_, mapper) = mapper(&call).await?;
    told(&masked(mapper.content))
}

/// Keeps a new mapper.
pub(super) async fn create_mapper(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create_mapper(call))).await
}

async fn try_create_mapper(call: &Call) -> Answer {
    let provider = named(call).await?;
    let mut content: Kept = call.server.json()?;
    for member in ["name", "identityProviderMapper"] {
        if text(&content, member).is_empty() {
            return Err(AdminError::bad(format!("{member} is missing")));
        }
    }
    let name = text(&content, "name");
    if mappers_of(call, &provider).await?.iter().any(|mapper| mapper.name == name) {
        return Err(AdminError::conflict(format!("Identity provider mapper {name} already exists")));
    }
    content.insert("identityProviderAlias".to_owned(), provider.name.clone().into());
    let record = MAPPERS.make(call, content).await?;
    let id = record.id.clone();
    MAPPERS
        .put(call, record, Operation::Create, &format!("{}/mappers/{id}", address(&provider.name)))
        .await?;
    call.created(&["identity-provider", "instances", &provider.name, "mappers", &id])
}

/// Changes a mapper.
pub(super) async fn update_mapper(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update_mapper(call))).await
}

async fn try_update_mapper(call: &Call) -> Answer {
    let (provider, old) = mapper(call).await?;
    let mut content = old.content.clone();
    content.extend(call.server.json::<Kept>()?);
    content.insert("identityProviderAlias".to_owned(), provider.name.clone().into());
    let path = format!("{}/mappers/{}", address(&provider.name), old.id);
    MAPPERS.put(call, MAPPERS.change(&old, content)?, Operation::Update, &path).await?;
    done()
}

/// Takes a mapper away.
pub(super) async fn delete_mapper(call: Call) -> Answer {
    let (provider, old) = mapper(&call).await?;
    MAPPERS.remove(&call, &old.id, &format!("{}/mappers/{}", address(&provider.name), old.id)).await?;
    done()
}

/// The kinds of mappers that there are: none acts.
pub(super) async fn mapper_types(call: Call) -> Answer {
    named(&call).await?;
    told(&json!({}))
}

/// The settings of a provider: of its metadata at `fromUrl`, or of the metadata that the body or the file of a form is.
pub(super) async fn import_config(call: Call) -> Answer {
    let named = call.server.form.get("providerId").map(|name| String::from_utf8_lossy(name).into_owned());
    known(named.as_deref().unwrap_or_default())?;
    let body: Kept = call.server.json_or_file()?;
    known(text(&body, "providerId"))?;
    let from = text(&body, "fromUrl").to_owned();
    let metadata = if from.is_empty() { body.into() } else { fetched(&call, &from).await? };
    let config = config_of_metadata(&metadata);
    told(&config.ok_or_else(|| {
        AdminError::bad("There is no metadata with issuer, authorization_endpoint and token_endpoint")
    })?)
}

fn known(provider: &str) -> Result<(), AdminError> {
    if ["", "oidc", "keycloak-oidc"].contains(&provider) {
        return Ok(());
    }
    Err(AdminError::bad(format!("Settings of {provider} cannot be imported: only those of oidc")))
}

/// The JSON at an address that the server may reach (attacks N02).
async fn fetched(call: &Call, from: &str) -> Result<Value, AdminError> {
    let no_metadata = |why: String| AdminError::bad(format!("fromUrl gives no metadata: {why}"));
    let answer = call.server.app.fetcher.get(from, "application/json").await;
    let answer = answer.map_err(|error| no_metadata(error.to_string()))?;
    if answer.status != 200 {
        return Err(no_metadata(format!("the answer has status {}", answer.status)));
    }
    serde_json::from_slice(&answer.body).map_err(|_| no_metadata("the answer is no JSON".to_owned()))
}
