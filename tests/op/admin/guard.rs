//! A01: every route of the table, asked by everybody who may not. A route that is not in the table does not exist, so none
//! can be forgotten here.

use axum::http::Method;
use serde_json::json;
use vestibule::http::admin::{Route, table};
use vestibule::testing::Reply;

use super::scene::{Admin, token};

/// The address of a route, with something in each of its parts.
fn address(route: &Route, realm: &str) -> String {
    let mut address = String::new();
    for part in route.path.split('/').filter(|part| !part.is_empty()) {
        address.push('/');
        match part {
            "{realm}" => address.push_str(realm),
            part if part.starts_with('{') => address.push_str("00000000-0000-4000-8000-000000000000"),
            part => address.push_str(part),
        }
    }
    address
}

async fn ask(admin: &Admin, route: &Route, realm: &str, headers: &[(&str, &str)]) -> Reply {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    let body = (route.method != Method::GET).then(|| "{}".to_owned());
    admin.server.browser().send(route.method.clone(), &address(route, realm), body, &all).await
}

#[tokio::test]
async fn a01_no_route_answers_who_may_not() {
    let admin = Admin::new().await;
    let server = &admin.server;
    let rp = server.rp("web", Some("web-secret"));
    let mut browser = server.browser();
    let person = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let boss = rp.sign_in(&mut server.browser(), "boss", "boss").await.unwrap();
    let cookies: Vec<String> =
        browser.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let bearer = |token: &str| format!("Bearer {token}");
    let callers = [
        ("a person's token", bearer(person.access_token()), 403),
        ("an administrator's ID token", bearer(boss.id_token()), 401),
        ("an administrator's refresh token", bearer(boss.refresh_token()), 401),
        ("a client without roles", bearer(&token(server, "main", "nobody").await), 403),
        ("an administrator's token for another audience", bearer(&token(server, "main", "aimed").await), 403),
        ("another realm's administrator", bearer(&token(server, "other", "owner").await), 403),
        ("a client of master without roles", bearer(&token(server, "master", "nobody").await), 403),
        ("nonsense", bearer("a.b.c"), 401),
        ("Basic", "Basic b3duZXI6cw==".to_owned(), 401),
    ];
    for route in table() {
        let name = format!("{} {}", route.method, route.path);
        let of_realm = route.path.contains("{realm}");
        let reply = ask(&admin, &route, "main", &[]).await;
        assert_eq!(reply.status, 401, "{name}: no token");
        assert!(reply.header("www-authenticate").starts_with("Bearer"), "{name}");
        assert_eq!(reply.json(), json!({ "error": "HTTP 401 Unauthorized" }), "{name}");
        let cookie = cookies.join("; ");
        assert_eq!(ask(&admin, &route, "main", &[("cookie", &cookie)]).await.status, 401, "{name}: cookies");
        for (caller, authorization, expected) in &callers {
            // Who administrates a realm may ask about the server.
            if !of_realm && *caller == "another realm's administrator" {
                continue;
            }
            let reply = ask(&admin, &route, "main", &[("authorization", authorization)]).await;
            assert_eq!(reply.status, *expected, "{name}: {caller}: {}", reply.body);
            assert!(!reply.body.contains("alice"), "{name}: {caller}");
        }
    }
}

/// Who has each role but those that a route asks for is refused too, and who has one of them is not.
#[tokio::test]
async fn a01_each_route_asks_for_its_own_role() {
    let admin = Admin::new().await;
    let viewer = token(&admin.server, "main", "viewer").await;
    let viewer = format!("Bearer {viewer}");
    for route in table().iter().filter(|route| route.path.contains("{realm}")) {
        let held = ["view-users", "query-users", "query-groups"];
        let roles = route.permission.roles();
        let granted = roles.is_empty() || roles.iter().any(|role| held.contains(role));
        let reply = ask(&admin, route, "main", &[("authorization", &viewer)]).await;
        let name = format!("{} {}", route.method, route.path);
        assert_eq!(reply.status == 403, !granted, "{name}: {} {}", reply.status, reply.body);
        if route.method != Method::GET {
            assert!(!granted, "{name}: a viewer changes nothing");
        }
    }
}

#[tokio::test]
async fn a01_the_administrator_of_everything_is_heard() {
    let admin = Admin::new().await;
    let info = admin.get("serverinfo").await;
    assert_eq!(info["systemInfo"]["version"], "26.4.0");
    let names = |list: serde_json::Value| {
        list.as_array()
            .unwrap()
            .iter()
            .map(|one| one["realm"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(admin.get("realms").await), ["main", "master", "other"]);
    let owner = token(&admin.server, "main", "owner").await;
    let seen = admin.as_(&owner, Method::GET, "realms", None).await;
    assert_eq!(names(seen.json()), ["main"], "who administrates one realm sees that one");
    let unknown = admin.ask(Method::GET, "realms/nowhere", None).await;
    assert_eq!((unknown.status.as_u16(), unknown.json()), (404, json!({ "error": "Realm not found." })));
    let keys = admin.get("realms/main/keys").await;
    assert_eq!(keys["active"]["RS256"], keys["keys"][0]["kid"]);
}

#[tokio::test]
async fn addresses_with_spare_slashes_are_understood() {
    let admin = Admin::new().await;
    for path in ["/realms", "realms/", "/realms//main/", "realms/main//users/count/"] {
        assert_eq!(admin.ask(Method::GET, path, None).await.status, 200, "{path}");
    }
    assert_eq!(admin.ask(Method::GET, "realms/main/nothing", None).await.status, 404);
}

#[tokio::test]
async fn c08_only_the_origins_of_the_tokens_client_may_read() {
    let admin = Admin::new().await;
    let owner = format!("Bearer {}", token(&admin.server, "main", "owner").await);
    for (origin, expected) in [
        ("https://console.example", "https://console.example"),
        ("http://localhost:3000", ""),
        ("https://evil.example", ""),
        ("null", ""),
    ] {
        let headers = [("authorization", owner.as_str()), ("origin", origin)];
        let reply = admin.server.browser().send(Method::GET, "/admin/realms/main", None, &headers).await;
        assert_eq!(reply.status, 200, "{origin}");
        assert_eq!(reply.header("access-control-allow-origin"), expected, "{origin}");
    }
    let headers = [("origin", "https://console.example"), ("access-control-request-method", "PUT")];
    let reply = admin
        .server
        .browser()
        .send(Method::OPTIONS, "/admin/realms/main/users/x/logout", None, &headers)
        .await;
    assert_eq!(reply.header("access-control-allow-origin"), "https://console.example");
    assert!(reply.header("access-control-allow-methods").contains("DELETE"));
    let headers = [("origin", "https://evil.example"), ("access-control-request-method", "PUT")];
    let reply = admin
        .server
        .browser()
        .send(Method::OPTIONS, "/admin/realms/main/users/x/logout", None, &headers)
        .await;
    assert_eq!(reply.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a02_nobody_signs_out_an_administrator_of_more() {
    let admin = Admin::new().await;
    let helpdesk = token(&admin.server, "main", "helpdesk").await;
    for (user, expected) in [("alice", 204), ("boss", 403)] {
        let path = format!("realms/main/users/{}/logout", admin.user("main", user).await);
        assert_eq!(admin.as_(&helpdesk, Method::POST, &path, None).await.status, expected, "{user}");
    }
}

#[tokio::test]
async fn a04_what_is_of_another_realm_is_not_there() {
    let admin = Admin::new().await;
    let olaf = admin.user("other", "olaf").await;
    for (method, path) in [(Method::POST, "logout"), (Method::GET, "sessions")] {
        let reply = admin.ask(method, &format!("realms/main/users/{olaf}/{path}"), None).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (404, json!({ "error": "User not found" })),
            "{path}"
        );
    }
}

#[tokio::test]
async fn i8_an_action_is_one_event() {
    let admin = Admin::new().await;
    let alice = admin.user("main", "alice").await;
    assert_eq!(admin.ask(Method::POST, &format!("realms/main/users/{alice}/logout"), None).await.status, 204);
    let store = &admin.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let events = store.audit_events(&realm.id, vestibule::store::Page { first: 0, max: 1 }).await.unwrap();
    assert_eq!(events[0].kind.name(), "ADMIN_ACTION");
    assert_eq!(events[0].detail["resourcePath"], format!("users/{alice}/logout"));
    assert_eq!(events[0].detail["auth"]["clientId"], "admin");
}
