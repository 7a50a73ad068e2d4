//! `…/users/profile`: which attributes users have. A document that is kept and given back; what acts here is Keycloak's default
//! of it: the four names, with their lengths.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{AdminError, Answer, told};
use super::call::{Call, Operation};
use super::users;
use crate::keycloak::{Kept, KeycloakRecord};
use crate::store::Change;

/// The component that Keycloak keeps it in.
const PROVIDER: &str = "org.keycloak.userprofile.UserProfileProvider";
/// The setting of it that holds the document as text.
const SETTING: &str = "kc.user.profile.config";

/// The document.
pub(super) async fn read(call: Call) -> Answer {
    told(&document(&call).await?)
}

async fn component(call: &Call) -> Result<Option<KeycloakRecord>, AdminError> {
    let there = call.store().keycloak_records_below(call.realm_id(), "component", PROVIDER).await?;
    Ok(there.into_iter().next())
}

async fn document(call: &Call) -> Result<Value, AdminError> {
    let component = component(call).await?;
    let text = component
        .as_ref()
        .and_then(|record| record.content.get("config")?.get(SETTING)?.get(0)?.as_str().map(str::to_owned));
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(usual))
}

fn usual() -> Value {
    let shared = json!({ "view": ["admin", "user"], "edit": ["admin", "user"] });
    let required = json!({ "roles": ["user"] });
    let length = |least: i64| json!({ "length": { "min": least, "max": 255 } });
    json!({
        "attributes": [
            {
                "name": "username", "displayName": "${username}", "permissions": shared, "multivalued": false,
                "validations": { "length": { "min": 1, "max": 255 } },
            },
            {
                "name": "email", "displayName": "${email}", "permissions": shared, "multivalued": false,
                "required": required, "validations": { "email": {}, "length": { "max": 255 } },
            },
            {
                "name": "firstName", "displayName": "${firstName}", "permissions": shared, "multivalued": false,
                "required": required, "validations": length(0),
            },
            {
                "name": "lastName", "displayName": "${lastName}", "permissions": shared, "multivalued": false,
                "required": required, "validations": length(0),
            },
        ],
        "groups": [{
            "name": "user-metadata", "displayHeader": "User metadata",
            "displayDescription": "Attributes, which refer to user metadata",
        }],
        "unmanagedAttributePolicy": "ENABLED",
    })
}

/// Keeps another document.
pub(super) async fn update(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update(call))).await
}

async fn try_update(call: &Call) -> Answer {
    let body: Map<String, Value> = call.server.json()?;
    if !body.get("attributes").is_some_and(Value::is_array) {
        return Err(AdminError::bad("A user profile has a list of attributes"));
    }
    let there = component(call).await?;
    let id = there.as_ref().map_or_else(|| Uuid::new_v4().to_string(), |record| record.id.clone());
    let text = Value::Object(body.clone()).to_string();
    let mut content = there.map(|record| record.content).unwrap_or_else(|| fresh(&id));
    content.insert("config".to_owned(), json!({ SETTING: [text] }));
    let record = KeycloakRecord {
        realm_id: call.realm_id().to_owned(),
        kind: "component".to_owned(),
        id,
        parent: PROVIDER.to_owned(),
        name: String::new(),
        content,
    };
    let changes = call.guarded(vec![Change::PutKeycloakRecord(record)]);
    call.commit(changes, Operation::Update, "USER_PROFILE", "users/profile").await?;
    told(&body)
}

fn fresh(id: &str) -> Kept {
    let mut content = Kept::new();
    content.insert("id".to_owned(), id.into());
    content.insert("providerId".to_owned(), "declarative-user-profile".into());
    content.insert("providerType".to_owned(), PROVIDER.into());
    content.insert("subComponents".to_owned(), json!({}));
    content
}

/// The same, as forms use it.
pub(super) async fn metadata(call: Call) -> Answer {
    let document = document(&call).await?;
    let attributes = document.get("attributes").and_then(Value::as_array).cloned().unwrap_or_default();
    let shown = attributes.into_iter().map(|attribute| {
        json!({
            "name": attribute.get("name"),
            "displayName": attribute.get("displayName"),
            "required": attribute.get("required").is_some(),
            "readOnly": false,
            "validators": attribute.get("validations").cloned().unwrap_or_else(|| json!({})),
            "multivalued": attribute.get("multivalued").cloned().unwrap_or(Value::Bool(false)),
        })
    });
    let groups = document.get("groups").cloned().unwrap_or_else(|| json!([]));
    told(&json!({ "attributes": shown.collect::<Vec<_>>(), "groups": groups }))
}

/// The attributes of a user that the document does not name.
pub(super) async fn unmanaged(call: Call) -> Answer {
    let user = users::named(&call).await?;
    let document = document(&call).await?;
    let named = |name: &str| {
        let attributes = document.get("attributes").and_then(Value::as_array).into_iter().flatten();
        attributes.filter_map(|attribute| attribute.get("name")?.as_str()).any(|own| own == name)
    };
    told(&user.attributes.iter().filter(|(name, _)| !named(name)).collect::<BTreeMap<_, _>>())
}
