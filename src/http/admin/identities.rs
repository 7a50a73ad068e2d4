//! A user's accounts at identity providers, and what the user allowed clients.

use serde_json::{Value, json};

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::{beside, users};
use crate::keycloak::{Beside, Kept};
use crate::protocol::user::User;
use crate::store::Change;

/// Where they are kept beside the user.
const MEMBER: &str = "federatedIdentities";

/// The accounts of a user.
pub(super) async fn list(call: Call) -> Answer {
    let user = users::named(&call).await?;
    told(&identities(&beside::shown(&call, Beside::User, &user.id).await?))
}

fn identities(kept: &Kept) -> Vec<Value> {
    kept.get(MEMBER).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn is_of(identity: &Value, provider: &str) -> bool {
    identity.get("identityProvider").and_then(Value::as_str) == Some(provider)
}

/// The users with an account at the provider `idpAlias`, called `idpUserId` there; none when neither is asked for.
///
/// # Errors
/// 400 when it is asked together with what else finds users.
pub(super) async fn holders(call: &Call) -> Result<Option<Vec<User>>, AdminError> {
    let asked = |name: &str| call.server.query.get(name).filter(|value| !value.is_empty());
    let (alias, id) = (asked("idpAlias"), asked("idpUserId"));
    if alias.is_none() && id.is_none() {
        return Ok(None);
    }
    let others = ["search", "username", "email", "firstName", "lastName", "enabled", "emailVerified", "q"];
    if let Some(other) = others.into_iter().find(|name| asked(name).is_some()) {
        return Err(AdminError::bad(format!("idpAlias and idpUserId cannot be asked together with {other}")));
    }
    let fits = |identity: &Value| {
        let is = |member: &str, wanted: Option<&str>| {
            wanted.is_none_or(|wanted| identity.get(member).and_then(Value::as_str) == Some(wanted))
        };
        is("identityProvider", alias) && is("userId", id)
    };
    let kept = call.store().keycloak_records_of_kind(call.realm_id(), Beside::User.kind()).await?.into_iter();
    let holders = kept.filter(|record| identities(&record.content).iter().any(fits));
    let ids: Vec<String> = holders.map(|record| record.id).collect();
    let mut users = call.store().people_of_ids(call.realm_id(), &ids).await?;
    users.sort_by(|a: &User, b| a.username.cmp(&b.username));
    Ok(Some(users))
}

/// Keeps an account. Nothing acts on it until the server signs people in by other providers.
pub(super) async fn add(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_add(call))).await
}

async fn try_add(call: &Call) -> Answer {
    let user = users::manageable(call).await?;
    let provider = call.part("provider").to_owned();
    let mut body: Kept = call.server.json()?;
    body.retain(|name, _| ["userId", "userName"].contains(&name.as_str()));
    body.insert("identityProvider".to_owned(), provider.clone().into());
    let old = beside::kept(call, Beside::User, &user.id).await?;
    let mut all = identities(&old);
    if all.iter().any(|identity| is_of(identity, &provider)) {
        return Err(AdminError::conflict("User is already linked with provider"));
    }
    all.push(Value::Object(body));
    put(call, &user.id, &provider, old, all, Operation::Create).await
}

/// Forgets an account.
pub(super) async fn remove(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_remove(call))).await
}

async fn try_remove(call: &Call) -> Answer {
    let user = users::manageable(call).await?;
    let provider = call.part("provider").to_owned();
    let old = beside::kept(call, Beside::User, &user.id).await?;
    let mut all = identities(&old);
    let before = all.len();
    all.retain(|identity| !is_of(identity, &provider));
    if all.len() == before {
        return Err(AdminError::not_found("Link not found"));
    }
    put(call, &user.id, &provider, old, all, Operation::Delete).await
}

async fn put(
    call: &Call,
    user_id: &str,
    provider: &str,
    old: Kept,
    all: Vec<Value>,
    operation: Operation,
) -> Answer {
    let mut new = old.clone();
    new.remove(MEMBER);
    if !all.is_empty() {
        new.insert(MEMBER.to_owned(), all.into());
    }
    let change = beside::replace(call.realm_id(), Beside::User, user_id, &old, new);
    let changes = call.guarded(change.into_iter().collect());
    let path = format!("users/{user_id}/federated-identity/{provider}");
    call.commit(changes, operation, "USER", &path).await?;
    done()
}

/// What the user allowed, and whom.
pub(super) async fn consents(call: Call) -> Answer {
    let user = users::named(&call).await?;
    let page = call.server.page(i64::MAX)?;
    let consents = call.store().consents_of_user(call.realm_id(), &user.id, page).await?;
    let shown = consents.iter().map(|(consent, client)| {
        json!({
            "clientId": client.client_id,
            "grantedClientScopes": consent.scopes,
            "createdDate": consent.granted_at.0.saturating_mul(1_000),
            "lastUpdatedDate": consent.updated_at.0.saturating_mul(1_000),
            "additionalGrants": [],
        })
    });
    told(&shown.collect::<Vec<_>>())
}

/// Takes a consent back, and what was issued by it.
pub(super) async fn withdraw(call: Call) -> Answer {
    let user = users::manageable(&call).await?;
    let name = call.part("client_id").to_owned();
    let none = || AdminError::not_found("Consent nor offline token not found");
    let client = call.store().client_by_client_id(call.realm_id(), &name).await?.ok_or_else(none)?;
    call.store().consent(call.realm_id(), &user.id, &client.id).await?.ok_or_else(none)?;
    let (realm_id, user_id, at) = (call.realm_id().to_owned(), user.id.clone(), call.now());
    let change = Change::WithdrawConsent { realm_id, user_id, client: client.id, at };
    let path = format!("users/{}/consents/{name}", user.id);
    call.commit(vec![change], Operation::Action, "USER", &path).await?;
    done()
}
