//! Two clients that the profile holds, each with a key for its assertions and one for its proofs.

use std::sync::LazyLock;

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::clock::Timestamp;
use vestibule::secrets;
use vestibule::signer::{Algorithm, SigningKey};
use vestibule::testing::{Browser, Options, ProofKey, Reply, Rp, TestServer, Tokens};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub(super) const CALLBACK: &str = "https://rp.example/cb";
pub(super) const ADORNED: &str = "https://rp.example/cb?dummy1=lorem&dummy2=ipsum";

static ONE: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256).unwrap());
static TWO: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::EdDSA).unwrap());
/// A key of the first client for what the profile forbids.
pub(super) static RSA: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::RS256).unwrap());

pub(super) struct Scene {
    pub(super) server: TestServer,
    pub(super) one: Fapi,
    pub(super) two: Fapi,
}

/// A client.
pub(super) struct Fapi {
    pub(super) rp: Rp,
    pub(super) key: &'static SigningKey,
    pub(super) proof: ProofKey,
    browser: Browser,
    clock: vestibule::clock::Clock,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let keys = |keys: &[&SigningKey]| {
            json!({ "keys": keys.iter().map(|key| key.public_jwk()).collect::<Vec<_>>() }).to_string()
        };
        let client = |id: &str, jwks: String| {
            format!(
                r#"
                [[realm.clients]]
                id = "{id}"
                profile = "fapi2"
                authentication = "private_key_jwt"
                jwks = '{jwks}'
                id_token_signed_response_alg = "PS256"
                grants = ["authorization_code", "refresh_token", "client_credentials"]
                redirect_uris = ["{CALLBACK}", "{ADORNED}"]
                "#
            )
        };
        let realm = format!(
            r#"
            [realm]
            name = "main"
            lifetimes = {{ code = 300 }}
            {}
            {}
            [[realm.users]]
            username = "alice"
            password = "alice"
            email = "alice@example.com"
            first_name = "Alice"
            last_name = "Adams"
            "#,
            client("one", keys(&[&ONE, &RSA])),
            client("two", keys(&[&TWO])),
        );
        let frozen_at = Some(Timestamp(1_800_000_000));
        let options = Options { realm: Some(realm), frozen_at, strict: true, ..Options::default() };
        let server = TestServer::with(options).await.unwrap();
        let fapi = |id: &str, key| Fapi {
            rp: Rp { redirect_uri: CALLBACK.into(), ..server.rp(id, None) },
            key,
            proof: server.proof_key(),
            browser: server.browser(),
            clock: server.clock().clone(),
        };
        Self { one: fapi("one", &*ONE), two: fapi("two", &*TWO), server }
    }

    pub(super) fn now(&self) -> i64 {
        self.server.clock().now().0
    }
}

impl Fapi {
    /// An assertion with these claims changed; `null` takes one away.
    pub(super) fn assertion(&self, changes: Value) -> String {
        self.assertion_by(self.key, changes)
    }

    pub(super) fn assertion_by(&self, key: &SigningKey, changes: Value) -> String {
        let (now, id) = (self.clock.now().0, self.rp.client_id.as_str());
        let mut claims = json!({
            "iss": id, "sub": id, "aud": self.rp.issuer, "jti": secrets::random_name(), "iat": now, "exp": now + 60,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        key.sign("JWT", &claims).unwrap()
    }

    /// A request to an endpoint with these proofs, by which it is left open who sends it.
    pub(super) async fn send(&self, endpoint: &str, proofs: &[String], fields: &[(&str, &str)]) -> Reply {
        let mut browser = self.browser.clone();
        browser.headers.extend(proofs.iter().map(|proof| ("dpop".to_owned(), proof.clone())));
        browser.post(&self.rp.endpoint(endpoint), fields).await
    }

    /// The same by this client.
    pub(super) async fn send_as(
        &self,
        endpoint: &str,
        assertion: &str,
        proofs: &[String],
        fields: &[(&str, &str)],
    ) -> Reply {
        let mut all = vec![("client_assertion_type", TYPE), ("client_assertion", assertion)];
        all.extend(fields);
        self.send(endpoint, proofs, &all).await
    }

    /// A proof for an endpoint.
    pub(super) fn proof_for(&self, endpoint: &str) -> Vec<String> {
        vec![self.proof.proof("POST", &self.rp.endpoint(endpoint), None)]
    }

    /// Pushes a good request with these parameters changed: a value replaces, `None` removes.
    pub(super) async fn push_with(&self, proofs: &[String], changes: &[(&str, Option<&str>)]) -> Reply {
        let mut parameters = self.rp.parameters();
        for (name, value) in changes {
            parameters.retain(|(own, _)| own != name);
            parameters.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
        }
        let fields: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.send_as("ext/par/request", &self.assertion(json!({})), proofs, &fields).await
    }

    /// The `request_uri` of a pushed request.
    pub(super) async fn push(&self, changes: &[(&str, Option<&str>)]) -> String {
        let reply = self.push_with(&[], changes).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.json()["request_uri"].as_str().unwrap().to_owned()
    }

    /// The address that a browser opens for a pushed request, with further parameters.
    pub(super) fn address(&self, request_uri: &str, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", &self.rp.client_id).append_pair("request_uri", request_uri);
        format!("{}?{}", self.rp.endpoint("auth"), query.extend_pairs(more).finish())
    }

    /// Goes on from there to the answer.
    pub(super) async fn authorize(&self, browser: &mut Browser, address: &str) -> Reply {
        let reply = browser.open(address).await;
        if reply.body.contains("kc-form-login") {
            return browser.submit(&reply, &[("username", "alice"), ("password", "alice")]).await;
        }
        reply
    }

    /// The answer to a good request with these parameters changed.
    pub(super) async fn answer(&self, changes: &[(&str, Option<&str>)]) -> Reply {
        let request_uri = self.push(changes).await;
        self.authorize(&mut self.browser.clone(), &self.address(&request_uri, &[])).await
    }

    /// A fresh code.
    pub(super) async fn code(&self) -> String {
        self.answer(&[]).await.parameter("code").unwrap()
    }

    /// Redeems a code.
    pub(super) async fn redeem(&self, code: &str) -> Reply {
        self.redeem_with(code, &self.assertion(json!({})), &self.proof_for("token"), &[]).await
    }

    /// Redeems a code with these fields changed.
    pub(super) async fn redeem_with(
        &self,
        code: &str,
        assertion: &str,
        proofs: &[String],
        changes: &[(&str, Option<&str>)],
    ) -> Reply {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.rp.redirect_uri.as_str()),
            ("code_verifier", self.rp.verifier.as_str()),
        ];
        for (name, value) in changes {
            fields.retain(|(own, _)| own != name);
            fields.extend(value.map(|value| (*name, value)));
        }
        self.send_as("token", assertion, proofs, &fields).await
    }

    /// Signs in to tokens.
    pub(super) async fn tokens(&self) -> Tokens {
        let code = self.code().await;
        good(self.redeem(&code).await)
    }

    /// Asks userinfo for what this access token allows.
    pub(super) async fn userinfo(&self, access_token: &str) -> Reply {
        let proof = self.proof.proof("GET", &self.rp.endpoint("userinfo"), Some(access_token));
        self.userinfo_with(&[("authorization", &format!("DPoP {access_token}")), ("dpop", &proof)]).await
    }

    /// Asks userinfo with these headers.
    pub(super) async fn userinfo_with(&self, headers: &[(&str, &str)]) -> Reply {
        self.browser.clone().send(Method::GET, &self.rp.endpoint("userinfo"), None, headers).await
    }
}

/// What a good token request gave.
pub(super) fn good(reply: Reply) -> Tokens {
    assert_eq!(reply.status, 200, "{}", reply.body);
    Tokens { response: reply.json() }
}

pub(super) fn is_error(reply: &Reply, status: u16, code: &str, case: &str) {
    let told = (reply.status.as_u16(), reply.json()["error"].as_str().map(str::to_owned));
    assert_eq!(told, (status, Some(code.to_owned())), "{case}: {}", reply.body);
}
