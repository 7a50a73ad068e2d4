//! Clients: made, found, changed, with their secrets, scopes, mappers and scope mappings.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use vestibule::testing::{Options, Rp, TestServer};

use super::scene::{Admin, REALMS, names, token};

const CLIENTS: &str = "realms/main/clients";

/// The identifier of a client.
async fn id(admin: &Admin, client_id: &str) -> String {
    let found = admin.get(&format!("{CLIENTS}?clientId={client_id}")).await;
    found[0]["id"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn clients_are_made_found_changed_and_taken_away() {
    let admin = Admin::new().await;
    let body = json!({
        "clientId": "shop", "name": "The Shop", "secret": "shop-secret", "serviceAccountsEnabled": true,
        "redirectUris": ["http://localhost:8080/*"], "webOrigins": ["+"], "somethingNew": 1,
        "attributes": { "post.logout.redirect.uris": "+", "tier": "gold" },
    });
    let reply = admin.ask(Method::POST, CLIENTS, Some(body.clone())).await;
    let shop = reply.location().rsplit('/').next().unwrap().to_owned();
    assert_eq!(reply.location(), format!("{}/admin/{CLIENTS}/{shop}", admin.server.origin()));
    let told = admin.refused(Method::POST, CLIENTS, body, 409).await;
    assert_eq!(told["errorMessage"], "Client shop already exists");
    let client = admin.get(&format!("{CLIENTS}/{shop}")).await;
    for (name, expected) in [
        ("clientId", json!("shop")),
        ("secret", json!("shop-secret")),
        ("redirectUris", json!(["http://localhost:8080/*"])),
        ("standardFlowEnabled", json!(true)),
        ("serviceAccountsEnabled", json!(true)),
        ("publicClient", json!(false)),
        ("fullScopeAllowed", json!(true)),
        ("somethingNew", json!(1)),
        ("access", json!({ "configure": true, "manage": true, "view": true })),
    ] {
        assert_eq!(client[name], expected, "{name}");
    }
    assert_eq!(client["attributes"]["tier"], "gold");
    for (query, expected) in [
        ("clientId=shop", vec!["shop"]),
        ("clientId=sho", vec![]),
        ("clientId=SHO&search=true", vec!["shop"]),
        ("q=tier:gold", vec!["shop"]),
        ("first=1&max=2", vec!["account-console", "admin-cli"]),
    ] {
        let found = admin.get(&format!("{CLIENTS}?{query}")).await;
        assert_eq!(names(&found, "clientId"), expected, "{query}");
    }
    let rp = Rp { issuer: admin.server.issuer("main"), ..admin.server.rp("shop", Some("shop-secret")) };
    let fields = [("grant_type", "client_credentials")];
    rp.tokens(&admin.server.browser(), &fields).await.unwrap();
    let account = admin.get(&format!("{CLIENTS}/{shop}/service-account-user")).await;
    assert_eq!(account["username"], "service-account-shop");

    let mut changed = client.clone();
    changed["clientId"] = json!("market");
    changed["serviceAccountsEnabled"] = json!(false);
    changed["attributes"]["tier"] = json!("silver");
    admin.must(Method::PUT, &format!("{CLIENTS}/{shop}"), changed).await;
    let client = admin.get(&format!("{CLIENTS}/{shop}")).await;
    assert_eq!((&client["clientId"], &client["secret"]), (&json!("market"), &json!("shop-secret")));
    assert_eq!(client["attributes"]["tier"], "silver");
    admin.refused(Method::GET, &format!("{CLIENTS}/{shop}/service-account-user"), json!({}), 400).await;
    let told =
        admin.refused(Method::PUT, &format!("{CLIENTS}/{shop}"), json!({ "clientId": "web" }), 409).await;
    assert_eq!(told["errorMessage"], "Client web already exists");
    admin.must(Method::DELETE, &format!("{CLIENTS}/{shop}"), json!({})).await;
    let told = admin.refused(Method::GET, &format!("{CLIENTS}/{shop}"), json!({}), 404).await;
    assert_eq!(told["error"], "Could not find client");
    let cli = id(&admin, "admin-cli").await;
    admin.refused(Method::DELETE, &format!("{CLIENTS}/{cli}"), json!({}), 400).await;
}

#[tokio::test]
async fn an_identifier_is_free_or_the_client_is_not_made() {
    let admin = Admin::new().await;
    let web = id(&admin, "web").await;
    for (row, body, status) in [
        ("the id of another", json!({ "id": web, "clientId": "thief" }), 409),
        ("no id", json!({ "id": "../x", "clientId": "thief" }), 400),
        ("its own", json!({ "id": "0b0b0b0b-0000-4000-8000-000000000001", "clientId": "mine" }), 201),
    ] {
        let reply = admin.ask(Method::POST, CLIENTS, Some(body)).await;
        assert_eq!(reply.status, status, "{row}: {}", reply.body);
    }
    assert_eq!(admin.get(&format!("{CLIENTS}/{web}")).await["clientId"], "web");
    for (row, body) in [
        ("a fragment", json!({ "clientId": "x", "redirectUris": ["https://app.example/#x"] })),
        ("a script", json!({ "clientId": "x", "redirectUris": ["javascript:alert(1)"] })),
        ("a name that is none", json!({ "clientId": "x\ny" })),
        (
            "a mapper without a name",
            json!({ "clientId": "x", "protocolMappers": [{ "protocolMapper": "oidc-sub-mapper" }] }),
        ),
    ] {
        let reply = admin.ask(Method::POST, CLIENTS, Some(body)).await;
        assert_eq!(reply.status, 400, "{row}: {}", reply.body);
    }
}

#[tokio::test]
async fn a06_development_shows_a_secret_and_production_a_mask() {
    for (strict, shown) in [(false, false), (true, true)] {
        let options = Options { realm: Some(REALMS.to_owned()), strict, ..Options::default() };
        let admin = Admin::on(TestServer::with(options).await.unwrap()).await;
        let app =
            admin.must(Method::POST, CLIENTS, json!({ "clientId": "app", "secret": "canary-secret" })).await;
        let at = format!("{CLIENTS}/{app}");
        let expected = |secret: &str| if shown { "**********".to_owned() } else { secret.to_owned() };
        assert_eq!(
            admin.get(&format!("{at}/client-secret")).await,
            json!({ "type": "secret", "value": expected("canary-secret") })
        );
        let list = admin.get(&format!("{CLIENTS}?clientId=app")).await;
        assert_eq!(list[0]["secret"], expected("canary-secret"));
        let told = admin.ask(Method::POST, &format!("{at}/client-secret"), None).await.json();
        let drawn = told["value"].as_str().unwrap().to_owned();
        assert_eq!(drawn.len(), 43, "whoever drew it sees it this once");
        let client = admin.get(&at).await;
        assert_eq!(client["secret"], expected(&drawn));
        admin.must(Method::PUT, &at, client).await;
        let store = &admin.server.app().store;
        let realm = store.realm_by_name("main").await.unwrap().unwrap();
        let record = store.client_by_id(&realm.id, &app).await.unwrap().unwrap();
        let secrets = &admin.server.app().client_secrets;
        let verified = secrets.verify_of(&record, &drawn.as_str().into()).await.unwrap();
        assert!(verified, "what comes back, masked or not, takes nothing away");
        assert_eq!(secrets.reveal(&record).is_some(), !shown, "production keeps nothing legible");
        admin.refused(Method::GET, &format!("{at}/client-secret/rotated"), json!({}), 404).await;
        let viewer = token(&admin.server, "main", "clerk").await;
        let reply = admin.as_(&viewer, Method::GET, &format!("{at}/client-secret"), None).await;
        assert_eq!(reply.json()["value"], "**********", "who only sees clients");
        admin.must(Method::DELETE, &at, json!({})).await;
    }
}

#[tokio::test]
async fn production_refuses_a_pattern_by_the_clients_name() {
    let options = Options { realm: Some(REALMS.to_owned()), strict: true, ..Options::default() };
    let admin = Admin::on(TestServer::with(options).await.unwrap()).await;
    let body = json!({ "clientId": "wide", "redirectUris": ["https://app.example/*"] });
    let told = admin.refused(Method::POST, CLIENTS, body, 400).await;
    let told = told["errorMessage"].as_str().unwrap().to_owned();
    assert!(told.starts_with("Client wide: redirectUris: a wildcard"), "{told}");
}

#[tokio::test]
async fn a03_who_manages_clients_gets_no_other_right_by_them() {
    let admin = Admin::new().await;
    let keeper = token(&admin.server, "main", "keeper").await;
    let (web, owner) = (id(&admin, "web").await, id(&admin, "owner").await);
    let (cli, management) = (id(&admin, "admin-cli").await, id(&admin, "realm-management").await);
    let right = admin.get(&format!("{CLIENTS}/{management}/roles/manage-realm")).await;
    let own = admin.get(&format!("{CLIENTS}/{management}/roles/manage-clients")).await;
    let scope = admin.must(Method::POST, "realms/main/client-scopes", json!({ "name": "wide" })).await;
    let mapper = |kind: &str, name: &str, value: &str| json!({ "name": "m", "protocol": "openid-connect", "protocolMapper": kind, "config": { name: value } });
    let models = format!("{CLIENTS}/{web}/protocol-mappers/models");
    let role = "oidc-hardcoded-role-mapper";
    let audience = mapper("oidc-audience-mapper", "included.client.audience", "realm-management");
    let claim = |name: &str| mapper("oidc-hardcoded-claim-mapper", "claim.name", name);
    let of_management = format!("scope-mappings/clients/{management}");
    let mut rows = vec![
        (
            "a role by a mapper",
            Method::POST,
            models.clone(),
            mapper(role, "role", "realm-management.manage-realm"),
            403,
        ),
        (
            "their own",
            Method::POST,
            models.clone(),
            mapper(role, "role", "realm-management.manage-clients"),
            201,
        ),
        ("the audience", Method::POST, models.clone(), audience.clone(), 403),
        (
            "several at once",
            Method::POST,
            format!("{CLIENTS}/{web}/protocol-mappers/add-models"),
            json!([audience]),
            403,
        ),
        (
            "on a scope",
            Method::POST,
            format!("realms/main/client-scopes/{scope}/protocol-mappers/models"),
            mapper(role, "role", "realm-management.realm-admin"),
            403,
        ),
        (
            "with a new client",
            Method::POST,
            CLIENTS.to_owned(),
            json!({ "clientId": "n", "protocolMappers": [mapper(role, "role", "realm-management.realm-admin")] }),
            403,
        ),
        (
            "with a new scope",
            Method::POST,
            "realms/main/client-scopes".to_owned(),
            json!({ "name": "n", "protocolMappers": [mapper(role, "role", "realm-management.realm-admin")] }),
            403,
        ),
        (
            "by an update",
            Method::PUT,
            format!("{CLIENTS}/{web}"),
            json!({ "protocolMappers": [mapper(role, "role", "realm-management.realm-admin")] }),
            403,
        ),
        (
            "an audience of its own",
            Method::PUT,
            format!("{CLIENTS}/{web}"),
            json!({ "attributes": { "vestibule.settings": "{\"audiences\":[\"realm-management\"]}" } }),
            403,
        ),
        ("a scope mapping", Method::POST, format!("{CLIENTS}/{web}/{of_management}"), json!([right]), 403),
        (
            "their own scope mapping",
            Method::POST,
            format!("{CLIENTS}/{web}/{of_management}"),
            json!([own]),
            204,
        ),
        (
            "on a scope too",
            Method::POST,
            format!("realms/main/client-scopes/{scope}/{of_management}"),
            json!([right]),
            403,
        ),
        (
            "an administrator's secret",
            Method::POST,
            format!("{CLIENTS}/{owner}/client-secret"),
            json!({}),
            403,
        ),
        ("as it is", Method::GET, format!("{CLIENTS}/{owner}/client-secret"), json!({}), 403),
        (
            "another proof",
            Method::PUT,
            format!("{CLIENTS}/{owner}"),
            json!({ "attributes": { "use.jwks.url": "true", "jwks.url": "https://evil.example/keys" } }),
            403,
        ),
        (
            "where administrators come in",
            Method::PUT,
            format!("{CLIENTS}/{cli}"),
            json!({ "redirectUris": ["https://evil.example/cb"] }),
            403,
        ),
        (
            "the client that holds their roles",
            Method::PUT,
            format!("{CLIENTS}/{management}"),
            json!({ "secret": "x" }),
            403,
        ),
        (
            "a new door",
            Method::POST,
            CLIENTS.to_owned(),
            json!({ "clientId": "security-admin-console" }),
            403,
        ),
        (
            "a client of no account",
            Method::PUT,
            format!("{CLIENTS}/{web}"),
            json!({ "description": "fine" }),
            204,
        ),
    ];
    for name in ["iss", "sub", "aud", "exp", "azp", "acr", "cnf", "realm_access"] {
        rows.push(("a claim that a token stands on", Method::POST, models.clone(), claim(name), 400));
    }
    for (row, method, path, body, expected) in rows {
        let reply = admin.as_(&keeper, method, &path, Some(body.clone())).await;
        assert_eq!(reply.status, expected, "{row}: {body} {}", reply.body);
    }
    let secret = admin.as_(&keeper, Method::GET, &format!("{CLIENTS}/{owner}"), None).await.json();
    assert_eq!(secret["secret"], "**********");
}

#[tokio::test]
async fn a04_clients_and_scopes_of_another_realm_are_not_there() {
    let admin = Admin::new().await;
    let foreign =
        admin.get("realms/other/clients?clientId=owner").await[0]["id"].as_str().unwrap().to_owned();
    let scopes = admin.get("realms/other/client-scopes").await;
    let scope = scopes[0]["id"].as_str().unwrap();
    let web = id(&admin, "web").await;
    for (method, path) in [
        (Method::GET, format!("{CLIENTS}/{foreign}")),
        (Method::PUT, format!("{CLIENTS}/{foreign}")),
        (Method::DELETE, format!("{CLIENTS}/{foreign}")),
        (Method::POST, format!("{CLIENTS}/{foreign}/client-secret")),
        (Method::GET, format!("{CLIENTS}/{foreign}/protocol-mappers/models")),
        (Method::GET, format!("{CLIENTS}/{web}/scope-mappings/clients/{foreign}")),
        (Method::PUT, format!("{CLIENTS}/{web}/default-client-scopes/{scope}")),
        (Method::GET, format!("realms/main/client-scopes/{scope}")),
        (Method::DELETE, format!("realms/main/client-scopes/{scope}")),
        (Method::PUT, format!("realms/main/default-default-client-scopes/{scope}")),
    ] {
        let reply = admin.ask(method.clone(), &path, Some(json!({}))).await;
        assert_eq!(reply.status, 404, "{method} {path}: {}", reply.body);
    }
}

#[tokio::test]
async fn mappers_are_made_changed_and_taken_away_and_none_is_lost() {
    let admin = Arc::new(Admin::new().await);
    let web = id(&admin, "web").await;
    let scope = admin.must(Method::POST, "realms/main/client-scopes", json!({ "name": "team" })).await;
    for at in [format!("{CLIENTS}/{web}"), format!("realms/main/client-scopes/{scope}")] {
        let models = format!("{at}/protocol-mappers/models");
        let one = |name: &str| {
            json!({
                "name": name, "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper", "extra": name,
                "config": { "claim.name": name, "claim.value": "1", "access.token.claim": "true" },
            })
        };
        let mut making = JoinSet::new();
        for number in 0..8 {
            let (admin, models, body) = (Arc::clone(&admin), models.clone(), one(&format!("m{number}")));
            making.spawn(async move { (number, admin.must(Method::POST, &models, body).await) });
        }
        let mut made = making.join_all().await;
        made.sort();
        let made: Vec<String> = made.into_iter().map(|(_, id)| id).collect();
        let all = admin.get(&models).await;
        assert_eq!(all.as_array().unwrap().len(), 8, "side by side, and none is lost");
        let first = admin.get(&format!("{models}/{}", made[0])).await;
        assert_eq!((&first["name"], &first["extra"]), (&json!("m0"), &json!("m0")));
        let told = admin.refused(Method::POST, &models, one("m1"), 409).await;
        assert_eq!(told["errorMessage"], "Protocol mapper exists with same name");
        let mut changed = first.clone();
        changed["config"]["claim.value"] = json!("2");
        admin.must(Method::PUT, &format!("{models}/{}", made[0]), changed.clone()).await;
        assert_eq!(admin.get(&format!("{models}/{}", made[0])).await, changed);
        admin
            .must(Method::POST, &format!("{at}/protocol-mappers/add-models"), json!([one("a"), one("b")]))
            .await;
        assert_eq!(
            admin
                .get(&format!("{at}/protocol-mappers/protocol/openid-connect"))
                .await
                .as_array()
                .unwrap()
                .len(),
            10
        );
        assert_eq!(admin.get(&format!("{at}/protocol-mappers/protocol/saml")).await, json!([]));
        admin.must(Method::DELETE, &format!("{models}/{}", made[0]), json!({})).await;
        admin.refused(Method::GET, &format!("{models}/{}", made[0]), json!({}), 404).await;
    }
    let scopes = admin.get("realms/main/client-scopes").await;
    let email = scopes.as_array().unwrap().iter().find(|scope| scope["name"] == "email").unwrap().clone();
    let mapper = &email["protocolMappers"][0];
    let at = format!("realms/main/client-scopes/{}/protocol-mappers/models", email["id"].as_str().unwrap());
    let address = format!("{at}/{}", mapper["id"].as_str().unwrap());
    assert_eq!(admin.get(&address).await, *mapper, "mappers that came with the realm have identifiers too");
    admin.must(Method::PUT, &address, mapper.clone()).await;
    assert_eq!(admin.get(&address).await, *mapper);
}

#[tokio::test]
async fn scopes_are_given_to_clients_and_renamed() {
    let admin = Admin::new().await;
    let web = id(&admin, "web").await;
    let scope = admin.must(Method::POST, "realms/main/client-scopes", json!({ "name": "team" })).await;
    let told = admin.refused(Method::POST, "realms/main/client-scopes", json!({ "name": "team" }), 409).await;
    assert_eq!(told["errorMessage"], "Client Scope team already exists");
    for name in ["", "two words", "openid"] {
        admin.refused(Method::POST, "realms/main/client-scopes", json!({ "name": name }), 400).await;
    }
    let has = |list: &Value, name: &str| names(list, "name").contains(&name.to_owned());
    let (default, optional) =
        (format!("{CLIENTS}/{web}/default-client-scopes"), format!("{CLIENTS}/{web}/optional-client-scopes"));
    admin.must(Method::PUT, &format!("{default}/{scope}"), json!({})).await;
    assert!(has(&admin.get(&default).await, "team") && has(&admin.get(&default).await, "email"));
    admin.must(Method::PUT, &format!("{optional}/{scope}"), json!({})).await;
    assert!(!has(&admin.get(&default).await, "team") && has(&admin.get(&optional).await, "team"));
    admin.must(Method::PUT, &format!("realms/main/default-optional-client-scopes/{scope}"), json!({})).await;
    assert!(has(&admin.get("realms/main/default-optional-client-scopes").await, "team"));
    admin
        .must(
            Method::PUT,
            &format!("realms/main/client-scopes/{scope}"),
            json!({ "name": "crew", "description": "Who works together" }),
        )
        .await;
    assert!(has(&admin.get(&optional).await, "crew"), "a client knows it by its new name");
    assert!(has(&admin.get("realms/main/default-optional-client-scopes").await, "crew"));
    admin.must(Method::DELETE, &format!("{optional}/{scope}"), json!({})).await;
    assert!(!has(&admin.get(&optional).await, "crew"));
    admin.must(Method::DELETE, &format!("realms/main/client-scopes/{scope}"), json!({})).await;
    assert!(!has(&admin.get("realms/main/default-optional-client-scopes").await, "crew"));
    admin.refused(Method::GET, &format!("realms/main/client-scopes/{scope}"), json!({}), 404).await;
}

#[tokio::test]
async fn scope_mappings_say_what_tokens_show() {
    let admin = Admin::new().await;
    let (web, alice) = (id(&admin, "web").await, admin.user("main", "alice").await);
    admin.must(Method::PUT, &format!("{CLIENTS}/{web}"), json!({ "fullScopeAllowed": false })).await;
    let at = format!("{CLIENTS}/{web}/scope-mappings/realm");
    let example =
        format!("{CLIENTS}/{web}/evaluate-scopes/generate-example-access-token?scope=openid&userId={alice}");
    let shows = |claims: &Value| {
        claims["realm_access"]["roles"].as_array().is_some_and(|roles| roles.contains(&json!("tester")))
    };
    assert!(!shows(&admin.get(&example).await));
    let tester = admin.get("realms/main/roles/tester").await;
    assert!(names(&admin.get(&format!("{at}/available")).await, "name").contains(&"tester".to_owned()));
    admin.must(Method::POST, &at, json!([tester])).await;
    assert_eq!(names(&admin.get(&at).await, "name"), ["tester"]);
    assert_eq!(names(&admin.get(&format!("{at}/composite")).await, "name"), ["tester"]);
    assert_eq!(
        names(&admin.get(&format!("{CLIENTS}/{web}/scope-mappings")).await["realmMappings"], "name"),
        ["tester"]
    );
    let claims = admin.get(&example).await;
    assert!(shows(&claims), "{claims}");
    assert_eq!(
        (&claims["azp"], &claims["preferred_username"], &claims["typ"]),
        (&json!("web"), &json!("alice"), &json!("Bearer"))
    );
    let granted = format!("{CLIENTS}/{web}/evaluate-scopes/scope-mappings/main");
    assert_eq!(names(&admin.get(&format!("{granted}/granted")).await, "name"), ["tester"]);
    assert!(
        !names(&admin.get(&format!("{granted}/not-granted")).await, "name").contains(&"tester".to_owned())
    );
    admin.must(Method::DELETE, &at, json!([tester])).await;
    assert_eq!(admin.get(&at).await, json!([]));
}

/// A trial says what the token says that is issued, but for what each token has of its own.
#[tokio::test]
async fn a_trial_is_the_issued_token() {
    let admin = Admin::new().await;
    let (web, alice) = (id(&admin, "web").await, admin.user("main", "alice").await);
    let rp = Rp { scope: "openid profile email phone".into(), ..admin.server.rp("web", Some("web-secret")) };
    let mut browser = admin.server.browser();
    let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let bare = |mut claims: Value| {
        for own in ["jti", "sid", "iat", "exp", "auth_time", "nonce", "at_hash"] {
            claims.as_object_mut().unwrap().remove(own);
        }
        claims
    };
    let userinfo = rp.userinfo(&browser, tokens.access_token()).await.json();
    for (name, issued) in
        [("access-token", tokens.access_claims()), ("id-token", tokens.id_claims()), ("userinfo", userinfo)]
    {
        let at = format!("{CLIENTS}/{web}/evaluate-scopes/generate-example-{name}");
        let trial = admin.get(&format!("{at}?scope=openid%20profile%20email%20phone&userId={alice}")).await;
        assert!(issued.as_object().unwrap().len() > 5, "{name}: {issued}");
        assert_eq!(bare(trial), bare(issued), "{name}");
    }
}

#[tokio::test]
async fn tokens_are_tried_out() {
    let admin = Admin::new().await;
    let (web, alice) = (id(&admin, "web").await, admin.user("main", "alice").await);
    let at = format!("{CLIENTS}/{web}/evaluate-scopes");
    let id_token =
        admin.get(&format!("{at}/generate-example-id-token?scope=openid%20email&userId={alice}")).await;
    assert_eq!(
        (&id_token["aud"], &id_token["email"], &id_token["typ"]),
        (&json!("web"), &json!("alice@example.com"), &json!("ID"))
    );
    let userinfo = admin.get(&format!("{at}/generate-example-userinfo?scope=openid&userId={alice}")).await;
    assert_eq!(userinfo["sub"], alice.as_str());
    let mappers = admin.get(&format!("{at}/protocol-mappers?scope=openid")).await;
    assert!(names(&mappers, "containerName").contains(&"profile".to_owned()));
    admin
        .refused(Method::GET, &format!("{at}/generate-example-userinfo?userId=nobody"), json!({}), 404)
        .await;
    admin
        .refused(
            Method::GET,
            &format!("{at}/generate-example-access-token?scope=nonsense&userId={alice}"),
            json!({}),
            400,
        )
        .await;
    let clerk = token(&admin.server, "main", "clerk").await;
    let path = format!("{at}/generate-example-userinfo?scope=openid&userId={alice}");
    assert_eq!(admin.as_(&clerk, Method::GET, &path, None).await.status, 403, "who may not see users");
}

#[tokio::test]
async fn a_client_tells_its_sessions_and_its_configuration() {
    let admin = Admin::new().await;
    let web = id(&admin, "web").await;
    assert_eq!(admin.get(&format!("{CLIENTS}/{web}/session-count")).await, json!({ "count": 0 }));
    admin.server.sign_in("web", Some("web-secret"), "alice", "alice").await.unwrap();
    assert_eq!(admin.get(&format!("{CLIENTS}/{web}/session-count")).await, json!({ "count": 1 }));
    let sessions = admin.get(&format!("{CLIENTS}/{web}/user-sessions")).await;
    assert_eq!((&sessions[0]["username"], &sessions[0]["clients"][&web]), (&json!("alice"), &json!("web")));
    assert_eq!(admin.get(&format!("{CLIENTS}/{web}/offline-sessions")).await, json!([]));
    assert_eq!(admin.get(&format!("{CLIENTS}/{web}/offline-session-count")).await, json!({ "count": 0 }));
    let at = format!("{CLIENTS}/{web}/installation/providers");
    let told = admin.get(&format!("{at}/keycloak-oidc-keycloak-json")).await;
    assert_eq!((&told["realm"], &told["resource"]), (&json!("main"), &json!("web")));
    admin.refused(Method::GET, &format!("{at}/unknown"), json!({}), 404).await;
}

/// A03: a client scope that gives more than its giver has is not given by the body either.
#[tokio::test]
async fn a03_a_scope_above_the_caller_is_given_in_no_way() {
    let admin = Admin::new().await;
    let audience = json!({
        "name": "aud", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
        "config": { "included.client.audience": "realm-management", "access.token.claim": "true" },
    });
    let scope = json!({ "name": "adm", "protocol": "openid-connect", "protocolMappers": [audience] });
    let scope = admin.must(Method::POST, "realms/main/client-scopes", scope).await;
    let web = format!("{CLIENTS}/{}", id(&admin, "web").await);
    let keeper = token(&admin.server, "main", "keeper").await;
    for (row, method, path, body, expected) in [
        ("by address", Method::PUT, format!("{web}/default-client-scopes/{scope}"), json!({}), 403),
        ("by the body", Method::PUT, web.clone(), json!({ "defaultClientScopes": ["adm"] }), 403),
        ("on demand", Method::PUT, web.clone(), json!({ "optionalClientScopes": ["email", "adm"] }), 403),
        (
            "to a new one",
            Method::POST,
            CLIENTS.to_owned(),
            json!({ "clientId": "n", "defaultClientScopes": ["adm"] }),
            403,
        ),
        ("others", Method::PUT, web.clone(), json!({ "defaultClientScopes": ["nowhere", "email"] }), 204),
    ] {
        let reply = admin.as_(&keeper, method, &path, Some(body)).await;
        assert_eq!(reply.status, expected, "{row}: {}", reply.body);
    }
    let named = names(&admin.get(&format!("{web}/default-client-scopes")).await, "name");
    assert_eq!(named, ["email"], "a name that no scope has is left out");
    let body = json!({ "defaultClientScopes": ["email", "adm"] });
    admin.must(Method::PUT, &web, body.clone()).await;
    let reply = admin.as_(&keeper, Method::PUT, &web, Some(body)).await;
    assert_eq!(reply.status, 204, "what the client had stays: {}", reply.body);
}

#[tokio::test]
async fn an_attribute_that_is_null_or_empty_is_gone() {
    let admin = Admin::new().await;
    let begun = json!({ "clientId": "x", "attributes": { "a": "1", "b": "2", "c": "3", "n": null, "e": "",
        "access.token.lifespan": "60", "use.refresh.tokens": "false" } });
    let at = format!("{CLIENTS}/{}", admin.must(Method::POST, CLIENTS, begun).await);
    let attributes = async || admin.get(&at).await["attributes"].as_object().cloned().unwrap();
    let before = attributes().await;
    assert!(before.contains_key("a") && !before.contains_key("n") && !before.contains_key("e"), "{before:?}");
    assert_eq!(
        (&before["access.token.lifespan"], &before["use.refresh.tokens"]),
        (&json!("60"), &json!("false"))
    );
    let change = json!({ "attributes": { "a": "", "b": null, "access.token.lifespan": null, "use.refresh.tokens": null } });
    admin.must(Method::PUT, &at, change).await;
    let after = attributes().await;
    assert!(["a", "b", "access.token.lifespan"].iter().all(|name| !after.contains_key(*name)), "{after:?}");
    assert_ne!(after.get("use.refresh.tokens"), Some(&json!("false")));
    assert_eq!(after["c"], "3", "what is not named stays");
}

#[tokio::test]
async fn a_client_of_another_protocol_has_no_grants_and_comes_back() {
    let admin = Admin::new().await;
    let at = format!("{CLIENTS}/{}", admin.must(Method::POST, CLIENTS, json!({ "clientId": "x" })).await);
    for (row, body, protocol, flow) in [
        ("away", json!({ "protocol": "saml" }), "saml", false),
        ("a flow is not enough", json!({ "standardFlowEnabled": true }), "saml", false),
        (
            "back",
            json!({ "protocol": "openid-connect", "standardFlowEnabled": true }),
            "openid-connect",
            true,
        ),
        ("no tokens", json!({ "bearerOnly": true }), "openid-connect", false),
        ("still none", json!({ "standardFlowEnabled": true }), "openid-connect", false),
        ("tokens again", json!({ "bearerOnly": false, "standardFlowEnabled": true }), "openid-connect", true),
    ] {
        admin.must(Method::PUT, &at, body).await;
        let client = admin.get(&at).await;
        assert_eq!(
            (&client["protocol"], &client["standardFlowEnabled"]),
            (&json!(protocol), &json!(flow)),
            "{row}"
        );
    }
    let scope = admin
        .must(Method::POST, "realms/main/client-scopes", json!({ "name": "s", "protocol": "saml" }))
        .await;
    let scope = format!("realms/main/client-scopes/{scope}");
    admin.must(Method::PUT, &scope, json!({ "name": "s", "protocol": "openid-connect" })).await;
    assert_eq!(admin.get(&scope).await["protocol"], "openid-connect");
}

#[tokio::test]
async fn a06_a_secret_does_not_outlive_the_proof_by_a_key() {
    let admin = Admin::new().await;
    let body = json!({ "clientId": "x", "secret": "canary-secret" });
    let at = format!("{CLIENTS}/{}", admin.must(Method::POST, CLIENTS, body).await);
    let jwks = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    let by_key = json!({ "clientAuthenticatorType": "client-jwt", "attributes": { "use.jwks.string": "true", "jwks.string": jwks } });
    admin.must(Method::PUT, &at, by_key).await;
    assert_eq!(admin.get(&format!("{at}/client-secret")).await["value"], json!(null));
    admin.must(Method::PUT, &at, json!({ "clientAuthenticatorType": "client-secret" })).await;
    let shown = admin.get(&format!("{at}/client-secret")).await;
    assert_ne!(shown["value"], "canary-secret");
    assert_eq!(shown["value"].as_str().unwrap().len(), 43, "a new one is drawn");
}

#[tokio::test]
async fn r05_addresses_that_a_browser_would_run_are_refused() {
    let admin = Admin::new().await;
    for body in [
        json!({ "baseUrl": "javascript:alert(1)" }),
        json!({ "rootUrl": "DATA:text/html,x" }),
        json!({ "adminUrl": "file:///etc/passwd" }),
        json!({ "attributes": { "jwks.url": "javascript:x" } }),
        json!({ "attributes": { "access.token.lifespan": "9223372036854775807" } }),
    ] {
        let mut body = body;
        body["clientId"] = json!("x");
        admin.refused(Method::POST, CLIENTS, body, 400).await;
    }
    let fine = json!({ "clientId": "x", "rootUrl": "${authBaseUrl}", "baseUrl": "/realms/x/account/" });
    admin.must(Method::POST, CLIENTS, fine).await;
}

#[tokio::test]
async fn an_identifier_in_a_body_can_stand_in_an_address() {
    let admin = Admin::new().await;
    let long = "x".repeat(70_000);
    for id in ["../../../x", "a\r\nb", long.as_str()] {
        for (path, body) in [
            (CLIENTS, json!({ "clientId": "x" })),
            ("realms/main/client-scopes", json!({ "name": "x" })),
            ("realms/main/components", json!({ "name": "x", "providerId": "x", "providerType": "x" })),
            (
                "realms/main/authentication/flows",
                json!({ "alias": "x", "providerId": "basic-flow", "topLevel": true }),
            ),
            ("realms", json!({ "realm": "x" })),
        ] {
            let mut body = body;
            body["id"] = json!(id);
            admin.refused(Method::POST, path, body, 400).await;
        }
    }
}
