//! Required actions: what Keycloak has in a fresh realm, and what was kept of others. This server asks for those of
//! `sign_in_step::ASKED`, whatever stands here.

use serde_json::{Value, json};

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::documents::{Shelf, text};
use crate::keycloak::document::DocumentKind;
use crate::keycloak::{Kept, KeycloakRecord};
use crate::protocol::sign_in_step::CONFIGURE_TOTP;
use crate::store::Change;

const ACTIONS: Shelf = Shelf {
    kind: DocumentKind::RequiredAction,
    resource: "REQUIRED_ACTION",
    missing: "Failed to find required action",
};

/// The setting that says of what is kept that it was taken away.
const GONE: &str = "vestibule.unregistered";

/// Alias, name, and whether it is on: by Keycloak's defaults.
const FRESH: [(&str, &str, bool); 13] = [
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

fn alias(action: &Kept) -> &str {
    text(action, "alias")
}

fn is_gone(action: &Kept) -> bool {
    action.get("config").is_some_and(|config| config.get(GONE).is_some())
}

fn fresh(alias: &str) -> Option<Kept> {
    let index = FRESH.iter().position(|(own, ..)| *own == alias)?;
    let (alias, name, enabled) = FRESH.get(index)?;
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
}

/// Those that were kept, and of a fresh realm's the ones that they do not replace; those that were taken away too.
async fn whole(call: &Call) -> Result<Vec<Kept>, AdminError> {
    let mut all: Vec<Kept> = ACTIONS.all(call).await?.into_iter().map(|record| record.content).collect();
    let missing = FRESH.iter().filter(|(name, ..)| !all.iter().any(|one| alias(one) == *name));
    let missing: Vec<Kept> = missing.filter_map(|(name, ..)| fresh(name)).collect();
    all.extend(missing);
    all.sort_by_key(priority);
    Ok(all)
}

/// The required actions of the realm, in their order.
async fn all(call: &Call) -> Result<Vec<Kept>, AdminError> {
    let mut all = whole(call).await?;
    all.retain(|action| !is_gone(action));
    Ok(all)
}

fn priority(action: &Kept) -> i64 {
    action.get("priority").and_then(Value::as_i64).unwrap_or_default()
}

/// All of them, in their order.
pub(super) async fn list(call: Call) -> Answer {
    told(&all(&call).await?)
}

async fn named(call: &Call) -> Result<Kept, AdminError> {
    let wanted = call.part("action");
    let found = all(call).await?.into_iter().find(|action| alias(action) == wanted);
    found.ok_or_else(|| AdminError::not_found(ACTIONS.missing))
}

/// One of them.
pub(super) async fn read(call: Call) -> Answer {
    told(&named(&call).await?)
}

fn record(call: &Call, content: Kept) -> KeycloakRecord {
    let name = alias(&content).to_owned();
    ACTIONS.kind.record(call.realm_id(), content, &|_, _| None, &mut || name.clone())
}

fn address(alias: &str) -> String {
    format!("authentication/required-actions/{alias}")
}

/// Keeps what the body says of one.
pub(super) async fn update(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update(call))).await
}

async fn try_update(call: &Call) -> Answer {
    let mut content = named(call).await?;
    let name = alias(&content).to_owned();
    content.extend(call.server.json::<Kept>()?);
    content.insert("alias".to_owned(), name.clone().into());
    ACTIONS.put(call, record(call, content), Operation::Update, &address(&name)).await?;
    done()
}

/// Takes one away: it can be registered again.
pub(super) async fn delete(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_delete(call))).await
}

async fn try_delete(call: &Call) -> Answer {
    let mut content = named(call).await?;
    let name = alias(&content).to_owned();
    content.insert("config".to_owned(), json!({ GONE: "true" }));
    content.insert("enabled".to_owned(), false.into());
    ACTIONS.put(call, record(call, content), Operation::Delete, &address(&name)).await?;
    done()
}

/// Those that could be registered.
pub(super) async fn unregistered(call: Call) -> Answer {
    let gone = whole(&call).await?.into_iter().filter(is_gone);
    let shown = gone.map(|one| json!({ "providerId": text(&one, "providerId"), "name": text(&one, "name") }));
    told(&shown.collect::<Vec<_>>())
}

/// Registers one that was taken away.
pub(super) async fn register(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_register(call))).await
}

async fn try_register(call: &Call) -> Answer {
    let body: Kept = call.server.json()?;
    let whole = whole(call).await?;
    let wanted = text(&body, "providerId");
    let found = whole.iter().find(|action| text(action, "providerId") == wanted);
    let missing = || AdminError::bad("Required Action Provider with given providerId not found");
    let mut content = found.cloned().ok_or_else(missing)?;
    if !is_gone(&content) {
        return Err(AdminError::conflict(format!("Required action {wanted} is registered already")));
    }
    content.insert("config".to_owned(), json!({}));
    let last = whole.iter().filter(|action| !is_gone(action)).map(priority).max().unwrap_or_default();
    content.insert("priority".to_owned(), (last + 1).into());
    content.insert("enabled".to_owned(), true.into());
    if let Some(name) = body.get("name").filter(|name| name.is_string()) {
        content.insert("name".to_owned(), name.clone());
    }
    let path = address(alias(&content));
    ACTIONS.put(call, record(call, content), Operation::Create, &path).await?;
    done()
}

/// Moves one before the one above it.
pub(super) async fn raise(call: Call) -> Answer {
    call.repeated(|call| Box::pin(moved(call, true))).await
}

/// Moves one behind the one below it.
pub(super) async fn lower(call: Call) -> Answer {
    call.repeated(|call| Box::pin(moved(call, false))).await
}

async fn moved(call: &Call, up: bool) -> Answer {
    let wanted = call.part("action");
    let all = all(call).await?;
    let at = all.iter().position(|action| alias(action) == wanted);
    let at = at.ok_or_else(|| AdminError::not_found(ACTIONS.missing))?;
    let other = if up { at.checked_sub(1) } else { Some(at + 1) };
    let (Some(one), Some(other)) = (all.get(at), other.and_then(|other| all.get(other))) else {
        return done();
    };
    let with = |action: &Kept, priority: i64| {
        let mut content = action.clone();
        content.insert("priority".to_owned(), priority.into());
        Change::PutKeycloakRecord(record(call, content))
    };
    let (mine, theirs) = match (priority(one), priority(other)) {
        (mine, theirs) if mine == theirs => (if up { theirs - 1 } else { theirs + 1 }, theirs),
        (mine, theirs) => (theirs, mine),
    };
    let settled = Change::Reconfigure { realm_id: call.realm_id().to_owned() };
    let changes = vec![call.unmoved(), with(one, mine), with(other, theirs), settled];
    call.commit(changes, Operation::Update, ACTIONS.resource, &address(wanted)).await?;
    done()
}

/// The settings of one.
pub(super) async fn config(call: Call) -> Answer {
    let config = named(&call).await?.get("config").cloned().unwrap_or_else(|| json!({}));
    told(&json!({ "config": config }))
}

/// Keeps settings of one.
pub(super) async fn configure(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_configure(call))).await
}

async fn try_configure(call: &Call) -> Answer {
    let mut content = named(call).await?;
    let body: Kept = call.server.json()?;
    content.insert("config".to_owned(), body.get("config").cloned().unwrap_or_else(|| json!({})));
    let path = format!("{}/config", address(call.part("action")));
    ACTIONS.put(call, record(call, content), Operation::Update, &path).await?;
    done()
}

/// Takes the settings of one away.
pub(super) async fn clear_config(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_clear_config(call))).await
}

async fn try_clear_config(call: &Call) -> Answer {
    let mut content = named(call).await?;
    content.insert("config".to_owned(), json!({}));
    let path = format!("{}/config", address(call.part("action")));
    ACTIONS.put(call, record(call, content), Operation::Delete, &path).await?;
    done()
}

/// Which settings one has: this server does not know them, since it does not act on them.
pub(super) async fn config_description(call: Call) -> Answer {
    named(&call).await?;
    told(&json!({ "properties": [] }))
}

/// Those by which a person sets up a credential at a sign-in here.
pub(super) async fn credential_registrators(_: Call) -> Answer {
    told(&[CONFIGURE_TOTP])
}
