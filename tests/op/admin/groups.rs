//! Groups: a tree with members, roles and attributes.

use axum::http::Method;
use serde_json::json;

use super::scene::{Admin, names};

const GROUPS: &str = "realms/main/groups";

#[tokio::test]
async fn a_tree_grows_moves_and_falls() {
    let admin = Admin::new().await;
    let top = admin.must(Method::POST, GROUPS, json!({ "name": "top", "attributes": { "a": ["b"] } })).await;
    let below =
        admin.must(Method::POST, &format!("{GROUPS}/{top}/children"), json!({ "name": "level2" })).await;
    let leaf =
        admin.must(Method::POST, &format!("{GROUPS}/{below}/children"), json!({ "name": "leaf" })).await;
    let other = admin.must(Method::POST, GROUPS, json!({ "name": "other" })).await;
    let told = admin.refused(Method::POST, GROUPS, json!({ "name": "top" }), 409).await;
    assert_eq!(told["errorMessage"], "Top level group named 'top' already exists.");
    let told = admin
        .refused(Method::POST, &format!("{GROUPS}/{top}/children"), json!({ "name": "level2" }), 409)
        .await;
    assert_eq!(told["errorMessage"], "Sibling group named 'level2' already exists.");
    for name in [json!(null), json!(""), json!("a~"), json!("a\tb")] {
        admin.refused(Method::POST, GROUPS, json!({ "name": name }), 400).await;
    }
    let tops = admin.get(GROUPS).await;
    assert_eq!(names(&tops, "name"), ["other", "top"]);
    assert_eq!(
        (&tops[1]["subGroupCount"], &tops[1]["subGroups"]),
        (&json!(1), &json!([])),
        "as since Keycloak 23"
    );
    assert_eq!(names(&admin.get(&format!("{GROUPS}/{top}/children")).await, "path"), ["/top/level2"]);
    assert_eq!(admin.get(&format!("{GROUPS}/count")).await, json!({ "count": 4 }));
    assert_eq!(admin.get(&format!("{GROUPS}/count?top=true")).await, json!({ "count": 2 }));
    let group = admin.get(&format!("{GROUPS}/{top}")).await;
    assert_eq!((&group["attributes"], &group["realmRoles"]), (&json!({ "a": ["b"] }), &json!([])));
    let found = admin.get(&format!("{GROUPS}?search=EAF")).await;
    assert_eq!(found[0]["subGroups"][0]["subGroups"][0]["name"], "leaf", "the way to what was found");
    assert_eq!(admin.get("realms/main/group-by-path/top/level2").await["id"], below.as_str());
    let told = admin.refused(Method::GET, "realms/main/group-by-path/nowhere", json!({}), 404).await;
    assert_eq!(told["error"], "Group path does not exist");

    admin.must(Method::PUT, &format!("{GROUPS}/{below}"), json!({ "name": "renamed" })).await;
    assert_eq!(admin.get(&format!("{GROUPS}/{leaf}")).await["path"], "/top/renamed/leaf");
    admin
        .must(Method::POST, &format!("{GROUPS}/{other}/children"), json!({ "id": below, "name": "renamed" }))
        .await;
    assert_eq!(admin.get(&format!("{GROUPS}/{leaf}")).await["path"], "/other/renamed/leaf");
    admin
        .refused(
            Method::POST,
            &format!("{GROUPS}/{leaf}/children"),
            json!({ "id": other, "name": "other" }),
            400,
        )
        .await;
    admin.must(Method::DELETE, &format!("{GROUPS}/{other}"), json!({})).await;
    let told = admin.refused(Method::GET, &format!("{GROUPS}/{leaf}"), json!({}), 404).await;
    assert_eq!(told["error"], "Could not find group by id");
}

#[tokio::test]
async fn members_have_the_roles_of_their_groups() {
    let admin = Admin::new().await;
    let alice = admin.user("main", "boss").await;
    let top = admin.must(Method::POST, GROUPS, json!({ "name": "top" })).await;
    let below =
        admin.must(Method::POST, &format!("{GROUPS}/{top}/children"), json!({ "name": "below" })).await;
    let tester = admin.get("realms/main/roles/tester").await;
    let mappings = format!("{GROUPS}/{top}/role-mappings/realm");
    assert!(names(&admin.get(&format!("{mappings}/available")).await, "name").contains(&"tester".to_owned()));
    admin.must(Method::POST, &mappings, json!([tester])).await;
    assert_eq!(names(&admin.get(&mappings).await, "name"), ["tester"]);
    assert_eq!(names(&admin.get(&format!("{GROUPS}/{below}/role-mappings/realm")).await, "name"), [""; 0]);
    assert_eq!(
        names(&admin.get(&format!("{GROUPS}/{below}/role-mappings/realm/composite")).await, "name"),
        ["tester"]
    );
    assert_eq!(names(&admin.get("realms/main/roles/tester/groups").await, "name"), ["top"]);
    admin.must(Method::PUT, &format!("realms/main/users/{alice}/groups/{below}"), json!({})).await;
    assert_eq!(admin.get(&format!("realms/main/users/{alice}/groups/count")).await, json!({ "count": 1 }));
    let effective = admin.get(&format!("realms/main/users/{alice}/role-mappings/realm/composite")).await;
    assert!(names(&effective, "name").contains(&"tester".to_owned()));
    admin.must(Method::DELETE, &format!("realms/main/users/{alice}/groups/{below}"), json!({})).await;
    assert_eq!(admin.get(&format!("{GROUPS}/{below}/members")).await, json!([]));
    admin.must(Method::DELETE, &mappings, json!([tester])).await;
    assert_eq!(admin.get(&mappings).await, json!([]));
}

#[tokio::test]
async fn new_users_join_the_default_groups() {
    let admin = Admin::new().await;
    let group = admin.must(Method::POST, GROUPS, json!({ "name": "everyone" })).await;
    admin.must(Method::PUT, &format!("realms/main/default-groups/{group}"), json!({})).await;
    assert_eq!(names(&admin.get("realms/main/default-groups").await, "path"), ["/everyone"]);
    let user = admin.must(Method::POST, "realms/main/users", json!({ "username": "new" })).await;
    assert_eq!(names(&admin.get(&format!("realms/main/users/{user}/groups")).await, "name"), ["everyone"]);
    admin.must(Method::DELETE, &format!("realms/main/default-groups/{group}"), json!({})).await;
    assert_eq!(admin.get("realms/main/default-groups").await, json!([]));
}

/// A slash of a name is escaped in paths, as Keycloak does with `escape-slashes-in-group-path`.
#[tokio::test]
async fn a_name_with_a_slash_is_one_part_of_a_path() {
    let admin = Admin::new().await;
    let top = admin.must(Method::POST, GROUPS, json!({ "name": "r&d/eu" })).await;
    let below = admin.must(Method::POST, &format!("{GROUPS}/{top}/children"), json!({ "name": "a/b" })).await;
    let other = admin.must(Method::POST, GROUPS, json!({ "name": "r&d" })).await;
    admin.must(Method::POST, &format!("{GROUPS}/{other}/children"), json!({ "name": "eu" })).await;
    let group = admin.get(&format!("{GROUPS}/{below}")).await;
    assert_eq!((&group["name"], &group["path"]), (&json!("a/b"), &json!("/r&d~/eu/a~/b")));
    assert_eq!(admin.get("realms/main/group-by-path/r&d~/eu/a~/b").await["id"], below.as_str());
    admin.must(Method::PUT, &format!("{GROUPS}/{top}"), json!({ "name": "x/y" })).await;
    assert_eq!(admin.get(&format!("{GROUPS}/{below}")).await["path"], "/x~/y/a~/b");
}
