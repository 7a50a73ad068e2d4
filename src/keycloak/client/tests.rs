//! From Keycloak's JSON to a client and back.

use serde_json::json;

use super::*;
use crate::protocol::grants::token_exchange::ExchangeRule;

fn read(representation: Value) -> ClientRead {
    let mut count = 0;
    let mut id = || {
        count += 1;
        format!("id{count}")
    };
    from_representation(serde_json::from_value(representation).unwrap(), begin("r", "", "c1".into()), &mut id)
}

fn written(read: &ClientRead) -> Value {
    let mut kept = Kept::new();
    super::super::overlay(&mut kept, read.kept.clone());
    let secret = read.secret.as_ref().map(Secret::expose);
    serde_json::to_value(to_representation(&read.client, secret, &RealmSettings::default(), kept)).unwrap()
}

#[test]
fn grants_follow_the_switches() {
    use GrantType::{
        AuthorizationCode, ClientCredentials, DeviceCode, Password, RefreshToken, TokenExchange,
    };
    for (name, representation, expected) in [
        ("as it begins", json!({}), vec![AuthorizationCode, RefreshToken]),
        ("nothing", json!({ "standardFlowEnabled": false }), vec![]),
        (
            "a service",
            json!({ "standardFlowEnabled": false, "serviceAccountsEnabled": true }),
            vec![ClientCredentials],
        ),
        (
            "passwords",
            json!({ "standardFlowEnabled": "false", "directAccessGrantsEnabled": true }),
            vec![RefreshToken, Password],
        ),
        (
            "a device",
            json!({ "attributes": { "oauth2.device.authorization.grant.enabled": "true" } }),
            vec![AuthorizationCode, RefreshToken, DeviceCode],
        ),
        (
            "exchange, as a switch of JSON",
            json!({ "attributes": { "standard.token.exchange.enabled": true } }),
            vec![AuthorizationCode, RefreshToken, TokenExchange],
        ),
        ("no refresh", json!({ "attributes": { "use.refresh.tokens": "false" } }), vec![AuthorizationCode]),
        ("bearer only", json!({ "bearerOnly": true, "directAccessGrantsEnabled": true }), vec![]),
        ("another protocol", json!({ "protocol": "saml" }), vec![]),
    ] {
        let read = read(representation);
        let expected: std::collections::BTreeSet<GrantType> = expected.into_iter().collect();
        assert_eq!(read.client.settings.grants, expected, "{name}");
    }
}

#[test]
fn the_switch_of_standard_exchange_is_a_rule_for_every_service() {
    let switch = "standard.token.exchange.enabled";
    let refresh = "standard.token.exchange.enableRefreshRequestedTokenType";
    for (row, attributes, expected) in [
        ("on", json!({ switch: "true" }), vec![ExchangeRule::standard(false)]),
        (
            "with refresh",
            json!({ switch: true, refresh: "SAME_SESSION" }),
            vec![ExchangeRule::standard(true)],
        ),
        ("without refresh", json!({ switch: "true", refresh: "NO" }), vec![ExchangeRule::standard(false)]),
        ("off", json!({ switch: "false", refresh: "SAME_SESSION" }), vec![]),
        ("not said", json!({}), vec![]),
    ] {
        let first = read(json!({ "clientId": "gateway", "attributes": attributes }));
        assert_eq!(first.client.settings.exchange, expected, "{row}");
        let out = written(&first);
        let again = read(out.clone());
        assert_eq!(again.client.settings.exchange, expected, "{row}: {out}");
        assert_eq!(again.client.settings.grants, first.client.settings.grants, "{row}: {out}");
        assert!(out["attributes"].get("vestibule.settings").is_none(), "{row}: {out}");
        let off = from_representation(
            serde_json::from_value(json!({ "attributes": { switch: "false" } })).unwrap(),
            first.client,
            &mut String::new,
        );
        assert_eq!(off.client.settings.exchange, [], "{row}: switched off");
    }
    // A rule of this server's own is no switch, and none is added to it.
    let rule = json!({ "exchange": [{ "audience": "api", "impersonation": true }] });
    let own = read(json!({ "attributes": { switch: "true", "vestibule.settings": rule.to_string() } }));
    let audiences: Vec<&str> =
        own.client.settings.exchange.iter().map(|rule| rule.audience.as_str()).collect();
    assert_eq!(audiences, ["api"]);
    assert_eq!(read(written(&own)).client.settings.exchange, own.client.settings.exchange);
}

#[test]
fn relative_addresses_hang_on_the_root_and_are_written_as_they_were() {
    let read = read(json!({
        "clientId": "app", "rootUrl": "https://app.example/", "baseUrl": "/home",
        "redirectUris": ["/cb", "/silent/*", "http://localhost:3000/*"],
        "webOrigins": ["https://app.example/", "+"],
        "attributes": { "post.logout.redirect.uris": "/bye##https://other.example/##+" },
    }));
    let settings = &read.client.settings;
    assert_eq!(
        settings.redirect_uris,
        ["https://app.example/cb", "https://app.example/silent/*", "http://localhost:3000/*"]
    );
    assert_eq!(
        settings.post_logout_redirect_uris,
        ["https://app.example/bye", "https://other.example/", "+"]
    );
    assert_eq!(settings.web_origins, ["https://app.example", "+"]);
    let out = written(&read);
    assert_eq!(out["redirectUris"], json!(["/cb", "/silent/*", "http://localhost:3000/*"]));
    assert_eq!((&out["rootUrl"], &out["baseUrl"]), (&json!("https://app.example/"), &json!("/home")));
}

/// What goes out and comes in again is the same record, and goes out the same.
#[test]
fn writing_and_reading_come_to_rest() {
    for (name, representation) in [
        ("nothing", json!({ "clientId": "app" })),
        (
            "everything",
            json!({
                "id": "c1", "clientId": "app", "name": "App", "description": "The app", "publicClient": false,
                "rootUrl": "https://app.example", "redirectUris": ["/cb"], "webOrigins": ["+"], "secret": "s",
                "clientAuthenticatorType": "client-x509", "surrogateAuthRequired": false, "notBefore": 12,
                "nodeReRegistrationTimeout": -1, "fullScopeAllowed": false, "consentRequired": true,
                "authenticationFlowBindingOverrides": { "browser": "f1" }, "futureField": { "a": [1, null] },
                "defaultClientScopes": ["web-origins"], "frontchannelLogout": true, "implicitFlowEnabled": true,
                "attributes": {
                    "access.token.lifespan": "60", "client.session.idle.timeout": "0", "acr.loa.map": "{}",
                    "pkce.code.challenge.method": "S256", "backchannel.logout.url": "https://app.example/bcl",
                    "frontchannel.logout.url": "https://app.example/fcl", "request.object.required": "request only",
                    "request.object.signature.alg": "any", "id.token.signed.response.alg": "ES256",
                    "access.token.signed.response.alg": "HS512", "dpop.bound.access.tokens": "false",
                    "use.jwks.url": "true", "jwks.url": "https://app.example/jwks",
                    "vestibule.settings": "{\"audiences\":[\"api\"],\"native\":true}",
                },
                "protocolMappers": [{
                    "id": "m1", "name": "dept", "protocol": "openid-connect",
                    "protocolMapper": "oidc-usermodel-attribute-mapper", "consentRequired": false,
                    "config": { "claim.name": "dept", "multivalued": true }, "future": 1,
                }],
            }),
        ),
        (
            "saml",
            json!({ "clientId": "urn:sp", "protocol": "saml", "attributes": { "saml.encrypt": "true" } }),
        ),
        (
            "front channel off",
            json!({
                "clientId": "app", "frontchannelLogout": false,
                "attributes": { "frontchannel.logout.url": "https://app.example/fcl" },
            }),
        ),
    ] {
        let first = written(&read(representation.clone()));
        let second = written(&read(first.clone()));
        assert_eq!(first, second, "{name}");
        for field in
            ["futureField", "authenticationFlowBindingOverrides", "clientAuthenticatorType", "secret"]
        {
            if let Some(value) = representation.get(field) {
                assert_eq!(first.get(field), Some(value), "{name}: {field}");
            }
        }
    }
}

#[test]
fn what_this_server_acts_upon_is_in_the_record() {
    let read = read(json!({
        "clientId": "app", "publicClient": true, "optionalClientScopes": ["phone"],
        "attributes": {
            "access.token.lifespan": "60", "access.token.signed.response.alg": "ES256", "acr.loa.map": "{}",
            "oauth2.device.code.lifespan": "120", "oauth2.device.polling.interval": "1",
            "vestibule.settings": "{\"audiences\":[\"api\"],\"full_scope_allowed\":false}",
        },
    }));
    let settings = &read.client.settings;
    assert!(
        read.client.is_public() && settings.full_scope_allowed,
        "the attribute sets no more than its own"
    );
    assert_eq!(settings.access_token, Some(60));
    assert_eq!((settings.device_code, settings.device_interval), (Some(120), Some(1)));
    assert_eq!(settings.signature_algorithm.map(|one| one.name()), Some("ES256"));
    assert_eq!(settings.audiences, ["api"]);
    assert_eq!(settings.default_scopes.as_deref(), Some(&[][..]));
    assert_eq!(settings.optional_scopes.as_deref(), Some(&["phone".to_owned()][..]));
    assert_eq!(read.kept["attributes"], json!({ "acr.loa.map": "{}" }));
    assert!(read.secret.is_none());
}

#[test]
fn a_masked_secret_is_no_secret() {
    assert!(read(json!({ "secret": MASK })).secret.is_none());
    assert!(read(json!({ "secret": "" })).secret.is_none());
    assert_eq!(read(json!({ "secret": "s" })).secret, Some("s".into()));
}

#[test]
fn spans_have_an_end() {
    for (name, span, refused) in [
        ("access.token.lifespan", "315360000", false),
        ("access.token.lifespan", "315360001", true),
        ("oauth2.device.code.lifespan", "3600", false),
        ("oauth2.device.code.lifespan", "3601", true),
        ("oauth2.device.polling.interval", "601", true),
    ] {
        let client = serde_json::from_value(json!({ "attributes": { name: span } })).unwrap();
        assert_eq!(problem(&client).is_some(), refused, "{name}: {span}");
    }
}
