use super::*;
use crate::config::Mode;
use crate::protocol::grants::password::PasswordGrant;
use crate::protocol::issuer::Base;

fn options(arguments: &[&str], environment: &[(&str, &str)]) -> Options {
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Options::read(&arguments, environment.iter().map(pair))
}

fn dev(arguments: &[&str], environment: &[(&str, &str)]) -> Process {
    development(&options(arguments, environment)).unwrap()
}

#[test]
fn arguments_win_over_variables_and_newer_names_over_older_ones() {
    let found = options(
        &["--http-port=8181", "--https-port", "8443", "--import-realm", "--verbose", "-D", "--hostname", "x"],
        &[
            ("KC_HTTP_PORT", "1"),
            ("KC_BOOTSTRAP_ADMIN_USERNAME", "new"),
            ("KEYCLOAK_ADMIN", "old"),
            ("KEYCLOAK_ADMIN_PASSWORD", "older"),
            ("DB_ADDR", "somebody's"),
            ("PATH", "/bin"),
        ],
    );
    for (name, value) in [
        ("http-port", Some("8181")),
        ("https-port", Some("8443")),
        ("import-realm", Some("true")),
        ("hostname", Some("x")),
        ("bootstrap-admin-username", Some("new")),
        ("bootstrap-admin-password", Some("older")),
        ("db-url-host", None),
        ("path", None),
    ] {
        assert_eq!(found.text(name), value, "{name}");
    }
}

#[test]
fn what_does_nothing_is_named_once_and_is_never_fatal() {
    let found = options(
        &["--spi-theme--cache-themes=false", "--features=scripts", "--optimized", "--nonsense"],
        &[("KC_CACHE", "local"), ("KC_HEALTH_ENABLED", "true"), ("KC_FEATURES", "x")],
    );
    assert_eq!(found.idle(), ["features", "nonsense", "spi-theme--cache-themes"]);
    assert!(development(&found).is_ok());
}

#[test]
fn secrets_are_not_shown() {
    let found = options(
        &["--db-password=hidden", "--db-url=jdbc:postgresql://u:hidden@db/x"],
        &[("KC_BOOTSTRAP_ADMIN_PASSWORD", "hidden"), ("KC_BOOTSTRAP_ADMIN_CLIENT_SECRET", "hidden")],
    );
    assert!(!found.shown().contains("hidden") && !format!("{found:?}").contains("hidden"));
    assert!(found.shown().contains("kc.db-password =  ******* (CLI)"), "{}", found.shown());
}

#[test]
fn start_dev_listens_everywhere_and_follows_any_name() {
    let Process { config, import, user, management_asked, .. } = dev(&["--data", "/nowhere"], &[]);
    assert_eq!((config.mode, config.any_host, config.public_url), (Mode::Dev, true, None));
    assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(config.management_listen.map(|listen| listen.to_string()).as_deref(), Some("0.0.0.0:9000"));
    assert_eq!((import, user, management_asked), (None, None, false));

    let Process { config, import, user, .. } = dev(
        &["--import-realm", "--data=/d"],
        &[
            ("KC_HTTP_RELATIVE_PATH", "/auth"),
            ("KC_HTTP_MANAGEMENT_HEALTH_ENABLED", "false"),
            ("KEYCLOAK_ADMIN", "admin"),
            ("KEYCLOAK_ADMIN_PASSWORD", "pw"),
        ],
    );
    assert_eq!((config.base_path.as_str(), config.stand_in.at_root_too), ("/auth", true));
    assert!(config.stand_in.health_on_main);
    assert_eq!(import, Some(PathBuf::from("/d/import")));
    assert_eq!(user, Some(("admin".into(), "pw".into())));
}

#[test]
fn hostnames() {
    for (arguments, public, name) in [
        (&["--hostname=id"][..], None, Some("id")),
        (&["--hostname=id", "--hostname-port=8081"], Some("http://id:8081"), None),
        (&["--hostname=https://id.example"], Some("https://id.example"), None),
        (
            &["--hostname=https://id.example/", "--http-relative-path=auth"],
            Some("https://id.example/auth"),
            None,
        ),
        (&["--hostname=https://id.example/sso"], Some("https://id.example/sso"), None),
        (&[], None, None),
    ] {
        let config = dev(arguments, &[]).config;
        let told = (config.public_url.as_ref().map(Base::as_str), config.stand_in.host_name.as_deref());
        assert_eq!(told, (public, name), "{arguments:?}");
    }
}

#[test]
fn databases() {
    let url = |environment: &[(&str, &str)]| {
        development(&options(&[], environment))
            .map(|process| process.config.database.url().to_owned())
            .map_err(|problems| problems.to_string())
    };
    let jdbc = "jdbc:postgresql://db:5433/kc?sslmode=require";
    for (environment, expected) in [
        (&[("KC_DB", "dev-mem")][..], Ok("sqlite::memory:")),
        (&[("KC_DB", "postgres")], Ok("postgres://localhost:5432/keycloak")),
        (
            &[
                ("KC_DB", "postgres"),
                ("KC_DB_URL", jdbc),
                ("KC_DB_USERNAME", "u"),
                ("KC_DB_PASSWORD", "p@:/"),
            ],
            Ok("postgres://u:p%40%3A%2F@db:5433/kc?sslmode=require"),
        ),
        (
            &[
                ("KC_DB", "postgres"),
                ("KC_DB_URL_HOST", "db"),
                ("KC_DB_URL_PORT", "1"),
                ("KC_DB_URL_DATABASE", "d"),
                ("KC_DB_URL_PROPERTIES", "?a=b"),
            ],
            Ok("postgres://db:1/d?a=b"),
        ),
        (
            &[
                ("KC_DB", "postgres"),
                ("KC_DB_URL", "jdbc:postgresql://db/keycloak?currentSchema=kc&ssl=true"),
            ],
            Ok("postgres://db/keycloak?sslmode=require&options=-c+search_path%3Dkc"),
        ),
        (
            &[("KC_DB", "postgres"), ("KC_DB_SCHEMA", "kc"), ("KC_DB_URL_HOST", "db")],
            Ok("postgres://db:5432/keycloak?options=-c+search_path%3Dkc"),
        ),
        (
            &[("KC_DB", "postgres"), ("KC_DB_SCHEMA", "a;b")],
            Err("--db: the schema is of letters, digits and _: write another in db-schema"),
        ),
        (
            &[("DB_VENDOR", "postgres"), ("DB_ADDR", "old"), ("DB_USER", "u"), ("DB_PASSWORD", "p")],
            Ok("postgres://u:p@old:5432/keycloak"),
        ),
        (
            &[("KC_DB", "mariadb")],
            Err("--db: \"mariadb\" is not supported: write postgres, dev-file or dev-mem"),
        ),
        (
            &[("KC_DB", "postgres"), ("KC_DB_URL", "jdbc:mysql://db/x")],
            Err("--db: write jdbc:postgresql://HOST:PORT/DATABASE in db-url"),
        ),
    ] {
        assert_eq!(url(environment), expected.map(str::to_owned).map_err(str::to_owned), "{environment:?}");
    }
}

#[test]
fn what_cannot_be_read_is_named_all_at_once() {
    let wrong = options(&["--http-port=x", "--proxy-headers=y", "--https-certificate-file=z"], &[]);
    let told = development(&wrong).unwrap_err().to_string();
    for name in ["--http-port", "--proxy-headers", "--https-certificate-key-file"] {
        assert!(told.contains(name), "{name}: {told}");
    }
}

#[test]
fn start_is_as_strict_as_serve_and_speaks_keycloaks_names() {
    let told = production(&options(&["--data=/d"], &[])).unwrap_err().to_string();
    assert!(told.contains("--hostname: ") && told.contains("--https-certificate-file: "), "{told}");
    let proxied = ["--hostname=id.example", "--http-enabled=true", "--proxy-headers=xforwarded", "--data=/d"];
    let told = production(&options(&proxied, &[])).unwrap_err().to_string();
    assert!(told.starts_with("--proxy-trusted-addresses: is missing"), "{told}");
    let plain = ["--hostname=http://id.example", "--http-enabled=true", "--data=/d"];
    let told = production(&options(&plain, &[])).unwrap_err().to_string();
    assert!(told.contains("https://"), "{told}");

    let good = [&proxied[..], &["--proxy-trusted-addresses=10.0.0.0/8"]].concat();
    let config = production(&options(&good, &[])).unwrap().config;
    assert_eq!((config.mode, config.any_host), (Mode::Serve, false));
    assert_eq!(config.password_grant(), PasswordGrant::AdminCli, "the way in of the first administrator");
    assert_eq!(config.public_url.as_ref().map(Base::as_str), Some("https://id.example"));
    assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
    assert!(config.stand_in.prepares && !config.database.is_memory());

    let own = [
        "--hostname=id.example",
        "--https-certificate-file=c",
        "--https-certificate-key-file=k",
        "--data=/d",
    ];
    let config = production(&options(&own, &[])).unwrap().config;
    assert_eq!((config.listen.to_string().as_str(), config.tls.is_some()), ("0.0.0.0:8443", true));
    assert_eq!(config.stand_in.https_listen, None);
}

#[test]
fn a_start_that_keycloaks_guides_call_development_is_one() {
    let quarkus = ["--http-enabled=true", "--hostname-strict=false", "--spi-user-profile-x=y"];
    for (case, arguments, expected) in [
        ("Quarkus Dev Services", &quarkus[..], true),
        (
            "with a shared network",
            &[&quarkus[..], &["--hostname=localhost", "--hostname-port=80"]].concat(),
            true,
        ),
        ("a proxy", &[&quarkus[..], &["--proxy-headers=xforwarded"]].concat(), false),
        ("an old proxy", &[&quarkus[..], &["--proxy=edge"]].concat(), false),
        ("a real database", &[&quarkus[..], &["--db=postgres"]].concat(), false),
        ("a real name", &[&quarkus[..], &["--hostname=https://id.example"]].concat(), false),
        ("strict", &["--http-enabled=true"], false),
        ("no plain http", &["--hostname-strict=false"], false),
    ] {
        assert_eq!(is_development(&options(arguments, &[])), expected, "{case}");
    }
}

#[test]
fn a_file_says_what_neither_arguments_nor_variables_do() {
    let file =
        "# remark\nhttp-port=1\nhostname = ${NAME:id.example}\nhttp-relative-path=/auth\n\ndb-password=p=q\n";
    let options = options(&["--http-port=3"], &[("KC_HTTP_RELATIVE_PATH", "/kc")]);
    let options = options.with_file(file, &|_| None);
    for (name, expected) in [
        ("http-port", "3"),
        ("http-relative-path", "/kc"),
        ("hostname", "id.example"),
        ("db-password", "p=q"),
    ] {
        assert_eq!(options.text(name), Some(expected), "{name}");
    }
    let shown = options.shown();
    assert!(shown.contains("kc.hostname =  id.example (keycloak.conf)"), "{shown}");
    assert!(!shown.contains("p=q"), "{shown}");
}

#[test]
fn health_is_told_below_the_path_that_pages_have_unless_it_has_its_own() {
    let path = |environment: &[(&str, &str)]| dev(&[], environment).config.stand_in.management_path;
    assert_eq!(path(&[]), "");
    assert_eq!(path(&[("KC_HTTP_RELATIVE_PATH", "/auth/")]), "/auth");
    let both = [("KC_HTTP_RELATIVE_PATH", "/auth"), ("KC_HTTP_MANAGEMENT_RELATIVE_PATH", "/")];
    assert_eq!(path(&both), "");
}

#[test]
fn certificates_of_others_are_files_and_those_of_folders() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.pem", "a.crt", "notes.txt"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let paths = format!("{},{}", folder.path().display(), at("notes.txt"));
    let found = dev(&[], &[("KC_TRUSTSTORE_PATHS", &paths)]).config.outbound.ca_files;
    let names: Vec<_> =
        found.iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["a.crt", "b.pem", "notes.txt"]);
    let refused = development(&options(&["--truststore-paths=x.p12"], &[])).unwrap_err().to_string();
    assert!(refused.contains("--truststore-paths: x.p12: key stores are not read"), "{refused}");
}

#[test]
fn clients_are_asked_for_certificates_when_they_are_to_be() {
    let files = [
        "--https-certificate-file=c.pem",
        "--https-certificate-key-file=k.pem",
        "--https-trust-store-file=a.pem",
    ];
    let tls = |wish: &str| {
        let wish = format!("--https-client-auth={wish}");
        development(&options(&[&files[..], &[&wish]].concat(), &[]))
            .map(|process| process.config.tls.unwrap())
    };
    assert_eq!(tls("none").unwrap().client_authorities, None);
    assert_eq!(tls("request").unwrap().client_authorities, Some("a.pem".into()));
    assert!(
        tls("required").unwrap_err().to_string().contains("--https-client-auth: required is not offered")
    );
    let store = options(&["--hostname=https://id.example", "--https-key-store-file=server.p12"], &[]);
    let refused = production(&store).unwrap_err().to_string();
    assert!(refused.contains("--https-key-store-file: key stores are not read"), "{refused}");
}
