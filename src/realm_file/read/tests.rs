//! Whole files: what is read from them, and which mistakes they are told.

use super::*;
use crate::protocol::client::{GrantType, Pkce};
use crate::realm_file::spec::{ClientSpec, RoleSpec, UserSpec};
use crate::secrets::Secret;

fn env(name: &str) -> Option<String> {
    (name == "WEB_SECRET").then(|| "from the environment".to_owned())
}

fn read(text: &str, format: Format) -> Result<Vec<RealmSpec>, FileProblems> {
    parse(text, format, "realm.toml", &env)
}

/// The messages of a TOML file below `[realm] name = "main"`, a line each.
fn mistakes(rest: &str) -> Vec<String> {
    let text = format!("[realm]\nname = \"main\"\n{rest}");
    match read(&text, Format::Toml) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.to_string().lines().map(str::to_owned).collect(),
    }
}

const EXAMPLE: &str = r#"
[realm]
name = "main"
display_name = "Acme"

[[realm.roles]]
name = "user"

[[realm.clients]]
id = "web"
secret = "${WEB_SECRET:web-secret}"
redirect_uris = ["https://app.example.com/callback"]
grants = ["authorization_code", "refresh_token"]

[[realm.users]]
username = "alice"
password = "alice"
email = "alice@example.com"
roles = ["user"]
"#;

#[test]
fn the_example_of_the_documentation() {
    let realms = read(EXAMPLE, Format::Toml).unwrap();
    let expected = RealmSpec {
        name: "main".into(),
        display_name: Some("Acme".into()),
        roles: vec![RoleSpec { name: "user".into(), ..RoleSpec::default() }],
        clients: vec![ClientSpec {
            id: "web".into(),
            secret: Some(Secret::from("from the environment")),
            redirect_uris: Some(vec!["https://app.example.com/callback".into()]),
            grants: Some([GrantType::AuthorizationCode, GrantType::RefreshToken].into()),
            ..ClientSpec::default()
        }],
        users: vec![UserSpec {
            username: "alice".into(),
            password: Some("alice".into()),
            email: Some("alice@example.com".into()),
            roles: Some(vec!["user".into()]),
            ..UserSpec::default()
        }],
        places: realms[0].places.clone(),
        ..RealmSpec::default()
    };
    assert_eq!(realms, [expected]);
}

#[test]
fn three_formats_say_the_same() {
    let toml = r#"
[realm]
name = "main"
enabled = true
signature_algorithm = "ES256"
lifetimes = { access_token = "5m", session_max = 36000 }
[realm.brute_force]
max_failures = 3
[[realm.scopes]]
name = "reports:read"
consent_text = "Read your reports"
claims = [{ name = "department" }]
[[realm.clients]]
id = "app"
public = true
native = true
pkce = "optional"
grants = ["device_code", "urn:ietf:params:oauth:grant-type:device_code"]
roles = [{ name = "editor", composites = ["user", "app:reader"] }]
[[realm.groups]]
name = "staff"
roles = ["user"]
attributes = { site = "Bern", floors = ["1", "2"] }
groups = [{ name = "board" }]
"#;
    let yaml = r#"
realm:
  name: main
  enabled: true
  signature_algorithm: ES256
  lifetimes:
    access_token: 5m
    session_max: 36000
  brute_force: { max_failures: 3 }
  scopes:
  - name: reports:read
    consent_text: Read your reports
    claims:
    - name: department
  clients:
  - id: app
    public: true
    native: true
    pkce: optional
    grants: [device_code]
    roles:
    - name: editor
      composites: [user, "app:reader"]
  groups:
  - name: staff
    roles: [user]
    attributes:
      site: Bern
      floors: ["1", "2"]
    groups:
    - name: board
  users:
"#;
    let json = r#"{"realm": {"name": "main", "enabled": true, "signature_algorithm": "ES256",
        "lifetimes": {"access_token": "5m", "session_max": 36000}, "brute_force": {"max_failures": 3},
        "scopes": [{"name": "reports:read", "consent_text": "Read your reports", "claims": [{"name": "department"}]}],
        "clients": [{"id": "app", "public": true, "native": true, "pkce": "optional", "grants": ["device_code"],
            "roles": [{"name": "editor", "composites": ["user", "app:reader"]}]}],
        "groups": [{"name": "staff", "roles": ["user"], "attributes": {"site": "Bern", "floors": ["1", "2"]},
            "groups": [{"name": "board"}]}], "users": null}}"#;
    let mut specs = Vec::new();
    for (text, format) in [(toml, Format::Toml), (yaml, Format::Yaml), (json, Format::Json)] {
        let mut realms = read(text, format).unwrap();
        realms[0].places = Places::default();
        specs.push(realms);
    }
    assert_eq!(specs[0], specs[1]);
    assert_eq!(specs[0], specs[2]);
    let realm = &specs[0][0];
    assert_eq!(realm.lifetimes.access_token, Some(300));
    assert_eq!(realm.clients[0].pkce, Some(Pkce::Optional));
    assert_eq!(realm.groups[0].groups[0].name, "board");
    assert_eq!(realm.groups[0].attributes.as_ref().unwrap()["site"], ["Bern"]);
    let mapper = &realm.scopes[0].mappers.as_ref().unwrap()[0];
    assert_eq!(mapper.config["user.attribute"], "department");
    assert_eq!(mapper.config["access.token.claim"], "true");
}

#[test]
fn several_realms_in_one_file() {
    let realms = read("[[realms]]\nname = \"a\"\n[[realms]]\nname = \"b\"\n", Format::Toml).unwrap();
    assert_eq!(realms.iter().map(|realm| realm.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let twice = read("[[realms]]\nname = \"a\"\n[[realms]]\nname = \"a\"\n", Format::Toml).unwrap_err();
    assert_eq!(twice.to_string(), "realm.toml:4: realms[1].name: realm `a` is described twice");
}

#[test]
fn a_mistake_names_file_line_and_field() {
    let rows: [(&str, &str, &str); 44] = [
        ("unknown field", "nmae = \"x\"", "realm.toml:3: realm.nmae: unknown field; did you mean `name`?"),
        (
            "unknown field of a client",
            "[[realm.clients]]\nid = \"web\"\nredirectUris = []",
            "realm.toml:5: realm.clients[0].redirectUris: unknown field; did you mean `redirect_uris`?",
        ),
        (
            "wrong kind",
            "enabled = \"yes\"",
            "realm.toml:3: realm.enabled: expected true or false, found a string",
        ),
        (
            "a number for text",
            "display_name = 7",
            "realm.toml:3: realm.display_name: expected a string, found a number: put it in quotes",
        ),
        (
            "text for a list",
            "[[realm.users]]\nusername = \"a\"\nroles = \"user\"",
            "realm.toml:5: realm.users[0].roles: expected a list, found a string",
        ),
        (
            "a list for a table",
            "lifetimes = []",
            "realm.toml:3: realm.lifetimes: expected a table, found a list",
        ),
        (
            "missing name",
            "[[realm.roles]]\ndescription = \"x\"",
            "realm.toml:3: realm.roles[0]: `name` is missing",
        ),
        ("empty name", "[[realm.roles]]\nname = \" \"", "realm.toml:4: realm.roles[0].name: it is empty"),
        (
            "unknown grant",
            "[[realm.clients]]\nid = \"a\"\ngrants = [\n \"refresh_tokens\"]",
            "realm.toml:6: realm.clients[0].grants[0]: unknown value; did you mean `refresh_token`?",
        ),
        (
            "unknown algorithm",
            "signature_algorithm = \"HS256\"",
            "realm.toml:3: realm.signature_algorithm: unknown value; did you mean `ES256`?",
        ),
        (
            "unreadable span",
            "lifetimes.access_token = \"5 minutes\"",
            "realm.toml:3: realm.lifetimes.access_token: expected seconds, or a string such as \"90s\", \"5m\", \"1h30m\" or \"30d\"",
        ),
        (
            "span out of range",
            "lifetimes.code = \"1h\"",
            "realm.toml:3: realm.lifetimes.code: 3600 is out of range: from 1 to 600",
        ),
        (
            "idle beyond the whole",
            "lifetimes = { session_idle = 20, session_max = 10 }",
            "realm.toml:3: realm.lifetimes.session_idle: 20 s is longer than the whole, 10 s",
        ),
        (
            "variable not set",
            "display_name = \"${NONE}\"",
            "realm.toml:3: realm.display_name: the environment variable NONE is not set; `${NONE:…}` gives a default",
        ),
        (
            "redirect URI",
            "[[realm.clients]]\nid = \"a\"\nredirect_uris = [\"https://a.example/cb\",\n\"https://a.example/cb#x\"]",
            "realm.toml:6: realm.clients[0].redirect_uris[1]: a fragment (`#…`) is refused",
        ),
        (
            "post-logout redirect URI",
            "[[realm.clients]]\nid = \"a\"\npost_logout_redirect_uris = [\"javascript:alert(1)\", \"+\"]",
            "realm.toml:5: realm.clients[0].post_logout_redirect_uris[0]: scheme `javascript` is refused: use https, http on a loopback host, or `com.example.app:` for an app",
        ),
        (
            "web origin",
            "[[realm.clients]]\nid = \"a\"\nweb_origins = [\"+\", \"https://a.example/\"]",
            "realm.toml:5: realm.clients[0].web_origins[1]: an origin has no path and no default port: write `https://a.example`",
        ),
        (
            "shown address",
            "[[realm.clients]]\nid = \"a\"\nlogo_uri = \"data:text/html,x\"",
            "realm.toml:5: realm.clients[0].logo_uri: it is not an address beginning with `https://`",
        ),
        (
            "a secret of a public client",
            "[[realm.clients]]\nid = \"a\"\npublic = true\nsecret = \"s\"",
            "realm.toml:6: realm.clients[0].secret: a public client keeps no secret",
        ),
        (
            "a public service",
            "[[realm.clients]]\nid = \"a\"\npublic = true\ngrants = [\"client_credentials\"]",
            "realm.toml:6: realm.clients[0].grants: a public client cannot prove itself, as client_credentials asks",
        ),
        (
            "a client twice",
            "[[realm.clients]]\nid = \"a\"\n[[realm.clients]]\nid = \"a\"",
            "realm.toml:6: realm.clients[1].id: `a` is named twice, first at line 4",
        ),
        (
            "a user twice, in another spelling",
            "[[realm.users]]\nusername = \"alice\"\n[[realm.users]]\nusername = \"Alice\"",
            "realm.toml:6: realm.users[1].username: `alice` is named twice, first at line 4",
        ),
        (
            "an address twice",
            "users = [{ username = \"a\", email = \"x@y.z\" },\n{ username = \"b\", email = \"X@Y.Z\" }]",
            "realm.toml:4: realm.users[1].email: `x@y.z` is named twice, first at line 3",
        ),
        (
            "a group twice",
            "[[realm.groups]]\nname = \"a\"\ngroups = [{ name = \"b\" },\n{ name = \"b\" }]",
            "realm.toml:6: realm.groups[0].groups[1].name: `b` is named twice, first at line 5",
        ),
        (
            "not an e-mail address",
            "[[realm.users]]\nusername = \"a\"\nemail = \"a@b@c\"",
            "realm.toml:5: realm.users[0].email: it is not an e-mail address",
        ),
        (
            "a group by name",
            "[[realm.users]]\nusername = \"a\"\ngroups = [\"staff\"]",
            "realm.toml:5: realm.users[0].groups[0]: a group is named by its path: `/staff`",
        ),
        (
            "a scope with a space",
            "[[realm.scopes]]\nname = \"a b\"",
            "realm.toml:4: realm.scopes[0].name: a scope is of visible ASCII characters without `\"` and `\\`",
        ),
        (
            "a forged claim",
            "[[realm.scopes]]\nname = \"a\"\nclaims = [{ name = \"iss\", value = \"x\" }]",
            "realm.toml:3: realm.scopes[0]: claim `iss` is the protocol's own and cannot be mapped",
        ),
        (
            "an empty password",
            "[[realm.users]]\nusername = \"a\"\npassword = \"\"",
            "realm.toml:5: realm.users[0].password: it is empty",
        ),
        (
            "a forged part of a claim",
            "[[realm.scopes]]\nname = \"a\"\nclaims = [{ name = \"realm_access.roles\", value = \"admin\" }]",
            "realm.toml:3: realm.scopes[0]: claim `realm_access` is the protocol's own and cannot be mapped",
        ),
        (
            "an unknown mapper",
            "[[realm.scopes]]\nname = \"a\"\nmappers = [{ name = \"x\", kind = \"oidc-script-mapper\" }]",
            "realm.toml:3: realm.scopes[0]: there is no kind of mapper called `oidc-script-mapper`",
        ),
        (
            "a hash that is none",
            "[[realm.users]]\nusername = \"a\"\npassword_hash = \"alice\"",
            "realm.toml:5: realm.users[0].password_hash: it is not a hash as an export with secrets writes it",
        ),
        (
            "a hash that costs too much",
            "[[realm.users]]\nusername = \"a\"\npassword_hash = \"$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g\"",
            "realm.toml:5: realm.users[0].password_hash: it is not a hash as an export with secrets writes it",
        ),
        (
            "a client's hash that is none",
            "[[realm.clients]]\nid = \"a\"\nsecret_hash = \"secret\"",
            "realm.toml:5: realm.clients[0].secret_hash: it is not a hash as an export with secrets writes it",
        ),
        (
            "a key set that is no JSON",
            "[[realm.clients]]\nid = \"a\"\njwks = \"{\"",
            "realm.toml:5: realm.clients[0].jwks: the string is not JSON",
        ),
        (
            "a key set without keys",
            "[[realm.clients]]\nid = \"a\"\njwks = {}",
            "realm.toml:5: realm.clients[0].jwks: the key set must have a list \"keys\" of at most 32 objects",
        ),
        (
            "a shared secret among public keys",
            "[[realm.clients]]\nid = \"a\"\njwks = '{\"keys\":[{\"kty\":\"oct\",\"k\":\"AQ\"}]}'",
            "realm.toml:5: realm.clients[0].jwks: a key is a shared secret (\"oct\")",
        ),
        (
            "a key of a curve that is not known",
            "[[realm.clients]]\nid = \"a\"\njwks = { keys = [{ kty = \"EC\", crv = \"P-192\" }] }",
            "realm.toml:5: realm.clients[0].jwks: a key's type is not known here; RSA, EC on P-256 and Ed25519 are",
        ),
        (
            "a point beside its curve",
            "[[realm.clients]]\nid = \"a\"\njwks = { keys = [{ kty = \"EC\", crv = \"P-256\", x = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\", y = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\" }] }",
            "realm.toml:5: realm.clients[0].jwks: a key is damaged: its numbers make no key",
        ),
        (
            "keys at no web address",
            "[[realm.clients]]\nid = \"a\"\njwks_uri = \"ftp://a.example/jwks\"",
            "realm.toml:5: realm.clients[0].jwks_uri: must begin with https://",
        ),
        (
            "keys in two places",
            "[[realm.clients]]\nid = \"a\"\njwks = { keys = [] }\njwks_uri = \"https://a.example/jwks\"",
            "realm.toml:6: realm.clients[0].jwks_uri: either `jwks` or `jwks_uri`, not both (RFC 7591 §2)",
        ),
        (
            "a MAC as the algorithm of a key",
            "[[realm.clients]]\nid = \"a\"\ntoken_endpoint_auth_signing_alg = \"HS256\"",
            "realm.toml:5: realm.clients[0].token_endpoint_auth_signing_alg: not a signature algorithm known here; one of RS256, PS256, ES256, EdDSA is",
        ),
        (
            "a public client that proves itself",
            "[[realm.clients]]\nid = \"a\"\npublic = true\nauthentication = \"private_key_jwt\"",
            "realm.toml:6: realm.clients[0].authentication: a public client proves nothing: drop one of the two",
        ),
        (
            "default and optional",
            "default_scopes = [\"a\"]\noptional_scopes = [\"b\", \"a\"]",
            "realm.toml:4: realm.optional_scopes[1]: already a default scope",
        ),
    ];
    for (name, rest, expected) in rows {
        assert_eq!(mistakes(rest), [expected], "{name}");
    }
}

#[test]
fn all_mistakes_are_told_together_in_the_order_of_the_file() {
    let found = mistakes(
        "colour = \"red\"\n[[realm.clients]]\nid = \"a\"\ngrants = [\"nope\"]\nredirect_uris = [\"x\", \"/y\"]\n[[realm.users]]\npassword = 7\n",
    );
    let places: Vec<&str> = found.iter().map(|line| line.split(": ").nth(1).unwrap()).collect();
    let expected = [
        "realm.colour",
        "realm.clients[0].grants[0]",
        "realm.clients[0].redirect_uris[0]",
        "realm.clients[0].redirect_uris[1]",
        "realm.users[0]",
        "realm.users[0].password",
    ];
    assert_eq!(places, expected, "{found:#?}");
}

#[test]
fn lines_are_right_in_yaml_too() {
    let yaml = "realm:\n  name: main\n  clients:\n  - id: web\n    redirect_uris:\n    - https://a.example/cb\n    - javascript:alert(1)\n    colour: red\n";
    let problems = parse(yaml, Format::Yaml, "realm.yaml", &env).unwrap_err().0;
    let places: Vec<(Option<usize>, &str)> =
        problems.iter().map(|problem| (problem.line, problem.field.as_str())).collect();
    assert_eq!(
        places,
        [(Some(7), "realm.clients[0].redirect_uris[1]"), (Some(8), "realm.clients[0].colour")]
    );
}

#[test]
fn keycloaks_json_is_recognised_and_its_shape_in_yaml_is_told() {
    for text in ["{\"realm\": \"demo\", \"enabled\": true}", "[{\"realm\": \"demo\"}]"] {
        let realms = parse(text, Format::Json, "demo.json", &env).unwrap();
        assert!(realms[0].keycloak.is_some(), "{text}");
    }
    let message = parse("realm: demo\n", Format::Yaml, "demo.yaml", &env).unwrap_err().to_string();
    assert!(message.starts_with("demo.yaml: this has the shape of Keycloak's realm JSON"), "{message}");
}

#[test]
fn what_holds_no_realm_is_told() {
    for text in ["", "# nothing\n", "[server]\n"] {
        assert!(parse(text, Format::Toml, "x.toml", &env).is_err(), "{text:?}");
    }
    for text in ["", "[]", "null", "7", "\"realm\"", "realm:", "realm: []", "- realm", "---\n---\n"] {
        assert!(parse(text, Format::Yaml, "x.yaml", &env).is_err(), "{text:?}");
    }
}

#[test]
fn no_message_and_no_debug_output_holds_a_secret() {
    let text = "[realm]\nname = \"main\"\n[[realm.clients]]\nid = \"a\"\npublic = true\nsecret = \"canary-1\"\n[[realm.users]]\nusername = \"a\"\npassword = [\"canary-2\"]\n[[realm.users]]\nusername = \"b\"\npassword = \"canary-3\"\npasswords = \"canary-4\"\n";
    assert!(!read(text, Format::Toml).unwrap_err().to_string().contains("canary"));
    let broken = "realm:\n  users:\n  - password: canary-5\n   - x: \"canary-6\n";
    assert!(!parse(broken, Format::Yaml, "x", &env).unwrap_err().to_string().contains("canary"));
    let good = read(EXAMPLE, Format::Toml).unwrap();
    let shown = format!("{good:?}");
    assert!(shown.contains("password: Some(***)") && !shown.contains("from the environment"), "{shown}");
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in "\\PC{0,80}|(\\[realm\\]|\\[\\[realm\\.users\\]\\]|name = |\"|x|\n|\\{|\\}|\\$\\{|,| |realm: |- |&a |\\*a)*") {
        for format in [Format::Toml, Format::Yaml, Format::Json] {
            let _ = parse(&text, format, "x", &env);
        }
    }
}
