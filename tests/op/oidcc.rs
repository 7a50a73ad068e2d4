//! What the OpenID Foundation's conformance suite asks of every answer (its base class), as a relying party of its kind:
//! confidential, without PKCE, with `state` and `nonce`, in one response mode.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scraper::{Html, Selector};
use serde_json::Value;
use vestibule::protocol::client::Pkce;
use vestibule::store::Change;
use vestibule::testing::{Browser, Reply, Rp, TestServer, Tokens};

use crate::common::{attribute, is_consent, is_sign_in, realm};

/// The parameters that a good answer may have, and those that a refusal may have.
const ANSWER: [&str; 4] = ["code", "state", "iss", "session_state"];
const REFUSAL: [&str; 6] = ["error", "error_description", "error_uri", "state", "iss", "session_state"];

/// A relying party as the suite plays it, at a server of its own.
pub(crate) struct Suite {
    pub(crate) server: TestServer,
    pub(crate) rp: Rp,
    /// `response_mode` of its requests.
    pub(crate) mode: Option<&'static str>,
}

/// What came back to the redirect URI.
#[derive(Debug)]
pub(crate) struct Answer(BTreeMap<String, String>);

impl Answer {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Suite {
    pub(crate) async fn new(mode: Option<&'static str>) -> Self {
        let server = TestServer::start().await.unwrap();
        let realm = realm(&server).await;
        let store = &server.app().store;
        let mut client = store.client_by_client_id(&realm.id, "web").await.unwrap().unwrap();
        client.settings.pkce = Pkce::Optional;
        // What the modules ask for comes because they ask.
        let names = |all: &[&str]| Some(all.iter().map(|&name| name.to_owned()).collect());
        client.settings.default_scopes = names(&["basic", "acr"]);
        client.settings.optional_scopes = names(&["profile", "email", "address", "phone", "offline_access"]);
        let at = server.app().clock.now();
        server.app().commit(vec![Change::PutClient { client: Box::new(client), at }]).await.unwrap();
        let mut rp = server.rp("web", Some("web-secret"));
        rp.scope = "openid".to_owned();
        // The suite's states have 128 characters.
        rp.state = "s".repeat(128);
        Self { server, rp, mode }
    }

    pub(crate) async fn metadata(&self) -> Value {
        let address = format!("{}/.well-known/openid-configuration", self.rp.issuer);
        let reply = self.server.browser().get(&address).await;
        assert_eq!(reply.status, 200);
        reply.json()
    }

    /// The address of a request without PKCE and with these changes.
    pub(crate) fn url(&self, changes: &[(&str, Option<&str>)]) -> String {
        let mut all = vec![("code_challenge", None), ("code_challenge_method", None)];
        all.push(("response_mode", self.mode));
        all.extend_from_slice(changes);
        self.rp.authorize_url_with(&all)
    }

    /// What a reply carries to the redirect URI, if it carries anything there.
    pub(crate) fn answer(&self, reply: &Reply) -> Option<Answer> {
        if self.mode == Some("form_post") {
            let action = attribute(reply, "form", "action")?;
            (action == self.rp.redirect_uri).then_some(())?;
            assert_eq!(attribute(reply, "form", "method").as_deref(), Some("post"));
            assert_eq!(reply.location(), "", "nothing in the address");
            let page = Html::parse_document(&reply.body);
            let fields = Selector::parse("input[type=hidden]").unwrap();
            let pairs = page.select(&fields).map(|field| {
                let part = |name| field.value().attr(name).unwrap_or_default().to_owned();
                (part("name"), part("value"))
            });
            let pairs = pairs.collect::<Vec<_>>();
            // It goes off by itself, and by a button where there are no scripts.
            assert!(reply.body.contains("<script nonce="), "{}", reply.body);
            assert!(attribute(reply, "button[type=submit]", "type").is_some(), "{}", reply.body);
            return Some(once(pairs));
        }
        let (address, query) = reply.location().split_once('?')?;
        assert_eq!(address, self.rp.redirect_uri);
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Some(once(pairs))
    }

    /// Opens a request, signs in where that is asked, and gives what came back with whether it was.
    pub(crate) async fn go(&self, browser: &mut Browser, address: &str) -> (Answer, bool) {
        let mut reply = browser.open(address).await;
        let asked = attribute(&reply, "form#kc-form-login", "action").is_some();
        if asked {
            is_sign_in(&reply, "asked to sign in");
            reply = browser.submit(&reply, &[("username", "alice"), ("password", "alice")]).await;
        }
        if attribute(&reply, "form#kc-oauth", "action").is_some() {
            is_consent(&reply, "asked for consent");
            reply = browser.submit(&reply, &[("accept", "Yes")]).await;
        }
        let answer = self.answer(&reply);
        (answer.unwrap_or_else(|| panic!("no answer: {} {}", reply.status, reply.body)), asked)
    }

    /// Goes through a request to tokens, and holds everything on the way to the base class.
    pub(crate) async fn tokens(&self, browser: &mut Browser, changes: &[(&str, Option<&str>)]) -> Tokens {
        let (answer, _) = self.go(browser, &self.url(changes)).await;
        self.redeem(&answer, changes.contains(&("nonce", None))).await
    }

    /// Redeems the code of a good answer.
    pub(crate) async fn redeem(&self, answer: &Answer, without_nonce: bool) -> Tokens {
        self.check_answer(answer);
        let reply = self.redeem_raw(answer.get("code").unwrap()).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("cache-control"), "no-store");
        let tokens = Tokens { response: reply.json() };
        self.check_tokens(&tokens, without_nonce).await;
        tokens
    }

    pub(crate) async fn redeem_raw(&self, code: &str) -> Reply {
        let uri = self.rp.redirect_uri.as_str();
        let fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", uri)];
        self.rp.token_request(&self.server.browser(), &fields).await
    }

    pub(crate) fn check_answer(&self, answer: &Answer) {
        assert!(answer.0.keys().all(|name| ANSWER.contains(&name.as_str())), "{answer:?}");
        assert_eq!(answer.get("state"), Some(self.rp.state.as_str()), "{answer:?}");
        assert_eq!(answer.get("iss"), Some(self.rp.issuer.as_str()), "{answer:?}");
        // 43 characters of base64url: 256 bits.
        assert!(answer.get("code").is_some_and(|code| code.len() >= 22), "{answer:?}");
    }

    pub(crate) fn check_refusal(&self, answer: &Answer, expected: &[&str]) {
        assert!(answer.0.keys().all(|name| REFUSAL.contains(&name.as_str())), "{answer:?}");
        assert_eq!(answer.get("state"), Some(self.rp.state.as_str()), "{answer:?}");
        assert_eq!(answer.get("iss"), Some(self.rp.issuer.as_str()), "{answer:?}");
        assert!(answer.get("error").is_some_and(|error| expected.contains(&error)), "{answer:?}");
        // RFC 6749 §4.1.2.1: %x20-21 / %x23-5B / %x5D-7E.
        let plain = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
        assert!(answer.get("error_description").is_none_or(|text| text.chars().all(plain)), "{answer:?}");
    }

    async fn check_tokens(&self, tokens: &Tokens, without_nonce: bool) {
        let response = &tokens.response;
        assert!(tokens.text("token_type").eq_ignore_ascii_case("bearer"), "{response}");
        let lasts = response["expires_in"].as_i64().unwrap();
        assert!(lasts > 0 && lasts <= 365 * 86_400, "{response}");
        let now = self.server.app().clock.now().0;
        self.verify(tokens.id_token()).await;
        let id = tokens.id_claims();
        assert_eq!(id["iss"], self.rp.issuer);
        assert!(
            id["aud"] == "web" || id["aud"].as_array().is_some_and(|all| all.iter().any(|aud| aud == "web"))
        );
        let exp = id["exp"].as_i64().unwrap();
        assert!(exp > now && exp < now + 50 * 365 * 86_400);
        assert!((id["iat"].as_i64().unwrap() - now).abs() <= 300);
        assert!(id["auth_time"].as_i64().is_none_or(|at| at <= now));
        assert!(id["acr"].as_str().is_none_or(|acr| !acr.is_empty()));
        let nonce = if without_nonce { Value::Null } else { self.rp.nonce.clone().into() };
        assert_eq!(id["nonce"], nonce);
        let sub = id["sub"].as_str().unwrap();
        assert!(!sub.is_empty() && sub.len() <= 255 && sub.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(tokens.access_claims()["sub"], sub);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, tokens.access_token().as_bytes());
        assert_eq!(id["at_hash"], URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]));
        full(&id);
        self.check_userinfo(&self.rp.userinfo(&self.server.browser(), tokens.access_token()).await, sub);
    }

    pub(crate) fn check_userinfo(&self, reply: &Reply, sub: &str) {
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.header("content-type"), "application/json");
        let claims = reply.json();
        assert_eq!(claims["sub"], sub);
        full(&claims);
        for (name, value) in claims.as_object().unwrap() {
            let right = match name.as_str() {
                "email_verified" | "phone_number_verified" => value.is_boolean(),
                "updated_at" => value.is_number(),
                "address" => value.is_object(),
                "birthdate" => value.as_str().is_some_and(|date| date.len() == 10),
                "sub" | "name" | "email" | "given_name" | "family_name" => value.is_string(),
                _ => true,
            };
            assert!(right, "{name} is {value}");
        }
    }

    /// The signature by a key of the key set, RS256 with a `kid` (Core §3.1.3.7, §10.1).
    async fn verify(&self, id_token: &str) {
        let (message, signature) = id_token.rsplit_once('.').unwrap();
        let header = URL_SAFE_NO_PAD.decode(message.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header["alg"], "RS256");
        let set = self.server.browser().get(&self.rp.endpoint("certs")).await;
        assert_eq!(set.status, 200);
        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&set.body).unwrap();
        let jwk = set.find(header["kid"].as_str().unwrap()).expect("its key is published");
        let key = jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap();
        let algorithm = jsonwebtoken::Algorithm::RS256;
        assert!(jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm).unwrap());
    }

    /// The userinfo claims of a sign-in with these scopes.
    pub(crate) async fn told_for(&self, scope: &str) -> Value {
        let tokens = self.tokens(&mut self.server.browser(), &[("scope", Some(scope))]).await;
        self.rp.userinfo(&self.server.browser(), tokens.access_token()).await.json()
    }
}

/// Each parameter once.
fn once(pairs: Vec<(String, String)>) -> Answer {
    let count = pairs.len();
    let map: BTreeMap<_, _> = pairs.into_iter().collect();
    assert_eq!(map.len(), count, "a parameter came twice: {map:?}");
    Answer(map)
}

/// No claim is null or empty.
fn full(claims: &Value) {
    for (name, value) in claims.as_object().unwrap() {
        assert!(!value.is_null() && value != "", "{name} is empty in {claims}");
    }
}
