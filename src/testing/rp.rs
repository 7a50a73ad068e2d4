//! A relying party as a test writes it: builds authorization requests, redeems codes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::browser::{Browser, Reply};
use super::dpop::ProofKey;
use crate::protocol::pkce;
use crate::secrets;

/// An application that wants to be signed in to.
#[derive(Clone, Debug)]
pub struct Rp {
    /// The issuer that it trusts.
    pub issuer: String,
    /// `client_id`.
    pub client_id: String,
    /// Its secret; none for a public client.
    pub secret: Option<String>,
    /// `redirect_uri`.
    pub redirect_uri: String,
    /// `scope`.
    pub scope: String,
    /// The PKCE verifier of its next request.
    pub verifier: String,
    /// The `state` of its next request.
    pub state: String,
    /// The `nonce` of its next request.
    pub nonce: String,
    /// The key that its tokens are bound to (RFC 9449); none for bearer tokens.
    pub dpop: Option<ProofKey>,
}

/// What the token endpoint gave.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The whole answer.
    pub response: Value,
}

impl Tokens {
    /// A member of the answer, as text.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.response.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The access token.
    #[must_use]
    pub fn access_token(&self) -> &str {
        self.text("access_token")
    }

    /// The refresh token, or nothing.
    #[must_use]
    pub fn refresh_token(&self) -> &str {
        self.text("refresh_token")
    }

    /// The ID token, or nothing.
    #[must_use]
    pub fn id_token(&self) -> &str {
        self.text("id_token")
    }

    /// The claims of the access token, unverified.
    #[must_use]
    pub fn access_claims(&self) -> Value {
        claims(self.access_token())
    }

    /// The claims of the ID token, unverified.
    #[must_use]
    pub fn id_claims(&self) -> Value {
        claims(self.id_token())
    }
}

/// The claims of a token, unverified; `null` when it is none.
#[must_use]
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

impl Rp {
    /// An application registered as `client_id` at `issuer`, at the redirect URI `http://localhost:3000/callback`.
    #[must_use]
    pub fn new(issuer: String, client_id: &str, secret: Option<&str>) -> Self {
        Self {
            issuer,
            client_id: client_id.to_owned(),
            secret: secret.map(str::to_owned),
            redirect_uri: "http://localhost:3000/callback".to_owned(),
            scope: "openid profile email".to_owned(),
            verifier: secrets::random_token(),
            state: secrets::random_token(),
            nonce: secrets::random_token(),
            dpop: None,
        }
    }

    /// An address below the issuer's `protocol/openid-connect`.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> String {
        format!("{}/protocol/openid-connect/{name}", self.issuer)
    }

    /// The parameters of a good authorization request.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, String)> {
        let challenge = pkce::s256(&self.verifier);
        [
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", &self.redirect_uri),
            ("response_type", "code"),
            ("scope", &self.scope),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// The address of an authorization request with these parameters changed: a value replaces, `None` removes.
    #[must_use]
    pub fn authorize_url_with(&self, changes: &[(&str, Option<&str>)]) -> String {
        let mut parameters = self.parameters();
        for (name, value) in changes {
            parameters.retain(|(own, _)| own != name);
            parameters.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        format!("{}?{query}", self.endpoint("auth"))
    }

    /// The address of a good authorization request.
    #[must_use]
    pub fn authorize_url(&self) -> String {
        self.authorize_url_with(&[])
    }

    /// Goes through sign-in (and consent, if it is asked) to the redirect that carries the answer.
    pub async fn authorize(&self, browser: &mut Browser, username: &str, password: &str) -> Reply {
        let mut reply = browser.open(&self.authorize_url()).await;
        if reply.body.contains("kc-form-login") {
            reply = browser.submit(&reply, &[("username", username), ("password", password)]).await;
        }
        if reply.body.contains("name=\"accept\"") {
            reply = browser.submit(&reply, &[("accept", "Yes")]).await;
        }
        reply
    }

    /// Goes through sign-in to tokens. An answer that is no success is returned as it is, so that a test can show it.
    ///
    /// # Errors
    /// The first answer that was not what a good sign-in gives.
    pub async fn sign_in(
        &self,
        browser: &mut Browser,
        username: &str,
        password: &str,
    ) -> Result<Tokens, Box<Reply>> {
        let reply = self.authorize(browser, username, password).await;
        match reply.parameter("code") {
            Some(code) => self.redeem(browser, &code).await,
            None => Err(Box::new(reply)),
        }
    }

    /// Redeems a code.
    ///
    /// # Errors
    /// An answer that is not 200.
    pub async fn redeem(&self, browser: &Browser, code: &str) -> Result<Tokens, Box<Reply>> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &self.verifier),
        ];
        self.tokens(browser, &fields).await
    }

    /// Uses a refresh token.
    ///
    /// # Errors
    /// An answer that is not 200.
    pub async fn refresh(&self, browser: &Browser, refresh_token: &str) -> Result<Tokens, Box<Reply>> {
        self.tokens(browser, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// Any token request of this client that should succeed.
    ///
    /// # Errors
    /// An answer that is not 200.
    pub async fn tokens(&self, browser: &Browser, fields: &[(&str, &str)]) -> Result<Tokens, Box<Reply>> {
        let reply = self.token_request(browser, fields).await;
        if reply.status == 200 { Ok(Tokens { response: reply.json() }) } else { Err(Box::new(reply)) }
    }

    /// Any token request of this client; see [`Rp::post`].
    pub async fn token_request(&self, browser: &Browser, fields: &[(&str, &str)]) -> Reply {
        self.post(browser, "token", fields).await
    }

    /// Asks the introspection endpoint.
    pub async fn introspect(&self, browser: &Browser, token: &str) -> Reply {
        self.post(browser, "token/introspect", &[("token", token)]).await
    }

    /// Posts a form to an endpoint below `protocol/openid-connect`, authenticated by HTTP Basic, or by `client_id` for
    /// a public client.
    pub async fn post(&self, browser: &Browser, endpoint: &str, fields: &[(&str, &str)]) -> Reply {
        let mut all = fields.to_vec();
        let mut back_channel = browser.clone();
        back_channel.forget_cookies();
        if let Some(key) = &self.dpop {
            let proof = key.proof("POST", &self.endpoint(endpoint), None);
            back_channel.headers.push(("dpop".to_owned(), proof));
        }
        match &self.secret {
            Some(secret) => {
                let credential = STANDARD.encode(format!("{}:{secret}", self.client_id));
                back_channel.headers.push(("authorization".to_owned(), format!("Basic {credential}")));
            }
            None => all.push(("client_id", &self.client_id)),
        }
        back_channel.post(&self.endpoint(endpoint), &all).await
    }

    /// Asks the userinfo endpoint, with a proof if there is a key.
    pub async fn userinfo(&self, browser: &Browser, access_token: &str) -> Reply {
        let mut back_channel = browser.clone();
        back_channel.forget_cookies();
        let scheme = match &self.dpop {
            Some(key) => {
                let proof = key.proof("GET", &self.endpoint("userinfo"), Some(access_token));
                back_channel.headers.push(("dpop".to_owned(), proof));
                "DPoP"
            }
            None => "Bearer",
        };
        back_channel.headers.push(("authorization".to_owned(), format!("{scheme} {access_token}")));
        back_channel.get(&self.endpoint("userinfo")).await
    }
}
