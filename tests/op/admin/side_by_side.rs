//! Changes side by side: each that was acknowledged is there afterwards, and what only one may do, one does.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use vestibule::boot::{self, Administrator};
use vestibule::realm_file::{self, Newcomers, RealmSpec};
use vestibule::secrets::Secret;
use vestibule::testing::{Options, TestServer};

use super::scene::{Admin, REALMS, names};
use crate::on_both;

const CALLERS: usize = 20;

type Asked = (Method, String, Value);

/// Asks all of it at once; gives the statuses, in the same order.
async fn at_once(admin: &Arc<Admin>, asked: Vec<Asked>) -> Vec<u16> {
    let mut asking = JoinSet::new();
    for (nth, (method, path, body)) in asked.into_iter().enumerate() {
        let admin = Arc::clone(admin);
        asking.spawn(async move { (nth, admin.ask(method, &path, Some(body)).await.status.as_u16()) });
    }
    let mut answered = asking.join_all().await;
    answered.sort_unstable();
    answered.into_iter().map(|(_, status)| status).collect()
}

/// What must all succeed.
async fn all_done(admin: &Arc<Admin>, asked: Vec<Asked>) {
    let statuses = at_once(admin, asked).await;
    assert!(statuses.iter().all(|status| [201, 204].contains(status)), "{statuses:?}");
}

async fn client(admin: &Admin, client_id: &str) -> String {
    let found = admin.get(&format!("realms/main/clients?clientId={client_id}")).await;
    found[0]["id"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_of_new_realms_with_one_identifier_one_is_made() {
    let admin = Arc::new(Admin::new().await);
    let body = |nth: usize| json!({ "realm": format!("r{nth}"), "id": "the-same", "enabled": true });
    let asked = (0..CALLERS).map(|nth| (Method::POST, "realms".to_owned(), body(nth))).collect();
    let statuses = at_once(&admin, asked).await;
    let of = |status: u16| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((of(201), of(409)), (1, CALLERS - 1), "{statuses:?}");
    let realms = admin.get("realms?briefRepresentation=true").await;
    assert_eq!(realms.as_array().unwrap().len(), 4, "{realms}");
}

/// A07: who is told that they administer has the password that they gave.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a07_of_bootstraps_side_by_side_one_wins() {
    let server = TestServer::with_realm("[realm]\nname = \"main\"\n").await.unwrap();
    let mut starting = JoinSet::new();
    for nth in 0..CALLERS {
        let app = Arc::clone(server.app());
        let pair = ("chief".to_owned(), Secret::from(format!("password-{nth}")));
        let administrator = Administrator { user: Some(pair), service: None };
        starting.spawn(async move { boot::administrate(&app, &administrator).await.unwrap().then_some(nth) });
    }
    let winners: Vec<usize> = starting.join_all().await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    let app = server.app();
    let master = app.store.realm_by_name("master").await.unwrap().unwrap();
    let hash = app.store.user_by_login(&master.id, "chief", false).await.unwrap().unwrap().password_hash;
    for nth in 0..CALLERS {
        let password = Secret::from(format!("password-{nth}"));
        let right = app.passwords.verify(hash.as_deref(), &password).await.unwrap().matches;
        assert_eq!(right, winners.contains(&nth), "{nth}");
    }
    let pair = ("chief".to_owned(), Secret::from("another".to_owned()));
    let again = Administrator { user: Some(pair), service: None };
    assert!(!boot::administrate(app, &again).await.unwrap(), "setup is not run again");
    let pair = ("admin-cli".to_owned(), Secret::from("another".to_owned()));
    let built_in = Administrator { user: None, service: Some(pair) };
    assert!(!boot::administrate(app, &built_in).await.unwrap(), "a client that comes with the realm stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a07_of_first_administrators_side_by_side_one_is_the_first() {
    let server = TestServer::with_realm("[[realms]]\nname = \"master\"\n").await.unwrap();
    let mut starting = JoinSet::new();
    for nth in 0..CALLERS {
        let app = Arc::clone(server.app());
        let realm = format!(
            "[realm]\nname = \"master\"\n[[realm.users]]\nusername = \"u{nth}\"\npassword = \"p\"\nroles = [\"admin\"]\n"
        );
        let mut specs: Vec<RealmSpec> =
            realm_file::parse(&realm, realm_file::Format::Toml, "first.toml", &|_| None).unwrap();
        starting.spawn(async move {
            let (spec, now) = (specs.remove(0), app.clock.now());
            realm_file::add_new(&app.store, &app.client_secrets, &spec, Newcomers::First, now).await
        });
    }
    let made = starting.join_all().await.into_iter().filter(|made| matches!(made, Ok(true))).count();
    let store = &server.app().store;
    let master = store.realm_by_name("master").await.unwrap().unwrap();
    assert_eq!((made, store.count_users(&master.id).await.unwrap()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn default_groups_and_default_scopes_are_changed_and_none_is_lost() {
    let admin = Arc::new(Admin::new().await);
    let mut asked: Vec<Asked> = Vec::new();
    for nth in 0..CALLERS {
        let body = json!({ "name": format!("g{nth:02}") });
        let group = admin.must(Method::POST, "realms/main/groups", body).await;
        asked.push((Method::PUT, format!("realms/main/default-groups/{group}"), json!({})));
    }
    for nth in 0..4 {
        let body = json!({ "name": format!("s{nth}"), "protocol": "openid-connect" });
        let scope = admin.must(Method::POST, "realms/main/client-scopes", body).await;
        asked.push((Method::PUT, format!("realms/main/default-optional-client-scopes/{scope}"), json!({})));
        asked.push((Method::PUT, "realms/main".to_owned(), json!({ format!("said{nth}"): true })));
    }
    all_done(&admin, asked).await;
    let groups = admin.get("realms/main/default-groups").await;
    assert_eq!(groups.as_array().unwrap().len(), CALLERS);
    let scopes = names(&admin.get("realms/main/default-optional-client-scopes").await, "name");
    let realm = admin.get("realms/main").await;
    for nth in 0..4 {
        assert!(scopes.contains(&format!("s{nth}")), "{scopes:?}");
        assert_eq!(realm[format!("said{nth}")], true, "{nth}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_drawn_beside_mappers_and_none_is_lost() {
    let admin = Arc::new(Admin::new().await);
    let web = client(&admin, "web").await;
    let mapper = |nth: usize| {
        json!({
            "name": format!("m{nth}"), "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper",
            "config": { "claim.name": format!("m{nth}"), "claim.value": "1", "access.token.claim": "true" },
        })
    };
    let models = format!("realms/main/clients/{web}/protocol-mappers/models");
    let mut drawing = JoinSet::new();
    for _ in 0..4 {
        let (admin, path) = (Arc::clone(&admin), format!("realms/main/clients/{web}/client-secret"));
        drawing.spawn(async move { admin.ask(Method::POST, &path, None).await.json()["value"].clone() });
    }
    all_done(&admin, (0..CALLERS).map(|nth| (Method::POST, models.clone(), mapper(nth))).collect()).await;
    let drawn = drawing.join_all().await;
    assert_eq!(admin.get(&models).await.as_array().unwrap().len(), CALLERS);
    let secret = admin.get(&format!("realms/main/clients/{web}/client-secret")).await["value"].clone();
    assert!(drawn.contains(&secret), "the last that was drawn");
}

on_both! {
    /// Terraform and config-cli make them ten at a time, scripts all at once.
    async fn seventy_mappers_made_at_once_are_all_there(place) {
        let options = Options { realm: Some(REALMS.to_owned()), ..place.options() };
        let admin = Arc::new(Admin::on(TestServer::with(options).await.unwrap()).await);
        let web = client(&admin, "web").await;
        let models = format!("realms/main/clients/{web}/protocol-mappers/models");
        let mapper = |nth: usize| json!({
            "name": format!("m{nth}"), "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper",
            "config": { "claim.name": format!("m{nth}"), "claim.value": "1", "access.token.claim": "true" },
        });
        let mut left: Vec<usize> = (0..70).collect();
        // On a machine that is busy otherwise a turn may come too late, which is told.
        for _ in 0..10 {
            let asked = left.iter().map(|nth| (Method::POST, models.clone(), mapper(*nth)));
            let told = at_once(&admin, asked.collect()).await;
            assert!(told.iter().all(|status| [201, 503].contains(status)), "{told:?}");
            left = left.into_iter().zip(told).filter(|(_, status)| *status == 503).map(|(nth, _)| nth).collect();
        }
        assert_eq!(left, Vec::<usize>::new());
        assert_eq!(admin.get(&models).await.as_array().unwrap().len(), 70);
    }
}

/// A chosen secret is hashed once for a change, however often that is made anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chosen_secret_is_hashed_once() {
    let options = Options { realm: Some(REALMS.to_owned()), strict: true, ..Options::default() };
    let admin = Arc::new(Admin::on(TestServer::with(options).await.unwrap()).await);
    let web = client(&admin, "web").await;
    let before = admin.server.app().passwords.made();
    let asked = (0..CALLERS).map(|nth| {
        let body = json!({ "secret": format!("a-chosen-secret-{nth}"), "description": nth.to_string() });
        (Method::PUT, format!("realms/main/clients/{web}"), body)
    });
    all_done(&admin, asked.collect()).await;
    let made = admin.server.app().passwords.made() - before;
    assert_eq!(made, u64::try_from(CALLERS).unwrap(), "one for each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_is_changed_and_none_is_lost() {
    let admin = Arc::new(Admin::new().await);
    let alice = admin.user("main", "alice").await;
    let links = format!("realms/main/users/{alice}/federated-identity");
    let link = |nth: usize| {
        let body = json!({ "userId": format!("u{nth}"), "userName": "alice" });
        (Method::POST, format!("{links}/idp{nth}"), body)
    };
    all_done(&admin, (0..CALLERS).map(link).collect()).await;
    assert_eq!(admin.get(&links).await.as_array().unwrap().len(), CALLERS);

    let profile = admin.get("realms/main/users/profile").await;
    let asked = (0..CALLERS).map(|_| (Method::PUT, "realms/main/users/profile".to_owned(), profile.clone()));
    assert_eq!(at_once(&admin, asked.collect()).await, vec![200; CALLERS]);
    let components =
        admin.get("realms/main/components?type=org.keycloak.userprofile.UserProfileProvider").await;
    assert_eq!(components.as_array().unwrap().len(), 1, "one document has one component");

    let settings = ["eventsEnabled", "adminEventsEnabled", "adminEventsDetailsEnabled"];
    let asked =
        settings.map(|name| (Method::PUT, "realms/main/events/config".to_owned(), json!({ name: false })));
    all_done(&admin, asked.into()).await;
    let kept = admin.get("realms/main/events/config").await;
    assert!(settings.iter().all(|name| kept[*name] == false), "{kept}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_of_a_role_is_changed_and_none_is_lost() {
    let admin = Arc::new(Admin::new().await);
    let put = |nth: usize| {
        let body = json!({ "name": "tester", format!("said{nth}"): true });
        (Method::PUT, "realms/main/roles/tester".to_owned(), body)
    };
    all_done(&admin, (0..CALLERS).map(put).collect()).await;
    let role = admin.get("realms/main/roles/tester").await;
    assert!((0..CALLERS).all(|nth| role[format!("said{nth}")] == true), "{role}");
}

/// Whoever was disabled stays so, though a password was being hashed for them meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f06_a_user_who_is_disabled_stays_so_beside_other_changes() {
    let admin = Arc::new(Admin::new().await);
    for round in 0..4 {
        let body = json!({ "username": format!("u{round}"), "enabled": true, "email": format!("u{round}@example.com") });
        let user = admin.must(Method::POST, "realms/main/users", body).await;
        let path = format!("realms/main/users/{user}");
        let mut asked: Vec<Asked> = vec![(Method::PUT, path.clone(), json!({ "enabled": false }))];
        for nth in 0..6 {
            let password = json!({ "type": "password", "value": format!("p{nth}"), "temporary": true });
            asked.push((Method::PUT, format!("{path}/reset-password"), password));
            asked.push((Method::PUT, path.clone(), json!({ "firstName": format!("F{nth}") })));
        }
        asked.push((Method::PUT, path.clone(), json!({ "lastName": "Last", "somethingNew": round })));
        asked.push((Method::PUT, path.clone(), json!({ "attributes": { "a": ["b"] } })));
        let credentials = json!([{ "type": "password", "value": "with the rest" }]);
        asked.push((Method::PUT, path.clone(), json!({ "credentials": credentials, "emailVerified": true })));
        all_done(&admin, asked).await;
        let user = admin.get(&path).await;
        for (name, expected) in [
            ("enabled", json!(false)),
            ("lastName", json!("Last")),
            ("emailVerified", json!(true)),
            ("email", json!(format!("u{round}@example.com"))),
            ("attributes", json!({ "a": ["b"] })),
            ("somethingNew", json!(round)),
        ] {
            assert_eq!(user[name], expected, "round {round}: {name} of {user}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_that_are_moved_below_each_other_stay_a_tree() {
    let admin = Arc::new(Admin::new().await);
    let groups = "realms/main/groups";
    for round in 0..4 {
        let mut ids = Vec::new();
        for name in ["a", "b", "c"] {
            let body = json!({ "name": format!("{name}{round}") });
            ids.push((name, admin.must(Method::POST, groups, body).await));
        }
        let into = |child: usize, parent: usize| {
            let (name, id) = &ids[child];
            let body = json!({ "id": id, "name": format!("{name}{round}") });
            (Method::POST, format!("{groups}/{}/children", ids[parent].1), body)
        };
        let statuses = at_once(&admin, vec![into(0, 1), into(1, 2), into(2, 0)]).await;
        assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 2, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 1, "{statuses:?}");
    }
    let found = admin.get(&format!("{groups}?search=a")).await;
    assert_eq!(found.as_array().unwrap().len(), 4, "each is below one at the top: {found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_of_groups_follow_their_parents() {
    let admin = Arc::new(Admin::new().await);
    let groups = "realms/main/groups";
    let top = admin.must(Method::POST, groups, json!({ "name": "top" })).await;
    let mut asked: Vec<Asked> = Vec::new();
    for nth in 0..CALLERS {
        asked.push((Method::POST, format!("{groups}/{top}/children"), json!({ "name": format!("c{nth}") })));
    }
    for nth in 0..4 {
        asked.push((Method::PUT, format!("{groups}/{top}"), json!({ "name": format!("top{nth}") })));
    }
    all_done(&admin, asked).await;
    let path = admin.get(&format!("{groups}/{top}")).await["path"].as_str().unwrap().to_owned();
    let children = admin.get(&format!("{groups}/{top}/children")).await;
    let mut paths = names(&children, "path");
    paths.sort();
    let mut expected: Vec<_> = (0..CALLERS).map(|nth| format!("{path}/c{nth}")).collect();
    expected.sort();
    assert_eq!(paths, expected);
    admin.must(Method::DELETE, &format!("{groups}/{top}"), json!({})).await;
    assert_eq!(admin.get(&format!("{groups}/count")).await, json!({ "count": 0 }));
}
