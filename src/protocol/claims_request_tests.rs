//! Tests of the `claims` parameter: what is read, what is granted.

use super::*;
use crate::protocol::built_in::fresh_realm;
use crate::protocol::client::ClientSettings;
use crate::protocol::scope;

fn read(text: &str) -> Result<ClaimsRequest, ErrorCode> {
    ClaimsRequest::read(Some(text)).map_err(|error| error.code)
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn core_5_5_the_example_of_the_specification() {
    let text = r#"{
        "userinfo": {
            "given_name": {"essential": true}, "nickname": null, "email": {"essential": true},
            "email_verified": {"essential": true}, "picture": null, "http://example.info/claims/groups": null
        },
        "id_token": {
            "auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}
        }
    }"#;
    let request = read(text).unwrap();
    let userinfo =
        ["email", "email_verified", "given_name", "http://example.info/claims/groups", "nickname", "picture"];
    assert_eq!(request.names.userinfo, names(&userinfo));
    assert_eq!(request.names.id_token, names(&["acr", "auth_time"]));
    let silver = Wish { values: vec!["urn:mace:incommon:iap:silver".into()], essential: false };
    assert_eq!(request.acr, Some(silver));
    assert_eq!(ClaimsRequest::read(None), Ok(ClaimsRequest::default()));
}

#[test]
fn core_5_5_1_who_and_how() {
    let subjects = |text: &str| read(text).unwrap().subjects;
    assert_eq!(subjects(r#"{"id_token":{"sub":{"value":"248289761001"}}}"#), ["248289761001"]);
    assert_eq!(subjects(r#"{"userinfo":{"sub":{"values":["a","b"]}}}"#), ["a", "b"]);
    assert!(subjects(r#"{"id_token":{"sub":{"essential":true}}}"#).is_empty());
    let acr = |text: &str| read(text).unwrap().acr;
    let essential = Wish { values: vec!["2".into()], essential: true };
    assert_eq!(acr(r#"{"id_token":{"acr":{"essential":true,"value":"2"}}}"#), Some(essential));
    assert_eq!(acr(r#"{"userinfo":{"acr":{"value":"2"}}}"#), None, "the ID token says how one signed in");
    assert_eq!(acr(r#"{"id_token":{"acr":null}}"#), None);
}

#[test]
fn what_is_not_understood_is_passed_over() {
    for text in [
        "{}",
        r#"{"access_token":{"x":7}}"#,
        r#"{"userinfo":{"name#ja-Kana-JP":null}}"#,
        r#"{"userinfo":{"email":{"purpose":"to write to you"}}}"#,
        r#"{"userinfo":{"email":{"value":["any",{"thing":1}]}}}"#,
    ] {
        assert!(read(text).is_ok(), "{text}");
    }
}

#[test]
fn malformed_parameters_are_refused() {
    let long = format!("{{\"userinfo\":{{\"{}\":null}}}}", "x".repeat(MOST_BYTES));
    for (case, text) in [
        ("no JSON", "name"),
        ("a list", "[]"),
        ("a member twice", r#"{"userinfo":{},"userinfo":{}}"#),
        ("a claim twice", r#"{"userinfo":{"name":null,"name":{}}}"#),
        ("something after", "{}{}"),
        ("a list of names", r#"{"userinfo":["name"]}"#),
        ("null for a place", r#"{"userinfo":null}"#),
        ("a claim that is true", r#"{"userinfo":{"name":true}}"#),
        ("essential as a text", r#"{"userinfo":{"name":{"essential":"true"}}}"#),
        ("values that are no list", r#"{"userinfo":{"name":{"values":"a"}}}"#),
        ("no values", r#"{"userinfo":{"name":{"values":[]}}}"#),
        ("both", r#"{"id_token":{"acr":{"value":"1","values":["1"]}}}"#),
        ("a sub that is a number", r#"{"id_token":{"sub":{"value":1}}}"#),
        ("an empty acr", r#"{"id_token":{"acr":{"value":""}}}"#),
        ("an acr in a list that is a number", r#"{"id_token":{"acr":{"values":["1",2]}}}"#),
        ("too long", long.as_str()),
    ] {
        assert_eq!(read(text), Err(ErrorCode::InvalidRequest), "{case}");
    }
}

fn client(default: &[&str], optional: &[&str], mappers: Vec<Mapper>) -> Client {
    let list = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let settings = ClientSettings {
        default_scopes: list(default),
        optional_scopes: list(optional),
        mappers,
        ..ClientSettings::default()
    };
    Client {
        id: "1".into(),
        realm_id: "r".into(),
        client_id: "app".into(),
        enabled: true,
        secret_hash: None,
        settings,
    }
}

fn own(claim: &str, target: &str) -> Mapper {
    let config = [("claim.name", claim), ("claim.value", "x"), (target, "true")];
    Mapper {
        name: claim.into(),
        kind: "oidc-hardcoded-claim-mapper".into(),
        config: config.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..Mapper::default()
    }
}

#[test]
fn a_claim_is_granted_when_a_scope_of_the_client_makes_it() {
    let fresh = fresh_realm("main", &mut String::new);
    let mappers = vec![own("userinfo_only", "userinfo.token.claim"), own("hidden", "access.token.claim")];
    let client = client(&["email", "roles"], &["phone"], mappers);
    let settings = RealmSettings::default();
    let granted = scope::grant(Some("openid"), &client, &settings, &fresh.scopes).unwrap();
    let all: &[&str] =
        &["phone_number", "email", "name", "realm_access", "userinfo_only", "hidden", "iss", "unknown"];
    for (case, id_token, userinfo, expected_id, expected_userinfo) in [
        ("nothing", &[][..], &[][..], &[][..], &[][..]),
        // `email` comes by its scope anyway; `name` is of a scope that the client may not have.
        ("each place", all, all, &["phone_number", "userinfo_only"][..], &["phone_number"][..]),
        ("one place", &[], &["phone_number"], &[], &["phone_number"]),
    ] {
        let wished = ClaimNames { id_token: names(id_token), userinfo: names(userinfo) };
        let single = granted.with_claims(&wished, &client, &settings, &fresh.scopes).single_names();
        let expected = ClaimNames { id_token: names(expected_id), userinfo: names(expected_userinfo) };
        assert_eq!(single, expected, "{case}");
    }
}

#[test]
fn consent_is_asked_to_the_scope_that_a_claim_is_of() {
    let fresh = fresh_realm("main", &mut String::new);
    let client = client(&["email"], &["phone", "address"], vec![]);
    let settings = RealmSettings::default();
    let granted = scope::grant(Some("openid"), &client, &settings, &fresh.scopes).unwrap();
    let wished =
        ClaimNames { id_token: names(&["phone_number", "phone_number_verified"]), ..Default::default() };
    let granted = granted.with_claims(&wished, &client, &settings, &fresh.scopes);
    let asked: Vec<&str> = granted.needs_consent().into_iter().map(|(name, _)| name).collect();
    assert_eq!(asked, ["email", "phone"]);
    assert_eq!(granted.token_scope(), "openid email", "the scope itself is not granted");
}
