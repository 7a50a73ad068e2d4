//! Authentication flows and required actions: what Keycloak has in a fresh realm, and what was kept of others. This server
//! signs people in by its own steps, whatever stands here.

use serde_json::{Value, json};

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::documents::{Shelf, text};
use crate::keycloak::Kept;
use crate::keycloak::document::DocumentKind;
use crate::keycloak::mapper::named_identifier;

const FLOWS: Shelf = Shelf {
    kind: DocumentKind::AuthenticationFlow,
    resource: "AUTH_FLOW",
    missing: "Could not find authentication flow",
};

const ACTIONS: Shelf = Shelf {
    kind: DocumentKind::RequiredAction,
    resource: "REQUIRED_ACTION",
    missing: "Failed to find required action",
};

/// Alias, what it is for, and the provider of its steps.
type Fresh = (&'static str, &'static str, &'static str);

const FRESH: [Fresh; 7] = [
    ("browser", "Browser based authentication", "basic-flow"),
    ("direct grant", "OpenID Connect Resource Owner Grant", "basic-flow"),
    ("registration", "Registration flow", "basic-flow"),
    ("reset credentials", "Reset credentials for a user if they forgot their password", "basic-flow"),
    ("clients", "Base authentication for clients", "client-flow"),
    ("first broker login", "Actions taken after the first sign-in by an identity provider", "basic-flow"),
    ("docker auth", "Used by Docker clients to authenticate against the IDP", "basic-flow"),
];

/// Alias, name, and whether it is on: by Keycloak's defaults.
const FRESH_ACTIONS: [(&str, &str, bool); 13] = [
    ("CONFIGURE_TOTP", "Configure OTP", true),
    ("TERMS_AND_CONDITIONS", "Terms and Conditions", false),
    ("UPDATE_PASSWORD", "Update Password", true),
    ("UPDATE_PROFILE", "Update Profile", true),
    ("VERIFY_EMAIL", "Verify Email", true),
    ("delete_account", "Delete Account", false),
    ("UPDATE_EMAIL", "Update Email", false),
    ("webauthn-register", "Webauthn Register", true),
    ("webauthn-register-passwordless", "Webauthn Register Passwordless", true),
    ("VERIFY_PROFILE", "Verify Profile", true),
    ("delete_credential", "Delete Credential", true),
    ("CONFIGURE_RECOVERY_AUTHN_CODES", "Recovery Authentication Codes", true),
    ("update_user_locale", "Update User Locale", true),
];

/// The flows of the realm: those that were kept, and of a fresh realm's the ones that they do not replace.
async fn flows(call: &Call) -> Result<Vec<Kept>, AdminError> {
    let kept: Vec<Kept> = FLOWS.all(call).await?.into_iter().map(|record| record.content).collect();
    let fresh = FRESH.iter().filter(|(alias, ..)| !kept.iter().any(|one| text(one, "alias") == *alias));
    let mut all: Vec<Kept> = fresh.filter_map(|one| fresh_flow(call, one)).collect();
    all.extend(kept);
    Ok(all)
}

fn fresh_flow(call: &Call, (alias, description, provider): &Fresh) -> Option<Kept> {
    let flow = json!({
        "id": named_identifier(call.realm_id(), alias),
        "alias": alias,
        "description": description,
        "providerId": provider,
        "topLevel": true,
        "builtIn": true,
        "authenticationExecutions": [],
    });
    flow.as_object().cloned()
}

/// The top-level flows.
pub(super) async fn list(call: Call) -> Answer {
    let mut flows = flows(&call).await?;
    flows.retain(|flow| flow.get("topLevel").and_then(Value::as_bool).unwrap_or(true));
    told(&flows)
}

/// The flow of the address, by identifier or alias.
async fn named(call: &Call) -> Result<Kept, AdminError> {
    let name = call.part("flow");
    let all = flows(call).await?;
    let found = all.into_iter().find(|flow| [text(flow, "id"), text(flow, "alias")].contains(&name));
    found.ok_or_else(|| AdminError::not_found(FLOWS.missing))
}

/// One of them.
pub(super) async fn read(call: Call) -> Answer {
    told(&named(&call).await?)
}

/// The steps of a flow.
pub(super) async fn executions(call: Call) -> Answer {
    let flow = named(&call).await?;
    told(&flow.get("authenticationExecutions").cloned().unwrap_or_else(|| json!([])))
}

/// Keeps a new flow.
pub(super) async fn create(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create(call))).await
}

async fn try_create(call: &Call) -> Answer {
    let content: Kept = call.server.json()?;
    keep_new(call, content).await
}

/// Keeps a copy of a flow under another alias.
pub(super) async fn copy(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_copy(call))).await
}

async fn try_copy(call: &Call) -> Answer {
    let mut content = named(call).await?;
    let body: Kept = call.server.json()?;
    content.remove("id");
    content.insert("alias".to_owned(), text(&body, "newName").into());
    content.insert("builtIn".to_owned(), false.into());
    keep_new(call, content).await
}

async fn keep_new(call: &Call, content: Kept) -> Answer {
    let alias = text(&content, "alias").to_owned();
    if alias.is_empty() {
        return Err(AdminError::bad("alias is missing"));
    }
    if flows(call).await?.iter().any(|flow| text(flow, "alias") == alias) {
        return Err(AdminError::conflict(format!("Flow {alias} already exists")));
    }
    let record = FLOWS.make(call, content).await?;
    let id = record.id.clone();
    FLOWS.put(call, record, Operation::Create, &format!("authentication/flows/{id}")).await?;
    call.created(&["authentication", "flows", &id])
}

/// Changes a flow that was kept.
pub(super) async fn update(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update(call))).await
}

async fn try_update(call: &Call) -> Answer {
    let old = kept(call).await?;
    let mut content = old.content.clone();
    content.extend(call.server.json::<Kept>()?);
    let record = FLOWS.change(&old, content);
    let taken = flows(call)
        .await?
        .iter()
        .any(|flow| text(flow, "alias") == record.name && text(flow, "id") != old.id);
    if record.name.is_empty() || taken {
        return Err(AdminError::conflict(format!("Flow {} already exists", record.name)));
    }
    FLOWS.put(call, record, Operation::Update, &format!("authentication/flows/{}", old.id)).await?;
    done()
}

/// One that was kept: those of a fresh realm stay what they are.
async fn kept(call: &Call) -> Result<crate::keycloak::KeycloakRecord, AdminError> {
    let flow = named(call).await?;
    if FRESH.iter().any(|(alias, ..)| *alias == text(&flow, "alias")) {
        return Err(AdminError::bad("A flow that came with the realm is not changed: copy it"));
    }
    FLOWS.of_id(call, text(&flow, "id")).await
}

/// Takes a flow away that was kept.
pub(super) async fn delete(call: Call) -> Answer {
    let old = kept(&call).await?;
    FLOWS.remove(&call, &old.id, &format!("authentication/flows/{}", old.id)).await?;
    done()
}

/// The required actions: those that were kept, and of a fresh realm's the ones that they do not replace.
async fn all_actions(call: &Call) -> Result<Vec<Kept>, AdminError> {
    let kept: Vec<Kept> = ACTIONS.all(call).await?.into_iter().map(|record| record.content).collect();
    let fresh = FRESH_ACTIONS.iter().enumerate().filter_map(|(index, (alias, name, enabled))| {
        let action = json!({
            "alias": alias,
            "name": name,
            "providerId": alias,
            "enabled": enabled,
            "defaultAction": false,
            "priority": (index + 1) * 10,
            "config": {},
        });
        action.as_object().cloned()
    });
    let mut all: Vec<Kept> =
        fresh.filter(|one| !kept.iter().any(|other| text(other, "alias") == text(one, "alias"))).collect();
    all.extend(kept);
    all.sort_by_key(|action| action.get("priority").and_then(Value::as_i64).unwrap_or_default());
    Ok(all)
}

/// All of them, in their order.
pub(super) async fn actions(call: Call) -> Answer {
    told(&all_actions(&call).await?)
}

async fn action(call: &Call) -> Result<Kept, AdminError> {
    let alias = call.part("action");
    let found = all_actions(call).await?.into_iter().find(|action| text(action, "alias") == alias);
    found.ok_or_else(|| AdminError::not_found(ACTIONS.missing))
}

/// One of them.
pub(super) async fn read_action(call: Call) -> Answer {
    told(&action(&call).await?)
}

/// Keeps what the body says of one.
pub(super) async fn update_action(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update_action(call))).await
}

async fn try_update_action(call: &Call) -> Answer {
    let mut content = action(call).await?;
    let alias = text(&content, "alias").to_owned();
    content.extend(call.server.json::<Kept>()?);
    content.insert("alias".to_owned(), alias.clone().into());
    let mut id = || alias.clone();
    let record = ACTIONS.kind.record(call.realm_id(), content, &|_, _| None, &mut id);
    let path = format!("authentication/required-actions/{alias}");
    ACTIONS.put(call, record, Operation::Update, &path).await?;
    done()
}

/// Those that could be added: all that there are, are there.
pub(super) async fn unregistered(_: Call) -> Answer {
    told(&json!([]))
}
