//! What is kept without effect, what happened, and what is not there.

use axum::http::Method;
use serde_json::json;

use vestibule::testing::{Options, TestServer};

use super::scene::{Admin, REALMS, names, token};
use crate::hearing::Hearing;

#[tokio::test]
async fn components_are_the_keys_and_what_is_kept() {
    let admin = Admin::new().await;
    // A realm's keys are made when it first signs something.
    token(&admin.server, "main", "owner").await;
    let at = "realms/main/components";
    let keys = admin.get(&format!("{at}?type=org.keycloak.keys.KeyProvider")).await;
    let kid = keys[0]["id"].as_str().unwrap().to_owned();
    let told = admin.get("realms/main/keys").await;
    assert!(names(&told["keys"], "kid").contains(&kid), "the keys that there are");
    assert_eq!(admin.get(&format!("{at}/{kid}")).await, keys[0]);
    admin.refused(Method::DELETE, &format!("{at}/{kid}"), json!({}), 400).await;
    let body = json!({ "name": "own", "providerId": "rsa", "providerType": "x", "config": { "privateKey": ["canary"], "priority": ["1"] } });
    let own = admin.must(Method::POST, at, body).await;
    let reply = admin.ask(Method::GET, &format!("{at}/{own}"), None).await;
    assert!(!reply.body.contains("canary"), "a06: {}", reply.body);
    let mut component = reply.json();
    component["config"]["priority"] = json!(["2"]);
    admin.must(Method::PUT, &format!("{at}/{own}"), component).await;
    let store = &admin.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let kept = store.keycloak_record(&realm.id, "component", &own).await.unwrap().unwrap().content;
    assert_eq!(kept["config"], json!({ "privateKey": ["canary"], "priority": ["2"] }));
    assert_eq!(names(&admin.get(&format!("{at}?name=own")).await, "id"), [own.as_str()]);
    admin.must(Method::DELETE, &format!("{at}/{own}"), json!({})).await;
    admin.refused(Method::GET, &format!("{at}/{own}"), json!({}), 404).await;
    for body in [json!({}), json!({ "providerId": "rsa" })] {
        admin.refused(Method::POST, at, body, 400).await;
    }
}

#[tokio::test]
async fn identity_providers_are_kept_with_their_mappers() {
    let admin = Admin::new().await;
    let at = "realms/main/identity-provider/instances";
    let body = json!({ "alias": "hub", "providerId": "oidc", "enabled": true, "config": { "clientId": "a", "clientSecret": "canary" } });
    assert_eq!(admin.must(Method::POST, at, body.clone()).await, "hub");
    let told = admin.refused(Method::POST, at, body, 409).await;
    assert_eq!(told["errorMessage"], "Identity Provider hub already exists");
    let reply = admin.ask(Method::GET, at, None).await;
    assert!(!reply.body.contains("canary"), "a06");
    let mapper = json!({ "name": "m", "identityProviderMapper": "oidc-username-idp-mapper", "config": {} });
    let id = admin.must(Method::POST, &format!("{at}/hub/mappers"), mapper.clone()).await;
    admin.refused(Method::POST, &format!("{at}/hub/mappers"), mapper, 409).await;
    admin.must(Method::PUT, &format!("{at}/hub"), json!({ "alias": "lab" })).await;
    admin.refused(Method::GET, &format!("{at}/hub"), json!({}), 404).await;
    let provider = admin.get(&format!("{at}/lab")).await;
    assert_eq!(
        (&provider["config"]["clientId"], &provider["config"]["clientSecret"]),
        (&json!("a"), &json!("**********"))
    );
    let mapper = admin.get(&format!("{at}/lab/mappers/{id}")).await;
    assert_eq!(mapper["identityProviderAlias"], "lab", "mappers follow the new alias");
    admin.must(Method::PUT, &format!("{at}/lab/mappers/{id}"), json!({ "name": "n" })).await;
    assert_eq!(names(&admin.get(&format!("{at}/lab/mappers")).await, "name"), ["n"]);
    admin.must(Method::DELETE, &format!("{at}/lab"), json!({})).await;
    assert_eq!(admin.get(at).await, json!([]));
    admin.refused(Method::GET, "realms/other/identity-provider/instances/lab", json!({}), 404).await;
}

#[tokio::test]
async fn events_tell_what_happened_and_go_in_development_alone() {
    let admin = Admin::new().await;
    admin.server.sign_in("web", Some("web-secret"), "alice", "alice").await.unwrap();
    let alice = admin.user("main", "alice").await;
    let events = admin.get(&format!("realms/main/events?type=LOGIN&user={alice}")).await;
    assert_eq!((&events[0]["type"], &events[0]["userId"]), (&json!("LOGIN"), &json!(alice)));
    assert_eq!(admin.get("realms/main/events?user=nobody").await, json!([]));
    for (search, found) in [
        ("type=LOGOUT&type=LOGIN", true),
        ("type=LOGOUT&type=LOGIN_ERROR", false),
        ("dateFrom=2020-01-01", true),
        ("dateTo=2020-01-01", false),
        ("dateFrom=2100-01-01", false),
        ("ipAddress=203.0.113.77", false),
    ] {
        let events = admin.get(&format!("realms/main/events?user={alice}&{search}")).await;
        assert_eq!(!names(&events, "type").is_empty(), found, "{search}: {events}");
    }
    admin.refused(Method::GET, "realms/main/events?dateFrom=soon", json!({}), 400).await;
    assert_eq!(admin.ask(Method::GET, "realms/main/users/%ff", None).await.status, 400, "o03");
    let role = admin.must(Method::POST, "realms/main/roles", json!({ "name": "new" })).await;
    assert_eq!(role, "new");
    let events = admin.get("realms/main/admin-events?operationTypes=CREATE").await;
    assert_eq!(
        (&events[0]["operationType"], &events[0]["resourceType"]),
        (&json!("CREATE"), &json!("REALM_ROLE"))
    );
    assert!(!names(&admin.get("realms/main/events").await, "type").contains(&"ADMIN_CREATE".to_owned()));
    admin.must(Method::DELETE, "realms/main/admin-events", json!({})).await;
    let left = admin.get("realms/main/admin-events").await;
    assert_eq!(
        (names(&left, "resourcePath"), names(&left, "operationType")),
        (vec!["admin-events".to_owned()], vec!["DELETE".to_owned()]),
        "that they went, stays"
    );
    assert!(!admin.get("realms/main/events").await.as_array().unwrap().is_empty());
    admin.must(Method::DELETE, "realms/main/events", json!({})).await;
    assert_eq!(admin.get("realms/main/events").await, json!([]));
    let options = Options { realm: Some(REALMS.to_owned()), strict: true, ..Options::default() };
    let strict = Admin::on(TestServer::with(options).await.unwrap()).await;
    for path in ["events", "admin-events"] {
        strict.refused(Method::DELETE, &format!("realms/main/{path}"), json!({}), 501).await;
    }
    admin
        .must(Method::PUT, "realms/main/events/config", json!({ "eventsEnabled": false, "smtpServer": {} }))
        .await;
    assert_eq!(admin.get("realms/main/events/config").await["eventsEnabled"], false);
}

/// B07: who may change where a secret goes, and not read it, does not have it sent to themselves.
#[tokio::test]
async fn b07_a_mask_carries_no_secret_to_another_address() {
    let admin = Admin::new().await;
    let at = "realms/main/identity-provider/instances";
    let config =
        json!({ "clientId": "a", "clientSecret": "canary", "tokenUrl": "https://hub.example/token" });
    admin.must(Method::POST, at, json!({ "alias": "hub", "providerId": "oidc", "config": config })).await;
    let smtp = json!({ "smtpServer": { "host": "mail.example", "port": "25", "password": "canary" } });
    admin.must(Method::PUT, "realms/main", smtp).await;
    let ldap = json!({ "name": "ldap", "providerId": "ldap", "providerType": "x",
        "config": { "connectionUrl": ["ldap://a"], "bindCredential": ["canary"] } });
    let ldap = admin.must(Method::POST, "realms/main/components", ldap).await;
    let (hub, ldap) = (format!("{at}/hub"), format!("realms/main/components/{ldap}"));
    for (path, pointer, value) in [
        (hub.as_str(), "/config/tokenUrl", "https://evil.example/token"),
        ("realms/main", "/smtpServer/host", "evil.example"),
        (ldap.as_str(), "/config/connectionUrl/0", "ldap://evil"),
    ] {
        let shown = admin.get(path).await;
        let mut body = shown.clone();
        *body.pointer_mut(pointer).unwrap() = json!(value);
        let told = admin.refused(Method::PUT, path, body, 400).await;
        assert!(told["errorMessage"].as_str().unwrap().contains("send the secret again"), "{path}: {told}");
        assert_eq!(admin.get(path).await, shown, "{path}");
    }
    let import = json!({ "ifResourceExists": "OVERWRITE", "identityProviders": [{ "alias": "hub", "providerId": "oidc",
        "config": { "clientId": "a", "clientSecret": "**********", "tokenUrl": "https://evil.example/token" } }] });
    admin.refused(Method::POST, "realms/main/partialImport", import, 400).await;
    // With the secret it is a new provider, and whatever else may change beside the mask.
    let mut body = admin.get(&hub).await;
    body["displayName"] = json!("The hub");
    admin.must(Method::PUT, &hub, body.clone()).await;
    body["config"]["tokenUrl"] = json!("https://lab.example/token");
    body["config"]["clientSecret"] = json!("new");
    admin.must(Method::PUT, &hub, body).await;
}

#[tokio::test]
async fn tokens_for_registration_are_shown_once() {
    let admin = Admin::new().await;
    let at = "realms/main/clients-initial-access";
    let made = admin.ask(Method::POST, at, Some(json!({ "expiration": 60, "count": 2 }))).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let made = made.json();
    let token = made["token"].as_str().unwrap();
    let reply = admin.ask(Method::GET, at, None).await;
    assert!(!reply.body.contains(token), "a06");
    assert_eq!((&reply.json()[0]["remainingCount"], &reply.json()[0]["expiration"]), (&json!(2), &json!(60)));
    let metadata = json!({ "redirect_uris": ["http://localhost/cb"] }).to_string();
    let headers =
        [("authorization", format!("Bearer {token}")), ("content-type", "application/json".to_owned())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let register = "/realms/main/clients-registrations/openid-connect";
    let registered = admin.server.browser().send(Method::POST, register, Some(metadata), &headers).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    let left = admin.get(at).await;
    assert_eq!((&left[0]["count"], &left[0]["remainingCount"]), (&json!(2), &json!(1)));
    admin.must(Method::DELETE, &format!("{at}/{}", made["id"].as_str().unwrap()), json!({})).await;
    assert_eq!(admin.get(at).await, json!([]));
    for body in [json!({ "count": 0 }), json!({ "expiration": -1 })] {
        admin.refused(Method::POST, at, body, 400).await;
    }
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let admin = Admin::new().await;
    admin.refused(Method::GET, "realms/main/organizations", json!({}), 404).await;
    admin.refused(Method::POST, "realms/main/testSMTPConnection", json!({}), 501).await;
}

#[tokio::test]
async fn policies_of_clients_are_kept_with_the_realm() {
    let admin = Admin::new().await;
    for (list, kept) in [("policies", "clientPolicies"), ("profiles", "clientProfiles")] {
        let at = format!("realms/main/client-policies/{list}");
        assert_eq!(admin.get(&at).await[list], json!([]));
        let body = json!({ list: [{ "name": "ours", "description": "d", "enabled": true }] });
        admin.must(Method::PUT, &at, body.clone()).await;
        assert_eq!(admin.get(&at).await[list], body[list]);
        assert_eq!(admin.get("realms/main").await[kept], body);
        for wrong in
            [json!({ list: 1 }), json!({ list: [{}] }), json!({ list: [{ "name": "a" }, { "name": "a" }] })]
        {
            admin.refused(Method::PUT, &at, wrong, 400).await;
        }
    }
}

#[tokio::test]
async fn texts_of_the_realms_own_are_kept_with_it() {
    let admin = Admin::new().await;
    let at = "realms/main/localization";
    assert_eq!((admin.get(at).await, admin.get(&format!("{at}/de")).await), (json!([]), json!({})));
    admin.must(Method::POST, &format!("{at}/de"), json!({ "a": "A", "b": "B" })).await;
    let reply = admin.plain(Method::PUT, &format!("{at}/de/b"), "\"B\" ü").await;
    assert_eq!(reply.status, 204, "{}", reply.body);
    admin.must(Method::POST, &format!("{at}/en"), json!({ "a": "1", "c": "3" })).await;
    assert_eq!(admin.get(at).await, json!(["de", "en"]));
    assert_eq!(admin.ask(Method::GET, &format!("{at}/de/b"), None).await.body, "\"B\" ü");
    admin.must(Method::PUT, "realms/main", json!({ "defaultLocale": "en" })).await;
    let told = admin.get(&format!("{at}/de?useRealmDefaultLocaleFallback=true")).await;
    assert_eq!(told, json!({ "a": "A", "b": "\"B\" ü", "c": "3" }));
    assert_eq!(admin.get("realms/main").await["localizationTexts"]["en"]["c"], "3");
    admin.must(Method::DELETE, &format!("{at}/de/a"), json!({})).await;
    admin.refused(Method::DELETE, &format!("{at}/de/a"), json!({}), 404).await;
    admin.must(Method::DELETE, &format!("{at}/de/b"), json!({})).await;
    assert_eq!(admin.get(at).await, json!(["en"]), "a language goes with its last text");
    admin.must(Method::DELETE, &format!("{at}/en"), json!({})).await;
    admin.refused(Method::DELETE, &format!("{at}/en"), json!({}), 404).await;
    admin.refused(Method::POST, &format!("{at}/d%20e"), json!({ "a": "A" }), 400).await;
    admin.refused(Method::POST, &format!("{at}/de"), json!({ "a": 1 }), 400).await;
    assert!(admin.get("realms/main").await.get("localizationTexts").is_none());
}

#[tokio::test]
async fn settings_of_a_provider_are_read_from_its_metadata() {
    let admin = Admin::new().await;
    let at = "realms/main/identity-provider/import-config";
    let metadata = json!({
        "issuer": "https://id.example", "authorization_endpoint": "https://id.example/auth",
        "token_endpoint": "https://id.example/token", "jwks_uri": "https://id.example/keys",
    });
    let expected = json!({
        "issuer": "https://id.example", "authorizationUrl": "https://id.example/auth",
        "tokenUrl": "https://id.example/token", "jwksUrl": "https://id.example/keys",
        "validateSignature": "true", "useJwksUrl": "true",
    });
    let published = Hearing::of_keys(metadata.clone()).await.address;
    for body in [json!({ "providerId": "oidc", "fromUrl": published }), metadata] {
        let reply = admin.ask(Method::POST, at, Some(body)).await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, expected.clone()));
    }
    for body in [
        json!({ "providerId": "oidc", "fromUrl": "file:///etc/passwd" }),
        json!({ "providerId": "oidc", "fromUrl": format!("{published}/none") }),
        json!({ "providerId": "saml", "fromUrl": published }),
        json!({ "providerId": "oidc" }),
    ] {
        admin.refused(Method::POST, at, body, 400).await;
    }
}
