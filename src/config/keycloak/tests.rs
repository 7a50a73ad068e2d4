use super::*;
use crate::config::Mode;
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
