//! What terraform-provider-keycloak and keycloak-config-cli do, call by call: whatever is made is found where `Location`
//! says, holds what was sent, and takes itself back without a difference, so that a second run changes nothing.

use axum::http::Method;
use serde_json::{Value, json};

use super::scene::{Admin, names};

/// Whether `found` has all that `sent` has. An empty text may be left out, which terraform reads as one.
fn holds(found: &Value, sent: &Value) -> bool {
    match (found, sent) {
        (Value::Object(found), Value::Object(sent)) => sent
            .iter()
            .all(|(name, value)| found.get(name).map_or_else(|| value == "", |found| holds(found, value))),
        (Value::Array(found), Value::Array(sent)) => {
            found.len() == sent.len() && sent.iter().all(|sent| found.iter().any(|found| holds(found, sent)))
        }
        (found, sent) => found == sent,
    }
}

/// POST, GET of `Location`, PUT of what was got, GET again: as terraform makes, reads and plans a thing. Gives where it is.
async fn made(admin: &Admin, path: &str, body: Value) -> String {
    let reply = admin.ask(Method::POST, path, Some(body.clone())).await;
    assert_eq!(reply.status, 201, "{path}: {}", reply.body);
    let (_, at) = reply.location().split_once("/admin/").unwrap();
    let found = admin.get(at).await;
    assert!(holds(&found, &body), "{at}: {found}\n{body}");
    let reply = admin.ask(Method::PUT, at, Some(found.clone())).await;
    assert!([202, 204].contains(&reply.status.as_u16()), "{at}: {} {}", reply.status, reply.body);
    assert_eq!(admin.get(at).await, found, "{at}: what comes back changes nothing");
    at.to_owned()
}

fn id(at: &str) -> &str {
    at.rsplit('/').next().unwrap()
}

fn mapper(name: &str) -> Value {
    json!({
        "name": name, "protocol": "openid-connect", "protocolMapper": "oidc-usermodel-attribute-mapper",
        "config": {
            "user.attribute": "team", "claim.name": name, "jsonType.label": "String", "multivalued": "false",
            "id.token.claim": "true", "access.token.claim": "true", "userinfo.token.claim": "true", "aggregate.attrs": "false",
        },
    })
}

async fn realm(admin: &Admin) {
    admin.get("serverinfo").await;
    let body = json!({
        "realm": "tf", "enabled": true, "displayName": "T", "loginTheme": "keycloak", "accessTokenLifespan": 600,
        "browserFlow": "browser", "passwordPolicy": "length(8)", "attributes": { "mine": "kept", "userProfileEnabled": "true" },
        "smtpServer": { "host": "mail.example", "from": "a@example.com" }, "otpPolicyDigits": 6,
        "supportedLocales": ["de", "en"], "internationalizationEnabled": true,
    });
    made(admin, "realms", body).await;
}

#[tokio::test]
async fn terraform_finds_what_it_made() {
    let admin = Admin::new().await;
    realm(&admin).await;
    let client = json!({
        "clientId": "app", "name": "App", "enabled": true, "protocol": "openid-connect", "publicClient": false,
        "bearerOnly": false, "secret": "a secret of terraform", "standardFlowEnabled": true, "implicitFlowEnabled": false,
        "directAccessGrantsEnabled": false, "serviceAccountsEnabled": true, "redirectUris": ["http://localhost/*"],
        "webOrigins": ["+"], "fullScopeAllowed": true, "consentRequired": false, "frontchannelLogout": false,
        "clientAuthenticatorType": "client-secret", "rootUrl": "http://localhost", "baseUrl": "/",
        "authenticationFlowBindingOverrides": {}, "authorizationServicesEnabled": false,
        "attributes": {
            "pkce.code.challenge.method": "S256", "access.token.lifespan": "300", "post.logout.redirect.uris": "+",
            "login_theme": "keycloak", "use.refresh.tokens": "true", "display.on.consent.screen": "false",
            "oauth2.device.authorization.grant.enabled": "true", "backchannel.logout.session.required": "true",
        },
    });
    let client = made(&admin, "realms/tf/clients", client).await;
    made(&admin, &format!("{client}/protocol-mappers/models"), mapper("team")).await;
    made(
        &admin,
        &format!("{client}/roles"),
        json!({ "name": "reader", "description": "", "attributes": { "a": ["1"] } }),
    )
    .await;
    let scope = json!({
        "name": "shop", "description": "d", "protocol": "openid-connect",
        "attributes": { "include.in.token.scope": "true", "display.on.consent.screen": "true", "gui.order": "3" },
    });
    let scope = made(&admin, "realms/tf/client-scopes", scope).await;
    made(&admin, &format!("{scope}/protocol-mappers/models"), mapper("size")).await;
    admin.must(Method::PUT, &format!("{client}/optional-client-scopes/{}", id(&scope)), json!({})).await;
    assert!(
        names(&admin.get(&format!("{client}/optional-client-scopes")).await, "name")
            .contains(&"shop".to_owned())
    );
    made(&admin, "realms/tf/roles", json!({ "name": "boss", "description": "d", "attributes": {} })).await;
    let group =
        made(&admin, "realms/tf/groups", json!({ "name": "staff", "attributes": { "floor": ["1"] } })).await;
    made(&admin, &format!("{group}/children"), json!({ "name": "board" })).await;
    let boss = admin.get("realms/tf/roles/boss").await;
    admin.must(Method::POST, &format!("{group}/role-mappings/realm"), json!([boss])).await;
    assert_eq!(names(&admin.get(&format!("{group}/role-mappings")).await["realmMappings"], "name"), ["boss"]);
    let user = json!({
        "username": "tina", "email": "tina@example.com", "emailVerified": true, "firstName": "Tina", "lastName": "T",
        "enabled": true, "attributes": { "team": ["red"] }, "requiredActions": [],
    });
    let user = made(&admin, "realms/tf/users", user).await;
    admin.must(Method::PUT, &format!("{user}/groups/{}", id(&group)), json!({})).await;
    admin
        .must(
            Method::PUT,
            &format!("{user}/reset-password"),
            json!({ "type": "password", "value": "p", "temporary": false }),
        )
        .await;
    admin.must(Method::PUT, &format!("realms/tf/default-groups/{}", id(&group)), json!({})).await;
    let account = admin.get(&format!("{client}/service-account-user")).await;
    let at = format!("realms/tf/users/{}/role-mappings/realm", account["id"].as_str().unwrap());
    admin.must(Method::POST, &at, json!([admin.get("realms/tf/roles/boss").await])).await;
    assert!(names(&admin.get(&at).await, "name").contains(&"boss".to_owned()));
}

#[tokio::test]
async fn terraform_finds_what_it_made_beside_people_and_clients() {
    let admin = Admin::new().await;
    realm(&admin).await;
    let realm_id = admin.get("realms/tf").await["id"].clone();
    let ldap = json!({
        "name": "people", "providerId": "ldap", "providerType": "org.keycloak.storage.UserStorageProvider",
        "parentId": realm_id, "config": { "vendor": ["other"], "priority": ["0"], "enabled": ["true"] },
    });
    made(&admin, "realms/tf/components", ldap).await;
    let keys = json!({
        "name": "more", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider", "parentId": realm_id,
        "config": { "active": ["true"], "enabled": ["true"], "priority": ["10"], "algorithm": ["RS256"], "keySize": ["2048"] },
    });
    made(&admin, "realms/tf/components", keys).await;
    let provider = json!({
        "alias": "hub", "displayName": "Hub", "providerId": "oidc", "enabled": true, "storeToken": false, "linkOnly": false,
        "addReadTokenRoleOnCreate": false, "authenticateByDefault": false, "trustEmail": true, "hideOnLogin": false,
        "firstBrokerLoginFlowAlias": "first broker login", "postBrokerLoginFlowAlias": "",
        "config": { "clientId": "us", "authorizationUrl": "https://h/auth", "tokenUrl": "https://h/token", "useJwksUrl": "true" },
    });
    let provider = made(&admin, "realms/tf/identity-provider/instances", provider).await;
    let mapper = json!({
        "name": "mail", "identityProviderAlias": "hub", "identityProviderMapper": "oidc-user-attribute-idp-mapper",
        "config": { "claim": "email", "user.attribute": "email", "syncMode": "INHERIT" },
    });
    made(&admin, &format!("{provider}/mappers"), mapper).await;
    let flow = json!({ "alias": "mine", "description": "", "providerId": "basic-flow", "topLevel": true, "builtIn": false });
    made(&admin, "realms/tf/authentication/flows", flow).await;
    let steps = "realms/tf/authentication/flows/mine/executions";
    let below = json!({ "alias": "below", "description": "", "type": "basic-flow", "provider": "basic-flow", "priority": 20 });
    let below = admin.must(Method::POST, &format!("{steps}/flow"), below).await;
    assert_eq!(admin.get(&format!("realms/tf/authentication/flows/{below}")).await["topLevel"], false);
    let step = json!({ "provider": "identity-provider-redirector", "priority": 10 });
    let step = admin.must(Method::POST, &format!("{steps}/execution"), step).await;
    let update = json!({ "id": step, "requirement": "ALTERNATIVE", "priority": 10 });
    assert_eq!(admin.ask(Method::PUT, steps, Some(update)).await.status, 202);
    let found = admin.get(&format!("realms/tf/authentication/executions/{step}")).await;
    assert_eq!(
        (&found["authenticator"], &found["priority"]),
        (&json!("identity-provider-redirector"), &json!(10))
    );
    let config = json!({ "alias": "to hub", "config": { "defaultProvider": "hub" } });
    let at = format!("realms/tf/authentication/executions/{step}/config");
    let config = admin.must(Method::POST, &at, config).await;
    assert_eq!(
        admin.get(&format!("realms/tf/authentication/config/{config}")).await["config"]["defaultProvider"],
        "hub"
    );
    assert_eq!(names(&admin.get(steps).await, "id")[0], step, "by priority");
    admin.must(Method::PUT, "realms/tf", json!({ "browserFlow": "mine" })).await;
    assert_eq!(admin.get("realms/tf").await["browserFlow"], "mine");
    let profile = admin.get("realms/tf/users/profile").await;
    assert_eq!(
        admin.ask(Method::PUT, "realms/tf/users/profile", Some(profile.clone())).await.json(),
        profile
    );
}

#[tokio::test]
async fn config_cli_runs_twice_and_finds_its_marks() {
    let admin = Admin::new().await;
    let mark = "de.adorsys.keycloak.config.import-checksum-default";
    admin.get("serverinfo").await;
    assert_eq!(admin.ask(Method::GET, "realms/cli", None).await.status, 404);
    admin.must(Method::POST, "realms", json!({ "id": "cli", "realm": "cli", "enabled": true })).await;
    let found = admin.get("realms/cli").await;
    assert_eq!(found.get("attributes").and_then(|all| all.get(mark)), None);
    let import = json!({ "ifResourceExists": "SKIP", "roles": { "realm": [{ "name": "boss" }] } });
    let reply = admin.ask(Method::POST, "realms/cli/partialImport", Some(import.clone())).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["added"]), (200, &json!(1)));
    let states = json!({
        mark: "0123abcd",
        "de.adorsys.keycloak.config.state-default-clients-0": "[\"app\"]",
        "de.adorsys.keycloak.config.state-default-realm-roles-0": "[\"boss\"]",
    });
    admin.must(Method::PUT, "realms/cli", json!({ "realm": "cli", "attributes": states })).await;
    let app = json!({ "clientId": "app", "publicClient": true, "redirectUris": ["http://localhost/*"] });
    let app = admin.must(Method::POST, "realms/cli/clients", app).await;
    let found = admin.get("realms/cli/clients?clientId=app").await;
    assert_eq!(found[0]["id"], json!(app));
    admin.must(Method::PUT, &format!("realms/cli/clients/{app}"), found[0].clone()).await;

    let again = admin.get("realms/cli").await;
    assert!(holds(&again["attributes"], &states), "{again}");
    admin.must(Method::PUT, "realms/cli", again.clone()).await;
    assert_eq!(admin.get("realms/cli").await, again);
    let reply = admin.ask(Method::POST, "realms/cli/partialImport", Some(import)).await;
    assert_eq!(reply.json()["skipped"], 1);
    let exported =
        admin.ask(Method::POST, "realms/cli/partial-export?exportClients=true", Some(json!({}))).await.json();
    assert!(holds(&exported["attributes"], &states));
}
