//! Secrets of others that a realm keeps (hardening §4.2): nobody reads them in the database, and they come back whole.

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::testing::{Options, TestServer};

use crate::admin::scene::{Admin, REALMS};
use crate::database::Place;
use crate::on_both;

const CANARIES: [&str; 6] =
    ["canary-idp", "canary-smtp", "canary-rsa", "canary-ldap", "canary-step", "7162534419"];

async fn start(place: &Place) -> Admin {
    let options = Options { realm: Some(REALMS.to_owned()), ..place.options() };
    Admin::on(TestServer::with(options).await.unwrap()).await
}

/// A start that applies no file to the realm `main`.
async fn start_again(place: &Place) -> TestServer {
    let options = Options { realm: Some("[realm]\nname = \"another\"\n".to_owned()), ..place.options() };
    TestServer::with(options).await.unwrap()
}

/// Keeps a secret in each way in which one is kept.
async fn keep(admin: &Admin) {
    let provider =
        json!({ "alias": "hub", "providerId": "oidc", "config": { "clientSecret": "canary-idp" } });
    admin.must(Method::POST, "realms/main/identity-provider/instances", provider).await;
    let smtp =
        json!({ "smtpServer": { "host": "mail", "password": "canary-smtp", "apiKey": 7_162_534_419_u64 } });
    admin.must(Method::PUT, "realms/main", smtp).await;
    for (name, secret, value) in
        [("ldap", "bindCredential", "canary-ldap"), ("rsa", "privateKey", "canary-rsa")]
    {
        let component =
            json!({ "name": name, "providerType": "x", "providerId": name, "config": { secret: [value] } });
        admin.must(Method::POST, "realms/main/components", component).await;
    }
    let import = json!({ "ifResourceExists": "FAIL", "identityProviders": [
        { "alias": "spoke", "providerId": "oidc", "config": { "secretKey": "canary-step" } }
    ] });
    assert_eq!(admin.ask(Method::POST, "realms/main/partialImport", Some(import)).await.status, 200);
}

/// What is kept of the realm `main`, as text.
async fn kept(server: &TestServer) -> String {
    let store = &server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let records = store.keycloak_records(&realm.id).await.unwrap();
    records.into_iter().map(|record| Value::Object(record.content).to_string()).collect()
}

on_both! {
    async fn g02_secrets_of_others_are_read_by_the_server_alone(place) {
        let admin = start(&place).await;
        keep(&admin).await;
        let before = kept(&admin.server).await;
        assert!(CANARIES.iter().all(|canary| before.contains(canary)), "{before}");
        for value in place.values().await {
            assert!(CANARIES.iter().all(|canary| !value.contains(canary)), "{value}");
        }
        for (name, bytes) in place.files() {
            for canary in CANARIES {
                let there = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
                assert!(!there, "{canary} in {name}");
            }
        }
        // A change that brings masks back keeps them, and so does a restart.
        let mut realm = admin.get("realms/main").await;
        realm["smtpServer"]["host"] = "mail".into();
        admin.must(Method::PUT, "realms/main", realm).await;
        assert_eq!(kept(&admin.server).await, before);
        drop(admin);
        assert_eq!(kept(&start_again(&place).await).await, before);
    }

    async fn g02_what_was_kept_in_the_clear_is_sealed_by_the_next_start(place) {
        let admin = start(&place).await;
        keep(&admin).await;
        let before = kept(&admin.server).await;
        drop(admin);
        place
            .run(
                r#"UPDATE keycloak_records SET content = '{"alias":"hub","config":{"clientSecret":"canary-old"}}',
                   sealing = 0 WHERE name = 'hub'"#,
            )
            .await;
        // What nobody can read any more holds no start up.
        place.run("UPDATE keycloak_records SET content = '{', sealing = 0 WHERE name = 'rsa'").await;
        let server = start_again(&place).await;
        let values = place.values().await;
        assert!(values.iter().all(|value| !value.contains("canary-old")), "{values:?}");
        place.run("DELETE FROM keycloak_records WHERE name = 'rsa'").await;
        let after = kept(&server).await;
        assert!(after.contains("canary-old") && !after.contains("canary-idp"), "{after}");
        assert!(before.contains("canary-smtp") && after.contains("canary-smtp"), "{after}");
    }
}
