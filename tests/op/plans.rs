//! How a database finds what it is asked for: by an index, whatever the number of rows.

use std::collections::BTreeSet;

use vestibule::clock::Timestamp;
use vestibule::store::{Change, Page, SWEEP_BATCH, UserSearch};
use vestibule::testing::{Options, Rp, TestServer};

use crate::common::{realm, user};
use crate::database::Place;
use crate::on_both;

/// Statements of everything that people and apps do, of lists, and of a sweep.
async fn statements(place: &Place) -> BTreeSet<&'static str> {
    let frozen_at = Some(Timestamp(1_800_000_000));
    let server = TestServer::with(Options { frozen_at, ..place.options() }).await.unwrap();
    let store = &server.app().store;
    drop(store.traffic());
    // So that the realm is read from the database, which has happened before or not.
    let changes = vec![Change::Reconfigure { realm_id: realm(&server).await.id }];
    server.app().commit(changes).await.unwrap();
    let (mut browser, rp) = (server.browser(), server.rp("web", Some("web-secret")));
    let tokens = rp.sign_in(&mut browser, "alice@example.com", "alice").await.unwrap();
    let next = rp.refresh(&browser, tokens.refresh_token()).await.unwrap();
    rp.refresh(&browser, tokens.refresh_token()).await.unwrap();
    rp.userinfo(&browser, next.access_token()).await;
    for token in [next.access_token(), next.refresh_token(), "x.y.z"] {
        rp.introspect(&browser, token).await;
    }
    rp.redeem(&browser, "x").await.unwrap_err();
    let other = Rp { scope: "openid".into(), ..server.rp("third-party", Some("third-party-secret")) };
    other.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let tv = server.rp("tv", None);
    let device = tv.device(&browser).await.unwrap();
    tv.poll(&browser, &device).await.unwrap_err();
    browser.approve_device(&device, "alice", "alice").await;
    tv.poll(&browser, &device).await.unwrap();
    let service = server.rp("service", Some("service-secret"));
    service.tokens(&browser, &[("grant_type", "client_credentials")]).await.unwrap();
    browser.get(&format!("{}/account/", rp.issuer)).await;
    rp.post(&browser, "revoke", &[("token", next.access_token())]).await;
    rp.post(&browser, "revoke", &[("token", next.refresh_token())]).await;
    browser.open(&rp.endpoint("logout")).await;
    let wrong = server.browser().open(&rp.authorize_url()).await;
    server.browser().submit(&wrong, &[("username", "nobody"), ("password", "x")]).await;
    let (realm, alice) = (realm(&server).await, user(&server, "alice").await);
    let page = Page { first: 0, max: 20 };
    store.users(&realm.id, page).await.unwrap();
    for any in [None, Some("ali".to_owned()), Some("*li*".to_owned())] {
        let search = UserSearch { any, ..UserSearch::default() };
        store.search_users(&realm.id, &search, page).await.unwrap();
        store.count_searched_users(&realm.id, &search).await.unwrap();
    }
    store.clients(&realm.id, "", page).await.unwrap();
    store.clients_with_kept(&realm.id, "", page).await.unwrap();
    let listed = [alice.id.clone()];
    store.client_ids_among(&realm.id, &listed).await.unwrap();
    store.people_of_ids(&realm.id, &listed).await.unwrap();
    store.people_of_logins(&realm.id, &listed).await.unwrap();
    store.password_hashes_among(&realm.id, &listed).await.unwrap();
    store.roles_among(&realm.id, &listed).await.unwrap();
    store.memberships_among(&realm.id, &listed).await.unwrap();
    store.credentials_among(&realm.id, &listed).await.unwrap();
    store.service_accounts(&realm.id).await.unwrap();
    store.groups_among(&realm.id, &listed).await.unwrap();
    store.group_by_path(&realm.id, "/x").await.unwrap();
    store.groups_with_role(&realm.id, "x").await.unwrap();
    store.count_groups_below(&realm.id, "x").await.unwrap();
    store.roles_by_group(&realm.id, "x").await.unwrap();
    store.clients_of_sessions(&realm.id, &alice.id, "").await.unwrap();
    store.count_users(&realm.id).await.unwrap();
    store.roles_of_user(&realm.id, &alice.id).await.unwrap();
    store.sweep(server.clock().now(), 90, SWEEP_BATCH).await.unwrap();
    store.commit(vec![Change::DeleteRealm { realm_id: realm.id.clone() }]).await.unwrap();
    while store.sweep_deleted_realms(SWEEP_BATCH).await.unwrap().more {}
    store.traffic().statements.into_iter().collect()
}

/// Whether a step of a plan reads a table from one end to the other: `Seq Scan on` of Postgres, `SCAN` of SQLite, where the
/// rows of an inner query are scanned too and have no index.
fn reads_all(step: &str) -> bool {
    let step = step.trim_start_matches([' ', '-', '>']);
    let scanned = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
    let table = scanned.is_some_and(|name| {
        !["CONSTANT", "above", "found", "one", "two", "three", "four"].contains(&name)
            && !name.starts_with('(')
    });
    table || step.starts_with("Seq Scan on ")
}

/// Statements that look at all of a realm in one table, and why they may. What gives a page and stops there is none of them.
const OF_A_WHOLE_REALM: [(&str, &str); 7] = [
    ("FROM signing_keys WHERE", "a realm in memory has them all"),
    ("FROM scopes WHERE", "a realm in memory has them all"),
    ("FROM roles r LEFT JOIN", "a realm in memory has them all"),
    ("FROM role_composites WHERE", "a realm in memory has them all"),
    ("SELECT COUNT(*) FROM users WHERE realm_id = $1 AND service", "an index has nothing else"),
    ("FROM clients c JOIN users u", "an export has the account of each client"),
    ("u.search_key LIKE", "a part of a word may stand anywhere"),
];

/// Whether SQLite finds rows by their realm alone. Postgres' plans depend on how many there are.
fn reads_a_realm(sql: &str, plan: &[String]) -> bool {
    let is_page = sql.contains("LIMIT") && !plan.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
    !is_page && plan.iter().any(|step| step.ends_with("(realm_id=?)"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_looks_at_all_of_a_realm_but_what_says_why() {
    let place = Place::sqlite();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for sql in &statements(&place).await {
        let plan = place.plan(sql).await;
        match OF_A_WHOLE_REALM.iter().find(|(fragment, _)| sql.contains(fragment)) {
            _ if !reads_a_realm(sql, &plan) => {}
            Some((fragment, _)) => drop(seen.insert(*fragment)),
            None => wrong.push(format!("{sql}\n    {}", plan.join("\n    "))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let named: BTreeSet<&str> = OF_A_WHOLE_REALM.iter().map(|(fragment, _)| *fragment).collect();
    assert_eq!(seen, named, "an exception that nothing needs");
}

on_both! {
    async fn what_is_asked_for_is_found_by_an_index(place) {
        let statements = statements(&place).await;
        assert!(statements.len() > 40, "{} statements are not everything", statements.len());
        let mut wrong = Vec::new();
        for sql in &statements {
            let plan = place.plan(sql).await;
            if plan.iter().any(|step| reads_all(step)) {
                wrong.push(format!("{sql}\n    {}", plan.join("\n    ")));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // Few users are found by what they begin with, and not by looking at all of the realm. Postgres decides that by how
        // many there are.
        let candidates = statements.iter().find(|sql| sql.starts_with("SELECT COUNT(*) FROM (SELECT id")).unwrap();
        let plan = place.plan(candidates).await.join("\n");
        for index in ["users_by_email", "users_by_name", "users_by_last_name"] {
            assert!(plan.contains(index) || place.is_postgres(), "{index}: {plan}");
        }
        // A search that no index answers shows that these plans tell.
        let all = place.plan("SELECT id FROM users WHERE first_name = 'x'").await;
        assert!(all.iter().any(|step| reads_all(step)), "{all:?}");
    }
}

#[test]
fn deleting_a_record_looks_for_what_hangs_on_it_by_an_index() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let place = Place::sqlite();
    let server = runtime.block_on(place.start());
    // The row of a realm has none to look for: it stays (`store/deleted_realm.rs`).
    let unindexed = "SELECT m.name || '.' || f.\"from\" FROM sqlite_master m, pragma_foreign_key_list(m.name) f \
                     WHERE m.type = 'table' AND f.\"table\" <> 'realms' AND NOT EXISTS (\
                     SELECT 1 FROM pragma_index_list(m.name) l, pragma_index_info(l.name) i \
                     WHERE i.seqno = 0 AND i.name = f.\"from\")";
    assert_eq!(place.column(unindexed), Vec::<String>::new());
    drop(server);
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../src/store")).unwrap() {
        let path = file.unwrap().path();
        let text = if path.is_file() { std::fs::read_to_string(&path).unwrap() } else { String::new() };
        assert!(!text.contains("DELETE FROM realms"), "{}", path.display());
    }
}
