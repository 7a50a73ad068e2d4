//! Resource indicators (RFC 8707): whom a token is for, when the client says so.

use serde_json::json;
use vestibule::testing::{Browser, Reply, Rp, TestServer, Tokens};

const REALM: &str = r#"
[realm]
name = "main"
[[realm.clients]]
id = "web"
secret = "secret"
grants = ["authorization_code", "refresh_token", "client_credentials"]
redirect_uris = ["http://localhost:3000/callback"]
audiences = ["calendar", "contacts"]
[[realm.clients]]
id = "calendar"
secret = "secret"
grants = []
resources = ["https://cal.example.com/"]
[[realm.clients]]
id = "contacts"
secret = "secret"
grants = []
resources = ["https://contacts.example.com/app?tenant=1"]
[[realm.clients]]
id = "bank"
secret = "secret"
grants = []
resources = ["https://bank.example.com/"]
[[realm.users]]
username = "alice"
password = "alice"
"#;

const CALENDAR: &str = "https://cal.example.com/";
const CONTACTS: &str = "https://contacts.example.com/app?tenant=1";

struct Scene {
    server: TestServer,
    browser: Browser,
    web: Rp,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::with_realm(REALM).await.unwrap();
        let (browser, web) = (server.browser(), server.rp("web", Some("secret")));
        Self { server, browser, web }
    }

    /// The answer to an authorization request for these resources, after the sign-in if one is asked for.
    async fn authorize(&mut self, resources: &[&str]) -> Reply {
        let more = resources.iter().map(|resource| ("resource", *resource));
        let more = form_urlencoded::Serializer::new(String::new()).extend_pairs(more).finish();
        let reply = self.browser.open(&format!("{}&{more}", self.web.authorize_url())).await;
        if reply.body.contains("kc-form-login") {
            return self.browser.submit(&reply, &[("username", "alice"), ("password", "alice")]).await;
        }
        reply
    }

    /// Redeems a code for `resources`.
    async fn redeem(&self, reply: &Reply, resources: &[&str]) -> Reply {
        let code = reply.parameter("code").unwrap_or_else(|| panic!("{}", reply.location()));
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", &self.web.redirect_uri),
            ("code_verifier", &self.web.verifier),
        ];
        fields.extend(resources.iter().map(|resource| ("resource", *resource)));
        self.web.token_request(&self.browser, &fields).await
    }

    async fn refresh(&self, tokens: &Tokens, resources: &[&str]) -> Reply {
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token())];
        fields.extend(resources.iter().map(|resource| ("resource", *resource)));
        self.web.token_request(&self.browser, &fields).await
    }
}

fn tokens(reply: &Reply) -> Tokens {
    assert_eq!(reply.status, 200, "{}", reply.body);
    Tokens { response: reply.json() }
}

fn assert_no_target(reply: &Reply, row: &str) {
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &json!("invalid_target")), "{row}");
}

#[tokio::test]
async fn rfc8707_2_1_a_grant_for_two_services_gives_tokens_for_each() {
    let mut scene = Scene::new().await;
    let reply = scene.authorize(&[CALENDAR, CONTACTS]).await;
    let whole = tokens(&scene.redeem(&reply, &[]).await);
    assert_eq!(whole.access_claims()["aud"], json!([CALENDAR, CONTACTS]), "all that was asked for");

    let calendar = tokens(&scene.refresh(&whole, &[CALENDAR]).await);
    assert_eq!(calendar.access_claims()["aud"], CALENDAR);
    let again = tokens(&scene.refresh(&calendar, &[]).await);
    assert_eq!(again.access_claims()["aud"], json!([CALENDAR, CONTACTS]), "the grant stays as it was");
    assert_no_target(&scene.refresh(&again, &["https://bank.example.com/"]).await, "another");
    assert_eq!(scene.refresh(&again, &[CONTACTS]).await.status, 200, "a refusal does not use up the token");

    let introspect = async |client: &str, token: &str| {
        let rp = scene.server.rp(client, Some("secret"));
        rp.introspect(&scene.browser, token).await.json()["active"] == true
    };
    assert!(introspect("calendar", calendar.access_token()).await, "by its address");
    assert!(!introspect("contacts", calendar.access_token()).await, "I02: it is for the other");
}

#[tokio::test]
async fn rfc8707_2_2_a_code_is_redeemed_for_a_part_or_not_at_all() {
    let mut scene = Scene::new().await;
    let reply = scene.authorize(&[CALENDAR]).await;
    assert_no_target(&scene.redeem(&reply, &[CONTACTS]).await, "not in the grant");
    assert_no_target(&scene.redeem(&reply, &[CALENDAR, CONTACTS]).await, "one of two not in the grant");
    let redeemed = tokens(&scene.redeem(&reply, &[CALENDAR]).await);
    assert_eq!(redeemed.access_claims()["aud"], CALENDAR);

    let reply = scene.authorize(&[]).await;
    let narrowed = tokens(&scene.redeem(&reply, &[CONTACTS]).await);
    assert_eq!(narrowed.access_claims()["aud"], CONTACTS, "the grant names none: any of the client's");
    let next = tokens(&scene.refresh(&narrowed, &[]).await);
    assert_eq!(next.access_claims()["aud"], json!(["calendar", "contacts", "account"]));
}

#[tokio::test]
async fn rfc8707_2_what_is_no_target_of_the_client_is_refused() {
    let mut scene = Scene::new().await;
    for (row, resource) in [
        ("another service", "https://bank.example.com/"),
        ("nobody", "https://nobody.example/"),
        ("a slash less", "https://cal.example.com"),
        ("a fragment", "https://cal.example.com/#x"),
        ("a name", "calendar"),
        ("no URI", "/calendar"),
    ] {
        let reply = scene.authorize(&[resource]).await;
        assert_eq!(reply.status, 303, "{row}");
        assert_eq!(reply.parameter("error").as_deref(), Some("invalid_target"), "{row}");
        assert_eq!(reply.parameter("state").as_deref(), Some(scene.web.state.as_str()), "{row}");
        let fields = [("grant_type", "client_credentials"), ("resource", resource)];
        assert_no_target(&scene.web.token_request(&scene.browser, &fields).await, row);
    }
}

#[tokio::test]
async fn rfc8707_2_client_credentials() {
    let scene = Scene::new().await;
    let fields = [("grant_type", "client_credentials"), ("resource", CALENDAR)];
    let one = scene.web.tokens(&scene.browser, &fields).await.unwrap();
    assert_eq!(one.access_claims()["aud"], CALENDAR);
    let fields = [fields[0], ("resource", CALENDAR), ("resource", CONTACTS), ("resource", CALENDAR)];
    let both = scene.web.tokens(&scene.browser, &fields).await.unwrap();
    assert_eq!(both.access_claims()["aud"], json!([CALENDAR, CONTACTS]));
    let plain = scene.web.tokens(&scene.browser, &fields[..1]).await.unwrap();
    assert_eq!(plain.access_claims()["aud"], json!(["calendar", "contacts", "account"]));
}

#[tokio::test]
async fn f06d_a_refresh_asks_whether_the_service_is_still_there() {
    let mut scene = Scene::new().await;
    let reply = scene.authorize(&[CALENDAR]).await;
    let first = tokens(&scene.redeem(&reply, &[]).await);
    let app = scene.server.app();
    let realm = app.store.realm_by_name("main").await.unwrap().unwrap();
    let mut calendar = app.store.client_by_client_id(&realm.id, "calendar").await.unwrap().unwrap();
    calendar.enabled = false;
    let put = vestibule::store::Change::PutClient { client: Box::new(calendar), at: app.clock.now() };
    app.commit(vec![put]).await.unwrap();
    assert_no_target(&scene.refresh(&first, &[]).await, "disabled");
}

/// RFC 9126 §2.1: what the authorization endpoint would refuse is refused when it is pushed.
#[tokio::test]
async fn rfc8707_2_1_a_pushed_request_names_its_resources() {
    let mut scene = Scene::new().await;
    let push = async |resources: &[&str]| {
        let parameters = scene.web.parameters();
        let mut fields: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.extend(resources.iter().map(|resource| ("resource", *resource)));
        scene.web.post(&scene.browser, "ext/par/request", &fields).await
    };
    assert_no_target(&push(&[CALENDAR, "https://bank.example.com/"]).await, "another service");
    let pushed = push(&[CALENDAR, CONTACTS]).await;
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    let reference = pushed.json()["request_uri"].as_str().unwrap().to_owned();
    let query = [("client_id", "web"), ("request_uri", &reference)];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let page = scene.browser.open(&format!("{}?{query}", scene.web.endpoint("auth"))).await;
    let reply = scene.browser.submit(&page, &[("username", "alice"), ("password", "alice")]).await;
    let whole = tokens(&scene.redeem(&reply, &[]).await);
    assert_eq!(whole.access_claims()["aud"], json!([CALENDAR, CONTACTS]));
}
