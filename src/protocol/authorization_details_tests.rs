//! Tests of `authorization_details`: what is read, what is left, what a person is told.

use serde_json::json;

use super::*;
use crate::protocol::client::ClientSettings;

fn realm() -> RealmSettings {
    let kind = |name: &str, fields: &[&str]| DetailType {
        name: name.into(),
        consent_text: (name == "payment").then(|| "Pay once".into()),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    };
    let payment = ["actions", "locations", "instructedAmount", "creditors", "identifier"];
    RealmSettings {
        authorization_details_types: vec![kind("payment", &payment), kind("files", &COMMON_FIELDS)],
        ..RealmSettings::default()
    }
}

fn client(types: &[&str]) -> Client {
    let types = types.iter().map(|name| (*name).to_owned()).collect();
    Client {
        id: "1".into(),
        realm_id: "r".into(),
        client_id: "app".into(),
        enabled: true,
        secret_hash: None,
        settings: ClientSettings { authorization_details_types: types, ..ClientSettings::default() },
    }
}

fn payment() -> Value {
    json!({
        "type": "payment", "actions": ["initiate", "status"], "locations": ["https://bank.example/payments"],
        "instructedAmount": {"currency": "EUR", "amount": "123.50"},
        "creditors": [{"name": "Merchant A", "iban": "DE021001001093071118603"}],
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut detail = payment();
    match value {
        Value::Null => detail.as_object_mut().unwrap().remove(name),
        value => detail.as_object_mut().unwrap().insert(name.into(), value),
    };
    json!([detail])
}

fn read_as(value: &Value, types: &[&str]) -> Result<Vec<Detail>, ErrorCode> {
    read(Some(&value.to_string()), &client(types), &realm()).map_err(|error| error.code)
}

#[test]
fn rfc9396_5_a_detail_is_of_a_known_type_with_known_members() {
    let both = &["payment", "files"][..];
    assert_eq!(read_as(&json!([payment()]), both).unwrap().len(), 1);
    assert_eq!(
        read_as(&json!([payment(), {"type": "files", "privileges": ["admin"]}]), both).unwrap().len(),
        2
    );
    assert_eq!(read(None, &client(both), &realm()), Ok(vec![]));
    let many = json!(vec![json!({"type": "files"}); MOST_DETAILS + 1]);
    let long = with("identifier", json!("x".repeat(LONGEST_TEXT + 1)));
    for (case, value, types) in [
        ("an object", payment(), both),
        ("no item", json!([]), both),
        ("too many", many, both),
        ("a text", json!(["payment"]), both),
        ("no type", with("type", Value::Null), both),
        ("a type that is a list", with("type", json!(["payment"])), both),
        ("an unknown type", with("type", json!("loan")), both),
        ("a type of other clients", json!([payment()]), &["files"]),
        ("an unknown member", with("purpose", json!("rent")), both),
        ("actions as a text", with("actions", json!("initiate")), both),
        ("actions with a number", with("actions", json!([1])), both),
        ("no action", with("actions", json!([])), both),
        ("identifier as a list", with("identifier", json!(["a"])), both),
        ("nothing within", with("instructedAmount", json!({})), both),
        ("null within", with("instructedAmount", json!({"amount": null})), both),
        ("more than a page shows", long, both),
        ("letters that turn the direction", with("identifier", json!("a\u{202e}b")), both),
        ("a line end", with("instructedAmount", json!({"a\nb": "1"})), both),
    ] {
        assert_eq!(read_as(&value, types), Err(ErrorCode::InvalidAuthorizationDetails), "{case}");
    }
    for text in ["", "[", r#"[{"type":"files","type":"payment"}]"#, "[] []"] {
        let outcome = read(Some(text), &client(both), &realm());
        assert_eq!(outcome.unwrap_err().code, ErrorCode::InvalidAuthorizationDetails, "{text}");
    }
}

#[test]
fn rfc9396_6_a_token_request_may_ask_for_less() {
    let client = client(&["payment", "files"]);
    let granted =
        read_as(&json!([payment(), {"type": "files", "actions": ["read"]}]), &["payment", "files"]).unwrap();
    let narrowed = |value: &Value| narrow(&granted, Some(&value.to_string()), &client, &realm());
    for (case, value) in [
        ("one of two", json!([payment()])),
        ("fewer actions", with("actions", json!(["status"]))),
        ("in another order", with("actions", json!(["status", "initiate"]))),
    ] {
        assert_eq!(narrowed(&value).map(|list| json!(list)), Ok(value), "{case}");
    }
    assert_eq!(narrow(&granted, None, &client, &realm()), Ok(granted.clone()));
    for (case, value) in [
        ("another action", with("actions", json!(["initiate", "cancel"]))),
        ("a limit lifted", with("instructedAmount", Value::Null)),
        ("another amount", with("instructedAmount", json!({"currency": "EUR", "amount": "999.00"}))),
        ("another creditor", with("creditors", json!([{"name": "Mallory", "iban": "X"}]))),
        ("a member more", with("identifier", json!("account-1"))),
        ("a detail more", json!([payment(), {"type": "files", "actions": ["write"]}])),
    ] {
        let refusal = narrowed(&value).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::InvalidAuthorizationDetails, "{case}");
    }
}

#[test]
fn types_that_the_client_lost_fall_away() {
    let granted = read_as(&json!([payment(), {"type": "files"}]), &["payment", "files"]).unwrap();
    let kinds = |details: Vec<Detail>| details.iter().map(|one| one.kind().to_owned()).collect::<Vec<_>>();
    assert_eq!(kinds(keep(&granted, &client(&["files"]), &realm())), ["files"]);
    assert_eq!(kinds(keep(&granted, &client(&["files"]), &RealmSettings::default())), [""; 0]);
}

#[test]
fn a_person_is_told_all_of_it() {
    let [detail] = &read_as(&json!([payment()]), &["payment"]).unwrap()[..] else { panic!("one detail") };
    assert_eq!(sentence(detail, &realm()), "Pay once");
    let lines = detail.lines();
    let lines: Vec<(&str, &str)> =
        lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("actions", "initiate, status"),
        ("creditors[1].iban", "DE021001001093071118603"),
        ("creditors[1].name", "Merchant A"),
        ("instructedAmount.amount", "123.50"),
        ("instructedAmount.currency", "EUR"),
        ("locations", "https://bank.example/payments"),
    ];
    assert_eq!(lines, expected);
}
