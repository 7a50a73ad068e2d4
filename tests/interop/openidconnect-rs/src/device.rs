//! The `oauth2` crate's device grant (RFC 8628), and a person who answers in a browser.

use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, DeviceAuthorizationUrl, DeviceCodeErrorResponseType, EndpointNotSet, EndpointSet,
    RequestTokenError, Scope, StandardDeviceAuthorizationResponse, TokenResponse, TokenUrl,
};

use super::{form_with, http, issuer};

type Client = BasicClient<EndpointNotSet, EndpointSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

fn tv() -> Client {
    let endpoint = |name: &str| format!("{}/protocol/openid-connect/{name}", issuer().as_str());
    let codes = DeviceAuthorizationUrl::new(endpoint("auth/device")).expect("an address");
    BasicClient::new(ClientId::new("tv".to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_device_authorization_url(codes)
        .set_token_uri(TokenUrl::new(endpoint("token")).expect("an address"))
}

async fn ask(client: &Client) -> StandardDeviceAuthorizationResponse {
    client
        .exchange_device_code()
        .add_scope(Scope::new("openid".to_owned()))
        .add_scope(Scope::new("profile".to_owned()))
        .request_async(&http())
        .await
        .expect("codes")
}

/// Scans the address, signs bob in and presses a button.
async fn answer(codes: &StandardDeviceAuthorizationResponse, button: &str) {
    let browser = reqwest::Client::builder().cookie_store(true).build().expect("a browser");
    let address = codes.verification_uri_complete().expect("an address with the code").secret();
    let mut page = browser.get(address).send().await.expect("the sign-in page");
    for (id, filled) in [
        ("form#kc-form-login", &[("username", "bob"), ("password", "bob")][..]),
        ("form#kc-oauth", &[(button, "x")]),
    ] {
        let at = page.url().clone();
        let (action, mut fields) = form_with(&page.text().await.expect("a page"), id);
        fields.extend(filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let target = at.join(&action).expect("an address");
        page = browser.post(target).form(&fields).send().await.expect("the next page");
        assert!(page.status().is_success(), "{id}: {}", page.status());
    }
}

#[tokio::test]
async fn a_device_waits_and_gets_tokens_once_a_person_says_yes() {
    let client = tv();
    let codes = ask(&client).await;
    let http = http();
    let tokens = client.exchange_device_access_token(&codes).request_async(&http, tokio::time::sleep, None);
    let (tokens, ()) = tokio::join!(tokens, answer(&codes, "accept"));
    let tokens: BasicTokenResponse = tokens.expect("tokens");
    assert!(tokens.refresh_token().is_some());
    let scopes: Vec<_> = tokens.scopes().expect("scopes").iter().map(|scope| scope.as_str()).collect();
    assert!(scopes.contains(&"openid") && scopes.contains(&"profile"), "{scopes:?}");
}

#[tokio::test]
async fn no_is_access_denied() {
    let client = tv();
    let codes = ask(&client).await;
    answer(&codes, "cancel").await;
    let refused =
        client.exchange_device_access_token(&codes).request_async(&http(), tokio::time::sleep, None).await;
    match refused {
        Err(RequestTokenError::ServerResponse(answer)) => {
            assert_eq!(*answer.error(), DeviceCodeErrorResponseType::AccessDenied);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_without_the_grant_gets_no_codes() {
    let client = BasicClient::new(ClientId::new("spa".to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_device_authorization_url(tv().device_authorization_url().clone());
    let refused: Result<StandardDeviceAuthorizationResponse, _> =
        client.exchange_device_code().request_async(&http()).await;
    match refused {
        Err(RequestTokenError::ServerResponse(answer)) => {
            assert_eq!(*answer.error(), BasicErrorResponseType::UnauthorizedClient);
        }
        other => panic!("{other:?}"),
    }
}
