//! Roles of the realm and of its clients, by name and by identifier, with their parts.

use axum::http::Method;
use serde_json::json;

use super::scene::{Admin, names, token};

const ROLES: &str = "realms/main/roles";

#[tokio::test]
async fn roles_are_made_found_changed_and_taken_away() {
    let admin = Admin::new().await;
    let reply = admin
        .ask(
            Method::POST,
            ROLES,
            Some(json!({ "name": "team lead", "description": "Leads", "attributes": { "a": ["b"] } })),
        )
        .await;
    assert_eq!(reply.location(), format!("{}/admin/realms/main/roles/team%20lead", admin.server.origin()));
    let told = admin.refused(Method::POST, ROLES, json!({ "name": "tester" }), 409).await;
    assert_eq!(told["errorMessage"], "Role with name tester already exists");
    admin.refused(Method::POST, ROLES, json!({}), 400).await;
    let role = admin.get(&format!("{ROLES}/team%20lead")).await;
    assert_eq!(
        (&role["clientRole"], &role["composite"], &role["attributes"]),
        (&json!(false), &json!(false), &json!({ "a": ["b"] }))
    );
    let id = role["id"].as_str().unwrap();
    assert_eq!(admin.get(&format!("realms/main/roles-by-id/{id}")).await, role);
    let all = ["default-roles-main", "offline_access", "team lead", "tester", "uma_authorization"];
    assert_eq!(names(&admin.get(ROLES).await, "name"), all);
    assert_eq!(names(&admin.get(&format!("{ROLES}?search=LEAD")).await, "name"), ["team lead"]);
    assert_eq!(names(&admin.get(&format!("{ROLES}?first=1&max=2")).await, "name"), all[1..3]);
    admin.must(Method::PUT, &format!("{ROLES}/team%20lead"), json!({ "name": "chief" })).await;
    assert_eq!(admin.get(&format!("realms/main/roles-by-id/{id}")).await["name"], "chief");
    let alice = admin.user("main", "alice").await;
    admin
        .must(
            Method::POST,
            &format!("realms/main/users/{alice}/role-mappings/realm"),
            json!([{ "name": "chief" }]),
        )
        .await;
    assert_eq!(names(&admin.get(&format!("{ROLES}/chief/users")).await, "username"), ["alice"]);
    admin.must(Method::DELETE, &format!("realms/main/roles-by-id/{id}"), json!({})).await;
    let told = admin.refused(Method::GET, &format!("{ROLES}/chief"), json!({}), 404).await;
    assert_eq!(told["error"], "Could not find role");
    admin.refused(Method::DELETE, &format!("{ROLES}/default-roles-main"), json!({}), 400).await;
    admin.refused(Method::PUT, &format!("{ROLES}/offline_access"), json!({ "name": "x" }), 400).await;
}

#[tokio::test]
async fn a_role_is_made_of_others() {
    let admin = Admin::new().await;
    let store = &admin.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let web = store.client_by_client_id(&realm.id, "web").await.unwrap().unwrap().id;
    let of_web = format!("realms/main/clients/{web}/roles");
    let reply = admin.ask(Method::POST, &of_web, Some(json!({ "name": "reader" }))).await;
    assert!(reply.location().ends_with(&format!("/clients/{web}/roles/reader")));
    admin.must(Method::POST, ROLES, json!({ "name": "whole" })).await;
    let (tester, reader) =
        (admin.get(&format!("{ROLES}/tester")).await, admin.get(&format!("{of_web}/reader")).await);
    assert_eq!((&reader["clientRole"], &reader["containerId"]), (&json!(true), &json!(web)));
    let composites = format!("{ROLES}/whole/composites");
    admin.must(Method::POST, &composites, json!([tester, reader])).await;
    assert_eq!(names(&admin.get(&composites).await, "name"), ["tester", "reader"]);
    assert_eq!(names(&admin.get(&format!("{composites}/realm")).await, "name"), ["tester"]);
    assert_eq!(names(&admin.get(&format!("{composites}/clients/{web}")).await, "name"), ["reader"]);
    let whole = admin.get(&format!("{ROLES}/whole")).await;
    assert_eq!(
        (&whole["composite"], &whole["composites"]),
        (&json!(true), &json!({ "realm": ["tester"], "client": { "web": ["reader"] } }))
    );
    let tokens = {
        let alice = admin.user("main", "boss").await;
        admin
            .must(Method::POST, &format!("realms/main/users/{alice}/role-mappings/realm"), json!([whole]))
            .await;
        admin.server.sign_in("web", Some("web-secret"), "boss", "boss").await.unwrap()
    };
    let roles = &tokens.access_claims()["realm_access"]["roles"];
    assert!(roles.as_array().unwrap().contains(&json!("tester")), "{roles}");
    admin.must(Method::DELETE, &composites, json!([{ "id": tester["id"] }])).await;
    assert_eq!(names(&admin.get(&composites).await, "name"), ["reader"]);
}

#[tokio::test]
async fn a02_no_role_is_made_of_more_than_its_maker_has() {
    let admin = Admin::new().await;
    let store = &admin.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let management = store.client_by_client_id(&realm.id, "realm-management").await.unwrap().unwrap().id;
    let of_management = format!("realms/main/clients/{management}/roles");
    let (own, more) = (
        admin.get(&format!("{of_management}/manage-realm")).await,
        admin.get(&format!("{of_management}/manage-users")).await,
    );
    let keeper = admin.must(Method::POST, "realms/main/users", json!({ "username": "keeper" })).await;
    assert!(!keeper.is_empty());
    // A service account that may change the realm, and nothing else.
    let owner = token(&admin.server, "main", "owner").await;
    let viewer = store.client_by_client_id(&realm.id, "viewer").await.unwrap().unwrap();
    let account = store.user_of_service_account(&realm.id, &viewer.id).await.unwrap().unwrap().id;
    let mappings = format!("realms/main/users/{account}/role-mappings/clients/{management}");
    assert_eq!(admin.as_(&owner, Method::POST, &mappings, Some(json!([own]))).await.status, 204);
    let caller = token(&admin.server, "main", "viewer").await;
    let composites = format!("{ROLES}/default-roles-main/composites");
    for (row, method, path, body, expected) in [
        ("a plain role", Method::POST, ROLES.to_owned(), json!({ "name": "plain" }), 201),
        (
            "their own right, of a client that they do not look after",
            Method::POST,
            format!("{ROLES}/plain/composites"),
            json!([own]),
            403,
        ),
        ("another's, for everyone", Method::POST, composites, json!([more]), 403),
        (
            "another's, at once",
            Method::POST,
            ROLES.to_owned(),
            json!({ "name": "t", "composites": { "client": { "realm-management": ["manage-users"] } } }),
            403,
        ),
        (
            "a role that makes administrators",
            Method::PUT,
            format!("{of_management}/manage-users"),
            json!({ "name": "manage-users" }),
            403,
        ),
    ] {
        let reply = admin.as_(&caller, method, &path, Some(body)).await;
        assert_eq!(reply.status, expected, "{row}: {}", reply.body);
    }
}

/// A02: whoever looks after clients would have every role of the realm by making it a part of one that they hold.
#[tokio::test]
async fn a02_a_role_is_made_of_roles_that_its_maker_looks_after() {
    let admin = Admin::new().await;
    let id = |name: &'static str| {
        let admin = &admin;
        async move {
            let found = admin.get(&format!("realms/main/clients?clientId={name}")).await;
            found[0]["id"].as_str().unwrap().to_owned()
        }
    };
    let (web, aimed) = (id("web").await, id("aimed").await);
    for client in [&web, &aimed] {
        let of_client = format!("realms/main/clients/{client}/roles");
        admin.must(Method::POST, &of_client, json!({ "name": "plain" })).await;
    }
    let tester = admin.get(&format!("{ROLES}/tester")).await;
    let of_aimed = admin.get(&format!("realms/main/clients/{aimed}/roles/plain")).await;
    let keeper = token(&admin.server, "main", "keeper").await;
    let of_web = format!("realms/main/clients/{web}/roles");
    let composites = format!("{of_web}/plain/composites");
    let at_once = |part: serde_json::Value| json!({ "name": "made", "composites": part });
    for (row, method, path, body, expected) in [
        ("a role of the realm", Method::POST, &composites, json!([tester]), 403),
        ("one among others", Method::POST, &composites, json!([of_aimed, tester]), 403),
        ("at once", Method::POST, &of_web, at_once(json!({ "realm": ["tester"] })), 403),
        ("a role of another client", Method::POST, &composites, json!([of_aimed]), 204),
        ("which goes", Method::DELETE, &composites, json!([of_aimed]), 204),
        ("that at once", Method::POST, &of_web, at_once(json!({ "client": { "aimed": ["plain"] } })), 201),
    ] {
        let reply = admin.as_(&keeper, method, path, Some(body)).await;
        assert_eq!(reply.status, expected, "{row}: {}", reply.body);
    }
}
