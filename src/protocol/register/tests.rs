//! What a client may say of itself, row by row: a good registration, and one thing changed.

use super::*;
use crate::protocol::client::GrantType as G;
use crate::protocol::error::ErrorCode;

/// What the realm signs with.
const SIGNS: [Algorithm; 2] = [Algorithm::RS256, Algorithm::ES256];
const NOW: Timestamp = Timestamp(1_800_000_000);

fn offer(realm: &RealmSettings) -> Offer<'_> {
    Offer { realm, signs: &SIGNS, certificates: None, outbound: OutboundRules::default() }
}

fn good() -> Value {
    json!({ "redirect_uris": ["https://app.example/cb"], "client_name": "The App" })
}

/// The good registration with these members.
fn with(members: Value) -> Map<String, Value> {
    let mut all = good().as_object().unwrap().clone();
    all.extend(members.as_object().unwrap().clone());
    all
}

fn register(members: Value) -> Result<ClientSettings, OAuthError> {
    settings(&Metadata::read(&with(members))?, None, offer(&RealmSettings::default()), NOW)
}

/// A key set with one public key (RFC 8037 appendix A.2).
fn keys() -> Value {
    json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] })
}

fn refusal(members: Value) -> &'static str {
    register(members).map_or_else(|error| error.code.wire(), |_| "registered")
}

#[test]
fn rfc7591_2_defaults() {
    let made = register(json!({})).unwrap();
    assert_eq!(made.authentication, ClientAuthentication::Secret);
    assert_eq!(made.grants, BTreeSet::from([G::AuthorizationCode]));
    assert_eq!(made.pkce, Pkce::Required, "the realm's");
    assert!(made.consent, "nobody knows it: the person is asked");
    assert!(!made.full_scope_allowed && !made.native);
    assert_eq!((made.default_scopes, made.optional_scopes), (None, None), "the realm's");
    assert_eq!(made.registered.unwrap().auth_method, "client_secret_basic");
    assert!(made.web_origins.is_empty());
}

#[test]
fn r05_addresses_are_held_to_production() {
    const CODE: &str = "invalid_redirect_uri";
    for (uri, expected) in [
        ("https://app.example/cb?tenant=1", "registered"),
        ("http://127.0.0.1:3000/cb", "registered"),
        ("http://localhost/cb", "registered"),
        ("javascript:alert(1)", CODE),
        ("JaVaScRiPt:alert(1)", CODE),
        (" javascript:alert(1)", CODE),
        ("java\tscript:alert(1)", CODE),
        ("data:text/html,x", CODE),
        ("vbscript:x", CODE),
        ("blob:x", CODE),
        ("file:///etc/passwd", CODE),
        ("http://public.example/cb", CODE),
        ("https://app.example/cb#f", CODE),
        ("https://app.example/*", CODE),
        ("http://localhost:*/*", CODE),
        ("*", CODE),
        ("https://app.example@evil.test/cb", CODE),
        ("https://app.example/cb?code=x", CODE),
        ("com.example.app:/cb", CODE),
        ("", CODE),
    ] {
        assert_eq!(refusal(json!({ "redirect_uris": [uri] })), expected, "{uri:?}");
    }
    assert_eq!(refusal(json!({ "redirect_uris": null })), CODE, "none");
    let native = json!({ "redirect_uris": ["com.example.app:/cb"], "application_type": "native" });
    assert!(register(native).unwrap().native);
    for name in [
        "post_logout_redirect_uris",
        "client_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "backchannel_logout_uri",
    ] {
        for uri in ["javascript:alert(1)", "data:text/html,x", "http://public.example/x"] {
            let value = if name.ends_with("uris") { json!([uri]) } else { json!(uri) };
            assert_eq!(refusal(json!({ name: value })), "invalid_client_metadata", "{name} {uri}");
        }
        let value = if name.ends_with("uris") {
            json!(["https://app.example/x"])
        } else {
            json!("https://app.example/x")
        };
        assert_eq!(refusal(json!({ name: value })), "registered", "{name}");
    }
}

#[test]
fn what_is_refused_and_what_is_not() {
    const BAD: &str = "invalid_client_metadata";
    let several = json!(["https://app.example/cb", "https://other.example/cb"]);
    for (row, members, expected) in [
        (
            "unknown members",
            json!({ "software_statement": "x", "client_name#ja": "y", "foo": {} }),
            "registered",
        ),
        ("null is absent", json!({ "grant_types": null, "contacts": null, "logo_uri": "" }), "registered"),
        ("a number for a text", json!({ "client_name": 7 }), BAD),
        ("a text for a list", json!({ "contacts": "a@example.com" }), BAD),
        ("a number in a list", json!({ "redirect_uris": [7] }), BAD),
        ("a text for a flag", json!({ "backchannel_logout_session_required": "true" }), BAD),
        ("a long list", json!({ "contacts": vec!["x"; 51] }), BAD),
        ("a long text", json!({ "client_name": "x".repeat(3_000) }), BAD),
        ("initiate_login_uri", json!({ "initiate_login_uri": "https://app.example/login" }), "registered"),
        ("initiate_login_uri http", json!({ "initiate_login_uri": "http://app.example/login" }), BAD),
        ("initiate_login_uri loopback", json!({ "initiate_login_uri": "http://localhost/login" }), BAD),
        ("front channel elsewhere", json!({ "frontchannel_logout_uri": "https://evil.test/out" }), BAD),
        ("front channel here", json!({ "frontchannel_logout_uri": "https://app.example/out" }), "registered"),
        ("response type token", json!({ "response_types": ["token"] }), BAD),
        ("response type hybrid", json!({ "response_types": ["code id_token"] }), BAD),
        ("implicit", json!({ "grant_types": ["implicit"] }), BAD),
        ("password", json!({ "grant_types": ["password"] }), BAD),
        ("client_credentials", json!({ "grant_types": ["client_credentials"] }), BAD),
        ("token exchange", json!({ "grant_types": [G::TokenExchange.wire()] }), BAD),
        ("refresh", json!({ "grant_types": ["authorization_code", "refresh_token"] }), "registered"),
        ("public", json!({ "token_endpoint_auth_method": "none" }), "registered"),
        ("post", json!({ "token_endpoint_auth_method": "client_secret_post" }), "registered"),
        (
            "a key of its own",
            json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": keys() }),
            "registered",
        ),
        ("no key", json!({ "token_endpoint_auth_method": "private_key_jwt" }), BAD),
        ("keys twice", json!({ "jwks": keys(), "jwks_uri": "https://app.example/jwks" }), BAD),
        ("a key set that is none", json!({ "jwks": { "keys": "x" } }), BAD),
        ("a shared secret as a key", json!({ "jwks": { "keys": [{ "kty": "oct", "k": "AAAA" }] } }), BAD),
        ("jwks_uri", json!({ "jwks_uri": "https://app.example/jwks" }), "registered"),
        ("jwks_uri http", json!({ "jwks_uri": "http://app.example/jwks" }), BAD),
        ("jwks_uri file", json!({ "jwks_uri": "file:///etc/passwd" }), BAD),
        ("jwks_uri template", json!({ "jwks_uri": "https://${host}/jwks" }), BAD),
        ("assertions signed with", json!({ "token_endpoint_auth_signing_alg": "ES256" }), "registered"),
        ("assertions signed with none", json!({ "token_endpoint_auth_signing_alg": "none" }), BAD),
        ("mutual TLS", json!({ "token_endpoint_auth_method": "tls_client_auth" }), BAD),
        ("another application type", json!({ "application_type": "toaster" }), BAD),
        ("the realm's algorithm", json!({ "id_token_signed_response_alg": "RS256" }), "registered"),
        ("another of the realm's", json!({ "id_token_signed_response_alg": "ES256" }), "registered"),
        ("one that it has no key for", json!({ "id_token_signed_response_alg": "PS256" }), BAD),
        ("signed userinfo", json!({ "userinfo_signed_response_alg": "RS256" }), "registered"),
        ("by another algorithm", json!({ "userinfo_signed_response_alg": "HS256" }), BAD),
        ("signed introspection", json!({ "introspection_signed_response_alg": "RS256" }), "registered"),
        ("none", json!({ "id_token_signed_response_alg": "none" }), BAD),
        ("a shared secret", json!({ "id_token_signed_response_alg": "HS256" }), BAD),
        ("encryption", json!({ "id_token_encrypted_response_alg": "RSA-OAEP" }), BAD),
        ("pairwise", json!({ "subject_type": "pairwise" }), "registered"),
        ("pairwise, several hosts", json!({ "subject_type": "pairwise", "redirect_uris": several }), BAD),
        (
            "pairwise with a sector",
            json!({
                "subject_type": "pairwise", "redirect_uris": several,
                "sector_identifier_uri": "https://app.example/sector.json",
            }),
            "registered",
        ),
        ("sector over http", json!({ "sector_identifier_uri": "http://app.example/s" }), BAD),
        ("subject type", json!({ "subject_type": "secret" }), BAD),
    ] {
        assert_eq!(refusal(members), expected, "{row}");
    }
}

#[test]
fn rfc9101_10_5_who_signs_its_requests_says_by_what() {
    const BAD: &str = "invalid_client_metadata";
    for (row, members, expected) in [
        ("signed always", json!({ "require_signed_request_object": true, "jwks": keys() }), "registered"),
        ("without a key", json!({ "require_signed_request_object": true }), BAD),
        ("not at all, without a key", json!({ "require_signed_request_object": false }), "registered"),
        ("a text for a flag", json!({ "require_signed_request_object": "true", "jwks": keys() }), BAD),
        ("by one algorithm", json!({ "request_object_signing_alg": "EdDSA", "jwks": keys() }), "registered"),
        ("by one, without a key", json!({ "request_object_signing_alg": "EdDSA" }), BAD),
        ("by none", json!({ "request_object_signing_alg": "none", "jwks": keys() }), BAD),
        ("by a shared secret", json!({ "request_object_signing_alg": "HS256", "jwks": keys() }), BAD),
        ("encrypted", json!({ "request_object_encryption_alg": "RSA-OAEP", "jwks": keys() }), BAD),
        ("N02 over http", json!({ "request_uris": ["http://app.example/r.jwt"], "jwks": keys() }), BAD),
        ("N02 a file", json!({ "request_uris": ["file:///etc/passwd"], "jwks": keys() }), BAD),
        (
            "N02 a name and a word",
            json!({ "request_uris": ["https://a@app.example/r"], "jwks": keys() }),
            BAD,
        ),
        ("no list", json!({ "request_uris": "https://app.example/r.jwt", "jwks": keys() }), BAD),
        ("without a key, by reference", json!({ "request_uris": ["https://app.example/r.jwt"] }), BAD),
    ] {
        assert_eq!(refusal(members), expected, "{row}");
    }
    let uris = json!(["https://app.example/r.jwt#8f3a", "https://app.example/other.jwt"]);
    let made = register(json!({ "request_uris": uris, "jwks_uri": "https://app.example/jwks" })).unwrap();
    assert_eq!(json!(made.request_uris), uris);
}

#[test]
fn a_client_gives_itself_nothing() {
    let greedy = json!({
        "scope": "openid admin reports:read", "default_scopes": ["admin"], "roles": ["admin"], "audiences": ["api"],
        "full_scope_allowed": true, "consent": false, "pkce": "optional", "enabled": true, "exchange": [],
        "web_origins": ["*"], "mappers": [{}], "not_before": 0,
    });
    let plain = register(json!({})).unwrap();
    assert_eq!(register(greedy).unwrap(), plain);
}

#[test]
fn the_realm_says_what_is_handed_out() {
    let realm = RealmSettings {
        registration_grants: BTreeSet::from([G::ClientCredentials]),
        registration_pkce: Pkce::Optional,
        ..RealmSettings::default()
    };
    let of = |members: Value| settings(&Metadata::read(&with(members)).unwrap(), None, offer(&realm), NOW);
    let service = of(json!({ "grant_types": ["client_credentials"], "redirect_uris": [] })).unwrap();
    assert_eq!((service.grants, service.pkce), (BTreeSet::from([G::ClientCredentials]), Pkce::Optional));
    assert!(of(json!({})).is_err(), "authorization_code is not on the list");
    let public = json!({ "grant_types": ["client_credentials"], "token_endpoint_auth_method": "none" });
    assert!(of(public).is_err(), "it cannot prove itself");
    let open = RealmSettings { registration_pkce: Pkce::Optional, ..RealmSettings::default() };
    let public = Metadata::read(&with(json!({ "token_endpoint_auth_method": "none" }))).unwrap();
    let public = settings(&public, None, offer(&open), NOW).unwrap();
    assert_eq!((public.pkce, public.web_origins), (Pkce::Required, vec!["+".to_owned()]));
}

#[test]
fn rfc7592_2_2_an_update_replaces_what_is_the_clients_and_nothing_else() {
    let first =
        register(json!({ "contacts": ["a@example.com"], "tos_uri": "https://app.example/tos" })).unwrap();
    let operators = ClientSettings {
        consent: false,
        audiences: vec!["api".into()],
        optional_scopes: Some(vec!["reports:read".into()]),
        not_before: Some(NOW),
        ..first
    };
    let metadata = Metadata::read(&with(json!({ "client_name": "Renamed" }))).unwrap();
    let after =
        settings(&metadata, Some(&operators), offer(&RealmSettings::default()), NOW.plus(99)).unwrap();
    assert_eq!(after.name.as_deref(), Some("Renamed"));
    assert_eq!((&after.tos_uri, after.registered.as_ref().unwrap().contacts.len()), (&None, 0));
    assert_eq!(after.registered.as_ref().unwrap().at, NOW, "when it registered");
    let unchanged = ClientSettings {
        name: operators.name.clone(),
        tos_uri: operators.tos_uri.clone(),
        registered: operators.registered.clone(),
        ..after
    };
    assert_eq!(unchanged, operators);
}

#[test]
fn registration_5_the_sector_lists_every_redirect_uri() {
    let metadata = Metadata::read(good().as_object().unwrap()).unwrap();
    for (document, good) in [
        (r#"["https://app.example/cb", "https://other.example/cb"]"#, true),
        (r#"["https://other.example/cb"]"#, false),
        ("[]", false),
        (r#"{"redirect_uris":["https://app.example/cb"]}"#, false),
        (r#"[7]"#, false),
        ("<html>", false),
        ("", false),
    ] {
        assert_eq!(check_sector(document.as_bytes(), &metadata).is_ok(), good, "{document}");
    }
}

#[test]
fn rfc7591_3_2_1_what_is_told_back() {
    let metadata = json!({
        "grant_types": ["authorization_code", "refresh_token"], "contacts": ["a@example.com"],
        "initiate_login_uri": "https://app.example/login", "software_id": "s", "software_version": "1.0",
        "token_endpoint_auth_method": "client_secret_post",
    });
    let client = Client {
        id: "id".into(),
        realm_id: "r".into(),
        client_id: "client".into(),
        enabled: true,
        secret_hash: Some("hash".into()),
        settings: register(metadata).unwrap(),
    };
    let realm = RealmSettings::default();
    let told = Value::Object(describe(&client, &realm));
    assert_eq!(
        told,
        json!({
            "client_id": "client",
            "client_id_issued_at": NOW.0,
            "redirect_uris": ["https://app.example/cb"],
            "response_types": ["code"],
            "grant_types": ["authorization_code", "refresh_token"],
            "application_type": "web",
            "contacts": ["a@example.com"],
            "client_name": "The App",
            "scope": "openid basic profile email roles web-origins acr address phone offline_access microprofile-jwt",
            "subject_type": "public",
            "id_token_signed_response_alg": "RS256",
            "token_endpoint_auth_method": "client_secret_post",
            "request_uris": [],
            "require_signed_request_object": false,
            "require_pushed_authorization_requests": false,
            "dpop_bound_access_tokens": false, "tls_client_certificate_bound_access_tokens": false,
            "initiate_login_uri": "https://app.example/login",
            "post_logout_redirect_uris": [],
            "backchannel_logout_session_required": false,
            "frontchannel_logout_session_required": false,
            "software_id": "s",
            "software_version": "1.0",
        })
    );
    let signed = register(json!({ "id_token_signed_response_alg": "ES256" })).unwrap();
    assert_eq!(
        describe(&Client { settings: signed, ..client.clone() }, &realm)["id_token_signed_response_alg"],
        "ES256"
    );
    // It may be sent back as it came.
    let again = Metadata::read(told.as_object().unwrap()).unwrap();
    assert_eq!(settings(&again, Some(&client.settings), offer(&realm), NOW).unwrap(), client.settings);
}

/// RFC 8705 §2.1.2, §2.2, §3.4: what is registered must be what the server can look at.
#[test]
fn rfc8705_2_certificates_are_registered_where_they_are_asked_for() {
    let realm = RealmSettings::default();
    let (some, trusting) = (
        ClientCertificates { authorities: false, base: None },
        ClientCertificates { authorities: true, base: None },
    );
    let of = |members: &Value, certificates: Option<&ClientCertificates>| {
        let metadata = Metadata::read(&with(members.clone()))?;
        settings(&metadata, None, Offer { certificates, ..offer(&realm) }, NOW)
    };
    let named = |more: Value| {
        let mut all = json!({ "token_endpoint_auth_method": "tls_client_auth" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let dn = "tls_client_auth_subject_dn";
    let bound = "tls_client_certificate_bound_access_tokens";
    let own = json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": keys() });
    for (case, members, [nowhere, anyones, authorities]) in [
        ("by name", named(json!({ dn: "CN=robot,O=Acme" })), [false, false, true]),
        ("by a DNS name", named(json!({ "tls_client_auth_san_dns": "robot.example" })), [false, false, true]),
        ("without a name", named(json!({})), [false; 3]),
        ("an empty name", named(json!({ dn: "" })), [false; 3]),
        ("two names", named(json!({ dn: "CN=robot", "tls_client_auth_san_ip": "192.0.2.1" })), [false; 3]),
        ("no such name", named(json!({ "tls_client_auth_san_ip": "robot" })), [false; 3]),
        ("a name of no form", named(json!({ dn: "robot" })), [false; 3]),
        ("a name for nobody to look at", json!({ dn: "CN=robot" }), [false; 3]),
        ("its own", own.clone(), [false, true, true]),
        (
            "its own without a key",
            json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth" }),
            [false; 3],
        ),
        ("bound", json!({ bound: true }), [false, true, true]),
        ("not bound", json!({ bound: false }), [true; 3]),
        ("bound twice", json!({ bound: true, "dpop_bound_access_tokens": true }), [false; 3]),
    ] {
        for (place, asked, good) in [
            ("nowhere", None, nowhere),
            ("asked", Some(&some), anyones),
            ("trusted", Some(&trusting), authorities),
        ] {
            let result = of(&members, asked);
            assert_eq!(result.is_ok(), good, "{case}, {place}: {result:?}");
            let code = result.map_or_else(
                |error| error.code,
                |_| crate::protocol::error::ErrorCode::InvalidClientMetadata,
            );
            assert_eq!(code, crate::protocol::error::ErrorCode::InvalidClientMetadata, "{case}, {place}");
        }
    }
    let made = of(&named(json!({ dn: "CN=robot,O=Acme", bound: true })), Some(&trusting)).unwrap();
    assert_eq!(made.authentication, ClientAuthentication::TlsClientAuth);
    assert!(made.tls_client_certificate_bound_access_tokens);
    let client = Client {
        id: "1".into(),
        realm_id: "r".into(),
        client_id: "robot".into(),
        enabled: true,
        secret_hash: None,
        settings: made,
    };
    let told = describe(&client, &realm);
    assert_eq!(told["token_endpoint_auth_method"], "tls_client_auth");
    assert_eq!((&told[dn], &told[bound]), (&json!("CN=robot,O=Acme"), &json!(true)));
    // RFC 7592 §2.2: what is left out is gone.
    let without = settings(
        &Metadata::read(&with(own)).unwrap(),
        Some(&client.settings),
        Offer { certificates: Some(&trusting), ..offer(&realm) },
        NOW,
    );
    let without = without.unwrap();
    assert_eq!(without.authentication, ClientAuthentication::SelfSignedTlsClientAuth);
    assert_eq!((without.tls_client_auth, without.tls_client_certificate_bound_access_tokens), (None, false));
}

#[test]
fn n02_what_this_server_would_never_call_is_not_registered() {
    let realm = RealmSettings::default();
    let lax = OutboundRules { private: true, http: true };
    let never = "https://169.254.169.254/x";
    for (uri, strictly, laxly) in [
        ("https://app.example/x", true, true),
        ("https://10.0.0.1/x", false, true),
        ("https://[::1]/x", false, true),
        (never, false, false),
        ("http://app.example/x", false, false),
    ] {
        for (member, value) in [
            ("jwks_uri", json!(uri)),
            ("request_uris", json!([uri])),
            ("backchannel_logout_uri", json!(uri)),
            ("sector_identifier_uri", json!(uri)),
        ] {
            let mut members = json!({ member: value });
            if member == "request_uris" {
                members["jwks_uri"] = json!("https://app.example/keys");
            }
            let metadata = Metadata::read(&with(members)).unwrap();
            for (outbound, taken) in [(OutboundRules::default(), strictly), (lax, laxly)] {
                let found = settings(&metadata, None, Offer { outbound, ..offer(&realm) }, NOW);
                let code = found.as_ref().err().map(|error| error.code);
                let expected = (!taken).then_some(ErrorCode::InvalidClientMetadata);
                assert_eq!(code, expected, "{member} {uri} {outbound:?}");
            }
        }
    }
}

/// OpenID Connect Registration 1.0 §2, JARM §3: to ignore one of these would be to promise it.
#[test]
fn registration_2_what_is_kept_is_told_back_and_what_cannot_be_is_refused() {
    let realm = RealmSettings::default();
    let said = json!({
        "default_max_age": 0, "default_acr_values": ["gold", "silver"], "require_auth_time": true,
        "authorization_signed_response_alg": "ES256", "token_endpoint_auth_method": "client_secret_jwt",
        "token_endpoint_auth_signing_alg": "HS256",
    });
    let settings = register(said.clone()).unwrap();
    assert_eq!(settings.authentication, ClientAuthentication::ClientSecretJwt);
    assert_eq!(settings.authorization_signed_response_alg, Some(Algorithm::ES256));
    let client = Client {
        id: "id".into(),
        realm_id: "r".into(),
        client_id: "client".into(),
        enabled: true,
        secret_hash: Some("hash".into()),
        settings,
    };
    let told = describe(&client, &realm);
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(told.get(name), Some(value), "{name}");
    }
    for (row, members) in [
        ("an age that is none", json!({ "default_max_age": -1 })),
        ("a text for an age", json!({ "default_max_age": "60" })),
        ("a value that a request would part", json!({ "default_acr_values": ["gold silver"] })),
        ("a text for a flag", json!({ "require_auth_time": "yes" })),
        ("nobody signs so", json!({ "authorization_signed_response_alg": "none" })),
        ("a secret does not sign so", {
            json!({ "token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": "RS256" })
        }),
    ] {
        assert_eq!(register(members).unwrap_err().code, ErrorCode::InvalidClientMetadata, "{row}");
    }
}
