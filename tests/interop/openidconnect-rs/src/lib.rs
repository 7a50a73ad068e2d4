//! The `openidconnect` crate, as an application would use it, against the server named by `ISSUER`.
#![cfg(test)]

mod device;

use std::collections::HashMap;

use openidconnect::core::{
    CoreClient, CoreProviderMetadata, CoreResponseType, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenResponse,
};
use reqwest::Url;
use reqwest::redirect::Policy;
use scraper::{Html, Selector};

const CALLBACK: &str = "http://127.0.0.1:9/callback";

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

fn issuer() -> IssuerUrl {
    IssuerUrl::new(std::env::var("ISSUER").expect("ISSUER")).expect("an address")
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).build().expect("a client")
}

async fn client(id: &str, secret: Option<&str>) -> Client {
    let metadata = CoreProviderMetadata::discover_async(issuer(), &http()).await.expect("metadata");
    let secret = secret.map(|secret| ClientSecret::new(secret.to_owned()));
    CoreClient::from_provider_metadata(metadata, ClientId::new(id.to_owned()), secret)
        .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).expect("an address"))
}

struct Started {
    verifier: PkceCodeVerifier,
    nonce: Nonce,
    code: AuthorizationCode,
}

/// Asks for a code with PKCE, a state and a nonce, and signs alice in.
async fn start(client: &Client) -> Started {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (address, state, nonce) = client
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scope(Scope::new("profile".to_owned()))
        .add_scope(Scope::new("email".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let landed = sign_in(address).await;
    let answer: HashMap<_, _> = landed.query_pairs().into_owned().collect();
    assert_eq!(answer["state"], *state.secret());
    Started { verifier, nonce, code: AuthorizationCode::new(answer["code"].clone()) }
}

/// Fills in the sign-in page as a browser would; returns the address that the redirect names.
async fn sign_in(address: Url) -> Url {
    let browser =
        reqwest::Client::builder().cookie_store(true).redirect(Policy::none()).build().expect("a browser");
    let page = browser.get(address).send().await.expect("the sign-in page");
    let at = page.url().clone();
    let (action, mut fields) = form_with(&page.text().await.expect("a page"), "form#kc-form-login");
    fields.insert("username".to_owned(), "alice".to_owned());
    fields.insert("password".to_owned(), "alice".to_owned());
    let target = at.join(&action).expect("an address");
    let answer = browser.post(target).form(&fields).send().await.expect("an answer");
    assert!(answer.status().is_redirection(), "alice was not signed in: {}", answer.status());
    let location = answer.headers()["location"].to_str().expect("text");
    at.join(location).expect("an address")
}

/// The action and the hidden fields of a page's form.
fn form_with(page: &str, id: &str) -> (String, HashMap<String, String>) {
    let page = Html::parse_document(page);
    let form = page.select(&Selector::parse(id).expect("a selector")).next().expect(id);
    let hidden = Selector::parse("input[type=hidden]").expect("a selector");
    let fields = form.select(&hidden).map(|input| {
        let attribute = |name| input.attr(name).unwrap_or_default().to_owned();
        (attribute("name"), attribute("value"))
    });
    (form.attr("action").expect("an action").to_owned(), fields.collect())
}

async fn tokens(client: &Client, started: Started) -> (CoreTokenResponse, Nonce) {
    let tokens = client
        .exchange_code(started.code)
        .expect("a token endpoint")
        .set_pkce_verifier(started.verifier)
        .request_async(&http())
        .await
        .expect("tokens");
    (tokens, started.nonce)
}

#[tokio::test]
async fn code_flow_gives_an_id_token_that_verifies() {
    let client = client("web", Some("web-secret")).await;
    let (tokens, nonce) = tokens(&client, start(&client).await).await;
    let id_token = tokens.id_token().expect("an ID token");
    let verifier = client.id_token_verifier();
    let claims = id_token.claims(&verifier, &nonce).expect("a valid ID token");
    assert_eq!(claims.preferred_username().expect("a username").as_str(), "alice");
    assert_eq!(claims.email().expect("an address").as_str(), "alice@example.com");
    assert_eq!(claims.email_verified(), Some(true));
    if let Some(expected) = claims.access_token_hash() {
        let actual = AccessTokenHash::from_token(
            tokens.access_token(),
            id_token.signing_alg().expect("an algorithm"),
            id_token.signing_key(&verifier).expect("a key"),
        );
        assert_eq!(actual.expect("a hash"), *expected);
    }
}

#[tokio::test]
async fn userinfo_names_the_same_person() {
    let client = client("web", Some("web-secret")).await;
    let (tokens, nonce) = tokens(&client, start(&client).await).await;
    let verifier = client.id_token_verifier();
    let subject = tokens.id_token().expect("an ID token").claims(&verifier, &nonce).expect("valid").subject();
    let person: CoreUserInfoClaims = client
        .user_info(tokens.access_token().clone(), Some(subject.clone()))
        .expect("a userinfo endpoint")
        .request_async(&http())
        .await
        .expect("claims");
    assert_eq!(person.preferred_username().expect("a username").as_str(), "alice");
}

#[tokio::test]
async fn a_refresh_token_gives_new_tokens() {
    let client = client("web", Some("web-secret")).await;
    let (tokens, _) = tokens(&client, start(&client).await).await;
    let fresh = client
        .exchange_refresh_token(tokens.refresh_token().expect("a refresh token"))
        .expect("a token endpoint")
        .request_async(&http())
        .await
        .expect("fresh tokens");
    assert_ne!(fresh.access_token().secret(), tokens.access_token().secret());
}

#[tokio::test]
async fn client_credentials_give_an_access_token() {
    let client = client("service", Some("service-secret")).await;
    let tokens = client
        .exchange_client_credentials()
        .expect("a token endpoint")
        .add_scope(Scope::new("reports:read".to_owned()))
        .request_async(&http())
        .await
        .expect("tokens");
    assert!(tokens.refresh_token().is_none());
    assert!(tokens.scopes().expect("scopes").iter().any(|scope| scope.as_str() == "reports:read"));
}

#[tokio::test]
async fn a_public_client_needs_its_verifier_alone() {
    let client = client("spa", None).await;
    let (tokens, nonce) = tokens(&client, start(&client).await).await;
    let verifier = client.id_token_verifier();
    assert!(tokens.id_token().expect("an ID token").claims(&verifier, &nonce).is_ok());
}

#[tokio::test]
async fn a_wrong_verifier_is_invalid_grant() {
    let client = client("web", Some("web-secret")).await;
    let started = start(&client).await;
    let (_, other) = PkceCodeChallenge::new_random_sha256();
    let refused = client
        .exchange_code(started.code)
        .expect("a token endpoint")
        .set_pkce_verifier(other)
        .request_async(&http())
        .await;
    match refused {
        Err(RequestTokenError::ServerResponse(answer)) => {
            assert_eq!(answer.error().to_string(), "invalid_grant");
        }
        other => panic!("{other:?}"),
    }
}
