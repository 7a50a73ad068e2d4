//! What the admin API asks of the database does not grow with what there is: as many questions for many records as for
//! few, and none about all records where one was asked for. On both databases.

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::testing::Options;

use super::scene::{Admin, REALMS};
use crate::database::Place;
use crate::on_both;
use crate::statements::is_clockwork;

async fn admin(place: &Place) -> Admin {
    let options = Options { realm: Some(REALMS.to_owned()), ..place.options() };
    Admin::on(vestibule::testing::TestServer::with(options).await.unwrap()).await
}

/// The statements that a request sent.
async fn asked(admin: &Admin, method: Method, path: &str, body: Option<Value>) -> Vec<&'static str> {
    // Once more, so that the realms are in memory: what was changed before is read again.
    admin.get("realms/main/users/count").await;
    admin.get("realms/main/users/count").await;
    let store = &admin.server.app().store;
    let _ = store.traffic();
    let reply = admin.ask(method, path, body).await;
    assert!(reply.status.is_success(), "{path}: {} {}", reply.status, reply.body);
    store.traffic().statements.into_iter().filter(|sql| !is_clockwork(sql)).collect()
}

fn reads(statements: &[&'static str]) -> usize {
    statements.iter().filter(|sql| sql.starts_with("SELECT") || sql.starts_with("WITH")).count()
}

/// Adds to everything that lists list.
async fn grow(admin: &Admin, from: usize, to: usize) {
    let alice = admin.user("main", "alice").await;
    for nth in from..to {
        let realm = json!({ "realm": format!("more-{nth}"), "enabled": false });
        admin.must(Method::POST, "realms", realm).await;
        let client = json!({
            "clientId": format!("app-{nth}"), "secret": "app-secret", "serviceAccountsEnabled": true,
            "redirectUris": ["http://localhost:3000/callback"], "consentRequired": nth == 0,
        });
        admin.must(Method::POST, "realms/main/clients", client).await;
        let user = json!({ "username": format!("user-{nth}"), "enabled": true });
        admin.must(Method::POST, "realms/main/users", user).await;
        let rp = admin.server.rp(&format!("app-{nth}"), Some("app-secret"));
        let mut browser = admin.server.browser();
        rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
        let top = json!({ "name": format!("group-{nth}") });
        let top = admin.must(Method::POST, "realms/main/groups", top).await;
        let path = format!("realms/main/users/{alice}/groups/{top}");
        admin.must(Method::PUT, &path, json!({})).await;
    }
}

/// A part of a realm with so many users, groups and clients, all of which are there.
fn import(count: usize) -> Value {
    let users: Vec<Value> = (0..count).map(|nth| json!({ "username": format!("user-{nth}") })).collect();
    let clients: Vec<Value> = (0..count).map(|nth| json!({ "clientId": format!("app-{nth}") })).collect();
    let groups: Vec<Value> = (0..count).map(|nth| json!({ "name": format!("group-{nth}") })).collect();
    json!({ "ifResourceExists": "OVERWRITE", "users": users, "clients": clients, "groups": groups })
}

/// A group with so many below it.
async fn family(admin: &Admin, count: usize) -> String {
    let top = admin.must(Method::POST, "realms/main/groups", json!({ "name": "family" })).await;
    for nth in 0..count {
        let path = format!("realms/main/groups/{top}/children");
        admin.must(Method::POST, &path, json!({ "name": format!("child-{nth}") })).await;
    }
    top
}

async fn costs(admin: &Admin, count: usize) -> Vec<(String, usize)> {
    let alice = admin.user("main", "alice").await;
    let mut costs = Vec::new();
    for path in [
        "realms".to_owned(),
        "realms?briefRepresentation=true".to_owned(),
        "realms/main/clients".to_owned(),
        "realms/main/clients?q=x:y".to_owned(),
        format!("realms/main/users/{alice}/sessions"),
        format!("realms/main/users/{alice}/consents"),
        format!("realms/main/users/{alice}/groups"),
        "realms/main/groups?search=group".to_owned(),
    ] {
        let count = asked(admin, Method::GET, &path, None).await.len();
        costs.push((path.replace(&alice, "alice"), count));
    }
    let path = "realms/main/partial-export?exportClients=true&exportGroupsAndRoles=true";
    costs.push((path.to_owned(), asked(admin, Method::POST, path, None).await.len()));
    let sent = asked(admin, Method::POST, "realms/main/partialImport", Some(import(count))).await;
    costs.push(("partialImport, reads".to_owned(), reads(&sent)));
    let top = family(admin, count).await;
    let path = format!("realms/main/groups/{top}");
    costs.push(("a group goes".to_owned(), asked(admin, Method::DELETE, &path, None).await.len()));
    costs
}

on_both! {
    async fn a05_lists_ask_no_more_for_many_than_for_few(place) {
        let admin = admin(&place).await;
        grow(&admin, 0, 2).await;
        let few = costs(&admin, 2).await;
        grow(&admin, 2, 6).await;
        let many = costs(&admin, 6).await;
        assert_eq!(few, many);
    }

    async fn a05_nothing_is_asked_about_all_where_one_is_meant(place) {
        let admin = admin(&place).await;
        grow(&admin, 0, 1).await;
        let alice = admin.user("main", "alice").await;
        let groups = admin.get("realms/main/groups").await;
        let group = format!("realms/main/groups/{}", groups[0]["id"].as_str().unwrap());
        let new = |name: &str| Some(json!({ "username": name, "enabled": true, "groups": ["/group-0"] }));
        let (get, post) = (Method::GET, Method::POST);
        for (method, path, body) in [
            (&get, "realms/main/clients?clientId=web".to_owned(), None),
            (&get, group.clone(), None),
            (&get, format!("{group}/members"), None),
            (&get, "realms/main/group-by-path/group-0".to_owned(), None),
            (&get, format!("realms/main/users/{alice}/groups"), None),
            (&post, "realms/main/users".to_owned(), new("grouped")),
            (&post, format!("{group}/children"), Some(json!({ "name": "below" }))),
        ] {
            let sent = asked(&admin, method.clone(), &path, body).await;
            let all = ["FROM groups WHERE realm_id = $1", "kind = $2 ORDER BY name, id"];
            let whole = sent.iter().filter(|sql| all.iter().any(|end| sql.ends_with(end)));
            assert_eq!(whole.count(), 0, "{path}: {sent:#?}");
        }
    }

    /// A user is found by an attribute also when those before have it among others, and counted once.
    async fn a05_attributes_are_searched_batch_by_batch(place) {
        let admin = admin(&place).await;
        let users: Vec<Value> = (0..1_100)
            .map(|nth| {
                let team = if nth % 100 == 99 { json!(["red"]) } else { json!(["blue", "redder"]) };
                json!({ "username": format!("member-{nth:04}"), "attributes": { "team": team, "x": ["red"] } })
            })
            .collect();
        let body = json!({ "users": users });
        assert_eq!(admin.ask(Method::POST, "realms/main/partialImport", Some(body)).await.status, 200);
        let users = "realms/main/users";
        let page = admin.get(&format!("{users}?q=team:red&first=8&max=2")).await;
        assert_eq!(super::scene::names(&page, "username"), ["member-0899", "member-0999"]);
        let last = admin.get(&format!("{users}?q=team:red&first=10&max=100")).await;
        assert_eq!(super::scene::names(&last, "username"), ["member-1099"]);
        assert_eq!(admin.get(&format!("{users}/count?q=team:red")).await, json!(11));
        assert_eq!(admin.get(&format!("{users}/count?q=team:red&search=member-01")).await, json!(1));
        assert_eq!(admin.get(&format!("{users}/count?q=team:green")).await, json!(0));
    }
}
