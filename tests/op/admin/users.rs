//! Users: made, found, changed, given credentials, roles and groups; A02, A04, A05 and A06.

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::testing::{Options, TestServer};

use super::scene::{Admin, REALMS, names, token};

const USERS: &str = "realms/main/users";

#[tokio::test]
async fn a_user_is_made_with_all_that_the_body_says_and_signs_in() {
    let admin = Admin::new().await;
    let group = admin.must(Method::POST, "realms/main/groups", json!({ "name": "staff" })).await;
    let body = json!({
        "username": "Bob", "email": "bob@example.com", "firstName": "Bob", "lastName": "Builder", "enabled": true,
        "emailVerified": true, "attributes": { "team": ["red"], "size": "10" },
        "credentials": [{ "type": "password", "value": "bob", "temporary": false }],
        "groups": ["/staff"], "realmRoles": ["tester", "unknown"], "clientRoles": { "realm-management": ["realm-admin"] },
        "somethingNew": { "kept": true },
    });
    let reply = admin.ask(Method::POST, USERS, Some(body)).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (201, ""));
    let id = reply.location().rsplit('/').next().unwrap().to_owned();
    assert_eq!(reply.location(), format!("{}/admin/realms/main/users/{id}", admin.server.origin()));
    let user = admin.get(&format!("{USERS}/{id}")).await;
    for (name, expected) in [
        ("username", json!("bob")),
        ("email", json!("bob@example.com")),
        ("firstName", json!("Bob")),
        ("emailVerified", json!(true)),
        ("attributes", json!({ "team": ["red"], "size": ["10"] })),
        ("requiredActions", json!([])),
        ("somethingNew", json!({ "kept": true })),
        ("totp", json!(false)),
    ] {
        assert_eq!(user[name], expected, "{name}");
    }
    let mappings = admin.get(&format!("{USERS}/{id}/role-mappings")).await;
    assert_eq!(
        names(&mappings["realmMappings"], "name"),
        ["default-roles-main"],
        "as in Keycloak, no others"
    );
    assert_eq!(mappings["clientMappings"], json!({}), "a02");
    let groups = admin.get(&format!("{USERS}/{id}/groups")).await;
    assert_eq!(groups[0]["id"], group.as_str());
    assert_eq!(admin.get(&format!("realms/main/groups/{group}/members")).await[0]["username"], "bob");
    let tokens = admin.server.sign_in("web", Some("web-secret"), "bob", "bob").await.unwrap();
    assert_eq!(tokens.access_claims()["sub"], id.as_str());
}

#[tokio::test]
async fn what_is_wrong_with_a_user_is_said_in_keycloaks_words() {
    let admin = Admin::new().await;
    for (body, status, expected) in [
        (json!({}), 400, json!({ "errorMessage": "User name is missing" })),
        (json!({ "username": "  " }), 400, json!({ "errorMessage": "User name is missing" })),
        (json!({ "username": "ALICE" }), 409, json!({ "errorMessage": "User exists with same username" })),
        (
            json!({ "username": "x", "email": "ALICE@example.com" }),
            409,
            json!({ "errorMessage": "User exists with same email" }),
        ),
        (
            json!({ "username": "x", "email": "nothing" }),
            400,
            json!({ "field": "email", "errorMessage": "error-invalid-email", "params": ["email"] }),
        ),
        (
            json!({ "username": "x".repeat(256) }),
            400,
            json!({ "field": "username", "errorMessage": "error-invalid-length", "params": ["username", 0, 255] }),
        ),
    ] {
        assert_eq!(admin.refused(Method::POST, USERS, body.clone(), status).await, expected, "{body}");
    }
    for body in
        [json!([]), json!("x"), json!({ "username": 1 }), json!({ "username": "x", "enabled": "maybe" })]
    {
        let told = admin.refused(Method::POST, USERS, body.clone(), 400).await;
        assert_eq!(told["error"], "unknown_error", "{body}");
    }
    let unknown = admin.refused(Method::PUT, &format!("{USERS}/nobody"), json!({}), 404).await;
    assert_eq!(unknown, json!({ "error": "User not found" }));
    let alice = admin.user("main", "alice").await;
    admin.refused(Method::PUT, &format!("{USERS}/{alice}"), json!({ "id": "another" }), 400).await;
}

#[tokio::test]
async fn users_are_found_by_each_of_their_fields() {
    let admin = Admin::new().await;
    for (username, first, last, email, team) in [
        ("anna", "Anna", "Ölström", "anna@north.example", "red"),
        ("annabel", "Bel", "Anna", "bel@south.example", "blue"),
        ("100%", "Per", "Cent", "per@south.example", "red"),
    ] {
        let body = json!({
            "username": username, "firstName": first, "lastName": last, "email": email, "enabled": username != "anna",
            "attributes": { "team": [team] },
        });
        admin.must(Method::POST, USERS, body).await;
    }
    for (query, expected) in [
        ("", vec!["100%", "alice", "anna", "annabel", "boss"]),
        ("username=ANNA", vec!["anna", "annabel"]),
        ("username=anna&exact=True", vec!["anna"]),
        ("firstName=anna", vec!["anna"]),
        ("lastName=anna", vec!["annabel"]),
        ("lastName=%C3%B6lstr%C3%B6m", vec!["anna"]),
        ("email=south", vec!["100%", "annabel"]),
        ("email=bel%40south.example&exact=true", vec!["annabel"]),
        ("username=anna&email=south", vec!["annabel"]),
        ("search=ann", vec!["anna", "annabel"]),
        ("search=lstr", vec![]),
        ("search=*lstr*", vec!["anna"]),
        ("search=%22anna%22", vec!["anna", "annabel"]),
        ("search=anna+%C3%B6l", vec!["anna"]),
        ("search=%25", vec![]),
        ("search=*%25*", vec!["100%"]),
        ("username=_", vec![]),
        ("enabled=false", vec!["anna"]),
        ("emailVerified=true", vec![]),
        ("q=team:red", vec!["100%", "anna"]),
        ("q=team:red+x:y", vec![]),
        ("first=1&max=2", vec!["alice", "anna"]),
        ("q=team:red&first=1", vec!["anna"]),
    ] {
        let found = admin.get(&format!("{USERS}?{query}")).await;
        assert_eq!(names(&found, "username"), expected, "{query}");
        if !query.contains("first=") {
            assert_eq!(admin.get(&format!("{USERS}/count?{query}")).await, json!(expected.len()), "{query}");
        }
    }
    let brief = admin.get(&format!("{USERS}?username=annabel&briefRepresentation=true")).await;
    assert_eq!(brief[0]["attributes"], Value::Null);
    let whole = admin.get(&format!("{USERS}?username=annabel")).await;
    assert_eq!(whole[0]["attributes"], json!({ "team": ["blue"] }));
}

#[tokio::test]
async fn a05_paging_stays_within_bounds() {
    let admin = Admin::new().await;
    for query in [
        "first=-1",
        "max=0",
        "max=-1",
        "max=1000000000",
        "max=x",
        "first=",
        "first=1&first=2",
        "exact=yes",
        "q=x",
    ] {
        let reply = admin.ask(Method::GET, &format!("{USERS}?{query}"), None).await;
        let expected = if query == "first=" { 200 } else { 400 };
        assert_eq!(reply.status, expected, "{query}");
    }
    for order in ["sort=name;drop table users", "search=' OR 1=1 --"] {
        let (name, value) = order.split_once('=').unwrap();
        let query = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        assert_eq!(admin.ask(Method::GET, &format!("{USERS}?{query}"), None).await.status, 200, "{order}");
    }
    assert_eq!(admin.get(&format!("{USERS}/count")).await, json!(2));
}

#[tokio::test]
async fn a_user_changes_and_goes() {
    let admin = Admin::new().await;
    let alice = admin.user("main", "alice").await;
    let path = format!("{USERS}/{alice}");
    let tokens = admin.server.sign_in("web", Some("web-secret"), "alice", "alice").await.unwrap();
    admin.must(Method::PUT, &path, json!({ "firstName": "Al", "attributes": { "a": ["b"] } })).await;
    let user = admin.get(&path).await;
    assert_eq!(
        (&user["firstName"], &user["lastName"]),
        (&json!("Al"), &json!("Liddell")),
        "what is not said stays"
    );
    assert_eq!(user["email"], "alice@example.com");
    let told = admin.refused(Method::PUT, &path, json!({ "username": "boss" }), 409).await;
    assert_eq!(told["errorMessage"], "User exists with same username");
    admin.must(Method::PUT, &path, json!({ "enabled": false })).await;
    let rp = admin.server.rp("web", Some("web-secret"));
    let refreshed = rp.refresh(&admin.server.browser(), tokens.refresh_token()).await;
    assert!(refreshed.is_err(), "f06: who is disabled is signed out");
    admin.must(Method::PUT, &path, json!({ "enabled": true })).await;
    assert!(rp.refresh(&admin.server.browser(), tokens.refresh_token()).await.is_err(), "and stays so");
    admin.must(Method::DELETE, &path, json!({})).await;
    assert_eq!(
        admin.refused(Method::DELETE, &path, json!({}), 404).await,
        json!({ "error": "User not found" })
    );
}

#[tokio::test]
async fn people_share_an_address_where_the_realm_lets_them() {
    let admin = Admin::new().await;
    let person = |name: &str| json!({ "username": name, "enabled": true, "email": "office@example.com" });
    admin.must(Method::POST, USERS, person("first")).await;
    let told = admin.refused(Method::POST, USERS, person("second"), 409).await;
    assert_eq!(told["errorMessage"], "User exists with same email");
    admin.must(Method::PUT, "realms/main", json!({ "duplicateEmailsAllowed": true })).await;
    let realm = admin.get("realms/main").await;
    assert_eq!(
        (&realm["duplicateEmailsAllowed"], &realm["loginWithEmailAllowed"]),
        (&json!(true), &json!(false))
    );
    admin.must(Method::POST, USERS, person("second")).await;
    let found = admin.get(&format!("{USERS}?email=office@example.com&exact=true")).await;
    assert_eq!(names(&found, "username"), ["first", "second"]);
    admin.must(Method::PUT, "realms/main", json!({ "loginWithEmailAllowed": true })).await;
    assert_eq!(
        admin.get("realms/main").await["duplicateEmailsAllowed"],
        false,
        "one switch takes the other back"
    );
    admin.refused(Method::POST, USERS, person("third"), 409).await;
}

/// As in Keycloak: a password that comes with a user takes back nothing that is asked of them.
#[tokio::test]
async fn a_lasting_password_ends_what_is_asked_of_its_user_when_it_is_set_alone() {
    let admin = Admin::new().await;
    let password = |value: &str| json!({ "type": "password", "value": value, "temporary": false });
    let asked = json!(["UPDATE_PASSWORD"]);
    let body = json!({
        "username": "newcomer", "enabled": true, "requiredActions": asked, "credentials": [password("first")],
    });
    admin.must(Method::POST, USERS, body).await;
    let path = format!("{USERS}/{}", admin.user("main", "newcomer").await);
    assert_eq!(admin.get(&path).await["requiredActions"], asked, "made");
    let refused = admin.server.sign_in("web", Some("web-secret"), "newcomer", "first").await;
    assert!(refused.is_err(), "the sign-in asks for another password");

    let body = json!({ "requiredActions": asked, "credentials": [password("second")] });
    admin.must(Method::PUT, &path, body).await;
    assert_eq!(admin.get(&path).await["requiredActions"], asked, "changed");
    let temporary = json!({ "type": "password", "value": "third", "temporary": true });
    admin.must(Method::PUT, &path, json!({ "credentials": [temporary] })).await;
    assert_eq!(admin.get(&path).await["requiredActions"], asked, "asked for once");

    admin.must(Method::PUT, &format!("{path}/reset-password"), password("lasting")).await;
    assert_eq!(admin.get(&path).await["requiredActions"], json!([]), "set alone");
    admin.server.sign_in("web", Some("web-secret"), "newcomer", "lasting").await.unwrap();
}

#[tokio::test]
async fn a_password_is_set_and_taken_away_and_never_shown() {
    let admin = Admin::new().await;
    let alice = admin.user("main", "alice").await;
    let path = format!("{USERS}/{alice}");
    let tokens = admin.server.sign_in("web", Some("web-secret"), "alice", "alice").await.unwrap();
    let body = json!({ "type": "password", "value": "other", "temporary": false });
    admin.must(Method::PUT, &format!("{path}/reset-password"), body).await;
    let rp = admin.server.rp("web", Some("web-secret"));
    assert!(rp.refresh(&admin.server.browser(), tokens.refresh_token()).await.is_err(), "f06");
    assert!(admin.server.sign_in("web", Some("web-secret"), "alice", "alice").await.is_err());
    admin.server.sign_in("web", Some("web-secret"), "alice", "other").await.unwrap();
    for body in [
        json!({ "type": "password" }),
        json!({ "type": "password", "value": "" }),
        json!({ "type": "otp", "value": "x" }),
    ] {
        admin.refused(Method::PUT, &format!("{path}/reset-password"), body, 400).await;
    }
    let body = json!({ "type": "password", "value": "once", "temporary": true });
    admin.must(Method::PUT, &format!("{path}/reset-password"), body).await;
    assert_eq!(admin.get(&path).await["requiredActions"], json!(["UPDATE_PASSWORD"]));
    let shown = admin.ask(Method::GET, &format!("{path}/credentials"), None).await;
    assert!(!shown.body.contains("argon2") && !shown.body.contains("secretData"), "a06: {}", shown.body);
    let id = shown.json()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(shown.json()[0]["type"], "password");
    admin.must(Method::DELETE, &format!("{path}/credentials/{id}"), json!({})).await;
    assert_eq!(admin.get(&format!("{path}/credentials")).await, json!([]));
    admin.refused(Method::DELETE, &format!("{path}/credentials/{id}"), json!({}), 404).await;
}

#[tokio::test]
async fn one_time_codes_are_kept_in_their_order_without_their_secrets() {
    let admin = Admin::new().await;
    let code = |label: &str| {
        json!({
            "type": "otp", "userLabel": label, "secretData": "{\"value\":\"DJmQfC73VGFhw7D4QJ8A\"}",
            "credentialData": "{\"digits\":6,\"counter\":0,\"period\":30,\"algorithm\":\"HmacSHA1\",\"subType\":\"totp\"}",
        })
    };
    let body = json!({ "username": "carl", "credentials": [code("phone"), code("tablet")] });
    let path = format!("{USERS}/{}", admin.must(Method::POST, USERS, body).await);
    assert_eq!(admin.get(&path).await["totp"], true);
    let credentials = format!("{path}/credentials");
    let shown = admin.ask(Method::GET, &credentials, None).await;
    assert!(!shown.body.contains("DJmQfC73"), "a06: {}", shown.body);
    assert_eq!(names(&shown.json(), "userLabel"), ["phone", "tablet"]);
    let tablet = shown.json()[1]["id"].as_str().unwrap().to_owned();
    admin.must(Method::POST, &format!("{credentials}/{tablet}/moveToFirst"), json!({})).await;
    assert_eq!(names(&admin.get(&credentials).await, "userLabel"), ["tablet", "phone"]);
    let phone = admin.get(&credentials).await[1]["id"].as_str().unwrap().to_owned();
    admin.must(Method::POST, &format!("{credentials}/{tablet}/moveAfter/{phone}"), json!({})).await;
    assert_eq!(names(&admin.get(&credentials).await, "userLabel"), ["phone", "tablet"]);
    admin.must(Method::PUT, &format!("{credentials}/{tablet}/userLabel"), json!("slate")).await;
    assert_eq!(names(&admin.get(&credentials).await, "userLabel"), ["phone", "slate"]);
    admin.must(Method::PUT, &format!("{path}/disable-credential-types"), json!(["otp"])).await;
    assert_eq!(admin.get(&credentials).await, json!([]));
}

#[tokio::test]
async fn u10_a_device_by_which_nobody_could_sign_in_is_refused() {
    let admin = Admin::new().await;
    let alice = format!("{USERS}/{}", admin.user("main", "alice").await);
    for (row, secret, data) in [
        ("period 0", json!({ "value": "x" }), json!({ "period": 0 })),
        ("digits 0", json!({ "value": "x" }), json!({ "digits": 0 })),
        ("algorithm", json!({ "value": "x" }), json!({ "algorithm": "X" })),
        ("empty secret", json!({ "value": "" }), json!({})),
    ] {
        let device =
            json!({ "type": "otp", "secretData": secret.to_string(), "credentialData": data.to_string() });
        let user = json!({ "username": "x", "credentials": [device] });
        let told = admin.refused(Method::POST, USERS, user, 400).await;
        assert!(told["errorMessage"].as_str().unwrap().contains("device"), "{row}: {told}");
        admin.refused(Method::PUT, &alice, json!({ "credentials": [device] }), 400).await;
        let import =
            json!({ "ifResourceExists": "SKIP", "users": [{ "username": "y", "credentials": [device] }] });
        admin.refused(Method::POST, "realms/main/partialImport", import, 400).await;
    }
    let old =
        json!({ "username": "x", "credentials": [{ "type": "totp", "value": "secret", "period": -1 }] });
    admin.refused(Method::POST, USERS, old, 400).await;
    assert_eq!(admin.get(&format!("{alice}/credentials")).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_password_is_called_something_and_comes_first() {
    let admin = Admin::new().await;
    let alice = admin.user("main", "alice").await;
    let at = format!("{USERS}/{alice}/credentials");
    assert_eq!(admin.plain(Method::PUT, &format!("{at}/{alice}/userLabel"), "from school").await.status, 204);
    assert_eq!(names(&admin.get(&at).await, "userLabel"), ["from school"]);
    let told = admin.refused(Method::PUT, &format!("{at}/{alice}/userLabel"), json!(""), 400).await;
    assert_eq!(told["error"], "missingCredentialLabel");
    admin.refused(Method::PUT, &format!("{at}/{alice}/userLabel"), json!("x".repeat(256)), 400).await;
    let device = json!({ "type": "otp", "secretData": "{\"value\":\"x\"}", "credentialData": "{}" });
    admin.must(Method::PUT, &format!("{USERS}/{alice}"), json!({ "credentials": [device] })).await;
    let phone = admin.get(&at).await[1]["id"].as_str().unwrap().to_owned();
    admin.must(Method::POST, &format!("{at}/{alice}/moveToFirst"), json!({})).await;
    admin.must(Method::POST, &format!("{at}/{phone}/moveAfter/{alice}"), json!({})).await;
    assert_eq!(names(&admin.get(&at).await, "type"), ["password", "otp"]);
    admin.refused(Method::POST, &format!("{at}/{alice}/moveAfter/{phone}"), json!({}), 400).await;
    for path in ["none/moveToFirst".to_owned(), format!("{phone}/moveAfter/none")] {
        admin.refused(Method::POST, &format!("{at}/{path}"), json!({}), 404).await;
    }
    admin.refused(Method::PUT, &format!("{at}/none/userLabel"), json!("x"), 404).await;
}

#[tokio::test]
async fn a_service_account_keeps_its_name_and_gives_way_to_a_new_one() {
    let admin = Admin::new().await;
    let clerk = admin.get("realms/main/clients?clientId=clerk").await[0]["id"].as_str().unwrap().to_owned();
    let account = format!("realms/main/clients/{clerk}/service-account-user");
    let old = admin.get(&account).await;
    let path = format!("{USERS}/{}", old["id"].as_str().unwrap());
    let told = admin.refused(Method::PUT, &path, json!({ "username": "alice-2" }), 400).await;
    assert_eq!(
        (&told["field"], &told["errorMessage"]),
        (&json!("username"), &json!("error-user-attribute-read-only"))
    );
    admin.must(Method::PUT, &path, json!({ "username": old["username"], "firstName": "Clerk" })).await;
    let before = token(&admin.server, "main", "clerk").await;
    assert_eq!(admin.as_(&before, Method::GET, "realms/main/clients", None).await.status, 200);
    admin.must(Method::DELETE, &path, json!({})).await;
    let new = admin.get(&account).await;
    assert_eq!((new["username"] == old["username"], new["id"] == old["id"]), (true, false));
    for token in [before, token(&admin.server, "main", "clerk").await] {
        let reply = admin.as_(&token, Method::GET, "realms/main/clients", None).await;
        assert!([401, 403].contains(&reply.status.as_u16()), "its rights went along: {}", reply.status);
    }
}

/// A02: grantable is what the caller has, by whatever way a right would come.
#[tokio::test]
async fn a02_who_manages_users_makes_no_administrator() {
    let admin = Admin::new().await;
    let helpdesk = token(&admin.server, "main", "helpdesk").await;
    let (alice, boss) = (admin.user("main", "alice").await, admin.user("main", "boss").await);
    let management = admin.server.app().store.clone();
    let realm = management.realm_by_name("main").await.unwrap().unwrap();
    let client = management.client_by_client_id(&realm.id, "realm-management").await.unwrap().unwrap().id;
    let role = |name: &str| {
        let path = format!("realms/main/clients/{client}/roles/{name}");
        let admin = &admin;
        async move { admin.get(&path).await }
    };
    let (mine, more, all) =
        (role("manage-users").await, role("manage-realm").await, role("realm-admin").await);
    // A group that has a right, and a plain role that contains one, made by the administrator of everything.
    let group = admin.must(Method::POST, "realms/main/groups", json!({ "name": "admins" })).await;
    let mappings = format!("realms/main/groups/{group}/role-mappings/clients/{client}");
    admin.must(Method::POST, &mappings, json!([all])).await;
    let plain = admin.must(Method::POST, "realms/main/groups", json!({ "name": "plain" })).await;
    admin
        .must(
            Method::POST,
            "realms/main/roles",
            json!({ "name": "trojan", "composites": { "client": { "realm-management": ["realm-admin"] } } }),
        )
        .await;
    let trojan = admin.get("realms/main/roles/trojan").await;
    let tester = admin.get("realms/main/roles/tester").await;
    admin.must(Method::PUT, &format!("{USERS}/{boss}/groups/{plain}"), json!({})).await;
    admin.must(Method::POST, &format!("{USERS}/{boss}/role-mappings/realm"), json!([tester])).await;
    let above = admin.must(Method::POST, "realms/main/groups", json!({ "name": "above" })).await;
    let within = format!("realms/main/groups/{above}/children");
    let within = admin.must(Method::POST, &within, json!({ "name": "within" })).await;
    let mappings = format!("realms/main/groups/{within}/role-mappings/clients/{client}");
    admin.must(Method::POST, &mappings, json!([all])).await;
    let to_client = format!("{USERS}/{alice}/role-mappings/clients/{client}");
    let to_group = format!("realms/main/groups/{plain}/role-mappings/clients/{client}");
    for (row, method, path, body) in [
        ("grant another right", Method::POST, to_client.clone(), json!([more])),
        ("grant all", Method::POST, to_client.clone(), json!([all])),
        ("one among harmless ones", Method::POST, to_client.clone(), json!([mine, more])),
        (
            "a role that contains one",
            Method::POST,
            format!("{USERS}/{alice}/role-mappings/realm"),
            json!([trojan]),
        ),
        ("through a group", Method::POST, to_group.clone(), json!([all])),
        ("join a group that has one", Method::PUT, format!("{USERS}/{alice}/groups/{group}"), json!({})),
        (
            "a child of such a group",
            Method::POST,
            format!("realms/main/groups/{group}/children"),
            json!({ "name": "x" }),
        ),
        (
            "move a group there",
            Method::POST,
            format!("realms/main/groups/{group}/children"),
            json!({ "id": plain, "name": "plain" }),
        ),
        (
            "make a user in such a group",
            Method::POST,
            USERS.to_owned(),
            json!({ "username": "m", "groups": ["/admins"] }),
        ),
        (
            "an administrator's password",
            Method::PUT,
            format!("{USERS}/{boss}/reset-password"),
            json!({ "type": "password", "value": "x" }),
        ),
        (
            "an administrator's address",
            Method::PUT,
            format!("{USERS}/{boss}"),
            json!({ "email": "evil@example.com" }),
        ),
        ("delete an administrator", Method::DELETE, format!("{USERS}/{boss}"), json!({})),
        (
            "an administrator's credential",
            Method::DELETE,
            format!("{USERS}/{boss}/credentials/{boss}"),
            json!({}),
        ),
        (
            "link an administrator",
            Method::POST,
            format!("{USERS}/{boss}/federated-identity/x"),
            json!({ "userId": "1" }),
        ),
        (
            "take an administrator's right",
            Method::DELETE,
            format!("{USERS}/{boss}/role-mappings/clients/{client}"),
            json!([all]),
        ),
        (
            "take an administrator's plain role",
            Method::DELETE,
            format!("{USERS}/{boss}/role-mappings/realm"),
            json!([tester]),
        ),
        (
            "give an administrator a plain role",
            Method::POST,
            format!("{USERS}/{boss}/role-mappings/realm"),
            json!([tester]),
        ),
        (
            "take an administrator's plain group",
            Method::DELETE,
            format!("{USERS}/{boss}/groups/{plain}"),
            json!({}),
        ),
        (
            "a plain role of such a group",
            Method::POST,
            format!("realms/main/groups/{group}/role-mappings/realm"),
            json!([tester]),
        ),
        (
            "rename such a group",
            Method::PUT,
            format!("realms/main/groups/{group}"),
            json!({ "name": "others" }),
        ),
        (
            "rename what is above such a group",
            Method::PUT,
            format!("realms/main/groups/{above}"),
            json!({ "name": "others" }),
        ),
        (
            "call an administrator's credential something",
            Method::PUT,
            format!("{USERS}/{boss}/credentials/{boss}/userLabel"),
            json!("x"),
        ),
        (
            "move an administrator's credential",
            Method::POST,
            format!("{USERS}/{boss}/credentials/{boss}/moveToFirst"),
            json!({}),
        ),
        ("delete such a group", Method::DELETE, format!("realms/main/groups/{group}"), json!({})),
        ("impersonate", Method::POST, format!("{USERS}/{alice}/impersonation"), json!({})),
    ] {
        let reply = admin.as_(&helpdesk, method, &path, Some(body)).await;
        assert_eq!(reply.status, 403, "{row}: {}", reply.body);
    }
    let allowed = admin.as_(&helpdesk, Method::POST, &to_client, Some(json!([mine]))).await;
    assert_eq!(allowed.status, 204, "their own right: {}", allowed.body);
    let available = admin.as_(&helpdesk, Method::GET, &format!("{to_client}/available"), None).await;
    assert_eq!(names(&available.json(), "name"), ["query-users", "view-realm"], "only what they may give");
}

#[tokio::test]
async fn a04_nothing_of_another_realm_is_found_or_changed() {
    let admin = Admin::new().await;
    let (olaf, alice) = (admin.user("other", "olaf").await, admin.user("main", "alice").await);
    let group = admin.must(Method::POST, "realms/other/groups", json!({ "name": "g" })).await;
    let role = admin.get("realms/other/roles/offline_access").await;
    let role_id = role["id"].as_str().unwrap();
    for (method, path, body) in [
        (Method::GET, format!("users/{olaf}"), json!({})),
        (Method::PUT, format!("users/{olaf}"), json!({ "enabled": false })),
        (Method::DELETE, format!("users/{olaf}"), json!({})),
        (Method::PUT, format!("users/{olaf}/reset-password"), json!({ "type": "password", "value": "x" })),
        (Method::GET, format!("users/{olaf}/role-mappings"), json!({})),
        (Method::PUT, format!("users/{alice}/groups/{group}"), json!({})),
        (Method::POST, format!("users/{alice}/role-mappings/realm"), json!([role])),
        (Method::GET, format!("groups/{group}"), json!({})),
        (Method::PUT, format!("groups/{group}"), json!({ "name": "x" })),
        (Method::DELETE, format!("groups/{group}"), json!({})),
        (Method::POST, format!("groups/{group}/children"), json!({ "name": "x" })),
        (Method::GET, format!("roles-by-id/{role_id}"), json!({})),
        (Method::PUT, format!("roles-by-id/{role_id}"), json!({ "name": "x" })),
        (Method::DELETE, format!("roles-by-id/{role_id}"), json!({})),
        (Method::POST, "roles/tester/composites".to_owned(), json!([role])),
        (Method::PUT, format!("default-groups/{group}"), json!({})),
    ] {
        let body = (method != Method::GET).then_some(body);
        let reply = admin.ask(method.clone(), &format!("realms/main/{path}"), body).await;
        assert_eq!(reply.status, 404, "{method} {path}: {}", reply.body);
    }
    assert_eq!(admin.get("realms/other/users").await[0]["enabled"], true);
    assert_eq!(admin.get("realms/other/groups").await[0]["name"], "g");
}

#[tokio::test]
async fn accounts_at_providers_are_kept() {
    let admin = Admin::new().await;
    let path = format!("{USERS}/{}/federated-identity", admin.user("main", "alice").await);
    assert_eq!(admin.get(&path).await, json!([]));
    admin.must(Method::POST, &format!("{path}/github"), json!({ "userId": "1", "userName": "al" })).await;
    let kept = json!([{ "identityProvider": "github", "userId": "1", "userName": "al" }]);
    assert_eq!(admin.get(&path).await, kept);
    admin.refused(Method::POST, &format!("{path}/github"), json!({ "userId": "2" }), 409).await;
    admin.must(Method::DELETE, &format!("{path}/github"), json!({})).await;
    admin.refused(Method::DELETE, &format!("{path}/github"), json!({}), 404).await;
    assert_eq!(admin.get(&path).await, json!([]));
}

#[tokio::test]
async fn sessions_are_seen_and_ended() {
    let admin = Admin::new().await;
    let alice = admin.user("main", "alice").await;
    let rp = admin.server.rp("web", Some("web-secret"));
    let rp = vestibule::testing::Rp { scope: "openid offline_access".into(), ..rp };
    let tokens = rp.sign_in(&mut admin.server.browser(), "alice", "alice").await.unwrap();
    let sessions = admin.get(&format!("{USERS}/{alice}/sessions")).await;
    assert_eq!(sessions[0]["id"], tokens.access_claims()["sid"]);
    assert_eq!(sessions[0]["clients"].as_object().unwrap().values().next(), Some(&json!("web")));
    let stats = admin.get("realms/main/client-session-stats").await;
    assert_eq!((&stats[0]["clientId"], &stats[0]["active"]), (&json!("web"), &json!("1")));
    let web = stats[0]["id"].as_str().unwrap();
    let offline = admin.get(&format!("{USERS}/{alice}/offline-sessions/{web}")).await;
    assert_eq!(names(&offline, "username"), ["alice"]);
    let id = sessions[0]["id"].as_str().unwrap();
    admin.must(Method::DELETE, &format!("realms/main/sessions/{id}"), json!({})).await;
    admin.refused(Method::DELETE, &format!("realms/main/sessions/{id}"), json!({}), 404).await;
    assert_eq!(admin.get(&format!("{USERS}/{alice}/sessions")).await, json!([]));
    admin.server.sign_in("web", Some("web-secret"), "alice", "alice").await.unwrap();
    assert_eq!(admin.ask(Method::POST, "realms/main/logout-all", Some(json!({}))).await.status, 200);
    assert_eq!(admin.get(&format!("{USERS}/{alice}/sessions")).await, json!([]));
}

#[tokio::test]
async fn the_brake_is_seen_and_taken_off() {
    let admin = Admin::new().await;
    let alice = admin.user("main", "alice").await;
    for _ in 0..6 {
        let _ = admin.server.sign_in("web", Some("web-secret"), "alice", "wrong").await;
    }
    let path = format!("realms/main/attack-detection/brute-force/users/{alice}");
    let told = admin.get(&path).await;
    assert_eq!(
        (&told["numFailures"], &told["disabled"]),
        (&json!(5), &json!(true)),
        "locked by one network's count"
    );
    assert!(
        admin.server.sign_in("web", Some("web-secret"), "alice", "alice").await.is_err(),
        "she must wait"
    );
    admin.must(Method::DELETE, &path, json!({})).await;
    let told = admin.get(&path).await;
    assert_eq!((&told["numFailures"], &told["disabled"]), (&json!(0), &json!(false)));
    admin.server.sign_in("web", Some("web-secret"), "alice", "alice").await.unwrap();
    admin.must(Method::DELETE, "realms/main/attack-detection/brute-force/users", json!({})).await;
}

#[tokio::test]
async fn the_user_profile_is_kept() {
    let admin = Admin::new().await;
    let path = "realms/main/users/profile";
    let mut profile = admin.get(path).await;
    assert_eq!(names(&profile["attributes"], "name"), ["username", "email", "firstName", "lastName"]);
    profile["attributes"].as_array_mut().unwrap().push(json!({ "name": "phone" }));
    assert_eq!(admin.ask(Method::PUT, path, Some(profile.clone())).await.json(), profile);
    assert_eq!(admin.get(path).await, profile);
    assert_eq!(admin.get(&format!("{path}/metadata")).await["attributes"][4]["name"], "phone");
    admin.refused(Method::PUT, path, json!({ "attributes": 1 }), 400).await;
}

#[tokio::test]
async fn what_needs_mail_says_so_and_development_asks_for_a_new_password_at_the_next_sign_in() {
    for strict in [false, true] {
        let options = Options { realm: Some(REALMS.to_owned()), strict, ..Options::default() };
        let admin = Admin::on(TestServer::with(options).await.unwrap()).await;
        let alice = format!("{USERS}/{}", admin.user("main", "alice").await);
        let path = format!("{alice}/execute-actions-email");
        let unsent = "Failed to send execute actions email";
        for (row, path, body, status, message) in [
            ("an address to prove", path.clone(), json!(["VERIFY_EMAIL"]), 500, unsent),
            ("more than has a page", path.clone(), json!(["UPDATE_PASSWORD", "VERIFY_EMAIL"]), 500, unsent),
            ("nothing", path.clone(), json!([]), 500, unsent),
            ("no action", path.clone(), json!(["DANCE"]), 400, "Provided invalid required actions"),
            ("no client", format!("{path}?client_id=none"), json!([]), 400, "Client doesn't exist"),
            ("an address alone", format!("{path}?redirect_uri=x"), json!([]), 400, "Client id missing"),
            ("verify", format!("{alice}/send-verify-email"), json!({}), 500, "Failed to send verify email"),
        ] {
            let told = admin.refused(Method::PUT, &path, body, status).await;
            assert_eq!(told["errorMessage"], message, "{row}, strict: {strict}");
        }
        assert_eq!(admin.get(&alice).await["requiredActions"], json!([]));
        if strict {
            admin.refused(Method::PUT, &path, json!(["UPDATE_PASSWORD"]), 500).await;
            assert_eq!(admin.get(&alice).await["requiredActions"], json!([]));
        } else {
            for _ in 0..2 {
                admin.must(Method::PUT, &path, json!(["UPDATE_PASSWORD"])).await;
            }
            assert_eq!(admin.get(&alice).await["requiredActions"], json!(["UPDATE_PASSWORD"]));
            admin.must(Method::PUT, &path, json!(["UPDATE_PASSWORD", "CONFIGURE_TOTP"])).await;
            let wanted = json!(["UPDATE_PASSWORD", "CONFIGURE_TOTP"]);
            assert_eq!(admin.get(&alice).await["requiredActions"], wanted);
        }
        let boss = admin.user("main", "boss").await;
        let told =
            admin.refused(Method::PUT, &format!("{USERS}/{boss}/reset-password-email"), json!({}), 400).await;
        assert_eq!(told["errorMessage"], "User email missing");
        let helpdesk = token(&admin.server, "main", "helpdesk").await;
        let path = format!("{USERS}/{boss}/execute-actions-email");
        let reply = admin.as_(&helpdesk, Method::PUT, &path, Some(json!(["UPDATE_PASSWORD"]))).await;
        assert_eq!(reply.status, 403, "a02");
    }
}

#[tokio::test]
async fn a_browser_becomes_a_user_in_development_alone_and_the_trail_says_whose_doing_it_is() {
    let admin = Admin::new().await;
    let alice = admin.user("main", "alice").await;
    let path = format!("/admin/{USERS}/{alice}/impersonation");
    let authorization = format!("Bearer {}", token(&admin.server, "main", "owner").await);
    let mut browser = admin.server.browser();
    let reply = browser.send(Method::POST, &path, None, &[("authorization", &authorization)]).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["sameRealm"]), (200, &json!(true)), "{}", reply.body);
    let redirect = reply.json()["redirect"].as_str().unwrap().to_owned();
    assert!(redirect.ends_with("/realms/main/account/"), "{redirect}");
    let page = browser.open(&redirect).await;
    assert!(page.status == 200 && page.body.contains("alice@example.com"), "{}", page.body);
    let events = admin.get("realms/main/admin-events?max=1").await;
    assert_eq!(events[0]["resourcePath"], format!("users/{alice}/impersonation"));
    assert_eq!(events[0]["authDetails"]["clientId"], "owner");

    admin.must(Method::PUT, &format!("{USERS}/{alice}"), json!({ "enabled": false })).await;
    let at = format!("{USERS}/{alice}/impersonation");
    assert_eq!(admin.refused(Method::POST, &at, json!({}), 400).await["errorMessage"], "User is disabled");
    let boss = format!("{USERS}/{}/impersonation", admin.user("main", "boss").await);
    let body = json!({ "clientId": "double", "serviceAccountsEnabled": true, "secret": "s" });
    let double = admin.must(Method::POST, "realms/main/clients", body).await;
    let account = admin.get(&format!("realms/main/clients/{double}/service-account-user")).await;
    let management = admin.get("realms/main/clients?clientId=realm-management").await[0]["id"].clone();
    let management = management.as_str().unwrap();
    let role = admin.get(&format!("realms/main/clients/{management}/roles/impersonation")).await;
    let given = format!("{USERS}/{}/role-mappings/clients/{management}", account["id"].as_str().unwrap());
    admin.must(Method::POST, &given, json!([role])).await;
    let double = token(&admin.server, "main", "double").await;
    let reply = admin.as_(&double, Method::POST, &boss, None).await;
    assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (403, ""), "a02: {}", reply.body);

    let options = Options { realm: Some(REALMS.to_owned()), strict: true, ..Options::default() };
    let strict = Admin::on(TestServer::with(options).await.unwrap()).await;
    let at = format!("{USERS}/{}/impersonation", strict.user("main", "alice").await);
    let reply = strict.ask(Method::POST, &at, None).await;
    assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (501, ""), "{}", reply.body);
}

#[tokio::test]
async fn u08_nobodys_name_is_anothers_address() {
    let admin = Admin::new().await;
    let bob = admin.must(Method::POST, USERS, json!({ "username": "bob@example.com" })).await;
    for (row, method, path, body) in [
        ("a new name", Method::POST, USERS.to_owned(), json!({ "username": "Alice@example.com" })),
        (
            "a new address",
            Method::POST,
            USERS.to_owned(),
            json!({ "username": "x", "email": "BOB@example.com" }),
        ),
        ("another name", Method::PUT, format!("{USERS}/{bob}"), json!({ "username": "alice@example.com" })),
        (
            "another address",
            Method::PUT,
            format!("{USERS}/{}", admin.user("main", "alice").await),
            json!({ "email": "bob@example.com" }),
        ),
    ] {
        let reply = admin.ask(method, &path, Some(body)).await;
        assert_eq!(reply.status, 409, "{row}: {}", reply.body);
    }
    let own = json!({ "username": "carol@example.com", "email": "carol@example.com" });
    admin.must(Method::POST, USERS, own).await;
    // Where people sign in by their name alone, no name means an address.
    admin.must(Method::PUT, "realms/main", json!({ "loginWithEmailAllowed": false })).await;
    admin.must(Method::PUT, &format!("{USERS}/{bob}"), json!({ "username": "alice@example.com" })).await;
}

#[tokio::test]
async fn u08_nobodys_name_looks_like_anothers() {
    let admin = Admin::new().await;
    let (cyrillic, alice) = ("аlice", format!("{USERS}/{}", admin.user("main", "alice").await));
    admin.refused(Method::POST, USERS, json!({ "username": cyrillic }), 409).await;
    let boris = admin.must(Method::POST, USERS, json!({ "username": "борис" })).await;
    admin.refused(Method::PUT, &format!("{USERS}/{boris}"), json!({ "username": cyrillic }), 409).await;
    let import = json!({ "ifResourceExists": "SKIP", "users": [{ "username": cyrillic }] });
    let told = admin.refused(Method::POST, "realms/main/partialImport", import, 400).await;
    assert!(told["errorMessage"].as_str().unwrap().contains("looks like the name `alice`"), "{told}");
    // Who has such a name already changes the rest of it, and where the other is gone it is a name like others.
    admin.must(Method::DELETE, &alice, json!({})).await;
    let other = admin.must(Method::POST, USERS, json!({ "username": cyrillic })).await;
    admin.must(Method::POST, USERS, json!({ "username": "alice" })).await;
    admin.must(Method::PUT, &format!("{USERS}/{other}"), json!({ "firstName": "A" })).await;
}

#[tokio::test]
async fn an_empty_password_is_refused_everywhere() {
    let admin = Admin::new().await;
    let alice = format!("{USERS}/{}", admin.user("main", "alice").await);
    let empty = json!({ "username": "x", "credentials": [{ "type": "password", "value": "" }] });
    for (method, path, body) in [
        (Method::POST, USERS.to_owned(), empty.clone()),
        (Method::PUT, alice.clone(), json!({ "credentials": empty["credentials"] })),
        (Method::PUT, format!("{alice}/reset-password"), json!({ "value": "" })),
    ] {
        let told = admin.refused(method, &path, body, 400).await;
        assert_eq!(told["errorMessage"], "No password provided", "{path}");
    }
}

#[tokio::test]
async fn o01_a_long_body_is_for_realm_files_alone() {
    let admin = Admin::new().await;
    let long = "x".repeat(300 * 1024);
    admin.refused(Method::POST, USERS, json!({ "username": "x", "note": long.clone() }), 413).await;
    let import = json!({ "users": [{ "username": "x", "note": long }] });
    let reply = admin.ask(Method::POST, "realms/main/partialImport", Some(import)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[tokio::test]
async fn users_are_found_by_their_account_at_a_provider() {
    let admin = Admin::new().await;
    let alice = admin.user("main", "alice").await;
    let path = format!("{USERS}/{alice}/federated-identity/hub");
    admin.must(Method::POST, &path, json!({ "userId": "7", "userName": "al" })).await;
    for (search, found) in [
        ("idpAlias=hub&idpUserId=7", &["alice"][..]),
        ("idpAlias=hub", &["alice"]),
        ("idpUserId=7", &["alice"]),
        ("idpAlias=hub&idpUserId=8", &[]),
        ("idpAlias=lab&idpUserId=7", &[]),
    ] {
        assert_eq!(names(&admin.get(&format!("{USERS}?{search}")).await, "username"), found, "{search}");
        assert_eq!(admin.get(&format!("{USERS}/count?{search}")).await, found.len(), "{search}");
    }
    admin.refused(Method::GET, &format!("{USERS}?idpAlias=hub&search=al"), json!({}), 400).await;
}
