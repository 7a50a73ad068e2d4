//! Tests of what each kind of mapper writes, through [`evaluate`](crate::protocol::claims::evaluate).

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::protocol::claims::{Facts, Subject, Target, evaluate, userinfo};
use crate::protocol::client::{Client, ClientSettings};
use crate::protocol::mapper::Mapper;
use crate::protocol::role::{Role, Roles};
use crate::protocol::scope::{Granted, Scope, ScopeSettings};
use crate::protocol::user::User;

fn user() -> User {
    let attributes = [
        ("phone", &["+49 30 1", "+49 30 2"][..]),
        ("level", &["7"]),
        ("levels", &["1", "two", "3"]),
        ("vip", &["TRUE"]),
        ("settings", &[r#"{"theme":"dark","none":null}"#]),
        ("empty", &[""]),
        ("nothing", &[]),
        ("street", &["1 Main Street"]),
        ("home.country", &["DE"]),
    ];
    User {
        id: "user-id".into(),
        realm_id: "realm".into(),
        username: "alice".into(),
        email: Some("alice@example.com".into()),
        email_verified: true,
        enabled: true,
        first_name: Some("Alice".into()),
        last_name: Some("Adams".into()),
        attributes: attributes
            .map(|(name, values)| (name.to_owned(), values.iter().map(|&v| v.to_owned()).collect()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        required_actions: Vec::new(),
        service_account_client: None,
        not_before: None,
        created_at: Timestamp(1_000),
    }
}

fn role(client: Option<&str>, name: &str) -> Role {
    Role {
        id: format!("{}/{name}", client.unwrap_or_default()),
        realm_id: "realm".into(),
        client: client.map(str::to_owned),
        name: name.into(),
        description: None,
        attributes: Default::default(),
        built_in: false,
    }
}

/// The realm's roles: `user`, `realm.admin`, `viewer` of client `web` and `reader`, `writer` of client `api.v1`.
fn roles() -> Roles {
    Roles::new(
        vec![
            role(None, "user"),
            role(None, "realm.admin"),
            role(Some("web-id"), "viewer"),
            role(Some("api-id"), "reader"),
            role(Some("api-id"), "writer"),
        ],
        vec![],
        HashMap::from([("web-id".into(), "web".into()), ("api-id".into(), "api.v1".into())]),
    )
}

fn client(full_scope_allowed: bool, mappers: Vec<Mapper>) -> Client {
    Client {
        id: "web-id".into(),
        realm_id: "realm".into(),
        client_id: "web".into(),
        enabled: true,
        secret_hash: None,
        settings: ClientSettings {
            full_scope_allowed,
            mappers,
            redirect_uris: [
                "https://app.example/a",
                "https://app.example/b",
                "http://localhost:*/*",
                "app.x:/",
            ]
            .map(str::to_owned)
            .to_vec(),
            web_origins: ["+", "https://other.example"].map(str::to_owned).to_vec(),
            ..Default::default()
        },
    }
}

/// A mapper for access tokens: `kind` without its `oidc-` and `-mapper`, settings as `key=value` in one line.
fn mapper(kind: &str, settings: &str) -> Mapper {
    let mut config: BTreeMap<String, String> = settings
        .split_whitespace()
        .map(|setting| setting.split_once('=').unwrap())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    config.entry("access.token.claim".into()).or_insert_with(|| "true".into());
    Mapper { kind: format!("oidc-{kind}-mapper"), config, ..Default::default() }
}

fn nothing_granted() -> Granted<'static> {
    Granted { openid: true, scopes: vec![], asked: vec![], singles: vec![], details: vec![] }
}

/// The claims that `mappers` write into the access token of a client with full scope.
fn claims(mappers: Vec<Mapper>) -> Value {
    claims_for(true, mappers)
}

fn claims_for(full_scope: bool, mappers: Vec<Mapper>) -> Value {
    claims_at(Target::AccessToken, full_scope, mappers)
}

fn claims_at(target: Target, full_scope: bool, mappers: Vec<Mapper>) -> Value {
    let (user, roles) = (user(), roles());
    let groups = ["/staff/board".to_owned(), "/all".to_owned()];
    let held = ["/user", "/realm.admin", "web-id/viewer", "api-id/reader"];
    let subject = Subject {
        user: &user,
        roles: roles.effective(held),
        role_names: &roles,
        groups: &groups,
        ceiling: None,
    };
    let facts =
        Facts { sid: Some("session"), auth_time: Some(Timestamp(1_234)), acr: Some("1"), ..Facts::default() };
    let client = client(full_scope, mappers);
    Value::Object(evaluate(target, &subject, &client, &nothing_granted(), &facts))
}

#[test]
fn each_kind_writes_its_claim() {
    for (name, kind, settings, expected) in [
        (
            "attribute",
            "usermodel-attribute",
            "user.attribute=phone claim.name=tel",
            json!({"tel": "+49 30 1"}),
        ),
        (
            "attribute, all values",
            "usermodel-attribute",
            "user.attribute=phone claim.name=tel multivalued=true",
            json!({"tel": ["+49 30 1", "+49 30 2"]}),
        ),
        (
            "attribute, long",
            "usermodel-attribute",
            "user.attribute=level claim.name=l jsonType.label=long",
            json!({"l": 7}),
        ),
        (
            "attribute, values of another type fall away",
            "usermodel-attribute",
            "user.attribute=levels claim.name=l jsonType.label=int multivalued=true",
            json!({"l": [1, 3]}),
        ),
        (
            "attribute, boolean",
            "usermodel-attribute",
            "user.attribute=vip claim.name=v jsonType.label=boolean",
            json!({"v": true}),
        ),
        (
            "attribute, no boolean",
            "usermodel-attribute",
            "user.attribute=level claim.name=v jsonType.label=boolean",
            json!({}),
        ),
        (
            "attribute, JSON without its nulls",
            "usermodel-attribute",
            "user.attribute=settings claim.name=s jsonType.label=JSON",
            json!({"s": {"theme": "dark"}}),
        ),
        (
            "attribute, no JSON",
            "usermodel-attribute",
            "user.attribute=phone claim.name=s jsonType.label=JSON",
            json!({}),
        ),
        (
            "attribute, nested",
            "usermodel-attribute",
            "user.attribute=level claim.name=a.b.c",
            json!({"a": {"b": {"c": "7"}}}),
        ),
        (
            "attribute, escaped dots",
            "usermodel-attribute",
            r"user.attribute=level claim.name=https://example\.com/level",
            json!({"https://example.com/level": "7"}),
        ),
        (
            "attribute, the user name",
            "usermodel-attribute",
            "user.attribute=username claim.name=upn",
            json!({"upn": "alice"}),
        ),
        ("attribute, empty", "usermodel-attribute", "user.attribute=empty claim.name=x", json!({})),
        (
            "attribute, all of nothing",
            "usermodel-attribute",
            "user.attribute=nothing claim.name=x multivalued=true",
            json!({}),
        ),
        ("attribute, missing", "usermodel-attribute", "user.attribute=missing claim.name=x", json!({})),
        ("attribute, no claim name", "usermodel-attribute", "user.attribute=level", json!({})),
        (
            "property, boolean",
            "usermodel-property",
            "user.attribute=emailVerified claim.name=email_verified jsonType.label=boolean",
            json!({"email_verified": true}),
        ),
        ("property, id", "usermodel-property", "user.attribute=id claim.name=uid", json!({"uid": "user-id"})),
        ("property, no such", "usermodel-property", "user.attribute=passwordHash claim.name=x", json!({})),
        (
            "realm roles",
            "usermodel-realm-role",
            "claim.name=realm_access.roles multivalued=true",
            json!({"realm_access": {"roles": ["realm.admin", "user"]}}),
        ),
        (
            "realm roles with a prefix",
            "usermodel-realm-role",
            "claim.name=groups usermodel.realmRoleMapping.rolePrefix=ROLE_",
            json!({"groups": ["ROLE_realm.admin", "ROLE_user"]}),
        ),
        (
            "realm roles, the first",
            "usermodel-realm-role",
            "claim.name=role multivalued=false",
            json!({"role": "realm.admin"}),
        ),
        (
            "client roles, each client apart, a dot in its name does not nest",
            "usermodel-client-role",
            "claim.name=resource_access.${client_id}.roles multivalued=true",
            json!({"resource_access": {"web": {"roles": ["viewer"]}, "api.v1": {"roles": ["reader"]}}}),
        ),
        (
            "client roles together",
            "usermodel-client-role",
            "claim.name=permissions",
            json!({"permissions": ["reader", "viewer"]}),
        ),
        (
            "client roles of one client",
            "usermodel-client-role",
            "claim.name=permissions usermodel.clientRoleMapping.clientId=api.v1 usermodel.clientRoleMapping.rolePrefix=api:",
            json!({"permissions": ["api:reader"]}),
        ),
        (
            "groups",
            "group-membership",
            "claim.name=groups full.path=true",
            json!({"groups": ["/staff/board", "/all"]}),
        ),
        (
            "groups by name",
            "group-membership",
            "claim.name=groups full.path=false",
            json!({"groups": ["board", "all"]}),
        ),
        ("full name", "full-name", "", json!({"name": "Alice Adams"})),
        ("fixed text", "hardcoded-claim", "claim.name=tenant claim.value=acme", json!({"tenant": "acme"})),
        (
            "fixed JSON",
            "hardcoded-claim",
            "claim.name=t claim.value=[1,true] jsonType.label=JSON",
            json!({"t": [1, true]}),
        ),
        ("audience of a client", "audience", "included.client.audience=api", json!({"aud": ["api"]})),
        (
            "audience of its own",
            "audience",
            "included.custom.audience=https://api.example",
            json!({"aud": ["https://api.example"]}),
        ),
        ("audiences by roles, without the client itself", "audience-resolve", "", json!({"aud": ["api.v1"]})),
        (
            "address",
            "address",
            "user.attribute.country=home.country",
            json!({"address": {"street_address": "1 Main Street", "country": "DE"}}),
        ),
        (
            "origins",
            "allowed-origins",
            "",
            json!({"allowed-origins": ["https://app.example", "http://localhost:*", "https://other.example"]}),
        ),
        ("acr", "acr", "", json!({"acr": "1"})),
        (
            "note",
            "usersessionmodel-note",
            "user.session.note=AUTH_TIME claim.name=auth_time jsonType.label=long",
            json!({"auth_time": 1_234}),
        ),
        ("unknown note", "usersessionmodel-note", "user.session.note=other claim.name=x", json!({})),
        ("sub is not the mapper's to write", "sub", "", json!({})),
        ("session state", "session-state", "", json!({"session_state": "session"})),
        (
            "organizations, of which there are none",
            "organization-membership",
            "claim.name=organization",
            json!({}),
        ),
        ("a pairwise name is not the mapper's to write", "sha256-pairwise-sub", "", json!({})),
        ("a kind that nobody knows", "script", "claim.name=x", json!({})),
        ("switched off", "full-name", "access.token.claim=false", json!({})),
    ] {
        assert_eq!(claims(vec![mapper(kind, settings)]), expected, "{name}");
    }
}

/// A03: whatever name an operator writes into a mapper, a token's own claims stay the server's.
/// What each kind writes is written where its switch is on, and nowhere else (keycloak-surface 4.6).
#[test]
fn each_kind_writes_into_each_place_that_its_switch_names() {
    let places = [
        (Target::AccessToken, "access.token.claim"),
        (Target::Lightweight, "lightweight.claim"),
        (Target::IdToken, "id.token.claim"),
        (Target::UserInfo, "userinfo.token.claim"),
        (Target::Introspection, "introspection.token.claim"),
    ];
    for (kind, settings, claim) in [
        ("usermodel-attribute", "user.attribute=phone claim.name=tel", "tel"),
        ("usermodel-property", "user.attribute=username claim.name=upn", "upn"),
        ("usermodel-realm-role", "", "realm_access"),
        ("usermodel-client-role", "", "resource_access"),
        ("group-membership", "claim.name=groups", "groups"),
        ("full-name", "", "name"),
        ("hardcoded-claim", "claim.name=tenant claim.value=acme", "tenant"),
        ("audience", "included.client.audience=api", "aud"),
        ("audience-resolve", "", "aud"),
        ("address", "", "address"),
        ("allowed-origins", "", "allowed-origins"),
        ("acr", "", "acr"),
        ("usersessionmodel-note", "user.session.note=AUTH_TIME claim.name=auth_time", "auth_time"),
        ("session-state", "", "session_state"),
    ] {
        for (on, name) in places {
            let mut one = mapper(kind, settings);
            for (_, other) in places {
                one.config.insert(other.to_owned(), (other == name).to_string());
            }
            for (target, _) in places {
                let found = claims_at(target, true, vec![one.clone()]);
                assert_eq!(
                    found.get(claim).is_some(),
                    target == on,
                    "{kind}, {name} on, in {target:?}: {found}"
                );
            }
        }
    }
}

/// One that does not say is in no lightweight token, but for audiences.
#[test]
fn a_lightweight_token_has_audiences_and_what_is_marked_for_it() {
    let mappers = vec![
        mapper("full-name", ""),
        mapper("audience", "included.client.audience=api"),
        mapper("usermodel-property", "user.attribute=username claim.name=upn lightweight.claim=true"),
    ];
    assert_eq!(claims_at(Target::Lightweight, true, mappers), json!({ "aud": ["api"], "upn": "alice" }));
}

#[test]
fn no_mapper_writes_a_claim_that_a_token_stands_on() {
    for name in [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "jti",
        "azp",
        "typ",
        "nonce",
        "cnf",
        "cnf.jkt",
        "sid",
        "act",
        "act.sub",
        "client_id",
        "scope",
        "acr",
        "auth_time",
        "realm_access.roles",
        "resource_access.web.roles",
        "allowed-origins",
        "at_hash",
    ] {
        let attribute = mapper("usermodel-attribute", &format!("user.attribute=level claim.name={name}"));
        let fixed = mapper("hardcoded-claim", &format!("claim.name={name} claim.value=forged"));
        let groups = mapper("group-membership", &format!("claim.name={name}"));
        assert_eq!(claims(vec![attribute, fixed, groups]), json!({}), "{name}");
    }
    let roles = mapper("usermodel-realm-role", "claim.name=aud");
    let client = mapper("usermodel-client-role", "claim.name=scope");
    assert_eq!(claims(vec![roles, client]), json!({}));
}

#[test]
fn without_full_scope_a_client_sees_its_own_roles_alone() {
    let mappers = || {
        vec![
            mapper("usermodel-realm-role", ""),
            mapper("usermodel-client-role", ""),
            mapper("audience-resolve", ""),
        ]
    };
    let own = json!({"resource_access": {"web": {"roles": ["viewer"]}}});
    assert_eq!(claims_for(false, mappers()), own);
    assert_eq!(claims_for(true, mappers())["realm_access"]["roles"], json!(["realm.admin", "user"]));
}

#[test]
fn roles_are_added_and_renamed_before_any_claim_shows_them() {
    let show = || vec![mapper("usermodel-realm-role", ""), mapper("usermodel-client-role", "")];
    for (name, kind, settings, realm, api) in [
        (
            "a realm role",
            "hardcoded-role",
            "role=extra",
            json!(["extra", "realm.admin", "user"]),
            json!(["reader"]),
        ),
        (
            "a client role",
            "hardcoded-role",
            "role=api.v1.writer",
            json!(["realm.admin", "user"]),
            json!(["reader", "writer"]),
        ),
        (
            "a new name",
            "role-name",
            "role=user new.role.name=person",
            json!(["person", "realm.admin"]),
            json!(["reader"]),
        ),
        (
            "a realm role with a dot",
            "role-name",
            "role=realm.admin new.role.name=boss",
            json!(["boss", "user"]),
            json!(["reader"]),
        ),
        (
            "from a client to the realm",
            "role-name",
            "role=api.v1.reader new.role.name=api-reader",
            json!(["api-reader", "realm.admin", "user"]),
            Value::Null,
        ),
        (
            "a role that is not held",
            "role-name",
            "role=other new.role.name=x",
            json!(["realm.admin", "user"]),
            json!(["reader"]),
        ),
    ] {
        // The mapper stands last, and still acts first.
        let mut mappers = show();
        mappers.push(mapper(kind, settings));
        let claims = claims(mappers);
        assert_eq!(claims["realm_access"]["roles"], realm, "{name}");
        assert_eq!(claims["resource_access"]["api.v1"]["roles"], api, "{name}");
    }
}

#[test]
fn mappers_of_scopes_and_then_of_the_client_write_into_one_set() {
    let scope = Scope {
        id: "s".into(),
        realm_id: "realm".into(),
        name: "s".into(),
        description: None,
        settings: ScopeSettings {
            mappers: vec![
                mapper("hardcoded-claim", "claim.name=tenant claim.value=scope"),
                mapper("audience", "included.client.audience=api"),
            ],
            ..Default::default()
        },
    };
    let own = vec![
        mapper("hardcoded-claim", "claim.name=tenant claim.value=client"),
        mapper("audience", "included.client.audience=other"),
        mapper("audience", "included.client.audience=api"),
    ];
    let (user, roles, client) = (user(), roles(), client(true, own));
    let subject = Subject { user: &user, roles: vec![], role_names: &roles, groups: &[], ceiling: None };
    let granted = Granted { scopes: vec![&scope], ..nothing_granted() };
    let claims = evaluate(Target::AccessToken, &subject, &client, &granted, &Facts::default());
    assert_eq!(Value::Object(claims), json!({"tenant": "client", "aud": ["api", "other"]}));
}

#[test]
fn userinfo_names_the_user_and_holds_no_audience() {
    let mappers = vec![
        mapper("full-name", "userinfo.token.claim=true"),
        mapper("usermodel-attribute", "user.attribute=level claim.name=level userinfo.token.claim=false"),
        mapper("audience", "included.client.audience=api userinfo.token.claim=true"),
        mapper("usermodel-attribute", "user.attribute=level claim.name=sub userinfo.token.claim=true"),
    ];
    let (user, roles, client) = (user(), roles(), client(true, mappers));
    let subject = Subject { user: &user, roles: vec![], role_names: &roles, groups: &[], ceiling: None };
    let claims = userinfo(&subject, &client, &nothing_granted(), &Facts::default());
    assert_eq!(Value::Object(claims), json!({"sub": "user-id", "name": "Alice Adams"}));
}

proptest::proptest! {
    /// Whatever a mapper is set to, it neither panics nor leaves a null, an empty value or a forged claim behind.
    #[test]
    fn no_setting_makes_a_mapper_misbehave(
        kind in 0..crate::protocol::mapper::KINDS.len(),
        name in "(iss|sub|aud|exp|azp|sid|a|a\\.b|\\\\|[.\\\\a-z]{0,8})(\\.[a-z]{1,3})?",
        value in "\\PC{0,20}",
        label in "(String|long|int|boolean|JSON|other|)",
        many in "(true|false|)",
    ) {
        let config = [
            ("claim.name", name), ("claim.value", value.clone()), ("user.attribute", "levels".into()),
            ("included.custom.audience", value.clone()), ("role", value.clone()), ("new.role.name", value),
            ("jsonType.label", label), ("multivalued", many), ("access.token.claim", "true".into()),
            ("user.session.note", "AUTH_TIME".into()),
        ];
        let config = config.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let kind = crate::protocol::mapper::KINDS[kind].0.to_owned();
        let claims = claims(vec![Mapper { kind, config, ..Default::default() }]);
        proptest::prop_assert!(no_emptiness(&claims) || claims == json!({}), "{claims}");
        for name in ["iss", "sub", "exp", "azp", "sid"] {
            proptest::prop_assert!(claims.get(name).is_none(), "{claims}");
        }
    }
}

fn no_emptiness(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty() && items.iter().all(no_emptiness),
        Value::Object(members) => !members.is_empty() && members.values().all(no_emptiness),
        _ => true,
    }
}
