//! `plan`, `apply` and `export` as a person runs them, on a SQLite file and on Postgres.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod keycloak;
#[path = "../support/postgres.rs"]
mod postgres;
mod serve;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

const REALM: &str = r#"
realm:
  name: shop
  roles:
  - name: user
    attributes: {tier: [gold]}
  scopes:
  - name: orders
    scope_mappings: [user]
  clients:
  - id: web
    secret: ${WEB_SECRET:web-secret}
    redirect_uris: [https://shop.example/cb]
    roles:
    - name: editor
      attributes: {since: "2024"}
  - id: api
    full_scope_allowed: false
    optional_scopes: [orders]
    scope_mappings: ["web:editor"]
  groups:
  - name: staff
    roles: [user]
  users:
  - username: alice
    password: alice
    email: alice@example.com
    groups: [/staff]
  - username: bob
    password: bob
"#;

/// A folder of its own, and a database: the SQLite file in it, or one of the cluster.
struct Place {
    folder: tempfile::TempDir,
    database: Option<String>,
}

impl Place {
    /// One with a SQLite file.
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: None }
    }

    fn both() -> Vec<Self> {
        static CLUSTER: OnceLock<postgres::Cluster> = OnceLock::new();
        let place = |database| Self { folder: tempfile::tempdir().unwrap(), database };
        let mut places = vec![place(None)];
        if postgres::wanted() {
            let cluster = CLUSTER.get_or_init(postgres::Cluster::start);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            places.push(place(Some(runtime.block_on(cluster.database()))));
        }
        places
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.current_dir(self.path()).args(arguments);
        if let Some(database) = &self.database {
            command.args(["--database", database]);
        }
        command.output().unwrap()
    }

    /// What a command prints when it ends as asked.
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// What a command says when it was used wrongly.
    fn wrong(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }
}

#[test]
fn a_realm_file_from_the_first_plan_to_the_last() {
    for place in Place::both() {
        place.write("shop.yaml", REALM);
        let plan = place.good(&["plan", "shop.yaml"]);
        assert!(plan.contains("+ realm\n") && plan.contains("+ user alice\n"), "{plan}");
        assert_eq!(place.good(&["plan", "shop.yaml"]), plan, "a plan changes nothing");

        let applied = place.good(&["apply", "shop.yaml"]);
        assert!(applied.starts_with(&plan), "{applied}");
        assert!(applied.contains("New secrets, shown this once:\n  api: "), "{applied}");
        for command in ["plan", "apply"] {
            for prune in [&["shop.yaml"][..], &["shop.yaml", "--prune"]] {
                let again = place.good(&[&[command], prune].concat());
                assert_eq!(again, "Realm shop: nothing to change.\n", "{command} {prune:?}");
            }
        }

        for flags in [&[][..], &["--minimal"], &["--with-secrets"], &["--minimal", "--with-secrets"]] {
            let text = place.good(&[&["export", "shop"], flags].concat());
            place.write("export.toml", &text);
            let plan = place.good(&["plan", "export.toml", "--prune"]);
            assert_eq!(plan, "Realm shop: nothing to change.\n", "{flags:?}\n{text}");
        }

        place.write(
            "shop.yaml",
            &REALM
                .replace("  - username: bob\n    password: bob\n", "")
                .replace("name: user", "name: buyer")
                .replace("[user]", "[buyer]"),
        );
        let changed = place.good(&["apply", "shop.yaml", "--prune", "--output", "json"]);
        let changed: serde_json::Value = serde_json::from_str(&changed).unwrap();
        let told = changed["realms"][0]["changes"].as_array().unwrap().iter();
        let told: Vec<String> = told
            .map(|one| format!("{} {} {}", one["action"], one["kind"], one["name"]).replace('"', ""))
            .collect();
        let expected = [
            "update scope orders",
            "create role buyer",
            "update group /staff",
            "delete role user",
            "delete user bob",
        ];
        assert_eq!(told, expected);
        assert_eq!(place.good(&["plan", "shop.yaml", "--prune"]), "Realm shop: nothing to change.\n");
    }
}

#[test]
fn a_mistake_in_one_file_changes_nothing_in_another() {
    for place in Place::both() {
        place.write("shop.yaml", REALM);
        place.write(
            "bad.toml",
            "[realm]\nname = \"bad\"\n[[realm.users]]\nusername = \"x\"\nroles = [\"nope\"]\n",
        );
        place.write("worse.toml", "[realm]\nname = \"worse\"\ncolour = \"red\"\n");
        let told = place.wrong(&["apply", "shop.yaml", "bad.toml"]);
        assert!(told.contains("bad.toml:5: realm.users[0].roles[0]: there is no role `nope`"), "{told}");
        let told = place.wrong(&["apply", "shop.yaml", "worse.toml", "missing.toml"]);
        assert!(told.contains("worse.toml:3: realm.colour: unknown field"), "{told}");
        assert!(told.contains("missing.toml: cannot be read"), "{told}");
        assert!(told.lines().skip(1).all(|line| line.starts_with("  ")), "one below the other: {told}");
        assert!(place.wrong(&["export", "shop"]).contains("there is no realm shop"));
    }
}

#[test]
fn what_only_looks_leaves_no_database_behind() {
    let place = Place::new();
    place.write("shop.yaml", REALM);
    let plan = place.good(&["plan", "shop.yaml"]);
    assert!(plan.contains("+ realm\n") && plan.contains("+ user alice\n"), "{plan}");
    for command in
        [&["export", "shop"][..], &["key", "list", "--realm", "shop"], &["key", "rotate", "--realm", "shop"]]
    {
        let told = place.wrong(command);
        assert!(told.contains("there is no database in .vestibule: `vestibule dev`"), "{command:?}: {told}");
    }
    let left: Vec<_> =
        std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["shop.yaml"]);
}

/// A realm of Keycloak holds what the short form has no words for: an export that could not be read again is none.
#[test]
fn what_the_short_form_cannot_say_is_exported_in_keycloaks() {
    let place = Place::new();
    place.write("groups.json", include_str!("../keycloak/groups.json"));
    place.good(&["apply", "groups.json"]);
    let told = place.wrong(&["export", "shop"]);
    assert!(told.contains("--format keycloak writes all of it"), "{told}");
    assert!(told.contains("saml-role-list-mapper"), "{told}");
    let whole = place.good(&["export", "shop", "--format", "keycloak"]);
    assert!(whole.contains("saml-role-list-mapper"));
}

/// A realm that is written with its secrets and read elsewhere lets the same people and programs in, in either form; what a
/// file does not hold is told.
#[test]
fn what_an_export_leaves_out_is_told_and_with_secrets_it_is_nothing() {
    let (here, elsewhere) = (Place::new(), Place::new());
    here.write("shop.yaml", &REALM.replace("  - id: api\n", "  - id: api\n    secret: api-secret\n"));
    here.good(&["apply", "shop.yaml"]);
    let said = |arguments: &[&str]| {
        let output = here.run(&[&["export", "shop", "--minimal"], arguments].concat());
        assert!(output.status.success());
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for (arguments, told) in [
        (&[][..], "vestibule: left out: 2 client secrets and 2 passwords; --with-secrets writes them\n"),
        (
            &["--format", "keycloak", "--without-users"],
            "vestibule: left out: 2 client secrets; --with-secrets writes them\n",
        ),
    ] {
        assert_eq!(said(arguments).1, told);
    }
    for (form, name) in [("toml", "moved.toml"), ("keycloak", "moved.json")] {
        let (text, told) = said(&["--with-secrets", "--format", form]);
        assert_eq!(told, "", "{form}");
        assert!(text.contains("\"web-secret\"") && text.contains("\"api-secret\""), "{form}: {text}");
        elsewhere.write(name, &text);
        let applied = elsewhere.good(&["apply", name]);
        assert!(!applied.contains("New secrets"), "{form}: {applied}");
        std::fs::remove_dir_all(elsewhere.path().join(".vestibule")).unwrap();
    }
}
