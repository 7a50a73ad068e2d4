//! What shows against the realm alone to be a mistake.

use super::*;

#[test]
fn mistakes_that_show_against_the_realm() {
    let state = made(&busy());
    for (name, rest, expected) in [
        (
            "role",
            "[[realm.users]]\nusername = \"x\"\nroles = [\"user\",\n\"nope\"]",
            "realm.toml:6: realm.users[0].roles[1]: there is no role `nope`",
        ),
        (
            "client role",
            "[[realm.users]]\nusername = \"x\"\nroles = [\"web:nope\"]",
            "realm.toml:5: realm.users[0].roles[0]: there is no role `web:nope`",
        ),
        (
            "group",
            "[[realm.users]]\nusername = \"x\"\ngroups = [\"/nope\"]",
            "realm.toml:5: realm.users[0].groups[0]: there is no group `/nope`",
        ),
        (
            "scope",
            "[[realm.clients]]\nid = \"x\"\ndefault_scopes = [\"nope\"]",
            "realm.toml:5: realm.clients[0].default_scopes[0]: there is no scope `nope`",
        ),
        (
            "openid",
            "optional_scopes = [\"openid\"]",
            "realm.toml:3: realm.optional_scopes[0]: `openid` is always there and is not listed",
        ),
        (
            "part of itself",
            "[[realm.roles]]\nname = \"x\"\ncomposites = [\"x\"]",
            "realm.toml:5: realm.roles[0].composites: a role cannot be part of itself",
        ),
        (
            "group's role",
            "[[realm.groups]]\nname = \"x\"\ngroups = [{ name = \"y\", roles = [\"nope\"] }]",
            "realm.toml:5: realm.groups[0].groups[0].roles[0]: there is no role `nope`",
        ),
        (
            "no address",
            "[[realm.clients]]\nid = \"x\"\ngrants = [\"authorization_code\"]",
            "realm.toml:3: realm.clients[0]: the grant authorization_code needs `redirect_uris`",
        ),
        (
            "no service",
            "[[realm.clients]]\nid = \"tv\"\nservice_account_roles = [\"user\"]",
            "realm.toml:5: realm.clients[0].service_account_roles: only a client with the grant client_credentials or jwt_bearer has a service account",
        ),
        (
            "a secret of a public client",
            "[[realm.clients]]\nid = \"tv\"\nsecret = \"x\"",
            "realm.toml:5: realm.clients[0].secret: the client is public and keeps no secret",
        ),
        (
            "a key client without keys",
            "[[realm.clients]]\nid = \"x\"\nauthentication = \"private_key_jwt\"",
            "realm.toml:5: realm.clients[0].authentication: private_key_jwt needs the client's keys: `jwks` or `jwks_uri`",
        ),
        (
            "a secret of a key client",
            "[[realm.clients]]\nid = \"robot\"\nsecret = \"x\"",
            "realm.toml:5: realm.clients[0].secret: a client that proves itself by private_key_jwt keeps no secret",
        ),
        (
            "a short secret to make tokens with",
            "[[realm.clients]]\nid = \"x\"\nauthentication = \"client_secret_jwt\"\nsecret = \"short\"",
            "realm.toml:6: realm.clients[0].secret: client_secret_jwt needs a secret of at least 32 bytes (RFC 7518 §3.2)",
        ),
        (
            "a hash to make tokens with",
            "[[realm.clients]]\nid = \"x\"\nauthentication = \"client_secret_jwt\"\nsecret_hash = \"sha256:x\"",
            "realm.toml:6: realm.clients[0].secret_hash: the stored form is not the one of this method: write `secret` instead",
        ),
        (
            "a grant of tokens that nobody signs",
            "[[realm.clients]]\nid = \"x\"\ngrants = [\"jwt_bearer\"]",
            "realm.toml:5: realm.clients[0].grants: the grant jwt_bearer needs `jwks`, `jwks_uri` or `jwt_bearer`: whose tokens it takes",
        ),
        (
            "pairwise names without one sector",
            "[[realm.clients]]\nid = \"x\"\nsubject_type = \"pairwise\"\nredirect_uris = [\"https://a.example/cb\", \"https://b.example/cb\"]",
            "realm.toml:5: realm.clients[0].subject_type: redirect URIs on several hosts need a `sector_identifier_uri`, whose host is the sector of pairwise names (OpenID Connect Core §8.1)",
        ),
        (
            "another id",
            "[[realm.users]]\nusername = \"alice\"\nid = \"other\"",
            "realm.toml:5: realm.users[0].id: the user exists with another id, which cannot change",
        ),
    ] {
        let problems =
            compare(Some(state.clone()), &spec(rest), PlanOptions::default(), &BTreeSet::new()).unwrap_err();
        assert_eq!(problems.to_string(), expected, "{name}");
    }
    let pruned = spec("roles = []\n[[realm.users]]\nusername = \"x\"\nroles = [\"user\"]\n");
    assert!(
        compare(
            Some(state.clone()),
            &pruned,
            PlanOptions { prune: true, ..PlanOptions::default() },
            &BTreeSet::new()
        )
        .is_err(),
        "a role that goes"
    );
    assert!(compare(Some(state), &pruned, PlanOptions::default(), &BTreeSet::new()).is_ok());
}

#[test]
fn core_8_1_one_host_or_a_sector_is_enough() {
    let state = made(&busy());
    for rest in [
        "redirect_uris = [\"https://a.example/cb\", \"https://a.example:8443/cb\"]",
        "redirect_uris = [\"http://localhost:*/*\", \"http://localhost/cb\"]",
        "redirect_uris = [\"https://a.example/cb\", \"https://b.example/cb\"]\nsector_identifier_uri = \"https://a.example/s.json\"",
    ] {
        let file = spec(&format!("[[realm.clients]]\nid = \"x\"\nsubject_type = \"pairwise\"\n{rest}"));
        let found = compare(Some(state.clone()), &file, PlanOptions::default(), &BTreeSet::new());
        assert!(found.is_ok(), "{rest}: {:?}", found.err());
    }
}

/// N02: what `serve` would never call is told where it is written, and not when it fails to be called.
#[test]
fn n02_serve_refuses_addresses_that_its_configuration_does_not_let_it_call() {
    let state = made(&busy());
    let (default, private) = (OutboundRules::default(), OutboundRules { private: true, http: false });
    for (field, value) in [
        ("jwks_uri", "\"https://10.0.0.1/x\""),
        ("request_uris[0]", "[\"https://10.0.0.1/x\"]"),
        ("backchannel_logout_uri", "\"https://10.0.0.1/x\""),
        ("sector_identifier_uri", "\"https://10.0.0.1/x\""),
    ] {
        let name = field.trim_end_matches("[0]");
        let file = spec(&format!("[[realm.clients]]\nid = \"x\"\n{name} = {value}"));
        let compared = |outbound| {
            let options = PlanOptions { outbound, ..PlanOptions::default() };
            compare(Some(state.clone()), &file, options, &BTreeSet::new())
        };
        let told = compared(Some(default)).unwrap_err().to_string();
        assert!(told.starts_with(&format!("realm.toml:5: realm.clients[0].{field}: ")), "{told}");
        assert!(told.contains("leads to an address that is not public (`[outbound]`"), "{told}");
        assert!(compared(Some(private)).unwrap().production_refusals.is_empty(), "{field}");
        let development = compared(None).unwrap().production_refusals;
        assert_eq!(development.len(), 1, "{field}: {development:?}");
        let never = value.replace("10.0.0.1", "169.254.169.254");
        let never = format!("[realm]\nname = \"main\"\n[[realm.clients]]\nid = \"x\"\n{name} = {never}");
        let found = parse(&never, Format::Toml, "realm.toml", &|_| None);
        assert!(found.is_err(), "{field}: in development too");
    }
}

#[test]
fn what_a_sign_in_asks_for_is_among_what_it_knows() {
    let user = |actions: &str| {
        let text = format!(
            "[realm]\nname = \"main\"\n[[realm.users]]\nusername = \"a\"\nrequired_actions = [{actions}]"
        );
        parse(&text, Format::Toml, "realm.toml", &|_| None)
    };
    assert!(user("\"UPDATE_PASSWORD\", \"TERMS_AND_CONDITIONS\", \"VERIFY_EMAIL\"").is_ok());
    let told = user("\"UPDATE_PASSWROD\"").unwrap_err().to_string();
    assert!(told.starts_with("realm.toml:5: realm.users[0].required_actions[0]: no such action"), "{told}");
}
