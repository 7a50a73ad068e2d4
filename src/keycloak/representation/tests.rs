//! What Keycloak's reader takes, this one takes; what it does not know is kept.

use serde_json::{Value, json};

use super::*;

#[test]
fn unknown_fields_come_back_and_nothing_is_added() {
    let realm = json!({
        "realm": "demo", "accessTokenLifespan": 60, "maxSecondaryAuthFailures": 3, "smtpServer": { "port": "25" },
        "roles": { "realm": [{ "name": "a", "composites": { "client": { "c": ["x"] } }, "future": [1] }] },
        "users": [{ "username": "u", "attributes": { "a": ["1", "2"] }, "origin": "x" }],
        "components": { "org.keycloak.keys.KeyProvider": [{ "id": "k", "config": { "priority": ["100"] } }] },
    });
    let read: RealmRepresentation = serde_json::from_value(realm.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), realm);
    assert!(read.kept.contains_key("maxSecondaryAuthFailures"));
}

#[test]
fn values_may_be_written_as_texts() {
    let read: RealmRepresentation = serde_json::from_value(json!({
        "enabled": "TRUE", "accessTokenLifespan": "60", "notBefore": null, "rememberMe": "",
        "attributes": { "number": 7, "switch": false, "nothing": null },
    }))
    .unwrap();
    assert_eq!((read.enabled, read.access_token_lifespan), (Some(true), Some(60)));
    assert_eq!((read.not_before, read.remember_me), (None, None));
    let attributes: Vec<(String, String)> = read.attributes.unwrap().into_iter().collect();
    assert_eq!(attributes, [("number".into(), "7".into()), ("switch".into(), "false".into())]);
    let user: UserRepresentation =
        serde_json::from_value(json!({ "attributes": { "one": "a", "many": ["b", 2] } })).unwrap();
    let attributes = user.attributes.unwrap();
    assert_eq!(
        (&attributes["one"], &attributes["many"]),
        (&vec!["a".to_owned()], &vec!["b".into(), "2".into()])
    );
}

#[test]
fn a_mistake_is_told_without_what_stands_there() {
    for (text, expected) in [
        ("{\n\"accessTokenLifespan\": \"canary\"}", "a text, expected a whole number"),
        ("{\n\"enabled\": \"canary\"}", "a text, expected true or false"),
        ("{\n\"enabled\": 1}", "a number, expected true or false"),
        ("{\n\"accessTokenLifespan\": 1.5}", "a number, expected a whole number"),
    ] {
        let told = serde_json::from_str::<RealmRepresentation>(text).unwrap_err().to_string();
        assert!(told.contains(expected) && !told.contains("canary"), "{told}");
    }
}

#[test]
fn a_document_has_what_it_is_found_by() {
    let provider: IdentityProviderRepresentation =
        serde_json::from_value(json!({ "alias": "google", "config": { "clientId": "x" } })).unwrap();
    assert_eq!(provider.alias.as_deref(), Some("google"));
    assert_eq!(provider.kept["config"], json!({ "clientId": "x" }));
    assert_eq!(provider.kept.get("alias"), None::<&Value>);
}
