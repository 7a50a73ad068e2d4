//! Refresh tokens at the token endpoint: rows F01 to F08, with the retry window switched off and at its default.

use vestibule::clock::Timestamp;
use vestibule::protocol::audit::AuditKind;
use vestibule::realm_file::{self, Format};
use vestibule::store::{Change, Page};
use vestibule::testing::{Browser, Options, Rp, TestServer, Tokens};

use crate::common::{Scene, is_error, realm};
use crate::on_both;

/// Seconds of the retry window (D1): strict, and the default.
const MODES: [i64; 2] = [0, 10];

const INACTIVE: &str = r#"{"active":false}"#;

async fn set_window(server: &TestServer, seconds: i64) {
    let mut realm = realm(server).await;
    realm.settings.refresh_retry_window = seconds;
    server.app().commit(vec![Change::PutRealm { realm, at: server.app().clock.now() }]).await.unwrap();
}

/// Alice in `web`, at a clock that the test moves.
async fn scene(window: i64) -> Scene {
    let options = Options { frozen_at: Some(Timestamp(1_800_000_000)), ..Options::default() };
    let scene = Scene::with(options, "openid profile email").await;
    set_window(&scene.server, window).await;
    scene
}

impl Scene {
    async fn refresh(&self, token: &str) -> Tokens {
        self.rp.refresh(&self.browser, token).await.unwrap()
    }

    async fn refuses(&self, token: &str, row: &str) {
        let refused = self.rp.refresh(&self.browser, token).await.unwrap_err();
        is_error(&refused, 400, "invalid_grant", row);
    }

    async fn is_live(&self, tokens: &Tokens) -> bool {
        let refresh = self.rp.introspect(&self.browser, tokens.refresh_token()).await;
        let access = self.rp.userinfo(&self.browser, tokens.access_token()).await;
        assert_eq!(refresh.body != INACTIVE, access.status == 200, "no half-dead family");
        access.status == 200
    }

    async fn reuses_told(&self) -> usize {
        let realm = self.realm().await;
        let events = self.server.app().store.audit_events(&realm.id, Page::ALL).await.unwrap();
        events.iter().filter(|event| event.kind == AuditKind::RefreshReuse).count()
    }
}

#[tokio::test]
async fn f01_a_used_token_ends_the_family_once_its_successor_was_used() {
    for window in MODES {
        let scene = scene(window).await;
        let first = &scene.tokens;
        let second = scene.refresh(first.refresh_token()).await;
        let third = scene.refresh(second.refresh_token()).await;
        assert_eq!(scene.reuses_told().await, 0, "window {window}");
        scene.refuses(first.refresh_token(), "F01").await;
        assert!(!scene.is_live(&third).await, "window {window}");
        scene.refuses(third.refresh_token(), "F01 the newest").await;
        for tokens in [first, &second, &third] {
            let userinfo = scene.rp.userinfo(&scene.browser, tokens.access_token()).await;
            assert_eq!(userinfo.status, 401, "window {window}");
        }
        assert_eq!(scene.reuses_told().await, 1, "window {window}: one event, for the replay");
    }
}

#[tokio::test]
async fn f01_d1_an_unused_successor_gives_way_to_a_retry_within_the_window_alone() {
    // (window, seconds after the first use, whether the retry is answered)
    for (window, after, answered) in [(0, 0, false), (10, 0, true), (10, 10, true), (10, 11, false)] {
        let case = format!("window {window}, {after} s after");
        let scene = scene(window).await;
        let lost = scene.refresh(scene.tokens.refresh_token()).await;
        scene.server.clock().advance(after);
        let retried = scene.rp.refresh(&scene.browser, scene.tokens.refresh_token()).await;
        assert_eq!(retried.is_ok(), answered, "{case}");
        match retried {
            Ok(kept) => {
                assert!(scene.is_live(&kept).await, "{case}");
                // The first answer, should it turn up after all, is a thief's.
                scene.refuses(lost.refresh_token(), &case).await;
                assert!(!scene.is_live(&kept).await, "{case}");
            }
            Err(refused) => {
                is_error(&refused, 400, "invalid_grant", &case);
                assert!(!scene.is_live(&lost).await, "{case}");
            }
        }
        assert_eq!(scene.reuses_told().await, 1, "{case}");
    }
}

async fn refresh_together(rp: &Rp, browser: &Browser, token: &str) -> Vec<Tokens> {
    let calls = (0..50).map(|_| {
        let (rp, browser, token) = (rp.clone(), browser.clone(), token.to_owned());
        tokio::spawn(async move { rp.refresh(&browser, &token).await })
    });
    let mut good = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(tokens) => good.push(tokens),
            Err(refused) => is_error(&refused, 400, "invalid_grant", "F02 a loser"),
        }
    }
    good
}

async fn live(rp: &Rp, browser: &Browser, all: &[Tokens]) -> usize {
    let mut live = 0;
    for tokens in all {
        live += usize::from(rp.introspect(browser, tokens.refresh_token()).await.body != INACTIVE);
    }
    live
}

on_both! {
    async fn f02_of_fifty_requests_at_once_one_successor_lives(place) {
        let server = place.start().await;
        let rp = server.rp("web", Some("web-secret"));
        for window in MODES {
            set_window(&server, window).await;
            let mut browser = server.browser();
            let first = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
            let good = refresh_together(&rp, &browser, first.refresh_token()).await;
            if window == 0 {
                assert_eq!(good.len(), 1, "strict: one answer, and the replays end what it gave");
                assert_eq!(live(&rp, &browser, &good).await, 0);
            } else {
                assert_eq!(good.len(), 50, "each is a retry of one whose answer nobody used");
                assert_eq!(live(&rp, &browser, &good).await, 1, "one of fifty lives");
            }
        }
    }

    async fn f03_a_restart_forgets_no_use(place) {
        let first = place.start().await;
        set_window(&first, 0).await;
        let rp = first.rp("web", Some("web-secret"));
        let mut browser = first.browser();
        let signed_in = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
        let second = rp.refresh(&browser, signed_in.refresh_token()).await.unwrap();
        // Killed, not stopped: what counts is what was committed.
        let place = place.after_a_crash();
        drop(first);
        let server = place.start().await;
        set_window(&server, 0).await;
        let rp = server.rp("web", Some("web-secret"));
        let third = rp.refresh(&server.browser(), second.refresh_token()).await.expect("what was acknowledged lives");
        let replay = rp.refresh(&server.browser(), signed_in.refresh_token()).await.unwrap_err();
        is_error(&replay, 400, "invalid_grant", "F03 used before the restart");
        let dead = rp.refresh(&server.browser(), third.refresh_token()).await.unwrap_err();
        is_error(&dead, 400, "invalid_grant", "F03 its family");
    }

    /// F07: a fault in the middle of a rotation leaves the token as it was, and is never taken for a replay.
    async fn f07_a_fault_after_the_use_was_noted_takes_the_use_back(place) {
        let server = place.start().await;
        set_window(&server, 0).await;
        let rp = server.rp("web", Some("web-secret"));
        let mut browser = server.browser();
        let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
        let code = browser.get(&rp.authorize_url()).await.parameter("code").unwrap();
        let (break_it, mend_it) = if place.is_postgres() {
            (
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$; \
                 CREATE TRIGGER fault BEFORE INSERT ON refresh_tokens FOR EACH ROW EXECUTE FUNCTION full_disk(); \
                 CREATE TRIGGER fault BEFORE UPDATE ON grants FOR EACH ROW EXECUTE FUNCTION full_disk()",
                "DROP FUNCTION full_disk CASCADE",
            )
        } else {
            (
                "CREATE TRIGGER fault BEFORE INSERT ON refresh_tokens BEGIN SELECT RAISE(ABORT, 'no room'); END; \
                 CREATE TRIGGER fault2 BEFORE UPDATE ON grants BEGIN SELECT RAISE(ABORT, 'no room'); END",
                "DROP TRIGGER fault; DROP TRIGGER fault2",
            )
        };
        place.run(break_it).await;
        // SQLite knows no trigger that fails as a full disk does; what it raises is a fault that will not pass.
        let (status, error) =
            if place.is_postgres() { (503, "temporarily_unavailable") } else { (500, "server_error") };
        for _ in 0..2 {
            let refused = rp.refresh(&browser, tokens.refresh_token()).await.unwrap_err();
            is_error(&refused, status, error, "F07a refresh");
            assert!(!refused.body.contains("no room"), "the cause stays here");
            let refused = rp.redeem(&browser, &code).await.unwrap_err();
            is_error(&refused, status, error, "F07a code");
            let revoked = rp.post(&browser, "revoke", &[("token", tokens.refresh_token())]).await;
            is_error(&revoked, status, error, "F07b revocation");
            assert_eq!(revoked.header("retry-after"), if place.is_postgres() { "1" } else { "" });
        }
        place.run(mend_it).await;
        assert!(rp.redeem(&browser, &code).await.is_ok(), "the code was not spent");
        let next = rp.refresh(&browser, tokens.refresh_token()).await.expect("the token was not spent");
        assert_eq!(rp.userinfo(&browser, next.access_token()).await.status, 200, "nothing was revoked");
    }
}

#[tokio::test]
async fn f04_another_client_can_neither_use_nor_hurt_a_token() {
    for window in MODES {
        let scene = scene(window).await;
        let thief = scene.server.rp("third-party", Some("third-party-secret"));
        let public = scene.server.rp("spa", None);
        let used = scene.tokens.refresh_token();
        let steal = async |token: &str, row: &str| {
            for rp in [&thief, &public] {
                is_error(&rp.refresh(&scene.browser, token).await.unwrap_err(), 400, "invalid_grant", row);
            }
        };
        steal(used, "F04a live").await;
        let next = scene.refresh(used).await;
        steal(used, "F04b used").await;
        steal(next.refresh_token(), "F04a its successor").await;
        assert!(scene.is_live(&next).await, "window {window}: the family is untouched");
        assert_eq!(scene.reuses_told().await, 0, "window {window}");
        scene.refresh(next.refresh_token()).await;
    }
}

#[tokio::test]
async fn f05_a_narrower_scope_narrows_the_access_token_alone() {
    for window in MODES {
        let scene = scene(window).await;
        let ask = async |token: &str, scope: &str| {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
            scene.rp.tokens(&scene.browser, &fields).await
        };
        let scopes = |tokens: &Tokens| {
            let mut scopes = tokens.text("scope").split(' ').map(str::to_owned).collect::<Vec<_>>();
            scopes.sort();
            scopes.join(" ")
        };
        let first = scene.tokens.refresh_token();
        for wider in ["openid admin", "openid phone", "offline_access", "openid email  x"] {
            is_error(&ask(first, wider).await.unwrap_err(), 400, "invalid_scope", wider);
        }
        let narrow = ask(first, "openid email").await.expect("a refusal spends nothing");
        assert_eq!(scopes(&narrow), "email openid");
        let userinfo = scene.rp.userinfo(&scene.browser, narrow.access_token()).await.json();
        assert_eq!(userinfo["email"], "alice@example.com");
        assert_eq!(userinfo["name"], serde_json::Value::Null, "profile was left out: {userinfo}");
        let whole = scene.refresh(narrow.refresh_token()).await;
        assert_eq!(scopes(&whole), scopes(&scene.tokens), "window {window}: the grant is what it was");
    }
}

/// What happens to a grant from outside.
#[derive(Clone, Copy, Debug)]
enum Event {
    UserDisabled,
    UserDeleted,
    ClientDisabled,
    ConsentWithdrawn,
    EverySessionEnded,
    RealmNotBefore,
    ClientNotBefore,
    UserNotBefore,
    PasswordChanged,
    UserDisabledAndEnabledByFile,
    SignedOut,
}

impl Event {
    async fn happen(self, scene: &mut Scene) {
        let (realm, mut user) = (scene.realm().await, scene.user("alice").await);
        let mut client = scene.client("third-party").await;
        let (realm_id, user_id) = (realm.id.clone(), user.id.clone());
        let at = scene.server.app().clock.now();
        let change = match self {
            Self::UserDisabled => {
                user.enabled = false;
                Change::PutUser(Box::new(user))
            }
            Self::UserDeleted => Change::DeleteUser { realm_id, id: user_id, at },
            Self::ClientDisabled => {
                client.enabled = false;
                Change::PutClient { client: Box::new(client), at }
            }
            Self::ConsentWithdrawn => {
                Change::WithdrawConsent { realm_id, user_id, client: client.id.clone(), at }
            }
            Self::EverySessionEnded => Change::EndSessionsOfUser { realm_id, user_id, at },
            Self::RealmNotBefore => {
                let mut realm = realm;
                realm.settings.not_before = Some(at.plus(1));
                Change::PutRealm { realm, at }
            }
            Self::ClientNotBefore => {
                client.settings.not_before = Some(at.plus(1));
                Change::PutClient { client: Box::new(client), at }
            }
            Self::UserNotBefore => {
                user.not_before = Some(at.plus(1));
                Change::PutUser(Box::new(user))
            }
            Self::PasswordChanged => return apply(scene, "password = \"another one\"").await,
            Self::UserDisabledAndEnabledByFile => {
                apply(scene, "enabled = false").await;
                return apply(scene, "enabled = true").await;
            }
            Self::SignedOut => {
                let question = scene.browser.open(&scene.rp.endpoint("logout")).await;
                scene.browser.submit(&question, &[("confirmLogout", "1")]).await;
                return;
            }
        };
        scene.commit(vec![change]).await;
    }
}

/// Applies a realm file that says this about alice.
async fn apply(scene: &Scene, line: &str) {
    let toml = format!("[realm]\nname = \"main\"\n[[realm.users]]\nusername = \"alice\"\n{line}\n");
    let realms = realm_file::parse(&toml, Format::Toml, "realm.toml", &|_| None).unwrap();
    vestibule::boot::apply(scene.server.app(), &realms[0]).await.unwrap();
}

/// Alice in `third-party`, who was asked for consent.
async fn consented(window: i64, scope: &str) -> Scene {
    let scene = scene(window).await;
    let rp = scene.server.rp("third-party", Some("third-party-secret"));
    let rp = Rp { scope: scope.to_owned(), ..rp };
    let mut browser = scene.server.browser();
    let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    Scene { server: scene.server, browser, rp, tokens }
}

#[tokio::test]
async fn f06_a_token_dies_with_what_it_hangs_on() {
    use Event as E;
    for window in MODES {
        for (row, event, offline_too) in [
            ("a user disabled", E::UserDisabled, true),
            ("a user deleted", E::UserDeleted, true),
            ("c client disabled", E::ClientDisabled, true),
            ("e consent withdrawn", E::ConsentWithdrawn, true),
            ("g every session ended", E::EverySessionEnded, false),
            ("g not before, realm", E::RealmNotBefore, true),
            ("g not before, client", E::ClientNotBefore, true),
            ("g not before, user", E::UserNotBefore, true),
            ("h password changed", E::PasswordChanged, true),
            ("a user disabled and enabled", E::UserDisabledAndEnabledByFile, true),
            ("i signed out", E::SignedOut, false),
        ] {
            for offline in [false, true] {
                let case = format!("F06{row}, window {window}, offline {offline}");
                let scope = if offline { "openid offline_access" } else { "openid profile" };
                let mut scene = consented(window, scope).await;
                let next = scene.refresh(scene.tokens.refresh_token()).await;
                event.happen(&mut scene).await;
                let refreshed = scene.rp.refresh(&scene.browser, next.refresh_token()).await;
                if offline && !offline_too {
                    assert!(refreshed.is_ok(), "{case}: an offline grant outlives its session");
                    continue;
                }
                let refused = refreshed.expect_err(&case);
                if matches!(event, E::ClientDisabled) {
                    is_error(&refused, 401, "invalid_client", &case);
                } else {
                    is_error(&refused, 400, "invalid_grant", &case);
                }
                let userinfo = scene.rp.userinfo(&scene.browser, next.access_token()).await;
                assert_eq!(userinfo.status, 401, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn f06f_a_new_token_lacks_what_was_taken_away() {
    for window in MODES {
        let scene = scene(window).await;
        let (realm, user) = (scene.realm().await, scene.user("alice").await);
        let has_role = |tokens: &Tokens, role: &str| {
            let claims = tokens.access_claims();
            claims["realm_access"]["roles"].as_array().unwrap().iter().any(|one| one == role)
        };
        assert!(has_role(&scene.tokens, "admin"));
        let configuration = scene.server.app().store.realm_configuration(realm.clone()).await.unwrap();
        let role = configuration.roles.iter().find(|role| role.name == "admin" && role.client.is_none());
        let role_id = role.unwrap().id.clone();
        let mut client = scene.client("web").await;
        let mut scopes = realm.settings.default_scopes.clone();
        scopes.retain(|scope| scope != "email");
        client.settings.default_scopes = Some(scopes);
        scene
            .commit(vec![
                Change::RemoveUserRole { realm_id: realm.id.clone(), user_id: user.id.clone(), role_id },
                Change::PutClient { client: Box::new(client), at: scene.server.app().clock.now() },
            ])
            .await;
        let next = scene.refresh(scene.tokens.refresh_token()).await;
        assert!(!has_role(&next, "admin") && has_role(&next, "user"), "window {window}");
        assert!(!next.text("scope").contains("email"), "window {window}: {}", next.text("scope"));
        let userinfo = scene.rp.userinfo(&scene.browser, next.access_token()).await.json();
        assert_eq!(userinfo["email"], serde_json::Value::Null, "window {window}");
    }
}

#[tokio::test]
async fn f08b_refreshing_prolongs_neither_idleness_nor_the_greatest_age() {
    for window in MODES {
        let scene = scene(window).await;
        let settings = scene.realm().await.settings;
        let mut tokens = scene.refresh(scene.tokens.refresh_token()).await;
        let begun = scene.server.clock().now();
        let mut ends = begun.plus(tokens.response["refresh_expires_in"].as_i64().unwrap());
        assert_eq!(ends, begun.plus(settings.session_idle), "window {window}: the idle limit");
        for _ in 0..100 {
            scene.server.clock().advance(settings.session_idle - 60);
            let now = scene.server.clock().now();
            if now >= begun.plus(settings.session_max) {
                break;
            }
            tokens = scene.refresh(tokens.refresh_token()).await;
            ends = now.plus(tokens.response["refresh_expires_in"].as_i64().unwrap());
            assert!(ends <= begun.plus(settings.session_max), "window {window}: the greatest age");
        }
        assert_eq!(ends, begun.plus(settings.session_max), "window {window}");
        scene.refuses(tokens.refresh_token(), "F08b over its age").await;

        let idle = consented(window, "openid profile").await;
        idle.server.clock().advance(settings.session_idle);
        idle.refuses(idle.tokens.refresh_token(), "F08b idle").await;
        let offline = consented(window, "openid offline_access").await;
        offline.server.clock().advance(settings.offline_idle);
        offline.refuses(offline.tokens.refresh_token(), "F08b an offline one, idle").await;
    }
}

#[tokio::test]
async fn f08d_the_next_person_at_the_browser_gets_nothing_of_the_last_one() {
    for window in MODES {
        let mut scene = scene(window).await;
        let question = scene.browser.open(&scene.rp.endpoint("logout")).await;
        scene.browser.submit(&question, &[("confirmLogout", "1")]).await;
        let bobs = scene.rp.sign_in(&mut scene.browser, "bob", "bob").await.unwrap();
        scene.refuses(scene.tokens.refresh_token(), "F08d alice's").await;
        assert_eq!(scene.refresh(bobs.refresh_token()).await.access_claims()["preferred_username"], "bob");
    }
}
