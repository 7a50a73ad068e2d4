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
             database = \"sqlite://v.db\"\nkey_file = \"key\"\n{rest}\n"
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
