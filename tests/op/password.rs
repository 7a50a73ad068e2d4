//! The password grant (RFC 6749 §4.3) as Keycloak's tools use it: row C02 of the attack table, and the rows of wrong
//! passwords.

use serde_json::json;
use vestibule::clock::Timestamp;
use vestibule::testing::{Options, Reply, Rp, TestServer};

use crate::common::is_error;
use crate::database::Place;

const REALM: &str = r#"
    [realm]
    name = "main"
    [realm.brute_force]
    max_failures = 3
    [[realm.roles]]
    name = "user"
    [[realm.clients]]
    id = "cli"
    public = true
    grants = ["password", "refresh_token"]
    [[realm.clients]]
    id = "job"
    secret = "job-secret"
    grants = ["password"]
    [[realm.clients]]
    id = "asks"
    secret = "asks-secret"
    grants = ["password"]
    consent = true
    [[realm.clients]]
    id = "web"
    secret = "web-secret"
    redirect_uris = ["http://localhost:3000/callback"]
    [[realm.users]]
    username = "alice"
    email = "alice@example.com"
    password = "wonderland"
    roles = ["user"]
    [[realm.users]]
    username = "mallory"
    password = "gone"
    enabled = false
"#;

async fn ask(server: &TestServer, rp: &Rp, username: &str, password: &str, more: &[(&str, &str)]) -> Reply {
    let mut fields = vec![("grant_type", "password"), ("username", username), ("password", password)];
    fields.extend_from_slice(more);
    rp.token_request(&server.browser(), &fields).await
}

#[tokio::test]
async fn rfc6749_4_3_tokens_are_those_of_a_sign_in_with_a_session_of_its_own() {
    let server = TestServer::with_realm(REALM).await.unwrap();
    let (rp, browser) = (server.rp("cli", None), server.browser());
    let reply = ask(&server, &rp, "Alice", "wonderland", &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let answer = reply.json();
    assert!(answer.get("id_token").is_none(), "without openid there is no ID token");
    assert_eq!((&answer["expires_in"], &answer["refresh_expires_in"]), (&json!(300), &json!(1_800)));
    let access = vestibule::testing::claims(answer["access_token"].as_str().unwrap());
    assert_eq!(access["preferred_username"], "alice");
    assert_eq!(access["sid"], answer["session_state"]);
    assert!(access["realm_access"]["roles"].as_array().unwrap().contains(&json!("user")), "{access}");
    let refreshed = rp.refresh(&browser, answer["refresh_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(refreshed.access_claims()["sid"], access["sid"]);

    let by_mail = ask(&server, &rp, "alice@example.com", "wonderland", &[("scope", "openid email")]).await;
    let id = vestibule::testing::claims(by_mail.json()["id_token"].as_str().unwrap());
    assert_eq!((&id["aud"], &id["email"]), (&json!("cli"), &json!("alice@example.com")));
    assert_ne!(by_mail.json()["session_state"], answer["session_state"]);

    let job = server.rp("job", Some("job-secret"));
    let reply = ask(&server, &job, "alice", "wonderland", &[]).await;
    assert!(reply.json().get("refresh_token").is_none(), "the client may not refresh: {}", reply.body);
}

#[tokio::test]
async fn refusals_are_in_keycloaks_words() {
    let server = TestServer::with_realm(REALM).await.unwrap();
    let (cli, job) = (server.rp("cli", None), server.rp("job", Some("job-secret")));
    let (web, asks) = (server.rp("web", Some("web-secret")), server.rp("asks", Some("asks-secret")));
    let wrong = server.rp("job", Some("wrong"));
    for (case, rp, user, password, status, code, description) in [
        ("wrong password", &cli, "alice", "x", 401, "invalid_grant", "Invalid user credentials"),
        ("nobody", &cli, "nobody", "x", 401, "invalid_grant", "Invalid user credentials"),
        ("no password", &cli, "alice", "", 401, "invalid_grant", "Invalid user credentials"),
        ("disabled, wrong password", &cli, "mallory", "x", 401, "invalid_grant", "Invalid user credentials"),
        ("disabled", &job, "mallory", "gone", 400, "invalid_grant", "Account disabled"),
        (
            "without the grant",
            &web,
            "alice",
            "wonderland",
            400,
            "unauthorized_client",
            "Client not allowed for direct access grants",
        ),
        ("consent", &asks, "alice", "wonderland", 400, "unauthorized_client", "Client requires user consent"),
        (
            "wrong secret",
            &wrong,
            "alice",
            "wonderland",
            401,
            "invalid_client",
            "Invalid client or Invalid client credentials",
        ),
    ] {
        let reply = ask(&server, rp, user, password, &[]).await;
        is_error(&reply, status, code, case);
        assert_eq!(reply.json()["error_description"], description, "{case}");
    }
    let nameless = cli.token_request(&server.browser(), &[("grant_type", "password")]).await;
    is_error(&nameless, 400, "invalid_request", "no name");
    assert_eq!(nameless.json()["error_description"], "Missing parameter: username");
    is_error(
        &ask(&server, &cli, "alice", "wonderland", &[("scope", "x")]).await,
        400,
        "invalid_scope",
        "scope",
    );
}

/// Row U02 at this door: guesses are counted before they are looked at, for the sign-in form too.
#[tokio::test]
async fn u02_the_brake_holds_guesses_here_and_at_the_form_alike() {
    let frozen_at = Some(Timestamp(1_800_000_000));
    let options = Options { realm: Some(REALM.to_owned()), frozen_at, ..Options::default() };
    let server = TestServer::with(options).await.unwrap();
    let cli = server.rp("cli", None);
    for _ in 0..3 {
        is_error(&ask(&server, &cli, "alice", "x", &[]).await, 401, "invalid_grant", "a guess");
    }
    let held = ask(&server, &cli, "alice", "wonderland", &[]).await;
    is_error(&held, 401, "invalid_grant", "even the right one");
    assert_eq!(held.header("retry-after"), "30");
    let form =
        server.rp("web", Some("web-secret")).authorize(&mut server.browser(), "alice", "wonderland").await;
    assert_eq!(form.parameter("code"), None, "the form is held up too");
    server.clock().advance(31);
    assert_eq!(ask(&server, &cli, "alice", "wonderland", &[]).await.status, 200);
    assert_eq!(ask(&server, &cli, "alice", "wonderland", &[]).await.status, 200, "a right one forgives");
}

#[tokio::test]
async fn c02_serve_takes_passwords_from_admin_cli_alone_and_only_when_told() {
    for (switched_on, status) in [(false, 400), (true, 200)] {
        let strict = Options { strict: true, admin_cli_password_grant: switched_on, ..Options::default() };
        let server = TestServer::with(strict).await.unwrap();
        let admin = Rp::new(server.issuer("master"), "admin-cli", None);
        let reply = ask(&server, &admin, "admin", "admin", &[]).await;
        assert_eq!(reply.status, status, "{}", reply.body);
        let web = ask(&server, &server.rp("web", Some("web-secret")), "alice", "alice", &[]).await;
        is_error(&web, 400, "unsupported_grant_type", "any other client");
        let found = server.browser().get(&format!("{}/.well-known/openid-configuration", admin.issuer)).await;
        let grants = found.json()["grant_types_supported"].clone();
        assert_eq!(grants.as_array().unwrap().contains(&json!("password")), switched_on);
    }
}

#[tokio::test]
async fn admin_cli_of_every_realm_takes_passwords_in_development() {
    let server = TestServer::start().await.unwrap();
    let master = Rp::new(server.issuer("master"), "admin-cli", None);
    let reply = ask(&server, &master, "admin", "admin", &[]).await;
    let token = vestibule::testing::claims(reply.json()["access_token"].as_str().unwrap());
    assert!(token["realm_access"]["roles"].as_array().unwrap().contains(&json!("admin")), "{token}");
    assert_eq!(ask(&server, &server.rp("admin-cli", None), "alice", "alice", &[]).await.status, 200);
}

/// Three wrong ones are too many here: what a full disk refuses to keep is none of them.
#[tokio::test]
async fn i6_a_right_password_whose_session_cannot_be_kept_is_no_guess() {
    let place = Place::sqlite();
    let options = Options { realm: Some(REALM.to_owned()), ..place.options() };
    let server = TestServer::with(options).await.unwrap();
    let rp = server.rp("cli", None);
    for ways in ["the grant", "the form"] {
        place.execute(
            "CREATE TRIGGER no_room BEFORE INSERT ON sessions BEGIN SELECT RAISE(ABORT, 'no room'); END",
        );
        for attempt in 0..5 {
            if ways == "the grant" {
                let reply = ask(&server, &rp, "alice", "wonderland", &[]).await;
                assert!(reply.status.is_server_error(), "{attempt}: {}", reply.body);
            } else {
                assert!(server.sign_in("web", Some("web-secret"), "alice", "wonderland").await.is_err());
            }
        }
        place.execute("DROP TRIGGER no_room");
        server.sign_in("web", Some("web-secret"), "alice", "wonderland").await.unwrap();
        let reply = ask(&server, &rp, "alice", "wonderland", &[]).await;
        assert_eq!(reply.status, 200, "{ways}: {}", reply.body);
    }
    for _ in 0..3 {
        ask(&server, &rp, "alice", "wrong", &[]).await;
    }
    let reply = ask(&server, &rp, "alice", "wonderland", &[]).await;
    assert_eq!(reply.status, 401, "guesses count as ever: {}", reply.body);
}
