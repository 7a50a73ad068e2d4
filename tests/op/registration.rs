//! Dynamic registration (RFC 7591, RFC 7592, OpenID Connect Registration 1.0). Tests that begin with `oidcc` are named
//! after the modules of the OpenID Foundation's suite.

mod keys;
mod signing;

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::clock::Timestamp;
use vestibule::protocol::client::Client;
use vestibule::protocol::register::InitialToken;
use vestibule::secrets;
use vestibule::store::{Change, Page};
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer, Tokens};

use crate::common::{attribute, is_consent, is_error};

const START: Timestamp = Timestamp(1_800_000_000);

/// A realm with this said of registration.
async fn realm(said: &str) -> TestServer {
    let realm = format!(
        "[realm]\nname = \"main\"\n{said}\n[[realm.users]]\nusername = \"alice\"\npassword = \"correct horse\"\n"
    );
    let options = Options { realm: Some(realm), strict: true, frozen_at: Some(START), ..Options::default() };
    TestServer::with(options).await.unwrap()
}

async fn open() -> TestServer {
    realm("registration = \"open\"").await
}

fn good() -> Value {
    json!({ "client_name": "The App", "redirect_uris": ["https://app.example/cb"], "grant_types": ["authorization_code", "refresh_token"] })
}

fn with(members: Value) -> Value {
    let mut all = good();
    all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    all
}

/// A request to the registration endpoint, or to the address of a client.
async fn send(
    server: &TestServer,
    method: Method,
    address: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Reply {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    server.browser().send(method, address, body.map(Value::to_string), &headers).await
}

fn endpoint(server: &TestServer) -> String {
    format!("{}/clients-registrations/openid-connect", server.issuer("main"))
}

async fn post(server: &TestServer, token: Option<&str>, metadata: &Value) -> Reply {
    send(server, Method::POST, &endpoint(server), token, Some(metadata)).await
}

async fn register(server: &TestServer, metadata: &Value) -> Value {
    let reply = post(server, None, metadata).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.json()
}

/// What the answer to a registration says about where the client looks after itself.
fn own(told: &Value) -> (&str, &str) {
    (told["registration_client_uri"].as_str().unwrap(), told["registration_access_token"].as_str().unwrap())
}

/// The client as an application that signs people in.
fn application(server: &TestServer, told: &Value) -> Rp {
    let mut rp = server.rp(told["client_id"].as_str().unwrap(), told["client_secret"].as_str());
    rp.redirect_uri = told["redirect_uris"][0].as_str().unwrap().to_owned();
    rp
}

async fn sign_in(rp: &Rp, browser: &mut Browser) -> Tokens {
    rp.sign_in(browser, "alice", "correct horse").await.unwrap()
}

async fn initial(server: &TestServer, uses: i64) -> String {
    let app = server.app();
    let realm_id = app.store.realm_by_name("main").await.unwrap().unwrap().id;
    let (value, now) = (secrets::random_token(), app.clock.now());
    let token = InitialToken {
        id: secrets::random_name(),
        realm_id,
        created_at: now,
        expires_at: now.plus(600),
        uses,
        uses_left: uses,
    };
    let fingerprint = secrets::fingerprint(&value);
    app.commit(vec![Change::AddRegistrationToken { token, fingerprint }]).await.unwrap();
    value
}

async fn record(server: &TestServer, client_id: &str) -> Option<Client> {
    let store = &server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    store.client_by_client_id(&realm.id, client_id).await.unwrap()
}

async fn registered(server: &TestServer) -> usize {
    let store = &server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let clients = store.clients(&realm.id, "", Page::ALL).await.unwrap();
    clients.iter().filter(|client| client.settings.registered.is_some()).count()
}

#[tokio::test]
async fn oidcc_server_a_client_registers_and_signs_people_in() {
    let server = open().await;
    let document =
        server.browser().get(&format!("{}/.well-known/openid-configuration", server.issuer("main"))).await;
    assert_eq!(document.json()["registration_endpoint"], endpoint(&server));
    let reply = post(&server, None, &good()).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "no-store");
    let told = reply.json();
    assert_eq!(told["client_secret_expires_at"], 0);
    assert!(told["registration_client_uri"].as_str().unwrap().starts_with("https://"));
    let rp = application(&server, &told);
    let mut browser = server.browser();
    let page = browser.open(&rp.authorize_url()).await;
    let fields = [("username", "alice"), ("password", "correct horse")];
    is_consent(&browser.submit(&page, &fields).await, "nobody knows the app: the person is asked");
    let tokens = sign_in(&rp, &mut browser).await;
    assert_eq!(tokens.id_claims()["aud"], told["client_id"]);
    assert_eq!(tokens.access_claims().get("realm_access"), None, "no roles of its own giving");
    assert!(rp.refresh(&browser, tokens.refresh_token()).await.is_ok());
}

#[tokio::test]
async fn oidcc_metadata_is_accepted_and_echoed() {
    let server = open().await;
    let metadata = with(json!({
        "response_types": ["code"], "contacts": ["ops@app.example"], "token_endpoint_auth_method": "client_secret_post",
        "logo_uri": "https://app.example/logo.png", "policy_uri": "https://app.example/policy",
        "tos_uri": "https://app.example/tos", "client_uri": "https://app.example/",
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "backchannel_logout_uri": "https://app.example/back", "backchannel_logout_session_required": true,
        "frontchannel_logout_uri": "https://app.example/front", "frontchannel_logout_session_required": true,
        "initiate_login_uri": "https://app.example/start", "subject_type": "pairwise",
        "id_token_signed_response_alg": "RS256", "userinfo_signed_response_alg": "RS256", "application_type": "web",
        "software_id": "4NRB1-0XZABZI9E6-5SM3R", "software_version": "2.2",
    }));
    let mut sent = metadata.clone();
    sent.as_object_mut().unwrap().insert("an_unknown_member".into(), json!({ "is": "ignored" }));
    let told = register(&server, &sent).await;
    for (name, value) in metadata.as_object().unwrap() {
        assert_eq!(&told[name], value, "{name}");
    }
    assert_eq!(told.get("an_unknown_member"), None);
    assert_eq!(told["client_id_issued_at"], START.0);
    let (address, token) = own(&told);
    let read = send(&server, Method::GET, address, Some(token), None).await;
    assert_eq!(read.status, 200, "{}", read.body);
    let mut expected = told.clone();
    expected.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(read.json(), expected, "all but the secret, of which only a hash is kept");
}

#[tokio::test]
async fn oidcc_redirect_uri_regfrag_and_other_refusals() {
    let server = open().await;
    for (row, metadata, code) in [
        ("fragment", json!({ "redirect_uris": ["https://app.example/cb#x"] }), "invalid_redirect_uri"),
        ("javascript", json!({ "redirect_uris": ["javascript:alert(1)"] }), "invalid_redirect_uri"),
        ("plain http", json!({ "redirect_uris": ["http://app.example/cb"] }), "invalid_redirect_uri"),
        ("wildcard", json!({ "redirect_uris": ["https://app.example/*"] }), "invalid_redirect_uri"),
        (
            "initiate_login_uri",
            json!({ "initiate_login_uri": "http://app.example/x" }),
            "invalid_client_metadata",
        ),
        ("nul", json!({ "client_name": "a\0b" }), "invalid_request"),
    ] {
        is_error(&post(&server, None, &with(metadata)).await, 400, code, row);
    }
    let browser = &mut server.browser();
    for (row, body, media) in [
        ("no JSON", "{", "application/json"),
        ("a list", "[]", "application/json"),
        ("a member twice", r#"{"client_name":"a","client_name":"b"}"#, "application/json"),
        ("a form", "client_name=a", "application/x-www-form-urlencoded"),
    ] {
        let headers = [("content-type", media)];
        let reply = browser.send(Method::POST, &endpoint(&server), Some(body.to_owned()), &headers).await;
        is_error(&reply, 400, "invalid_client_metadata", row);
    }
    assert_eq!(registered(&server).await, 0, "nothing stored");
}

#[tokio::test]
async fn oidcc_registration_sector_bad() {
    let server = open().await;
    // Nothing is reached: production does not call this machine.
    let sector =
        json!({ "subject_type": "pairwise", "sector_identifier_uri": "https://127.0.0.1:9/sector.json" });
    is_error(&post(&server, None, &with(sector)).await, 400, "invalid_client_metadata", "sector");
    assert_eq!(registered(&server).await, 0);
}

#[tokio::test]
async fn oidcc_registration_logo_uri_policy_uri_tos_uri() {
    let server = open().await;
    let metadata = with(json!({
        "logo_uri": "https://cdn.example/logo.png", "policy_uri": "https://app.example/policy",
        "tos_uri": "https://app.example/tos",
    }));
    let rp = application(&server, &register(&server, &metadata).await);
    let mut browser = server.browser();
    let login = browser.open(&rp.authorize_url()).await;
    let consent = browser.submit(&login, &[("username", "alice"), ("password", "correct horse")]).await;
    for (page, shown) in [("login", login), ("consent", consent)] {
        for selector in [
            "img[src='https://cdn.example/logo.png']",
            "a[href='https://app.example/policy']",
            "a[href='https://app.example/tos']",
        ] {
            let name = if selector.starts_with("img") { "src" } else { "href" };
            assert!(attribute(&shown, selector, name).is_some(), "{page}: {selector}");
        }
        let policy = shown.header("content-security-policy");
        assert!(policy.contains("img-src 'self' data: https://cdn.example;"), "{page}: {policy}");
    }
}

#[tokio::test]
async fn oidcc_redirect_uri_query_ok_mismatch_and_added() {
    let server = open().await;
    let metadata =
        with(json!({ "redirect_uris": ["https://app.example/cb?tenant=1", "https://app.example/cb"] }));
    let rp = application(&server, &register(&server, &metadata).await);
    let mut browser = server.browser();
    let reply = rp.authorize(&mut browser, "alice", "correct horse").await;
    assert!(reply.location().starts_with("https://app.example/cb?tenant=1&"), "{}", reply.location());
    for uri in [Some("https://app.example/cb?tenant=2"), Some("https://app.example/cb?x=1"), None] {
        let reply = browser.get(&rp.authorize_url_with(&[("redirect_uri", uri)])).await;
        crate::common::is_page(&reply, &format!("{uri:?}"));
    }
}

#[tokio::test]
async fn oidcc_3rdparty_init_login() {
    let server = open().await;
    let told = register(&server, &with(json!({ "initiate_login_uri": "https://app.example/start" }))).await;
    let (address, token) = own(&told);
    let read = send(&server, Method::GET, address, Some(token), None).await;
    assert_eq!(
        (read.status.as_u16(), &read.json()["initiate_login_uri"]),
        (200, &json!("https://app.example/start"))
    );
}

#[tokio::test]
async fn a07_without_an_initial_token_nobody_registers_unless_the_realm_says_so() {
    let server = realm("").await;
    let bare = post(&server, None, &good()).await;
    assert_eq!((bare.status.as_u16(), bare.header("www-authenticate")), (401, "Bearer"), "{}", bare.body);
    for token in ["x", &secrets::random_token()] {
        let reply = post(&server, Some(token), &good()).await;
        is_error(&reply, 401, "invalid_token", "a token that nobody made");
    }
    let token = initial(&server, 2).await;
    for _ in 0..2 {
        assert_eq!(post(&server, Some(&token), &good()).await.status, 201);
    }
    is_error(&post(&server, Some(&token), &good()).await, 401, "invalid_token", "used up");
    let token = initial(&server, 9).await;
    is_error(
        &post(&server, Some(&token), &json!({})).await,
        400,
        "invalid_redirect_uri",
        "a mistake uses nothing",
    );
    server.clock().advance(600);
    is_error(&post(&server, Some(&token), &good()).await, 401, "invalid_token", "over");
    assert_eq!(registered(&server).await, 2);

    let off = realm("registration = \"off\"").await;
    is_error(&post(&off, None, &good()).await, 403, "access_denied", "off");
    let document =
        off.browser().get(&format!("{}/.well-known/openid-configuration", off.issuer("main"))).await;
    assert_eq!(document.json().get("registration_endpoint"), None);
}

#[tokio::test]
async fn a07_one_use_is_one_client_however_many_ask() {
    let server = std::sync::Arc::new(realm("").await);
    let token = initial(&server, 1).await;
    let calls = (0..20).map(|_| {
        let (server, token) = (std::sync::Arc::clone(&server), token.clone());
        tokio::spawn(async move { post(&server, Some(&token), &good()).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1], registered(&server).await), (201, 401, 1), "{statuses:?}");
}

#[tokio::test]
async fn a_realm_takes_so_many_and_no_more() {
    let server = realm("registration = \"open\"\nregistration_limit = 2").await;
    let first = register(&server, &good()).await;
    register(&server, &good()).await;
    is_error(&post(&server, None, &good()).await, 403, "access_denied", "full");
    let (address, token) = own(&first);
    assert_eq!(send(&server, Method::DELETE, address, Some(token), None).await.status, 204);
    register(&server, &good()).await;
}

#[tokio::test]
async fn rfc7592_2_only_the_clients_own_token_opens_its_address() {
    let server = open().await;
    let (mine, other) = (register(&server, &good()).await, register(&server, &good()).await);
    let (address, token) = own(&mine);
    let nobodys = format!("{}/nobody", endpoint(&server));
    let update = with(json!({ "client_id": mine["client_id"] }));
    for (row, address, token) in [
        ("another client's token", address, Some(own(&other).1)),
        ("the secret", address, mine["client_secret"].as_str()),
        ("nobody's address", &nobodys, Some(token)),
        ("nothing", address, None),
    ] {
        for (method, body) in [(Method::GET, None), (Method::PUT, Some(&update)), (Method::DELETE, None)] {
            let reply = send(&server, method.clone(), address, token, body).await;
            assert_eq!(reply.status, 401, "{row} {method}: {}", reply.body);
            assert!(reply.header("www-authenticate").starts_with("Bearer"), "{row}");
        }
    }
    assert_eq!(send(&server, Method::POST, address, Some(token), None).await.status, 405);
    assert_eq!(send(&server, Method::GET, address, Some(token), None).await.status, 200);
}

#[tokio::test]
async fn rfc7592_2_2_an_update_replaces_everything_that_the_client_said() {
    let server = open().await;
    let told = register(&server, &with(json!({ "contacts": ["a@example.com"] }))).await;
    let (address, token) = own(&told);
    let update = json!({
        "client_id": told["client_id"], "client_secret": told["client_secret"], "client_name": "Renamed",
        "redirect_uris": ["https://new.example/cb"],
    });
    let reply = send(&server, Method::PUT, address, Some(token), Some(&update)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let now = reply.json();
    assert_eq!((&now["client_name"], &now["contacts"]), (&json!("Renamed"), &json!([])));
    assert_eq!(now["redirect_uris"], json!(["https://new.example/cb"]));
    assert_eq!(now["registration_access_token"], token, "an answer that is lost locks nobody out");
    let mut rp = application(&server, &told);
    rp.redirect_uri = "https://new.example/cb".into();
    sign_in(&rp, &mut server.browser()).await;

    for (row, change, code) in [
        ("another client_id", json!({ "client_id": "x" }), "invalid_client_metadata"),
        ("no client_id", json!({ "client_id": null }), "invalid_client_metadata"),
        ("another secret", json!({ "client_secret": "x" }), "invalid_client_metadata"),
        ("a bad address", json!({ "redirect_uris": ["javascript:alert(1)"] }), "invalid_redirect_uri"),
    ] {
        let mut body = update.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        is_error(&send(&server, Method::PUT, address, Some(token), Some(&body)).await, 400, code, row);
    }

    let mut public = update.clone();
    public.as_object_mut().unwrap().insert("token_endpoint_auth_method".into(), json!("none"));
    let reply = send(&server, Method::PUT, address, Some(token), Some(&public)).await;
    assert_eq!(reply.json().get("client_secret_expires_at"), None, "{}", reply.body);
    public.as_object_mut().unwrap().remove("client_secret");
    public.as_object_mut().unwrap().insert("token_endpoint_auth_method".into(), json!("client_secret_basic"));
    let reply = send(&server, Method::PUT, address, Some(token), Some(&public)).await;
    assert!(reply.json()["client_secret"].is_string(), "a secret again: {}", reply.body);
    assert_ne!(reply.json()["client_secret"], told["client_secret"]);
}

#[tokio::test]
async fn rfc7592_2_3_a_client_takes_itself_away() {
    let server = open().await;
    let told = register(&server, &good()).await;
    let rp = application(&server, &told);
    let mut browser = server.browser();
    let tokens = sign_in(&rp, &mut browser).await;
    let (address, token) = own(&told);
    let gone = send(&server, Method::DELETE, address, Some(token), None).await;
    assert_eq!((gone.status.as_u16(), gone.body.as_str()), (204, ""));
    assert_eq!(send(&server, Method::GET, address, Some(token), None).await.status, 401);
    assert_eq!(rp.userinfo(&browser, tokens.access_token()).await.status, 401, "with all that it had");
    assert_eq!(registered(&server).await, 0);
}

#[tokio::test]
async fn a07_a_client_that_was_disabled_cannot_help_itself() {
    let server = open().await;
    let told = register(&server, &good()).await;
    let (address, token) = own(&told);
    let id = told["client_id"].as_str().unwrap();
    let client = record(&server, id).await.unwrap();
    let disabled = Client { enabled: false, ..client };
    let app = server.app();
    app.commit(vec![Change::PutClient { client: Box::new(disabled), at: START }]).await.unwrap();
    let update = with(json!({ "client_id": id, "enabled": true }));
    for (method, body) in [(Method::GET, None), (Method::PUT, Some(&update)), (Method::DELETE, None)] {
        let reply = send(&server, method.clone(), address, Some(token), body).await;
        is_error(&reply, 401, "invalid_token", method.as_str());
    }
    assert!(!record(&server, id).await.unwrap().enabled);
}

#[tokio::test]
async fn what_an_operator_gave_stays() {
    let server = open().await;
    let told = register(&server, &good()).await;
    let (address, token) = own(&told);
    let id = told["client_id"].as_str().unwrap();
    let mut client = record(&server, id).await.unwrap();
    client.settings.consent = false;
    client.settings.audiences = vec!["api".into()];
    let app = server.app();
    app.commit(vec![Change::PutClient { client: Box::new(client), at: START }]).await.unwrap();
    let update = with(json!({ "client_id": id, "client_name": "Renamed" }));
    assert_eq!(send(&server, Method::PUT, address, Some(token), Some(&update)).await.status, 200);
    let after = record(&server, id).await.unwrap();
    assert_eq!((after.settings.consent, after.settings.audiences.len()), (false, 1));
    assert_eq!(after.settings.name.as_deref(), Some("Renamed"));
}
