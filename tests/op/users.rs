//! Accounts and their passwords: rows U01, U03, U05 and U06 of the attack table (U02 is in `rows.rs`, U04 in
//! `sign_in.rs`).

use vestibule::passwords::Profile;
use vestibule::protocol::brake;
use vestibule::protocol::user::User;
use vestibule::store::Change;
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer};

use crate::common::{is_sign_in, realm, text, user};
use crate::on_both;

/// A server with people in all states, each name as long as the others.
async fn people() -> (TestServer, Rp) {
    let server = TestServer::start().await.unwrap();
    let alice = user(&server, "alice").await;
    let hash = server.app().passwords.hash(Profile::Development, "right".to_owned().into()).await.unwrap();
    let mut changes = Vec::new();
    for (n, (name, enabled, password)) in
        [("known1", true, true), ("off001", false, true), ("nopass", true, false)].into_iter().enumerate()
    {
        let id = format!("00000000-0000-4000-8000-00000000000{n}");
        let email = None;
        let user = User { id: id.clone(), username: name.into(), email, enabled, ..alice.clone() };
        changes.push(Change::PutUser(Box::new(user)));
        if password {
            let (realm_id, hash) = (alice.realm_id.clone(), hash.clone());
            changes.push(Change::SetPassword { realm_id, user_id: id, hash });
        }
    }
    server.app().commit(changes).await.unwrap();
    let rp = server.rp("web", Some("web-secret"));
    (server, rp)
}

/// A page without what is fresh in each: the sealed request, the reference, and the name that was typed.
fn plain(reply: &Reply, name: &str) -> String {
    let mut rest = reply.body.as_str();
    let mut plain = String::new();
    for start in ["session_code=", "<code>"] {
        while let Some((before, after)) = rest.split_once(start) {
            plain.push_str(before);
            let end = after.find(['&', '"', '<']).unwrap_or(after.len());
            rest = &after[end..];
        }
    }
    plain.push_str(rest);
    plain.replace(name, "NAME")
}

#[tokio::test]
async fn u01_nobody_can_tell_who_is_there() {
    let (server, rp) = people().await;
    let long = "x".repeat(1_024);
    let too_long = "x".repeat(1_025);
    for password in ["wrong", "", "x", &long, &too_long] {
        let case = format!("a password of {} bytes", password.len());
        let mut told = Vec::new();
        for name in ["known1", "nobody", "off001", "nopass"] {
            let mut browser = server.browser();
            let page = browser.open(&rp.authorize_url()).await;
            let before = server.app().passwords.made();
            let reply =
                browser.post(&page.form_action(), &[("username", name), ("password", password)]).await;
            let made = server.app().passwords.made() - before;
            assert!(!browser.cookies().contains_key("main-sid"), "{case}: {name}");
            told.push((name, reply.status, made, plain(&reply, name)));
        }
        for (name, status, made, body) in &told {
            assert_eq!((status, made, body), (&told[0].1, &told[0].2, &told[0].3), "{case}: {name}");
        }
        // One hash each, whoever it is; none for what is refused by its length.
        assert_eq!(told[0].2, u64::from(password.len() <= 1_024), "{case}");
    }
    let (server, rp) = people().await;
    // The right password of a disabled account tells no more than a wrong one.
    let mut browser = server.browser();
    let page = browser.open(&rp.authorize_url()).await;
    let reply = browser.post(&page.form_action(), &[("username", "off001"), ("password", "right")]).await;
    assert_eq!(text(&reply, "#input-error").as_deref(), Some("Invalid username or password."));
}

#[tokio::test]
async fn u01_waiting_tells_nothing_either() {
    let (server, rp) = people().await;
    let rule = realm(&server).await.settings.brute_force;
    let mut told = Vec::new();
    for name in ["known1", "nobody", "off001", "nopass"] {
        let counters = brake::counters(name, std::net::Ipv4Addr::LOCALHOST.into(), false, &rule);
        for _ in 0..=rule.max_failures {
            let (store, now) = (&server.app().store, server.app().clock.now());
            let _ = store.count_attempt(&realm(&server).await.id, &counters, &rule, now).await.unwrap();
        }
        let mut browser = server.browser();
        let page = browser.open(&rp.authorize_url()).await;
        let before = server.app().passwords.made();
        let reply = browser.post(&page.form_action(), &[("username", name), ("password", "right")]).await;
        is_sign_in(&reply, name);
        told.push((server.app().passwords.made() - before, plain(&reply, name)));
    }
    assert!(told.iter().all(|one| *one == told[0]), "{told:#?}");
    assert_eq!(told[0].0, 0, "who must wait costs nothing");
}

async fn attempt(server: &TestServer, rp: &Rp, name: &str, password: &str) -> Reply {
    let mut browser: Browser = server.browser();
    let page = browser.open(&rp.authorize_url()).await;
    browser.post(&page.form_action(), &[("username", name), ("password", password)]).await
}

on_both! {
    /// An office signs in from one address all day; only what fails there counts.
    async fn u02_a_right_password_is_no_guess(place) {
        let server = place.start().await;
        let rp = server.rp("web", Some("web-secret"));
        let mut realm = realm(&server).await;
        realm.settings.brute_force.max_address_failures = 3;
        let at = server.app().clock.now();
        server.app().commit(vec![Change::PutRealm { realm, at }]).await.unwrap();
        for n in 0..8 {
            for name in ["alice", "bob"] {
                assert!(attempt(&server, &rp, name, name).await.parameter("code").is_some(), "{name}, time {n}");
            }
        }
        for name in ["one", "two", "three"] {
            is_sign_in(&attempt(&server, &rp, name, "wrong").await, name);
            // In between somebody signs in, which takes back nothing of what others failed.
            if name != "three" {
                assert!(attempt(&server, &rp, "alice", "alice").await.parameter("code").is_some(), "{name}");
            }
        }
        is_sign_in(&attempt(&server, &rp, "alice", "alice").await, "three failures, and the address waits");
    }

    /// A test suite signs in as the same person from all its workers at once.
    async fn u02_right_passwords_side_by_side_are_no_guesses(place) {
        let server = place.start().await;
        let rp = server.rp("web", Some("web-secret"));
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..24 {
            let (mut browser, rp) = (server.browser(), rp.clone());
            all.spawn(async move { rp.authorize(&mut browser, "alice", "alice").await });
        }
        while let Some(reply) = all.join_next().await {
            let reply = reply.unwrap();
            assert!(reply.parameter("code").is_some(), "{} {}", reply.status, reply.body);
        }
        for _ in 0..5 {
            is_sign_in(&attempt(&server, &rp, "alice", "wrong").await, "wrong");
        }
        is_sign_in(&attempt(&server, &rp, "alice", "alice").await, "no count of theirs is left over, nor lost");
    }

    /// What comes after the count may fail; the count stands (CVE-2026-35597).
    async fn u03_a_failure_counts_though_the_request_that_made_it_failed(place) {
        let server = place.start().await;
        let rp = server.rp("web", Some("web-secret"));
        // The database takes no event, so that each refusal ends in a fault.
        let (break_it, mend_it) = if place.is_postgres() {
            (
                "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$; \
                 CREATE TRIGGER fault BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION no_room()",
                "DROP FUNCTION no_room CASCADE",
            )
        } else {
            (
                "CREATE TRIGGER fault BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'no room'); END",
                "DROP TRIGGER fault",
            )
        };
        place.run(break_it).await;
        for _ in 0..5 {
            let reply = attempt(&server, &rp, "alice", "wrong").await;
            assert!(reply.status.is_server_error(), "the fault: {}", reply.status);
        }
        place.run(mend_it).await;
        let reply = attempt(&server, &rp, "alice", "alice").await;
        is_sign_in(&reply, "the sixth must wait, right or wrong");
        assert!(attempt(&server, &rp, "bob", "bob").await.parameter("code").is_some(), "bob need not");
    }
}

#[tokio::test]
async fn u05_a_password_is_measured_before_it_is_hashed() {
    let (server, rp) = people().await;
    let before = server.app().passwords.made();
    for (bytes, status) in [(1_025, 200), (3_900, 200), (4_100, 400), (60_000, 400), (1_000_000, 400)] {
        let reply = attempt(&server, &rp, "known1", &"x".repeat(bytes)).await;
        assert_eq!(reply.status, status, "{bytes} bytes");
        assert!(reply.body.len() < 20_000, "{bytes} bytes");
    }
    assert_eq!(server.app().passwords.made(), before, "nothing was hashed");
    // At least 64 characters are a password like any other (NIST SP 800-63B §3.1.1.2).
    let long = "ä".repeat(64);
    let alice = user(&server, "alice").await;
    let hash = server.app().passwords.hash(Profile::Development, long.clone().into()).await.unwrap();
    let set = Change::SetPassword { realm_id: alice.realm_id, user_id: alice.id, hash };
    server.app().commit(vec![set]).await.unwrap();
    assert!(attempt(&server, &rp, "alice", &long).await.parameter("code").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u05_a_flood_of_sign_ins_waits_in_a_queue_and_harms_nobody_else() {
    let (server, rp) = people().await;
    let limit = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut browser = server.browser();
    let page = browser.open(&rp.authorize_url()).await;
    let calls = (0..200).map(|n| {
        let (mut browser, action) = (browser.clone(), page.form_action());
        tokio::spawn(async move {
            browser.post(&action, &[("username", &format!("guest{n}")), ("password", "wrong")]).await.status
        })
    });
    let calls = calls.collect::<Vec<_>>();
    let service = server.rp("service", Some("service-secret"));
    for _ in 0..20 {
        let (running, _) = server.app().passwords.load();
        assert!(running <= limit, "{running} hashes at once");
        let token = service.tokens(&server.browser(), &[("grant_type", "client_credentials")]).await;
        assert!(token.is_ok(), "a service is served meanwhile");
    }
    for call in calls {
        let status = call.await.unwrap();
        assert!(matches!(status.as_u16(), 200 | 503), "{status}");
    }
    assert_eq!(server.app().passwords.load(), (0, 0), "and all of it ends");
}

#[tokio::test]
async fn u05_a_stored_hash_that_asks_for_too_much_is_no_hash() {
    let (server, rp) = people().await;
    let alice = user(&server, "alice").await;
    let b64 = "AAAAAAAAAAAAAAAAAAAAAA";
    for hash in [
        format!("$argon2id$v=19$m=4194304,t=2,p=1${b64}${b64}"),
        format!("$argon2id$v=19$m=19456,t=4000000,p=1${b64}${b64}"),
        format!("$argon2id$v=19$m=19456,t=2,p=1${b64}$"),
        format!("$argon2id$v=19$m=-1,t=2,p=1${b64}${b64}"),
        format!("$argon2d$v=19$m=19456,t=2,p=1${b64}${b64}"),
        format!("$pbkdf2-sha256$i=4000000000${b64}${b64}"),
        "$2b$12$äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü".to_owned(),
        "plain".to_owned(),
        "$".repeat(10_000),
        String::new(),
    ] {
        let (realm_id, user_id) = (alice.realm_id.clone(), alice.id.clone());
        let before = server.app().passwords.made();
        let set = Change::SetPassword { realm_id, user_id, hash: hash.clone() };
        server.app().commit(vec![set]).await.unwrap();
        let rule = realm(&server).await.settings.brute_force;
        let forgiven = brake::forgiven("alice", std::net::Ipv4Addr::LOCALHOST.into(), false, &rule);
        let clear = Change::ForgiveAttempt { realm_id: alice.realm_id.clone(), forgiven };
        server.app().commit(vec![clear]).await.unwrap();
        let reply = attempt(&server, &rp, "alice", "plain").await;
        assert_eq!(
            text(&reply, "#input-error").as_deref(),
            Some("Invalid username or password."),
            "{hash:.60}"
        );
        assert_eq!(server.app().passwords.made() - before, 1, "{hash:.60}: as long as any other");
    }
}

const PRODUCTION: &str = r#"
[realm]
name = "main"
[[realm.clients]]
id = "app"
public = true
redirect_uris = ["https://app.example/cb"]
grants = ["authorization_code"]
[[realm.users]]
username = "alice"
password = "correct horse"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u06_an_old_hash_is_replaced_at_the_next_right_password_and_by_no_other() {
    let options = Options { realm: Some(PRODUCTION.to_owned()), strict: true, ..Options::default() };
    let server = TestServer::with(options).await.unwrap();
    let rp = Rp { redirect_uri: "https://app.example/cb".into(), ..server.rp("app", None) };
    let alice = user(&server, "alice").await;
    let stored = async || {
        let hash = server.app().store.password_hash(&alice.realm_id, &alice.id).await.unwrap();
        hash.unwrap()
    };
    let standard = "$argon2id$v=19$m=19456,t=2,p=1$";
    let cheap =
        server.app().passwords.hash(Profile::Development, "correct horse".to_owned().into()).await.unwrap();
    assert!(!cheap.starts_with(standard));
    // PBKDF2-HMAC-SHA256 of "correct horse" with 1,000 rounds, as an import brings it.
    let mut out = [0; 32];
    let rounds = std::num::NonZeroU32::new(1_000).unwrap();
    aws_lc_rs::pbkdf2::derive(
        aws_lc_rs::pbkdf2::PBKDF2_HMAC_SHA256,
        rounds,
        b"saltsaltsaltsalt",
        b"correct horse",
        &mut out,
    );
    let encode =
        |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD_NO_PAD, bytes);
    let foreign = format!("$pbkdf2-sha256$i=1000${}${}", encode(b"saltsaltsaltsalt"), encode(&out));
    for old in [cheap, foreign] {
        let (realm_id, user_id, hash) = (alice.realm_id.clone(), alice.id.clone(), old.clone());
        server.app().commit(vec![Change::SetPassword { realm_id, user_id, hash }]).await.unwrap();
        is_sign_in(&attempt(&server, &rp, "alice", "wrong horse").await, "wrong");
        assert_eq!(stored().await, old, "a wrong password changes nothing");
        let (one, two) = tokio::join!(
            attempt(&server, &rp, "alice", "correct horse"),
            attempt(&server, &rp, "alice", "correct horse")
        );
        assert!(one.parameter("code").is_some() && two.parameter("code").is_some(), "side by side");
        let new = stored().await;
        assert!(new.starts_with(standard), "{new:.40}");
        assert!(attempt(&server, &rp, "alice", "correct horse").await.parameter("code").is_some());
        assert_eq!(stored().await, new, "a good hash stays");
    }
    // Development makes cheap hashes, and leaves a good one as it is.
    let development = TestServer::start().await.unwrap();
    let rp = development.rp("web", Some("web-secret"));
    let bob = user(&development, "bob").await;
    let good = development.app().passwords.hash(Profile::Standard, "bob".to_owned().into()).await.unwrap();
    let (realm_id, user_id) = (bob.realm_id.clone(), bob.id.clone());
    let set = Change::SetPassword { realm_id, user_id, hash: good.clone() };
    development.app().commit(vec![set]).await.unwrap();
    assert!(attempt(&development, &rp, "bob", "bob").await.parameter("code").is_some());
    let kept = development.app().store.password_hash(&bob.realm_id, &bob.id).await.unwrap();
    assert_eq!(kept, Some(good), "never downgraded");
}
