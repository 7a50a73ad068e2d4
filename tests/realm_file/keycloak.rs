//! `import` and `export` with Keycloak's flags, as a person runs them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Place;

const REALMS: [(&str, &str); 2] = [
    ("shop", include_str!("../keycloak/groups.json")),
    ("vault", include_str!("../keycloak/credentials.json")),
];

impl Place {
    /// Runs a command of Keycloak's on the database of this place.
    fn keycloak(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = self.command(arguments);
        command.output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.current_dir(self.path()).args(arguments).args(["--data", "data"]);
        if let Some(database) = &self.database {
            command.args(["--db", database]);
        }
        command
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = self.keycloak(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert!(!said.contains("do nothing here"), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The files of a folder by name.
fn folder(path: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(path).unwrap().map(Result::unwrap);
    let file = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

#[test]
fn an_export_in_many_files_imported_elsewhere_is_the_same_export() {
    for (first, second) in Place::both().into_iter().zip(Place::both()) {
        for (name, text) in REALMS {
            // A database server is production's, which takes no wildcards.
            let text = if first.database.is_some() { text.replace("/*\"", "/cb\"") } else { text.to_owned() };
            first.write(&format!("{name}.json"), &text);
            first.done(&["import", "--file", &format!("{name}.json")]);
        }
        // While a server works on the database, which listens at ports that nobody else has.
        let ports = ["--http-port=0", "--http-host=127.0.0.1"];
        let mut server = first.command(&[&["start-dev"][..], &ports].concat());
        let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("started in"), "{line}");
        first.done(&["export", "--dir", "out", "--users-per-file", "2"]);
        server.kill().unwrap();
        server.wait().unwrap();

        let once = folder(&first.path().join("out"));
        for name in ["shop-realm.json", "shop-users-0.json", "shop-users-1.json", "vault-realm.json"] {
            assert!(once.contains_key(name), "{name} of {:?}", once.keys());
        }
        let users: serde_json::Value = serde_json::from_str(&once["shop-users-0.json"]).unwrap();
        assert_eq!((&users["realm"], users["users"].as_array().unwrap().len()), (&"shop".into(), 2));
        let secret = once["shop-realm.json"].contains("billing-secret");
        assert_eq!(secret, first.database.is_none(), "development keeps it legible, production never");
        assert!(once["vault-users-0.json"].contains("\"secretData\""));
        assert!(!once["shop-realm.json"].contains("\"users\""));

        let out = first.path().join("out");
        second.done(&["import", "--dir", &out.to_string_lossy()]);
        second.done(&["export", "--dir", "out", "--users-per-file", "2"]);
        assert!(once == folder(&second.path().join("out")), "{}", second.path().display());
        second.done(&["import", "--dir", "out", "--override", "false"]);
        second.done(&["export", "--dir", "again", "--users", "different_files", "--users-per-file=2"]);
        assert!(once == folder(&second.path().join("again")));
    }
}

#[test]
fn users_go_where_they_are_wanted() {
    let place = Place::new();
    place.write("shop.json", REALMS[0].1);
    place.done(&["import", "--file", "shop.json"]);
    for (users, names) in [
        ("skip", vec!["shop-realm.json"]),
        ("realm_file", vec!["shop-realm.json"]),
        ("same_file", vec!["shop-realm.json", "shop-users.json"]),
        ("different_files", vec!["shop-realm.json", "shop-users-0.json"]),
    ] {
        place.done(&["export", "--dir", users, "--realm", "shop", "--users", users]);
        let files = folder(&place.path().join(users));
        assert_eq!(files.keys().map(String::as_str).collect::<Vec<_>>(), names, "{users}");
        let held = files["shop-realm.json"].contains("\"username\": \"erika\"");
        assert_eq!(held, users == "realm_file", "{users}");
    }
    // A folder with all users in one file is imported with them.
    let other = Place::new();
    other.done(&["import", "--dir", &place.path().join("same_file").to_string_lossy()]);
    other.done(&["export", "--file", "one.json", "--realm", "shop"]);
    let one = std::fs::read_to_string(other.path().join("one.json")).unwrap();
    assert_eq!(one, folder(&place.path().join("realm_file"))["shop-realm.json"]);
    other.done(&["export", "--file", "all.json"]);
    let all = std::fs::read_to_string(other.path().join("all.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&all).unwrap().as_array().unwrap().len(), 1);

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(other.path().join("one.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "it holds secrets");
    }
}

#[test]
fn what_cannot_be_exported_is_told_and_a_smaller_export_tells_what_an_earlier_one_left() {
    let place = Place::new();
    place.write("shop.json", REALMS[0].1);
    place.done(&["import", "--file", "shop.json"]);
    for (arguments, told) in [
        (&["export", "--realm", "shop"][..], "--file FILE or --dir DIR"),
        (&["export", "--dir", "d", "--realm", "shop2"], "there is no realm shop2"),
        (&["export", "--dir", "d", "--users", "all"], "different_files, skip, realm_file or same_file"),
        (&["export", "--file", "f", "--db", "dev-mem"], "dev-mem"),
        (&["export", "--file", "missing/f"], "missing/f"),
    ] {
        let output = place.keycloak(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(told), "{arguments:?}: {said}");
    }
    place.done(&["export", "--dir", "d", "--users-per-file", "1"]);
    let output = place.keycloak(&["export", "--dir", "d"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("shop-users-1.json"), "{said}");
    assert!(!said.contains("shop-users-0.json"), "{said}");
}
