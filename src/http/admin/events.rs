//! What happened, as administrators see it: the audit trail in Keycloak's forms.

use serde_json::{Value, json};

use super::answer::{AdminError, Answer, done, told};
use super::beside;
use super::call::{Call, Operation};
use super::users::USUAL;
use crate::clock::Timestamp;
use crate::keycloak::{Beside, Kept};
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::store::{Change, EventSearch};

/// What of a realm says which events are kept: they all are, so it is kept without effect.
const SETTINGS: [&str; 6] = [
    "eventsEnabled",
    "eventsExpiration",
    "eventsListeners",
    "enabledEventTypes",
    "adminEventsEnabled",
    "adminEventsDetailsEnabled",
];

/// Sign-ins and what follows from them, newest first.
pub(super) async fn list(call: Call) -> Answer {
    let text = |name: &str| call.server.query.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let search = EventSearch {
        admin: false,
        kinds: named(&call, "type", ""),
        client_id: text("client"),
        user_id: text("user"),
        ..search(&call, "ipAddress")?
    };
    let page = call.server.page(USUAL)?;
    let events = call.store().search_events(call.realm_id(), &search, page).await?;
    told(&events.iter().map(|event| shown(&call, event)).collect::<Vec<_>>())
}

/// The values of a parameter that may come several times, each after `prefix`.
fn named(call: &Call, parameter: &str, prefix: &str) -> Vec<String> {
    call.server.query.all(parameter).map(|name| format!("{prefix}{name}")).collect()
}

/// What both kinds of events are searched by: `dateFrom`, `dateTo` (the whole of that day), and an address.
fn search(call: &Call, address: &str) -> Result<EventSearch, AdminError> {
    let moment = |name: &str, end: bool| match call.server.query.get(name).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => moment(text, end).map(Some).ok_or_else(|| {
            AdminError::bad(format!("{name} must be written yyyy-MM-dd, or in milliseconds since 1970"))
        }),
    };
    Ok(EventSearch {
        from: moment("dateFrom", false)?,
        before: moment("dateTo", true)?,
        address: call.server.query.get(address).filter(|text| !text.is_empty()).map(str::to_owned),
        ..EventSearch::default()
    })
}

/// The moment at which a day begins, or that of milliseconds; with `end`, the first one after it.
fn moment(text: &str, end: bool) -> Option<Timestamp> {
    if let Ok(milliseconds) = text.parse::<i64>() {
        return Some(Timestamp(milliseconds.div_euclid(1_000)).plus(i64::from(end)));
    }
    let day = time::Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).ok()?;
    let begins = Timestamp(day.midnight().assume_utc().unix_timestamp());
    Some(begins.plus(if end { 86_400 } else { 0 }))
}

fn shown(call: &Call, event: &AuditEvent) -> Value {
    json!({
        "id": event.id,
        "time": event.at.0.saturating_mul(1_000),
        "type": event.kind.name(),
        "realmId": call.realm_id(),
        "clientId": event.client_id,
        "userId": event.user_id,
        "sessionId": event.session_id,
        "ipAddress": event.address,
        "error": event.error,
        "details": event.detail,
    })
}

/// What administrators did, newest first.
pub(super) async fn of_admins(call: Call) -> Answer {
    let search = EventSearch {
        admin: true,
        kinds: named(&call, "operationTypes", "ADMIN_"),
        ..search(&call, "authIpAddress")?
    };
    let page = call.server.page(USUAL)?;
    let events = call.store().search_events(call.realm_id(), &search, page).await?;
    told(&events.iter().map(|event| shown_of_admins(call.realm_id(), event)).collect::<Vec<_>>())
}

fn shown_of_admins(realm_id: &str, event: &AuditEvent) -> Value {
    let operation = match event.kind {
        AuditKind::AdminCreate => "CREATE",
        AuditKind::AdminUpdate => "UPDATE",
        AuditKind::AdminDelete => "DELETE",
        _ => "ACTION",
    };
    let fact = |name: &str| event.detail.get(name).cloned().unwrap_or_default();
    let mut auth = fact("auth");
    if let Some(auth) = auth.as_object_mut() {
        auth.insert("ipAddress".to_owned(), event.address.clone().into());
    }
    json!({
        "id": event.id,
        "time": event.at.0.saturating_mul(1_000),
        "realmId": realm_id,
        "authDetails": auth,
        "operationType": operation,
        "resourceType": fact("resourceType"),
        "resourcePath": fact("resourcePath"),
    })
}

/// Takes the events of people away, in development.
pub(super) async fn clear_of_people(call: Call) -> Answer {
    clear(call, false).await
}

/// Takes the events of administrators away, in development. That they did, stays.
pub(super) async fn clear_of_admins(call: Call) -> Answer {
    clear(call, true).await
}

/// In production the trail is not for those to take away of whom it tells.
async fn clear(call: Call, admin: bool) -> Answer {
    if !call.server.app.rules.strictness.is_development() {
        return Err(AdminError::not_implemented(
            "Events are the audit trail of the realm, which nobody takes away",
        ));
    }
    let path = if admin { "admin-events" } else { "events" };
    let change = Change::ClearEvents { realm_id: call.realm_id().to_owned(), admin };
    call.commit(vec![change], Operation::Delete, "REALM", path).await?;
    done()
}

/// Which events are kept.
pub(super) async fn config(call: Call) -> Answer {
    let kept = beside::kept(&call, Beside::Realm, call.realm_id()).await?;
    let usual = json!({
        "eventsEnabled": true,
        "eventsListeners": ["jboss-logging"],
        "enabledEventTypes": [],
        "adminEventsEnabled": true,
        "adminEventsDetailsEnabled": false,
    });
    let mut shown: Kept = usual.as_object().cloned().unwrap_or_default();
    shown.extend(kept.into_iter().filter(|(name, _)| SETTINGS.contains(&name.as_str())));
    told(&shown)
}

/// Keeps what the body says of it.
pub(super) async fn configure(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_configure(call))).await
}

async fn try_configure(call: &Call) -> Answer {
    let body: Kept = call.server.json()?;
    let new: Kept = body.into_iter().filter(|(name, _)| SETTINGS.contains(&name.as_str())).collect();
    let change = beside::keep(call, Beside::Realm, call.realm_id(), new).await?;
    let changes = call.guarded(change.into_iter().collect());
    call.commit(changes, Operation::Update, "REALM", "events/config").await?;
    done()
}
