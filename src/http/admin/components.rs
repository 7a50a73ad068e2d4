//! Components: the realm's key providers, which are its keys; and others, which are kept without effect.

use serde_json::json;

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::documents::{Shelf, masked, text};
use crate::keycloak::Kept;
use crate::keycloak::document::DocumentKind;
use crate::realms::RealmState;

const SHELF: Shelf =
    Shelf { kind: DocumentKind::Component, resource: "COMPONENT", missing: "Could not find component" };

const KEY_PROVIDER: &str = "org.keycloak.keys.KeyProvider";

/// Those that the parameters `parent`, `type` and `name` find.
pub(super) async fn list(call: Call) -> Answer {
    let asked = |name: &str| call.server.query.get(name).filter(|value| !value.is_empty());
    let kept = SHELF.all(&call).await?.into_iter().map(|record| with_parent(&call, record.content));
    let fits = |component: &Kept| {
        [("parent", "parentId"), ("type", "providerType"), ("name", "name")].into_iter().all(
            |(parameter, member)| asked(parameter).is_none_or(|wanted| text(component, member) == wanted),
        )
    };
    let state = call.with_keys().await?;
    let shown: Vec<Kept> = keys(&call, &state).into_iter().chain(kept.map(masked)).filter(fits).collect();
    told(&shown)
}

/// What hangs on nothing else hangs on the realm.
fn with_parent(call: &Call, mut component: Kept) -> Kept {
    component.entry("parentId").or_insert_with(|| call.realm_id().into());
    component
}

/// The keys of the realm, each as the provider of itself.
fn keys(call: &Call, state: &RealmState) -> Vec<Kept> {
    let ring = &state.ring;
    let signs =
        |kid: &str| state.algorithms.iter().any(|one| ring.signer(*one).is_some_and(|key| key.kid() == kid));
    let one = |kid: &str, algorithm: &str| {
        let kind = if algorithm.starts_with("ES") {
            "ecdsa"
        } else if algorithm == "EdDSA" {
            "eddsa"
        } else {
            "rsa"
        };
        let priority = if signs(kid) { "100" } else { "0" };
        json!({
            "id": kid,
            "name": format!("{kind}-generated"),
            "providerId": format!("{kind}-generated"),
            "providerType": KEY_PROVIDER,
            "parentId": call.realm_id(),
            "config": { "priority": [priority], "algorithm": [algorithm], "enabled": ["true"], "active": [signs(kid).to_string()] },
        })
    };
    let shown = ring.keys().iter().map(|key| one(key.key.kid(), key.key.algorithm().name()));
    shown.filter_map(|component| component.as_object().cloned()).collect()
}

fn is_key(call: &Call, id: &str) -> bool {
    call.state.ring.keys().iter().any(|key| key.key.kid() == id)
}

/// One of them.
pub(super) async fn read(call: Call) -> Answer {
    let id = call.part("component");
    if let Some(key) = keys(&call, &call.state).into_iter().find(|key| text(key, "id") == id) {
        return told(&key);
    }
    let record = SHELF.of_id(&call, id).await?;
    told(&masked(with_parent(&call, record.content)))
}

/// Keeps a new one.
pub(super) async fn create(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create(call))).await
}

async fn try_create(call: &Call) -> Answer {
    let content: Kept = call.server.json()?;
    for member in ["providerId", "providerType"] {
        if text(&content, member).is_empty() {
            return Err(AdminError::bad(format!("{member} is missing")));
        }
    }
    let record = SHELF.make(call, with_parent(call, content)).await?;
    let id = record.id.clone();
    SHELF.put(call, record, Operation::Create, &format!("components/{id}")).await?;
    call.created(&["components", &id])
}

/// Changes one.
pub(super) async fn update(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update(call))).await
}

async fn try_update(call: &Call) -> Answer {
    let old = changeable(call).await?;
    let mut content = old.content.clone();
    content.extend(call.server.json::<Kept>()?);
    let record = SHELF.change(&old, content)?;
    SHELF.put(call, record, Operation::Update, &format!("components/{}", old.id)).await?;
    done()
}

async fn changeable(call: &Call) -> Result<crate::keycloak::KeycloakRecord, AdminError> {
    let id = call.part("component");
    if is_key(call, id) {
        return Err(AdminError::bad("Keys are rotated and taken away by `vestibule key`, not as components"));
    }
    SHELF.of_id(call, id).await
}

/// Takes one away.
pub(super) async fn delete(call: Call) -> Answer {
    let old = changeable(&call).await?;
    SHELF.remove(&call, &old.id, &format!("components/{}", old.id)).await?;
    done()
}

/// The types of components that hang on this one: none does.
pub(super) async fn sub_types(_: Call) -> Answer {
    told(&json!([]))
}
