//! Every place that takes a token of ours, against tokens that are not: rows J01 to J06.
//!
//! A realm's key of which the test knows the private half signs what no client could make, so that each row fails at
//! the one thing that is wrong with it.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use vestibule::realms::key_aad;
use vestibule::signer::{Algorithm, SigningKey};
use vestibule::store::{Change, KeyRow};
use vestibule::testing::{Reply, TestServer, claims};

use crate::common::{Scene, attribute, is_error, realm};

const INACTIVE: &str = r#"{"active":false}"#;

/// A scene whose realm has one more key, of which both halves are at hand.
struct Forge {
    scene: Scene,
    pair: EcdsaKeyPair,
    kid: String,
    /// A genuine token of each kind, as JSON.
    access: Value,
    id: Value,
}

impl Forge {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        let key = SigningKey::from_pkcs8(Algorithm::ES256, pkcs8.as_ref()).unwrap();
        let (realm, app) = (scene.realm().await, scene.server.app());
        let now = app.clock.now();
        let id = "the test's".to_owned();
        let row = KeyRow {
            sealed: key.seal(&app.vault, &key_aad(&realm.id, &id)).unwrap(),
            id,
            algorithm: "ES256".into(),
            created_at: now,
            signs_from: now,
            served_until: None,
        };
        scene.commit(vec![Change::AddKey { realm_id: realm.id, key: row }]).await;
        let (access, id) = (scene.tokens.access_claims(), scene.tokens.id_claims());
        Self { scene, pair, kid: key.kid().to_owned(), access, id }
    }

    fn header(&self) -> Value {
        json!({ "alg": "ES256", "typ": "JWT", "kid": self.kid })
    }

    /// A token of these texts, signed by the realm's key.
    fn sign_text(&self, header: &str, claims: &str) -> String {
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// The good access and ID token with this changed in the header; `null` takes a member away.
    fn with_header(&self, name: &str, value: Value) -> Pair {
        let header = changed(&self.header(), name, value);
        Pair { access: self.sign(&header, &self.access), id: self.sign(&header, &self.id) }
    }

    /// The same with one claim changed.
    fn with_claim(&self, name: &str, value: Value) -> Pair {
        let header = self.header();
        Pair {
            access: self.sign(&header, &changed(&self.access, name, value.clone())),
            id: self.sign(&header, &changed(&self.id, name, value)),
        }
    }

    /// No place believes either token.
    async fn assert_refused(&self, case: &str, pair: &Pair) {
        self.assert_no_access(case, &pair.access).await;
        self.assert_no_hint(case, &pair.id).await;
    }

    async fn assert_no_access(&self, case: &str, token: &str) {
        let Scene { browser, rp, .. } = &self.scene;
        let reply = rp.userinfo(browser, token).await;
        assert_eq!(reply.status, 401, "{case} at userinfo: {}", reply.body);
        let challenge = reply.header("www-authenticate");
        assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{case}: {challenge}");
        assert_eq!(rp.introspect(browser, token).await.body, INACTIVE, "{case} at introspection");
        let refreshed = rp.refresh(browser, token).await.unwrap_err();
        is_error(&refreshed, 400, "invalid_grant", &format!("{case} as refresh token"));
        let revoked = rp.post(browser, "revoke", &[("token", token)]).await;
        assert!(matches!(revoked.status.as_u16(), 200 | 400), "{case} at revocation: {}", revoked.body);
        self.assert_untouched(case).await;
    }

    /// As `id_token_hint` it names nobody: nothing is answered silently, and nobody is signed out unasked.
    async fn assert_no_hint(&self, case: &str, token: &str) {
        let mut browser = self.scene.browser.clone();
        let silent = [("prompt", Some("none")), ("id_token_hint", Some(token))];
        let reply = browser.get(&self.scene.rp.authorize_url_with(&silent)).await;
        let told = (reply.parameter("code"), reply.parameter("error"));
        assert!(told.0.is_none(), "{case}: a code by a false hint");
        assert!(reply.status == 400 || told.1.as_deref() == Some("login_required"), "{case}: {}", reply.body);
        assert!(!signs_out(self.sign_out(token).await, case), "{case}: signed out by a false hint");
        self.assert_untouched(case).await;
    }

    async fn sign_out(&self, hint: &str) -> Reply {
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair("id_token_hint", hint).finish();
        self.scene.browser.clone().get(&format!("{}?{query}", self.scene.rp.endpoint("logout"))).await
    }

    async fn assert_untouched(&self, case: &str) {
        let reply = self.scene.rp.userinfo(&self.scene.browser, self.scene.tokens.access_token()).await;
        assert_eq!(reply.status, 200, "{case}: the genuine token lives");
    }
}

/// Whether the answer is that the session is over; else it is the question, or a refusal.
fn signs_out(reply: Reply, case: &str) -> bool {
    let asks = attribute(&reply, "#kc-logout", "name").is_some();
    assert!(asks || reply.status == 400 || reply.status == 200, "{case}: {}", reply.status);
    !asks && reply.status != 400
}

struct Pair {
    access: String,
    id: String,
}

fn changed(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    object
}

fn parts(token: &str) -> (&str, &str, &str) {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = input.split_once('.').unwrap();
    (header, payload, signature)
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn the_forge_makes_good_tokens() {
    let forge = Forge::new().await;
    let Scene { browser, rp, .. } = &forge.scene;
    let access = forge.sign(&forge.header(), &forge.access);
    assert_eq!(rp.userinfo(browser, &access).await.status, 200, "so that the rows below can fail");
    assert_eq!(rp.introspect(browser, &access).await.json()["active"], true);
    let id = forge.sign(&forge.header(), &forge.id);
    let silent = [("prompt", Some("none")), ("id_token_hint", Some(id.as_str()))];
    assert!(browser.clone().get(&rp.authorize_url_with(&silent)).await.parameter("code").is_some());
    assert!(signs_out(forge.sign_out(&id).await, "a good hint"));
}

#[tokio::test]
async fn j01_the_key_says_how_it_signs_and_the_header_has_no_say() {
    let forge = Forge::new().await;
    let pair = |make: &dyn Fn(&str, &Value) -> String| Pair {
        access: make(forge.scene.tokens.access_token(), &forge.access),
        id: make(forge.scene.tokens.id_token(), &forge.id),
    };
    let header = |token: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(parts(token).0).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    for none in ["none", "None", "NONE", "nOnE"] {
        for signature in ["", "kept"] {
            let tokens = pair(&|token, claims| {
                let unsigned =
                    format!("{}.{}", encoded(&changed(&header(token), "alg", none.into())), encoded(claims));
                format!("{unsigned}.{}", if signature.is_empty() { "" } else { parts(token).2 })
            });
            forge.assert_refused(&format!("J01a {none}, signature {signature:?}"), &tokens).await;
        }
    }
    // (b) HMAC keyed with what everybody can read.
    let state = forge
        .scene
        .server
        .app()
        .realms
        .named(&forge.scene.server.app().store, "main")
        .await
        .unwrap()
        .unwrap();
    let signer = state.ring.signer(Algorithm::RS256).unwrap();
    let der = STANDARD.decode(signer.public_spki_base64()).unwrap();
    let wrapped =
        signer.public_spki_base64().as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap());
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        wrapped.collect::<Vec<_>>().join("\n")
    );
    let modulus = URL_SAFE_NO_PAD.decode(signer.public_jwk()["n"].as_str().unwrap()).unwrap();
    for (name, secret) in [
        ("DER", der),
        ("PEM", pem.clone().into_bytes()),
        ("PEM without its last line end", pem.trim_end().as_bytes().to_vec()),
        ("base64", signer.public_spki_base64().as_bytes().to_vec()),
        ("JWK", signer.public_jwk().to_string().into_bytes()),
        ("modulus", modulus),
        ("nothing", Vec::new()),
    ] {
        let tokens = pair(&|token, claims| {
            let header = changed(&header(token), "alg", "HS256".into());
            let input = format!("{}.{}", encoded(&header), encoded(claims));
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), input.as_bytes());
            format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
        });
        forge.assert_refused(&format!("J01b HS256 with {name}"), &tokens).await;
    }
    // (c) the signature of nothing.
    for (name, signature) in [
        ("zeros", vec![0; 64]),
        ("ones", vec![1; 64]),
        ("short", vec![0; 63]),
        ("DER", vec![0x30, 6, 2, 1, 0, 2, 1, 0]),
    ] {
        let tokens = pair(&|_, claims| {
            format!("{}.{}.{}", encoded(&forge.header()), encoded(claims), URL_SAFE_NO_PAD.encode(&signature))
        });
        forge.assert_refused(&format!("J01c {name}"), &tokens).await;
    }
    // (d) another algorithm of the same key, (e) another signature or none.
    for alg in ["PS256", "RS384", "RS512", "ES256", "EdDSA", "rs256", "HS512"] {
        let tokens = pair(&|token, _| {
            let (_, payload, signature) = parts(token);
            format!("{}.{payload}.{signature}", encoded(&changed(&header(token), "alg", alg.into())))
        });
        forge.assert_refused(&format!("J01d {alg}"), &tokens).await;
    }
    let other =
        forge.scene.rp.refresh(&forge.scene.browser, forge.scene.tokens.refresh_token()).await.unwrap();
    let strip = pair(&|token, _| format!("{}.{}.", parts(token).0, parts(token).1));
    forge.assert_refused("J01e stripped", &strip).await;
    let moved = Pair {
        access: {
            let (header, payload, _) = parts(forge.scene.tokens.access_token());
            format!("{header}.{payload}.{}", parts(other.access_token()).2)
        },
        id: {
            let (header, payload, _) = parts(forge.scene.tokens.id_token());
            format!("{header}.{payload}.{}", parts(other.id_token()).2)
        },
    };
    forge.assert_refused("J01e another's", &moved).await;
}

#[tokio::test]
async fn j01_a_refresh_token_is_believed_by_its_own_key_alone() {
    let forge = Forge::new().await;
    let Scene { browser, rp, tokens, server, .. } = &forge.scene;
    let genuine = tokens.refresh_token();
    let (header, payload, _) = parts(genuine);
    let bytes = URL_SAFE_NO_PAD.decode(header).unwrap();
    let mac_header: Value = serde_json::from_slice(&bytes).unwrap();
    let members = claims(genuine);
    let hmac_with = |secret: &[u8]| {
        let input = format!("{header}.{payload}");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, secret), input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
    };
    let state = server.app().realms.named(&server.app().store, "main").await.unwrap().unwrap();
    let kid = mac_header["kid"].clone();
    for (case, forged) in [
        ("none", format!("{}.{payload}.", encoded(&changed(&mac_header, "alg", "none".into())))),
        ("another secret", hmac_with(b"secret")),
        ("no secret", hmac_with(b"")),
        ("kid as secret", hmac_with(kid.as_str().unwrap_or_default().as_bytes())),
        (
            "the realm's signing key",
            state.ring.signer(Algorithm::RS256).unwrap().sign("JWT", &members).unwrap(),
        ),
        ("the test's key", forge.sign(&forge.header(), &members)),
        ("an access token under its key", state.ring.mac_sign(&forge.access).unwrap()),
        ("an ID token under its key", state.ring.mac_sign(&forge.id).unwrap()),
        ("no jti", state.ring.mac_sign(&changed(&members, "jti", Value::Null)).unwrap()),
        ("another jti", state.ring.mac_sign(&changed(&members, "jti", "x".into())).unwrap()),
        (
            "another realm's iss",
            state.ring.mac_sign(&changed(&members, "iss", server.issuer("master").into())).unwrap(),
        ),
    ] {
        let refused = rp.refresh(browser, &forged).await.unwrap_err();
        is_error(&refused, 400, "invalid_grant", case);
        assert_eq!(rp.introspect(browser, &forged).await.body, INACTIVE, "{case}");
    }
    // An access token that the refresh tokens' key signed is no access token.
    forge
        .assert_no_access(
            "J01 signed by the refresh tokens' key",
            &state.ring.mac_sign(&forge.access).unwrap(),
        )
        .await;
    assert!(rp.refresh(browser, genuine).await.is_ok(), "no forgery counts as a use");
}

#[tokio::test]
async fn j02_a_header_brings_no_key_and_asks_for_nothing() {
    let forge = Forge::new().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let ours = format!("http://{}/keys", listener.local_addr().unwrap());
    for kid in ["../../dev/null", "' UNION SELECT 'x", "", "/", "%00", "unknown", &"k".repeat(3_000)] {
        forge.assert_refused(&format!("J02a kid {kid:.20}"), &forge.with_header("kid", kid.into())).await;
    }
    forge.assert_refused("J02a no kid", &forge.with_header("kid", Value::Null)).await;
    forge.assert_refused("J02a kid a list", &forge.with_header("kid", json!([forge.kid]))).await;
    let jwk =
        forge.scene.browser.clone().get(&forge.scene.rp.endpoint("certs")).await.json()["keys"][0].clone();
    for (name, value) in [
        ("jku", json!(ours)),
        ("x5u", json!(ours)),
        ("jwk", jwk),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["http://x"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("typ", json!("at+jwt")),
        ("typ", json!("logout+jwt")),
        ("typ", json!("dpop+jwt")),
        ("typ", Value::Null),
    ] {
        forge.assert_refused(&format!("J02 {name}"), &forge.with_header(name, value)).await;
    }
    let twice = format!(r#"{{"alg":"ES256","alg":"ES256","typ":"JWT","kid":"{}"}}"#, forge.kid);
    let pair = Pair {
        access: forge.sign_text(&twice, &forge.access.to_string()),
        id: forge.sign_text(&twice, &forge.id.to_string()),
    };
    forge.assert_refused("J02e a member twice", &pair).await;
    let twice = |claims: &Value| claims.to_string().replacen('{', r#"{"sub":"somebody","#, 1);
    let pair = Pair {
        access: forge.sign_text(&forge.header().to_string(), &twice(&forge.access)),
        id: forge.sign_text(&forge.header().to_string(), &twice(&forge.id)),
    };
    forge.assert_refused("J02e a claim twice", &pair).await;
    assert!(listener.accept().is_err(), "nobody came for a key");
}

#[tokio::test]
async fn j03_a_token_must_say_everything_and_say_it_right() {
    let forge = Forge::new().await;
    let issuer = forge.scene.server.issuer("main");
    let now = forge.scene.server.app().clock.now().0;
    let both = [
        ("no iss", "iss", Value::Null),
        ("iss a number", "iss", json!(7)),
        ("iss a list", "iss", json!(["https://evil.test", issuer])),
        ("iss another realm's", "iss", json!(forge.scene.server.issuer("master"))),
        ("iss with a slash", "iss", json!(format!("{issuer}/"))),
        ("no aud", "aud", Value::Null),
        ("aud empty", "aud", json!([])),
        ("aud a number", "aud", json!(1)),
        ("nbf ahead", "nbf", json!(now + 30)),
        ("nbf a text", "nbf", json!("99999999999")),
        ("iat ahead", "iat", json!(now + 75)),
        ("no iat", "iat", Value::Null),
        ("no exp", "exp", Value::Null),
        ("exp a text", "exp", json!("99999999999")),
        ("exp a fraction", "exp", json!(1e300)),
        ("typ another", "typ", json!("Refresh")),
        ("no typ", "typ", Value::Null),
    ];
    for (case, name, value) in both {
        forge.assert_refused(&format!("J03 {case}"), &forge.with_claim(name, value)).await;
    }
    // A hint may be old (Core §3.1.2.1); an access token may not.
    for (case, name, value) in [
        ("expired", "exp", json!(now - 1)),
        ("negative exp", "exp", json!(-1)),
        ("no jti", "jti", Value::Null),
        ("a grant that is not there", "jti", json!("onrt00.00000000-0000-4000-8000-000000000000")),
        ("another client", "azp", json!("api")),
        ("no client", "azp", Value::Null),
    ] {
        let pair = forge.with_claim(name, value);
        forge.assert_no_access(&format!("J03 {case}"), &pair.access).await;
    }
}

const TWO_REALMS: &str = r#"
[[realms]]
name = "main"
[[realms.clients]]
id = "app"
secret = "app-secret"
redirect_uris = ["http://localhost:*/*"]
grants = ["authorization_code", "refresh_token"]
[[realms.users]]
username = "alice"
password = "alice"
[[realms]]
name = "other"
[[realms.clients]]
id = "app"
secret = "app-secret"
redirect_uris = ["http://localhost:*/*"]
grants = ["authorization_code", "refresh_token"]
[[realms.users]]
username = "alice"
password = "alice"
"#;

#[tokio::test]
async fn j04_each_token_has_its_place_and_its_realm() {
    let forge = Forge::new().await;
    let tokens = &forge.scene.tokens;
    forge.assert_no_access("J04 an ID token", tokens.id_token()).await;
    forge.assert_no_hint("J04 an access token", tokens.access_token()).await;
    forge.assert_no_hint("J04 a refresh token", tokens.refresh_token()).await;

    let server = TestServer::with_realm(TWO_REALMS).await.unwrap();
    let here = server.rp("app", Some("app-secret"));
    let there = vestibule::testing::Rp { issuer: server.issuer("other"), ..here.clone() };
    let mut browser = server.browser();
    let tokens = there.sign_in(&mut browser, "alice", "alice").await.unwrap();
    assert_eq!(there.userinfo(&browser, tokens.access_token()).await.status, 200);
    assert_eq!(here.userinfo(&browser, tokens.access_token()).await.status, 401, "J04 another realm's");
    assert_eq!(here.introspect(&browser, tokens.access_token()).await.body, INACTIVE);
    assert!(here.refresh(&browser, tokens.refresh_token()).await.is_err());
    let silent = [("prompt", Some("none")), ("id_token_hint", Some(tokens.id_token()))];
    let reply = browser.get(&here.authorize_url_with(&silent)).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("login_required"), "no session in the other realm");
}

#[tokio::test]
async fn j05_the_key_set_tells_public_halves_alone() {
    let server = TestServer::start().await.unwrap();
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let mut realm = realm(&server).await;
        realm.settings.signature_algorithm = algorithm.to_owned();
        let at = server.app().clock.now();
        server.app().commit(vec![Change::PutRealm { realm, at }]).await.unwrap();
        let certs = server.rp("web", None).endpoint("certs");
        let set = server.browser().get(&certs).await.json();
        let keys = set["keys"].as_array().unwrap();
        assert!(keys.iter().any(|key| key["alg"] == algorithm), "{set}");
        let mut kids = std::collections::BTreeSet::new();
        for key in keys {
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert!(key.get(private).is_none(), "{private} in {key}");
            }
            assert_eq!(key["use"], "sig");
            assert!(kids.insert(key["kid"].as_str().unwrap()), "{key}");
        }
    }
    // What was signed under an algorithm that the realm left is believed still, and coming back makes no new key.
    let keys = |set: Value| {
        set["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["kid"].to_string())
            .collect::<std::collections::BTreeSet<_>>()
    };
    let certs = server.rp("web", None).endpoint("certs");
    let before = keys(server.browser().get(&certs).await.json());
    let tokens = server.sign_in("web", Some("web-secret"), "alice", "alice").await.unwrap();
    let mut realm = realm(&server).await;
    realm.settings.signature_algorithm = "RS256".into();
    server.app().commit(vec![Change::PutRealm { realm, at: server.app().clock.now() }]).await.unwrap();
    let rp = server.rp("web", Some("web-secret"));
    assert_eq!(rp.userinfo(&server.browser(), tokens.access_token()).await.status, 200);
    assert_eq!(keys(server.browser().get(&certs).await.json()), before);
}

#[tokio::test]
async fn j06_what_is_too_much_is_refused_before_it_is_read() {
    let forge = Forge::new().await;
    let good = forge.sign(&forge.header(), &forge.access);
    let (header, payload, signature) = parts(&good);
    let deep = format!("{}1{}", r#"{"a":"#.repeat(1_000), "}".repeat(1_000));
    let last = signature.as_bytes()[signature.len() - 1];
    // The next letter of the alphabet differs in a bit that decoding drops.
    let trailing =
        format!("{}{}", &good[..good.len() - 1], char::from(if last == b'A' { b'B' } else { last + 1 }));
    for (case, token) in [
        ("five parts", format!("{header}.{payload}.{signature}.{signature}.{signature}")),
        ("four parts", format!("{good}.x")),
        ("10 kB", format!("{header}.{}.{signature}", "A".repeat(10_000))),
        ("nested", forge.sign_text(&forge.header().to_string(), &deep)),
        ("padding", format!("{good}=")),
        ("white space", format!("{good} x")),
        ("a line end inside", good.replacen('.', ".\n", 1)),
        ("standard alphabet", good.replace(['-', '_'], "+")),
        ("left-over bits", trailing),
    ] {
        if case == "standard alphabet" && token == good {
            continue;
        }
        let Scene { browser, rp, .. } = &forge.scene;
        let reply = rp.userinfo(browser, &token).await;
        assert!(matches!(reply.status.as_u16(), 400 | 401), "{case}: {}", reply.status);
        assert_eq!(rp.introspect(browser, &token).await.body, INACTIVE, "{case}");
        assert!(rp.refresh(browser, &token).await.is_err(), "{case}");
    }
    let huge = "A".repeat(1_000_000);
    assert_eq!(forge.scene.rp.introspect(&forge.scene.browser, &huge).await.status, 413);
    forge.assert_untouched("J06").await;
}
