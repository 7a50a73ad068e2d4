//! A server started as Keycloak is: its options and variables, its folder of imports, its health, its names.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::boot::{self, Administrator, Existing, Import, Running, Seed};
use vestibule::clock::Clock;
use vestibule::config::keycloak::{Options, development};
use vestibule::realms::KeySource;
use vestibule::server::Shutdown;
use vestibule::store::Change;
use vestibule::testing::{Options as TestOptions, TestServer};

use crate::database::Place;

const DEMO: &str = r#"
    [realm]
    name = "demo"
    display_name = "First"
    [[realm.clients]]
    id = "app"
    public = true
    grants = ["password"]
    [[realm.users]]
    username = "alice"
    password = "wonderland"
"#;

async fn start(data: &Path, arguments: &[&str], environment: &[(&str, &str)], existing: Existing) -> Running {
    let folder = data.to_string_lossy();
    let mut all = vec!["--http-host=127.0.0.1", "--http-port=0", "--import-realm", "--data", &folder];
    all.extend_from_slice(arguments);
    let all: Vec<String> = all.into_iter().map(str::to_owned).collect();
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let process = development(&Options::read(&all, environment.iter().map(pair))).unwrap();
    let files = boot::import_files(&process.import.unwrap()).unwrap();
    let administrator = Administrator { user: process.user, service: process.service };
    let seed = Seed {
        keys: KeySource::SharedInProcess,
        import: Some(Import { files, existing }),
        administrator: Some(administrator),
        ..Seed::default()
    };
    boot::start(&process.config, Clock::system(), seed, Shutdown::new()).await.unwrap()
}

/// Asks, in a thread that may wait.
async fn ask(address: SocketAddr, host: &str, path: &str, form: Option<&str>) -> (u16, Value) {
    let (method, body) = form.map_or(("GET", ""), |form| ("POST", form));
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
    );
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or_default())
}

async fn password(running: &Running, realm: &str, client: &str, user: &str, password: &str) -> (u16, Value) {
    let form = format!("grant_type=password&client_id={client}&username={user}&password={password}");
    let path = format!("/realms/{realm}/protocol/openid-connect/token");
    ask(running.address, "localhost", &path, Some(&form)).await
}

#[tokio::test]
async fn a_container_is_ready_with_its_realms_its_administrator_and_its_health() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("import")).unwrap();
    std::fs::write(data.path().join("import/demo-realm.toml"), DEMO).unwrap();
    std::fs::write(data.path().join("import/notes.txt"), "not a realm").unwrap();
    let admin = [("KEYCLOAK_ADMIN", "admin"), ("KEYCLOAK_ADMIN_PASSWORD", "secret")];
    let running = start(data.path(), &[], &admin, Existing::Skip).await;

    assert_eq!(password(&running, "demo", "app", "alice", "wonderland").await.0, 200);
    assert_eq!(password(&running, "master", "admin-cli", "admin", "secret").await.0, 200);
    for path in ["/health", "/health/ready", "/health/live", "/health/started"] {
        let (status, health) = ask(running.management.unwrap(), "localhost", path, None).await;
        assert_eq!((status, &health["status"]), (200, &json!("UP")), "{path}");
    }
    assert_eq!(ask(running.address, "localhost", "/health", None).await.0, 404, "not on the main port");
    let (_, found) =
        ask(running.address, "keycloak:1234", "/realms/demo/.well-known/openid-configuration", None).await;
    assert_eq!(found["issuer"], "http://keycloak:1234/realms/demo", "any name is followed");
    running.shutdown.force();
    running.ended().await;

    // The next start of the same container: nothing is done again, and nothing undone.
    std::fs::write(data.path().join("import/demo-realm.toml"), DEMO.replace("First", "Second")).unwrap();
    let other = [("KEYCLOAK_ADMIN", "admin"), ("KEYCLOAK_ADMIN_PASSWORD", "changed")];
    let running = start(data.path(), &[], &other, Existing::Skip).await;
    let realm = running.app.store.realm_by_name("demo").await.unwrap().unwrap();
    assert_eq!(realm.display_name.as_deref(), Some("First"), "a realm that is there is skipped");
    assert_eq!(password(&running, "master", "admin-cli", "admin", "secret").await.0, 200);
    assert_eq!(password(&running, "master", "admin-cli", "admin", "changed").await.0, 401);
    running.shutdown.force();
    running.ended().await;

    let running = start(data.path(), &[], &other, Existing::Update).await;
    let realm = running.app.store.realm_by_name("demo").await.unwrap().unwrap();
    assert_eq!(realm.display_name.as_deref(), Some("Second"), "unless it is to be updated");
    running.shutdown.force();
}

#[tokio::test]
async fn a_relative_path_is_served_with_and_without_it_and_health_where_it_is_asked_for() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("import")).unwrap();
    let environment = [("KC_HTTP_RELATIVE_PATH", "/auth"), ("KC_HTTP_MANAGEMENT_HEALTH_ENABLED", "false")];
    let running = start(data.path(), &["--hostname=localhost"], &environment, Existing::Skip).await;
    for path in ["/auth/realms/master", "/realms/master"] {
        let path = format!("{path}/.well-known/openid-configuration");
        let (status, found) = ask(running.address, "10.1.2.3:99", &path, None).await;
        assert_eq!(status, 200, "{path}");
        assert_eq!(found["issuer"], "http://localhost:99/auth/realms/master", "{path}");
    }
    for name in ["oauth-authorization-server", "openid-configuration"] {
        // RFC 8414 §3.1: the issuer's path comes behind the well-known part.
        let path = format!("/.well-known/{name}/auth/realms/master");
        let (status, found) = ask(running.address, "localhost", &path, None).await;
        assert_eq!(status, 200, "{path}");
        assert_eq!(found["issuer"], "http://localhost/auth/realms/master", "{path}");
    }
    for path in ["/", "/auth", "/auth/"] {
        assert_eq!(ask(running.address, "localhost", path, None).await.0, 200, "{path}");
    }
    for path in ["/health/ready", "/auth/health/ready"] {
        assert_eq!(ask(running.address, "localhost", path, None).await.0, 200, "{path}");
        let management = running.management.unwrap();
        assert_eq!(ask(management, "localhost", path, None).await.0, 200, "{path} at the management port");
    }
    running.shutdown.force();
}

/// What Quarkus Dev Services and most realms of development write.
#[tokio::test]
async fn r03c_a_star_alone_takes_an_app_of_any_machine() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("import")).unwrap();
    let realm = json!({
        "realm": "dev", "enabled": true,
        "clients": [{ "clientId": "app", "publicClient": true, "redirectUris": ["*"] }],
    });
    std::fs::write(data.path().join("import/dev-realm.json"), realm.to_string()).unwrap();
    let running = start(data.path(), &[], &[], Existing::Skip).await;
    for (uri, status) in [
        ("http%3A%2F%2Fmyapp%3A8080%2Fcb", 200),
        ("https%3A%2F%2Fhost.docker.internal%2Fcb", 200),
        ("http%3A%2F%2Fmyapp%3A8080%2Fcb%23x", 400),
        ("myapp%3A%2F%2Fcb", 400),
    ] {
        let path = format!(
            "/realms/dev/protocol/openid-connect/auth?response_type=code&scope=openid&client_id=app&redirect_uri={uri}"
        );
        assert_eq!(ask(running.address, "localhost", &path, None).await.0, status, "{uri}");
    }
    running.shutdown.force();
}

/// The variables by which compose files name a Postgres.
#[tokio::test]
async fn kc_db_postgres_keeps_everything_there() {
    let Some(place) = Place::postgres().await else { return };
    let url = url::Url::parse(&place.options().database.unwrap()).unwrap();
    let properties = format!("?{}", url.query().unwrap());
    let database = [
        ("KC_DB", "postgres"),
        ("KC_DB_URL_HOST", url.host_str().unwrap()),
        ("KC_DB_URL_PORT", "5432"),
        ("KC_DB_URL_DATABASE", url.path().trim_start_matches('/')),
        ("KC_DB_URL_PROPERTIES", &properties),
        ("KC_DB_USERNAME", url.username()),
    ];
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("import")).unwrap();
    std::fs::write(data.path().join("import/demo-realm.toml"), DEMO).unwrap();
    for round in ["made", "found again"] {
        let running = start(data.path(), &[], &database, Existing::Skip).await;
        assert_eq!(password(&running, "demo", "app", "alice", "wonderland").await.0, 200, "{round}");
        running.shutdown.force();
        running.ended().await;
        // Found again it cannot have come from the file.
        std::fs::write(data.path().join("import/demo-realm.toml"), DEMO.replace("wonderland", "x")).unwrap();
    }
    let files: Vec<_> =
        std::fs::read_dir(data.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(files.iter().all(|name| !name.to_string_lossy().contains("db")), "{files:?}");
}

#[tokio::test]
async fn an_administrator_may_be_a_client() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("import")).unwrap();
    let environment =
        [("KC_BOOTSTRAP_ADMIN_CLIENT_ID", "ops"), ("KC_BOOTSTRAP_ADMIN_CLIENT_SECRET", "ops-secret")];
    for _ in 0..2 {
        let running = start(data.path(), &[], &environment, Existing::Skip).await;
        let form = "grant_type=client_credentials&client_id=ops&client_secret=ops-secret";
        let path = "/realms/master/protocol/openid-connect/token";
        let (status, tokens) = ask(running.address, "localhost", path, Some(form)).await;
        assert_eq!(status, 200);
        let claims = vestibule::testing::claims(tokens["access_token"].as_str().unwrap());
        assert!(claims["realm_access"]["roles"].as_array().unwrap().contains(&json!("admin")));
        running.shutdown.force();
        running.ended().await;
    }
}

/// A database from before `admin-cli` had a grant is mended at the start; what an administrator took away stays so.
#[tokio::test]
async fn an_admin_cli_of_before_administers_again_and_one_that_was_switched_off_does_not() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("import")).unwrap();
    std::fs::write(data.path().join("import/demo-realm.toml"), DEMO).unwrap();
    let admin = [("KEYCLOAK_ADMIN", "admin"), ("KEYCLOAK_ADMIN_PASSWORD", "secret")];
    for (full_scope, status) in [(false, 200), (true, 400)] {
        let running = start(data.path(), &[], &admin, Existing::Skip).await;
        assert_eq!(password(&running, "master", "admin-cli", "admin", "secret").await.0, 200);
        let store = &running.app.store;
        for realm in ["master", "demo"] {
            let realm = store.realm_by_name(realm).await.unwrap().unwrap();
            let mut client = store.client_by_client_id(&realm.id, "admin-cli").await.unwrap().unwrap();
            client.settings.grants.clear();
            client.settings.full_scope_allowed = full_scope;
            let at = running.app.clock.now();
            store.commit(vec![Change::PutClient { client: Box::new(client), at }]).await.unwrap();
        }
        running.shutdown.force();
        running.ended().await;
        let running = start(data.path(), &[], &admin, Existing::Skip).await;
        assert_eq!(password(&running, "master", "admin-cli", "admin", "secret").await.0, status);
        assert_eq!(password(&running, "demo", "admin-cli", "alice", "wonderland").await.0, status);
        running.shutdown.force();
        running.ended().await;
    }
}

/// One issuer, and for programs the name that they asked by.
#[tokio::test]
async fn an_alias_tells_programs_of_addresses_there_and_takes_what_they_send_to_it() {
    let aliases = vec!["http://op.internal:8080".to_owned()];
    let options = TestOptions { strict: true, aliases, ..TestOptions::default() };
    let server = TestServer::with(options).await.unwrap();
    let mut browser = server.browser();
    let path = "/realms/main/.well-known/openid-configuration";
    let request = [("host", "op.internal:8080")];
    let found = browser.send(Method::GET, path, None, &request).await.json();
    assert_eq!(found["issuer"], "https://op.example/realms/main");
    let calls = "http://op.internal:8080/realms/main/protocol/openid-connect";
    assert_eq!(found["token_endpoint"], format!("{calls}/token"));
    assert_eq!(found["jwks_uri"], format!("{calls}/certs"));
    assert_eq!(
        found["authorization_endpoint"],
        "https://op.example/realms/main/protocol/openid-connect/auth"
    );
    let public = browser.get(path).await.json();
    assert_eq!(public["token_endpoint"], "https://op.example/realms/main/protocol/openid-connect/token");

    let fields = "grant_type=client_credentials&client_id=service&client_secret=service-secret";
    let form = [("host", "op.internal:8080"), ("content-type", "application/x-www-form-urlencoded")];
    let token = "/realms/main/protocol/openid-connect/token";
    let tokens = browser.send(Method::POST, token, Some(fields.to_owned()), &form).await;
    let claims = vestibule::testing::claims(tokens.json()["access_token"].as_str().unwrap());
    assert_eq!(claims["iss"], "https://op.example/realms/main", "one issuer: {}", tokens.body);
}
