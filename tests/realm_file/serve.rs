//! The commands on the database of a `serve`, by its configuration file.

use crate::Place;

/// A realm that development takes and production does not.
const WILD: &str = r#"[realm]
name = "wild"
[[realm.clients]]
id = "app"
redirect_uris = ["http://localhost:*/*"]
"#;

impl Place {
    /// Puts `v.toml` here, with `rest` in it, and the key file that it names.
    fn configured(&self, rest: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let text = format!(
            "public_url = \"https://id.example.com\"\nbehind_tls_proxy = true\ntrusted_proxies = [\"127.0.0.1\"]\n\
             listen = \"127.0.0.1:0\"\nmanagement_listen = \"127.0.0.1:0\"\ndatabase = \"sqlite://v.db\"\nkey_file = \"key\"\n{rest}\n"
        );
        self.write("v.toml", &text);
        self.write("key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
        let owner = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(self.path().join("key"), owner).unwrap();
    }
}

/// What `plan` lists as refused by `serve` is refused where the database is that of `serve`, and nothing is applied.
#[test]
fn a_file_that_serve_would_refuse_is_not_applied_to_its_database() {
    let place = Place::new();
    place.configured("");
    place.write("wild.toml", WILD);
    for command in [&["apply", "wild.toml"][..], &["serve"]] {
        let told = place.wrong(&[command, &["--config", "v.toml"]].concat());
        assert!(told.contains("run `vestibule migrate --config v.toml`"), "{command:?}: {told}");
    }
    place.good(&["migrate", "--config", "v.toml"]);
    for command in ["plan", "apply"] {
        let told = place.wrong(&[command, "wild.toml", "--config", "v.toml"]);
        assert!(told.contains("wild.toml:5: realm.clients[0].redirect_uris[0]: "), "{command}: {told}");
    }
    let told = place.wrong(&["export", "wild", "--config", "v.toml"]);
    assert!(told.contains("there is no realm wild"), "{told}");
    let plan = place.good(&["apply", "wild.toml"]);
    assert!(plan.contains("Production (`serve`) would refuse:"), "{plan}");
}

#[test]
fn a_check_reads_the_realm_files_that_the_configuration_names() {
    let place = Place::new();
    place.write("wild.toml", WILD);
    place.write("broken.toml", "[realm]\nname = \"broken\"\ncolour = \"red\"\n");
    place.configured("realm_files = [\"wild.toml\", \"broken.toml\"]");
    let told = place.wrong(&["serve", "--config", "v.toml", "--check"]);
    assert!(told.contains("wild.toml:5: realm.clients[0].redirect_uris[0]: "), "{told}");
    assert!(told.contains("broken.toml:3: realm.colour: unknown field"), "{told}");
    place.configured("");
    assert_eq!(place.good(&["serve", "--config", "v.toml", "--check"]), "v.toml: good\n");
}

/// The administrator is one of the database that is meant; an argument that nobody knows changes none.
#[test]
fn an_administrator_is_made_where_the_configuration_says() {
    let place = Place::new();
    place.configured("");
    let admin = ["bootstrap-admin", "user", "--username", "ops"];
    let told = place.wrong(&[&admin[..], &["--config", "v.toml"]].concat());
    assert!(told.contains("migrate"), "{told}");
    place.good(&["migrate", "--config", "v.toml"]);
    for (unknown, told) in [
        (&["--password", "x"][..], "unknown: --password; nothing was done"),
        (&["--confg", "v.toml"], "unknown: --confg; nothing was done"),
        (&["--config", "v.toml", "--data", "d"], "--config names the database already: drop --data"),
        (&["--config", "v.toml", "--database", "sqlite://d.db"], "drop --database"),
        (&["--config", "none.toml"], "none.toml: cannot be read"),
    ] {
        let found = place.wrong(&[&admin[..], unknown].concat());
        assert!(found.contains(told), "{unknown:?}: {found}");
    }
    assert!(place.wrong(&["import", "--confg", "v.toml"]).contains("unknown: --confg"));
    assert!(!place.path().join(".vestibule").exists(), "nothing was made elsewhere");

    let told = place.good(&[&admin[..], &["--config", "v.toml"]].concat());
    assert!(told.starts_with("ops may administer all realms, with this secret"), "{told}");
    assert!(place.good(&["export", "master", "--config", "v.toml"]).contains("username = \"ops\""));
    assert!(place.wrong(&[&admin[..], &["--config", "v.toml"]].concat()).contains("already"));

    let service = ["bootstrap-admin", "service", "--database", "sqlite://other.db"];
    assert!(place.good(&service).starts_with("temp-admin may administer"));
    assert!(place.path().join("other.db").exists());
}

#[test]
fn a_folder_that_is_not_there_is_told_with_the_command_that_makes_it() {
    let place = Place::new();
    let told = place.wrong(&["migrate", "--data", "none"]);
    assert!(told.contains("install -d -m 0700 none"), "{told}");
    place.configured("");
    std::fs::remove_file(place.path().join("key")).unwrap();
    let told = place.wrong(&["serve", "--config", "v.toml", "--check"]);
    assert!(
        told.contains(
            "key: does not exist; to make one: (umask 077; head -c 32 /dev/urandom | base64 > key)"
        ),
        "{told}"
    );
}
