//! Tests of request objects: what is accepted, and what becomes of its members.

use serde_json::json;

use super::*;
use crate::protocol::client::ClientSettings;

const NOW: Timestamp = Timestamp(1_800_000_000);
const ISSUER: &str = "https://op.example/realms/main";

fn client(strict: bool) -> Client {
    let settings = ClientSettings {
        require_signed_request_object: strict,
        request_uris: vec!["https://app.example/r.jwt#v1".into(), "https://app.example/s.jwt".into()],
        ..ClientSettings::default()
    };
    let (id, realm_id, client_id) = ("1".into(), "r".into(), "app".into());
    Client { id, realm_id, client_id, enabled: true, secret_hash: None, settings }
}

fn outer(pairs: &[(&str, &str)]) -> RequestParameters {
    RequestParameters(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

/// Good members with these changed; `null` takes one away.
fn with(changes: &[(&str, Value)]) -> Claims {
    let mut members = json!({
        "iss": "app", "aud": ISSUER, "client_id": "app", "nbf": NOW.0 - 5, "iat": NOW.0 - 5, "exp": NOW.0 + 300,
        "response_type": "code", "redirect_uri": "https://app.example/cb", "scope": "openid", "state": "inside",
    });
    for (name, value) in changes {
        members[*name] = value.clone();
    }
    let mut members = members.as_object().unwrap().clone();
    members.retain(|_, value| !value.is_null());
    Claims::new(members)
}

fn read(claims: &Claims, strict: bool) -> Result<RequestParameters, ErrorCode> {
    let outer =
        outer(&[("client_id", "app"), ("response_type", "code"), ("state", "outside"), ("nonce", "n")]);
    parameters(Some("oauth-authz-req+jwt"), claims, &outer, &client(strict), ISSUER, NOW)
        .map_err(|error| error.code)
}

#[test]
fn rfc9101_6_3_only_what_is_inside_counts() {
    let changes = [
        ("max_age", json!(60)),
        ("claims", json!({"userinfo": {"name": null}})),
        ("authorization_details", json!([{"type": "files"}])),
        ("prompt", json!("")),
        ("resource", json!(["https://a.example", "https://b.example"])),
        ("something", json!({"else": true})),
    ];
    let inner = read(&with(&changes), false).unwrap();
    let expected = outer(&[
        ("authorization_details", r#"[{"type":"files"}]"#),
        ("claims", r#"{"userinfo":{"name":null}}"#),
        ("client_id", "app"),
        ("max_age", "60"),
        ("redirect_uri", "https://app.example/cb"),
        ("resource", "https://a.example https://b.example"),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "inside"),
    ]);
    assert_eq!(inner, expected);
}

/// (name, claim, value, whether a client may send it, whether one that always signs may)
type Row = (&'static str, &'static str, Value, bool, bool);

#[test]
fn who_for_whom_and_when() {
    let rows: [Row; 29] = [
        ("good", "state", json!("x"), true, true),
        ("no iss", "iss", Value::Null, true, false),
        ("another iss", "iss", json!("other"), false, false),
        ("iss as a list", "iss", json!(["app"]), false, false),
        ("no aud", "aud", Value::Null, true, false),
        ("aud with others", "aud", json!(["https://other.example", ISSUER]), true, true),
        ("another aud", "aud", json!("https://other.example"), false, false),
        ("aud with a slash more", "aud", json!(format!("{ISSUER}/")), false, false),
        ("no client_id", "client_id", Value::Null, false, false),
        ("another client_id", "client_id", json!("other"), false, false),
        ("sub is the client", "sub", json!("app"), false, false),
        ("sub is a person", "sub", json!("alice"), true, true),
        ("no exp", "exp", Value::Null, true, false),
        ("expired", "exp", json!(NOW.0 - LEEWAY), false, false),
        ("a clock behind", "exp", json!(NOW.0 - LEEWAY + 1), true, true),
        ("exp a text", "exp", json!("1800000300"), false, false),
        ("exp in 60 minutes", "exp", json!(NOW.0 - 5 + LONGEST), true, true),
        ("exp later than that", "exp", json!(NOW.0 - 4 + LONGEST), true, false),
        ("no nbf", "nbf", Value::Null, true, false),
        ("nbf ahead", "nbf", json!(NOW.0 + LEEWAY + 1), false, false),
        ("a clock ahead", "nbf", json!(NOW.0 + 8), true, true),
        ("nbf 61 minutes ago", "nbf", json!(NOW.0 - 3_660), true, false),
        ("iat ahead", "iat", json!(NOW.0 + 61), false, false),
        ("no iat", "iat", Value::Null, true, true),
        ("request inside", "request", json!("a.b.c"), false, false),
        ("request_uri inside", "request_uri", json!("https://app.example/r.jwt"), false, false),
        ("a state that is a number", "state", json!(7), false, false),
        ("a resource that is a number", "resource", json!(["https://a.example", 1]), false, false),
        ("a NUL", "state", json!("a\0b"), false, false),
    ];
    for (case, claim, value, usual, strict) in rows {
        for (is_strict, good) in [(false, usual), (true, strict)] {
            let outcome = read(&with(&[(claim, value.clone())]), is_strict);
            let refusal = (!good).then_some(ErrorCode::InvalidRequestObject);
            assert_eq!(outcome.err(), refusal, "{case}, strict: {is_strict}");
        }
    }
}

#[test]
fn core_6_1_response_type_outside_must_agree() {
    let disagreeing = with(&[("response_type", json!("code id_token"))]);
    assert_eq!(read(&disagreeing, false), Err(ErrorCode::InvalidRequest));
    assert!(read(&with(&[("response_type", Value::Null)]), false).unwrap().get("response_type").is_none());
}

#[test]
fn rfc8725_3_11_other_kinds_of_token_are_no_request() {
    for (typ, good) in [
        (None, true),
        (Some("JWT"), true),
        (Some("application/oauth-authz-req+jwt"), true),
        (Some("OAUTH-AUTHZ-REQ+JWT"), true),
        (Some("dpop+jwt"), false),
        (Some("client-authentication+jwt"), false),
        (Some("application/"), false),
        (Some(""), false),
    ] {
        let outcome = parameters(typ, &with(&[]), &outer(&[]), &client(false), ISSUER, NOW);
        assert_eq!(outcome.is_ok(), good, "{typ:?}");
    }
}

#[test]
fn core_6_2_addresses_are_registered_and_fragments_do_not_count() {
    let known = client(false);
    for (uri, found) in [
        ("https://app.example/r.jwt", Ok("https://app.example/r.jwt")),
        ("https://app.example/r.jwt#v2", Ok("https://app.example/r.jwt")),
        ("https://app.example/s.jwt#x", Ok("https://app.example/s.jwt")),
        ("https://app.example/t.jwt", Err(ErrorCode::InvalidRequestUri)),
        ("https://app.example/r.jwt?x", Err(ErrorCode::InvalidRequestUri)),
        ("https://evil.test/", Err(ErrorCode::InvalidRequestUri)),
        ("", Err(ErrorCode::InvalidRequestUri)),
    ] {
        assert_eq!(registered(uri, &known).map_err(|error| error.code), found, "{uri}");
    }
    let mut none = client(false);
    none.settings.request_uris.clear();
    let refusal = registered("https://app.example/r.jwt", &none).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::RequestUriNotSupported);
}

#[test]
fn algorithms_are_the_registered_one_or_any_and_never_none() {
    let with = |name: Option<&str>| {
        let mut client = client(false);
        client.settings.request_object_signing_alg = name.map(str::to_owned);
        algorithms(&client)
    };
    assert_eq!(with(None), Algorithm::ALL);
    assert_eq!(with(Some("PS256")), [Algorithm::PS256]);
    for name in ["none", "HS256", ""] {
        assert_eq!(with(Some(name)), [], "{name:?}");
    }
}
