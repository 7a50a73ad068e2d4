//! Every page: no step can be skipped (S03), nothing that is sent becomes part of it (S04), and each carries the
//! headers that keep it to itself (S05).

use axum::http::Method;
use scraper::{Html, Selector};
use vestibule::store::Change;
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer};

use crate::common::{attribute, is_consent, is_sign_in, realm, user};

const ALICE: [(&str, &str); 2] = [("username", "alice"), ("password", "alice")];
const YES: [(&str, &str); 1] = [("accept", "Yes")];

fn third_party(server: &TestServer) -> Rp {
    server.rp("third-party", Some("third-party-secret"))
}

/// The address of another step of the same journey.
fn step(page: &Reply, name: &str) -> String {
    let action = page.form_action();
    let (before, query) = action.split_once('?').unwrap();
    let (base, _) = before.rsplit_once('/').unwrap();
    format!("{base}/{name}?{query}")
}

#[track_caller]
fn has_no_code(reply: &Reply, case: &str) {
    assert!(reply.parameter("code").is_none(), "{case}: {}", reply.location());
    assert!(!reply.body.contains("name=\"code\""), "{case}");
}

#[tokio::test]
async fn s03_no_step_is_skipped() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (third_party(&server), server.browser());
    let page = browser.open(&rp.authorize_url()).await;
    for (case, fields) in [
        ("yes", &YES[..]),
        ("empty", &[]),
        ("both", &[("accept", "Yes"), ("cancel", "No")]),
        ("a password", &ALICE),
    ] {
        let reply = browser.post(&step(&page, "consent"), fields).await;
        let reply = browser.follow(reply).await;
        is_sign_in(&reply, &format!("consent before the sign-in: {case}"));
    }
    for (case, fields) in [
        ("empty", &[][..]),
        ("no password", &[("username", "alice")]),
        ("an empty password", &[("username", "alice"), ("password", "")]),
        ("no name", &[("password", "alice")]),
        ("consent's field", &YES),
        ("other fields", &[("execution", "x"), ("tryAnotherWay", "on"), ("credentialId", "x")]),
    ] {
        let reply = browser.post(&step(&page, "authenticate"), fields).await;
        let reply = browser.follow(reply).await;
        is_sign_in(&reply, &format!("sign-in: {case}"));
        assert!(!browser.cookies().contains_key("main-sid"), "{case}");
    }
    for name in ["authenticate", "consent"] {
        is_sign_in(&browser.open(&step(&page, name)).await, &format!("{name} by GET"));
    }
    for name in ["restart", "required-action", "reset-credentials", "registration", "first-broker-login"] {
        let reply = browser.post(&step(&page, name), &YES).await;
        assert_eq!(reply.status, 404, "{name}");
    }

    // Signed in, and at the question: no other form answers it.
    let question = browser.submit(&page, &ALICE).await;
    is_consent(&question, "asked");
    let reply = browser.post(&step(&question, "consent"), &[]).await;
    has_no_code(&reply, "an empty answer");
    assert_eq!(reply.parameter("error").as_deref(), Some("access_denied"), "what is no yes is a no");
    let reply = browser.post(&step(&question, "authenticate"), &[]).await;
    has_no_code(&reply, "an empty sign-in after the sign-in");
    let reply = browser.post(&step(&question, "authenticate"), &YES).await;
    has_no_code(&reply, "a yes at the wrong form");
    is_consent(&browser.open(&step(&question, "authenticate")).await, "a reload shows the question");
    is_consent(&browser.open(&rp.authorize_url()).await, "so does a second tab");
    // The first page of the journey cannot stand in for the second: it was shown no question.
    is_consent(&browser.submit(&page, &ALICE).await, "signed in once more");
    let reply = browser.post(&step(&page, "consent"), &YES).await;
    has_no_code(&reply, "a yes without the question");
    assert!(browser.submit(&question, &YES).await.parameter("code").is_some(), "the question itself");
}

#[tokio::test]
async fn s07_consent_is_asked_again_when_more_is_asked_or_it_was_withdrawn() {
    let server = TestServer::start().await.unwrap();
    let (mut rp, mut browser) = (third_party(&server), server.browser());
    rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    assert!(browser.get(&rp.authorize_url()).await.parameter("code").is_some(), "remembered");
    let bob = third_party(&server).authorize(&mut server.browser(), "bob", "bob").await;
    assert!(bob.parameter("code").is_some(), "bob was asked himself, or this would be the question");
    rp.scope = "openid profile email phone".to_owned();
    let question = browser.open(&rp.authorize_url()).await;
    is_consent(&question, "more is asked");
    let silent = browser.get(&rp.authorize_url_with(&[("prompt", Some("none"))])).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("consent_required"));
    assert!(browser.submit(&question, &YES).await.parameter("code").is_some());
    rp.scope = "openid email".to_owned();
    assert!(browser.get(&rp.authorize_url()).await.parameter("code").is_some(), "less is remembered");

    // Another public client at a loopback port, whichever app holds it now.
    let (realm, at) = (realm(&server).await, server.app().clock.now());
    let store = &server.app().store;
    let mut spa = store.client_by_client_id(&realm.id, "spa").await.unwrap().unwrap();
    spa.settings.consent = true;
    server.app().commit(vec![Change::PutClient { client: Box::new(spa), at }]).await.unwrap();
    let app = server.rp("spa", None);
    for case in ["the first time", "the next time"] {
        let question = browser.open(&app.authorize_url()).await;
        is_consent(&question, case);
        assert!(browser.submit(&question, &YES).await.parameter("code").is_some(), "{case}");
    }
}

/// Pages in all their states, with `evil` wherever something that others chose is shown.
async fn pages(server: &TestServer, evil: &str) -> Vec<(&'static str, Reply)> {
    let (realm, at) = (realm(server).await, server.app().clock.now());
    let store = &server.app().store;
    let mut client = store.client_by_client_id(&realm.id, "third-party").await.unwrap().unwrap();
    client.settings.name = Some(evil.to_owned());
    let mut alice = user(server, "alice").await;
    alice.first_name = Some(evil.to_owned());
    if evil.len() < 200 {
        alice.email = Some(format!("{evil}@example.com"));
    }
    let mut named = realm.clone();
    named.display_name = Some(evil.to_owned());
    let (realm_id, user_id, app) = (realm.id.clone(), alice.id.clone(), client.id.clone());
    let changes = vec![
        Change::WithdrawConsent { realm_id, user_id, client: app, at },
        Change::PutRealm { realm: named, at },
        Change::PutClient { client: Box::new(client), at },
        Change::PutUser(Box::new(alice)),
    ];
    server.app().commit(changes).await.unwrap();

    let rp = third_party(server);
    let mut browser = server.browser();
    let encoded: String = form_urlencoded::byte_serialize(evil.as_bytes()).collect();
    browser.headers.push(("user-agent".into(), evil.chars().filter(char::is_ascii).collect()));
    browser.headers.push(("accept".into(), "text/html".into()));
    let mut pages = Vec::new();
    let evil_parameters = [
        ("state", Some(evil)),
        ("nonce", Some(evil)),
        ("login_hint", Some(evil)),
        ("ui_locales", Some(evil)),
        ("acr_values", Some(evil)),
        ("kc_idp_hint", Some(evil)),
        ("claims_locales", Some(evil)),
    ];
    let login = browser.open(&rp.authorize_url_with(&evil_parameters)).await;
    let wrong = browser.submit(&login, &[("username", evil), ("password", evil)]).await;
    let consent = browser.submit(&login, &ALICE).await;
    let again = browser.open(&rp.authorize_url_with(&[("prompt", Some("login"))])).await;
    let posted = [("state", Some(evil)), ("response_mode", Some("form_post")), ("prompt", Some("none"))];
    let form_post = browser.open(&rp.authorize_url_with(&posted)).await;
    pages.extend([
        ("sign-in", login),
        ("sign-in, refused", wrong),
        ("consent", consent.clone()),
        ("sign-in again", again),
        ("form post", form_post),
    ]);
    browser.submit(&consent, &YES).await;
    for (name, address) in [
        ("account", format!("{}/account/?done={encoded}", rp.issuer)),
        ("welcome", format!("{}/?x={encoded}", server.origin())),
        ("sign-out", format!("{}?state={encoded}&ui_locales={encoded}", rp.endpoint("logout"))),
        ("no such page", format!("{}/{encoded}", server.origin())),
        ("no such realm", format!("{}/realms/{encoded}/account/", server.origin())),
        ("no such action", format!("{}/login-actions/{encoded}?error={encoded}", rp.issuer)),
        ("expired", format!("{}/login-actions/authenticate?session_code={encoded}", rp.issuer)),
        ("unknown client", rp.authorize_url_with(&[("client_id", Some(evil))])),
        ("unregistered address", rp.authorize_url_with(&[("redirect_uri", Some(evil))])),
        ("twice", format!("{}&{encoded}=1&{encoded}=1", rp.authorize_url())),
        ("error back", format!("{}?error={encoded}&error_description={encoded}", rp.endpoint("auth"))),
        (
            "sign-out elsewhere",
            format!("{}?post_logout_redirect_uri={encoded}&client_id=web", rp.endpoint("logout")),
        ),
    ] {
        pages.push((name, browser.open(&address).await));
    }
    let mut cross = browser.clone();
    cross.headers.push(("origin".into(), "https://evil.test".into()));
    pages.push(("forged", cross.post(&consent.form_action(), &YES).await));
    let question = browser.open(&rp.endpoint("logout")).await;
    pages.push(("signed out", browser.submit(&question, &[("confirmLogout", "1")]).await));
    pages
}

/// The elements of a page with the names of their attributes, and what leads somewhere.
fn skeleton(body: &str) -> Vec<String> {
    let page = Html::parse_document(body);
    let elements = page.tree.root().descendants().filter_map(|node| {
        let element = node.value().as_element()?;
        let mut names = element.attrs().map(|(name, _)| name).collect::<Vec<_>>();
        names.sort_unstable();
        Some(format!("{} {} {names:?}", node.ancestors().count(), element.name()))
    });
    elements.collect()
}

const PAYLOADS: [&str; 8] = [
    "\"><img src=x onerror=1>",
    "'><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{7*7}}${7*7}<%=7*7%>",
    "\u{202e}evil\u{2066}",
    "</title><script>alert(1)</script><!--",
    "&lt;b&gt;&#x22;&quot;",
    " autofocus onfocus=alert(1) x=",
];

#[tokio::test]
async fn s04_what_is_sent_is_text_and_nothing_else() {
    let server = TestServer::start().await.unwrap();
    let plain = pages(&server, "Somebody").await;
    for payload in PAYLOADS {
        for ((name, page), (_, plain)) in pages(&server, payload).await.iter().zip(&plain) {
            let case = format!("{name} with {payload:?}");
            assert_eq!(page.status, plain.status, "{case}");
            assert_eq!(skeleton(&page.body), skeleton(&plain.body), "{case}: {}", page.body);
            // What goes to the app by form is byte for byte what the app sent, and nobody reads it.
            let turned = page.body.contains(['\u{202e}', '\u{2066}']) && *name != "form post";
            assert!(!turned, "{case}: turns the reading direction");
            let document = Html::parse_document(&page.body);
            for element in document.select(&Selector::parse("[href], [src], [action], [formaction]").unwrap())
            {
                for address in ["href", "src", "action", "formaction"] {
                    let value = element.value().attr(address).unwrap_or("/");
                    let ours = value.starts_with('/') && !value.starts_with("//");
                    let app = value == "http://localhost:3000/callback";
                    let own = value.starts_with(&format!("{}/", server.origin()));
                    assert!(ours || app || own, "{case}: {address}={value}");
                }
            }
            assert!(!page.body.contains("49$"), "{case}: a template ran");
        }
    }
}

#[tokio::test]
async fn s04_a_name_is_cut() {
    let server = TestServer::start().await.unwrap();
    let long = "n".repeat(3_000);
    for (name, page) in pages(&server, &long).await {
        let endless = page.body.contains(&"n".repeat(513)) && name != "form post";
        assert!(!endless, "{name}: a name without end");
    }
}

#[tokio::test]
async fn s05_every_page_carries_the_whole_set_of_headers() {
    let server = TestServer::start().await.unwrap();
    for (name, page) in pages(&server, "Somebody").await {
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{name}: {}",
            page.header("content-type")
        );
        guards(&page, name);
        let document = Html::parse_document(&page.body);
        for element in document.select(&Selector::parse("script, link, img, iframe, object, embed").unwrap())
        {
            let source = element.value().attr("src").or(element.value().attr("href")).unwrap_or("/");
            assert!(source.starts_with('/') && !source.starts_with("//"), "{name}: {source} is not ours");
        }
        assert!(
            document.select(&Selector::parse("[style], [onclick], [onload]").unwrap()).next().is_none(),
            "{name}"
        );
    }
}

fn guards(page: &Reply, name: &str) {
    let policy = page.header("content-security-policy");
    for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action"] {
        assert!(policy.contains(directive), "{name}: {directive} in {policy}");
    }
    let script = policy.split(';').map(str::trim).find(|one| one.starts_with("script-src"));
    let one_script = script.is_some_and(|one| one.starts_with("script-src 'nonce-"));
    assert!(
        script.is_none() || script == Some("script-src 'none'") || (one_script && name == "form post"),
        "{name}: {policy}"
    );
    assert!(!policy.contains("unsafe"), "{name}: {policy}");
    for (header, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-robots-tag", "noindex"),
    ] {
        assert_eq!(page.header(header), value, "{name}: {header}");
    }
    assert!(page.header("permissions-policy").contains("camera=()"), "{name}");
    assert_eq!(page.header("access-control-allow-origin"), "", "C08: no page is read by a script of others");
}

const PRODUCTION: &str = r#"
[realm]
name = "main"
[[realm.clients]]
id = "app"
secret = "app-secret-that-is-long"
redirect_uris = ["https://app.example/cb"]
grants = ["authorization_code"]
"#;

#[tokio::test]
async fn s05_production_is_reached_over_https_alone_and_lets_a_form_lead_to_the_app() {
    let options = Options { realm: Some(PRODUCTION.to_owned()), strict: true, ..Options::default() };
    let server = TestServer::with(options).await.unwrap();
    let rp = Rp { redirect_uri: "https://app.example/cb".to_owned(), ..server.rp("app", None) };
    let page = server.browser().open(&rp.authorize_url()).await;
    guards(&page, "sign-in");
    assert_eq!(page.header("strict-transport-security"), "max-age=63072000; includeSubDomains");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https://app.example"), "{policy}");
    assert!(attribute(&page, "form", "action").is_some_and(|action| action.starts_with('/')));
}

/// What leaves for the client is told by the redirect alone, not by what the browser adds (RFC 9700 §4.2.4).
#[tokio::test]
async fn s05_no_answer_with_a_code_is_kept_or_told_on() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let answer = rp.authorize(&mut browser, "alice", "alice").await;
    assert!(answer.parameter("code").is_some());
    assert_eq!(answer.header("cache-control"), "no-store");
    let by_form = browser.get(&rp.authorize_url_with(&[("response_mode", Some("form_post"))])).await;
    guards(&by_form, "form post");
    assert_eq!(by_form.location(), "");
}

/// A neighbour's cookie is never read for ours.
#[tokio::test]
async fn s06_of_two_cookies_with_one_name_neither_counts() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    rp.authorize(&mut browser, "alice", "alice").await;
    let session = browser.cookies()["main-sid"].clone();
    let silent = rp.authorize_url_with(&[("prompt", Some("none"))]);
    let with = async |browser: &Browser, cookie: &str| {
        let mut browser = browser.clone();
        browser.forget_cookies();
        browser.send(axum::http::Method::GET, &silent, None, &[("cookie", cookie)]).await
    };
    assert!(with(&browser, &format!("main-sid={session}")).await.parameter("code").is_some(), "the good one");
    for cookie in [
        format!("main-sid={session}; main-sid={session}"),
        format!("main-sid={session}; main-sid=x"),
        format!("main-sid=; main-sid={session}"),
        format!("master-sid={session}"),
        format!("MAIN-SID={session}"),
        format!("__Host-main-sid={session}"),
        format!("main-sid={session}x"),
        format!("main-sid={}", "x".repeat(9_000)),
        "main-sid=\u{1}".to_owned(),
    ] {
        let reply = with(&browser, &cookie).await;
        let refused = reply.parameter("error").as_deref() == Some("login_required") || reply.status == 400;
        assert!(refused && reply.parameter("code").is_none(), "{cookie:.60}: {}", reply.location());
    }
}

/// Where no endpoint answers, a person gets a page that leads on, and a program its JSON or nothing.
#[tokio::test]
async fn a_person_who_got_lost_gets_a_page() {
    let server = TestServer::start().await.unwrap();
    let (browser, rp) = (server.browser(), server.rp("web", None));
    let html = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    for (address, host, status, words) in [
        (format!("{}/nothing", server.origin()), None, 404, "There is no page at this address."),
        (format!("{}/account/", server.issuer("nothing")), None, 404, "main"),
        (rp.endpoint("token"), None, 405, "This address is for programs"),
        (rp.authorize_url(), Some(("host", "evil.test")), 421, "by a name that it does not answer for."),
    ] {
        let headers: Vec<_> = host.into_iter().chain([html]).collect();
        let page = browser.clone().send(Method::GET, &address, None, &headers).await;
        assert_eq!(page.status, status, "{address}");
        assert!(page.body.contains("<h1") && page.body.contains(words), "{address}: {}", page.body);
        let leads_on = page.body.contains(&format!("href=\"{}/\"", server.origin()));
        assert_eq!(leads_on, host.is_none(), "{address}: {}", page.body);
        assert!(!page.body.contains("evil.test"), "{address}: {}", page.body);
        let headers: Vec<_> = host.into_iter().collect();
        let plain = browser.clone().send(Method::GET, &address, None, &headers).await;
        assert!(plain.status == status && !plain.body.contains("<h1"), "{address}: {}", plain.body);
        let allowed = |reply: &Reply| reply.headers.get("allow").cloned();
        assert_eq!(allowed(&page), allowed(&plain), "{address}");
        assert_eq!(allowed(&page).is_some(), status == 405, "{address}");
    }
}

/// Scripts of Keycloak's test suites take the parameters of the form's address apart.
#[tokio::test]
async fn the_sign_in_form_is_sent_to_an_address_of_keycloaks_shape() {
    let server = TestServer::start().await.unwrap();
    let page = server.browser().open(&server.rp("web", Some("web-secret")).authorize_url()).await;
    let action = page.form_action();
    let (path, query) = action.split_once('?').unwrap();
    assert!(path.ends_with("/realms/main/login-actions/authenticate"), "{path}");
    let found: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let names: Vec<_> = found.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["session_code", "execution", "client_id", "tab_id"]);
    assert!(found.iter().all(|(_, value)| !value.is_empty()), "{query}");
}
