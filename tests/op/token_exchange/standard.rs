//! Keycloak's standard token exchange, as its realm JSON switches it on.

use serde_json::{Value, json};
use vestibule::testing::{Options, Reply, TestServer, claims};

use super::scene::{ACCESS, EXCHANGE, ID, REFRESH, assert_refused};

/// `gateway` is an audience of `front` and may exchange; its own tokens are for `api`. `elsewhere` is for `billing`.
fn realm() -> Value {
    let audience = |name: &str| {
        json!({
            "name": name, "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
            "config": { "included.client.audience": name, "access.token.claim": "true" },
        })
    };
    let exchanges = json!({ "standard.token.exchange.enabled": "true" });
    let refreshes = json!({
        "standard.token.exchange.enabled": "true",
        "standard.token.exchange.enableRefreshRequestedTokenType": "SAME_SESSION",
    });
    json!({
        "realm": "main", "enabled": true,
        "users": [{
            "username": "alice", "enabled": true, "email": "alice@example.com",
            "credentials": [{ "type": "password", "value": "alice" }],
        }],
        "clients": [
            {
                "clientId": "front", "publicClient": true, "directAccessGrantsEnabled": true,
                "protocolMappers": [audience("gateway"), audience("keeper"), audience("open")],
            },
            {
                "clientId": "elsewhere", "publicClient": true, "directAccessGrantsEnabled": true,
                "protocolMappers": [audience("billing")],
            },
            {
                "clientId": "gateway", "secret": "secret", "attributes": exchanges, "fullScopeAllowed": false,
                "protocolMappers": [audience("api")],
            },
            {
                "clientId": "keeper", "secret": "secret", "attributes": refreshes, "fullScopeAllowed": false,
                "protocolMappers": [audience("api")],
            },
            { "clientId": "open", "publicClient": true, "attributes": exchanges, "protocolMappers": [audience("api")] },
            { "clientId": "api", "secret": "secret" },
            { "clientId": "billing", "secret": "secret" },
        ],
    })
}

struct Scene(TestServer);

impl Scene {
    async fn new() -> Self {
        let options = Options { realm: Some(realm().to_string()), ..Options::default() };
        Self(TestServer::with(options).await.unwrap())
    }

    /// Alice's token of an app.
    async fn token_of(&self, app: &str) -> String {
        let fields = [("grant_type", "password"), ("username", "alice"), ("password", "alice")];
        let reply = self.0.rp(app, None).token_request(&self.0.browser(), &fields).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn exchange(&self, requester: (&str, Option<&str>), token: &str, more: &[(&str, &str)]) -> Reply {
        let mut fields =
            vec![("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ACCESS)];
        fields.extend(more);
        self.0.rp(requester.0, requester.1).token_request(&self.0.browser(), &fields).await
    }
}

const GATEWAY: (&str, Option<&str>) = ("gateway", Some("secret"));
const KEEPER: (&str, Option<&str>) = ("keeper", Some("secret"));

#[tokio::test]
async fn a_token_is_exchanged_for_what_the_clients_own_tokens_are_for() {
    let scene = Scene::new().await;
    let token = scene.token_of("front").await;
    for (row, asked, audience) in [
        ("one of them", &[("audience", "api")][..], json!("api")),
        ("all of them", &[], json!("api")),
        ("itself", &[("audience", "gateway")], json!("gateway")),
        ("both", &[("audience", "api"), ("audience", "gateway")], json!(["api", "gateway"])),
    ] {
        let reply = scene.exchange(GATEWAY, &token, asked).await;
        assert_eq!(reply.status, 200, "{row}: {}", reply.body);
        assert_eq!(reply.json()["issued_token_type"], ACCESS, "{row}");
        let (before, after) = (claims(&token), claims(reply.json()["access_token"].as_str().unwrap()));
        assert_eq!((&after["aud"], &after["azp"]), (&audience, &json!("gateway")), "{row}");
        assert_eq!((&after["sub"], &after["sid"]), (&before["sub"], &before["sid"]), "{row}");
    }
    let own = scene.exchange(GATEWAY, &token, &[("audience", "gateway")]).await.json();
    let own = own["access_token"].as_str().unwrap();
    assert_eq!(scene.exchange(GATEWAY, own, &[("audience", "api")]).await.status, 200, "one that is its own");
}

#[tokio::test]
async fn x02_x03_nothing_wider_is_had_by_it() {
    let scene = Scene::new().await;
    let (token, other) = (scene.token_of("front").await, scene.token_of("elsewhere").await);
    let refresh = ("requested_token_type", REFRESH);
    for (row, requester, token, asked, error) in [
        ("no audience of its own", GATEWAY, &token, &[("audience", "billing")][..], "invalid_target"),
        ("one of two", GATEWAY, &token, &[("audience", "api"), ("audience", "billing")], "invalid_target"),
        (
            "where administrators come in",
            GATEWAY,
            &token,
            &[("audience", "realm-management")],
            "invalid_target",
        ),
        ("no such client", GATEWAY, &token, &[("audience", "none")], "invalid_target"),
        ("X02 meant for another", GATEWAY, &other, &[("audience", "api")], "invalid_request"),
        (
            "a refresh token that is not said",
            GATEWAY,
            &token,
            &[("audience", "api"), refresh],
            "invalid_request",
        ),
        (
            "an ID token",
            GATEWAY,
            &token,
            &[("audience", "api"), ("requested_token_type", ID)],
            "invalid_request",
        ),
        ("more scopes", GATEWAY, &token, &[("scope", "offline_access")], "invalid_scope"),
        ("a public client", ("open", None), &token, &[("audience", "api")], "unauthorized_client"),
    ] {
        assert_refused(&scene.exchange(requester, token, asked).await, error, row);
    }
    let reply = scene.exchange(KEEPER, &token, &[("audience", "api"), refresh]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let kept = reply.json()["refresh_token"].as_str().unwrap().to_owned();
    let rp = scene.0.rp("keeper", Some("secret"));
    let refreshed = rp.refresh(&scene.0.browser(), &kept).await.unwrap();
    assert_eq!(refreshed.access_claims()["aud"], "api");
}
