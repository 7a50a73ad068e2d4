//! The modules of the conformance suite's Basic plan that speak of the provider, each under its own name. The Form Post
//! plan runs the same modules in its response mode (`oidcc_formpost.rs`).

use axum::http::Method;
use serde_json::Value;
use vestibule::protocol::pkce;
use vestibule::testing::{Rp, Tokens, claims};

use crate::common::{attribute, is_error, is_page, is_sign_in};
use crate::oidcc::Suite;

/// One test per module, in one response mode.
#[macro_export]
macro_rules! oidcc_modules {
    ($mode:expr; $($module:ident)*) => {
        $(#[tokio::test]
        async fn $module() {
            $crate::oidcc_basic::modules::$module(&$crate::oidcc::Suite::new($mode).await).await;
        })*
    };
}

/// Every module, in one response mode.
#[macro_export]
macro_rules! oidcc_plan {
    ($mode:expr) => {
        $crate::oidcc_modules! { $mode;
            oidcc_server
            oidcc_response_type_missing
            oidcc_idtoken_signature
            oidcc_base_user_claims_in_the_id_token
            oidcc_idtoken_unsigned
            oidcc_userinfo_get_post_header_and_post_body
            oidcc_ensure_request_without_nonce_succeeds_for_code_flow
            oidcc_scope_profile
            oidcc_scope_email
            oidcc_scope_address
            oidcc_scope_phone
            oidcc_scope_all
            oidcc_requests_that_carry_more
            oidcc_alternate_happy_flow
            oidcc_prompt_login
            oidcc_prompt_none_not_logged_in
            oidcc_prompt_none_logged_in
            oidcc_max_age_1
            oidcc_max_age_10000
            oidcc_id_token_hint
            oidcc_ensure_request_with_acr_values_succeeds
            oidcc_codereuse
            oidcc_codereuse_30seconds
            oidcc_ensure_registered_redirect_uri
            oidcc_ensure_post_request_succeeds
            oidcc_server_client_secret_post
            oidcc_unsigned_request_objects_are_refused_and_never_ignored
            oidcc_claims_essential
            oidcc_refresh_token
            oidcc_ensure_request_with_valid_pkce_succeeds
        }
    };
}

oidcc_plan!(None);

pub(crate) mod modules {
    use super::*;

    pub(crate) async fn oidcc_server(suite: &Suite) {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..2 {
            let tokens = suite.tokens(&mut suite.server.browser(), &[]).await;
            for token in [tokens.access_token(), tokens.refresh_token(), tokens.id_token()] {
                assert!(seen.insert(token.to_owned()), "a token came twice");
            }
        }
    }

    pub(crate) async fn oidcc_response_type_missing(suite: &Suite) {
        let reply = suite.server.browser().open(&suite.url(&[("response_type", None)])).await;
        let answer = suite.answer(&reply).expect("the refusal goes to the app");
        suite.check_refusal(&answer, &["invalid_request", "unsupported_response_type"]);
    }

    pub(crate) async fn oidcc_idtoken_signature(suite: &Suite) {
        // The base class looks at the signature, `alg` and `kid`.
        suite.tokens(&mut suite.server.browser(), &[]).await;
    }

    pub(crate) async fn oidcc_idtoken_unsigned(suite: &Suite) {
        let metadata = suite.metadata().await;
        let algorithms = metadata["id_token_signing_alg_values_supported"].as_array().unwrap().clone();
        assert!(!algorithms.iter().any(|alg| alg == "none"), "skipped, since `none` is not offered");
    }

    pub(crate) async fn oidcc_userinfo_get_post_header_and_post_body(suite: &Suite) {
        let tokens = suite.tokens(&mut suite.server.browser(), &[]).await;
        let (address, token) = (suite.rp.endpoint("userinfo"), tokens.access_token());
        let sub = tokens.id_claims()["sub"].as_str().unwrap().to_owned();
        let bearer = format!("Bearer {token}");
        for method in [Method::GET, Method::POST] {
            let headers = [("authorization", bearer.as_str())];
            let reply = suite.server.browser().send(method, &address, None, &headers).await;
            suite.check_userinfo(&reply, &sub);
        }
        suite.check_userinfo(&suite.server.browser().post(&address, &[("access_token", token)]).await, &sub);
    }

    pub(crate) async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow(suite: &Suite) {
        suite.tokens(&mut suite.server.browser(), &[("nonce", None)]).await;
    }

    const PROFILE: [&str; 14] = [
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ];
    const EMAIL: [&str; 2] = ["email", "email_verified"];
    const PHONE: [&str; 2] = ["phone_number", "phone_number_verified"];
    const ADDRESS: [&str; 6] =
        ["formatted", "street_address", "locality", "region", "postal_code", "country"];

    fn has(told: &Value, names: &[&str]) {
        for name in names {
            assert!(!told[name].is_null(), "{name} is missing in {told}");
        }
    }

    fn has_none(told: &Value, case: &str) {
        for name in [&PROFILE[..], &EMAIL, &PHONE, &["address"]].concat() {
            assert!(told[name].is_null(), "{case}: {name} in {told}, which nobody asked for");
        }
    }

    /// The base class warns of user claims in the ID token that were not asked for. Who asks for `openid` alone gets
    /// none. Of what comes by a scope it warns all the same: as in Keycloak, that stands in the ID token as well.
    pub(crate) async fn oidcc_base_user_claims_in_the_id_token(suite: &Suite) {
        let tokens = suite.tokens(&mut suite.server.browser(), &[]).await;
        has_none(&tokens.id_claims(), "openid alone");
        has_none(&suite.told_for("openid").await, "userinfo of openid alone");
        let changes = [("scope", Some("openid email"))];
        let tokens = suite.tokens(&mut suite.server.browser(), &changes).await;
        assert_eq!(tokens.id_claims()["email"], "alice@example.com");
        assert!(tokens.id_claims()["name"].is_null(), "of another scope: {}", tokens.id_claims());
    }

    pub(crate) async fn oidcc_scope_profile(suite: &Suite) {
        has(&suite.told_for("openid profile").await, &PROFILE);
    }

    pub(crate) async fn oidcc_scope_email(suite: &Suite) {
        has(&suite.told_for("openid email").await, &EMAIL);
    }

    pub(crate) async fn oidcc_scope_address(suite: &Suite) {
        has(&suite.told_for("openid address").await["address"], &ADDRESS);
    }

    pub(crate) async fn oidcc_scope_phone(suite: &Suite) {
        has(&suite.told_for("openid phone").await, &PHONE);
    }

    pub(crate) async fn oidcc_scope_all(suite: &Suite) {
        let told = suite.told_for("openid profile email address phone").await;
        has(&told, &[&PROFILE[..], &EMAIL, &PHONE, &["address"]].concat());
    }

    /// `oidcc-display-page`, `-display-popup`, `-ensure-request-with-unknown-parameter-succeeds`, `-login-hint`,
    /// `-ui-locales`, `-claims-locales`: no error, and the same flow.
    pub(crate) async fn oidcc_requests_that_carry_more(suite: &Suite) {
        for more in [
            ("display", "page"),
            ("display", "popup"),
            ("extra", "foobar"),
            ("login_hint", "buffy@op.example"),
            ("ui_locales", "se"),
            ("claims_locales", "se"),
        ] {
            suite.tokens(&mut suite.server.browser(), &[(more.0, Some(more.1))]).await;
        }
    }

    pub(crate) async fn oidcc_alternate_happy_flow(suite: &Suite) {
        let address = suite.url(&[("scope", Some("phone email profile openid"))]);
        let (path, query) = address.split_once('?').unwrap();
        let reversed = query.split('&').rev().collect::<Vec<_>>().join("&");
        let (answer, _) = suite.go(&mut suite.server.browser(), &format!("{path}?{reversed}")).await;
        suite.redeem(&answer, false).await;
    }

    pub(crate) async fn oidcc_prompt_login(suite: &Suite) {
        let mut browser = suite.server.browser();
        let first = suite.tokens(&mut browser, &[]).await;
        suite.server.clock().advance(2);
        let (answer, asked) = suite.go(&mut browser, &suite.url(&[("prompt", Some("login"))])).await;
        assert!(asked, "the page was shown again");
        let second = suite.redeem(&answer, false).await;
        assert!(later(&second, &first), "a later auth_time");
    }

    fn auth_time(tokens: &Tokens) -> i64 {
        tokens.id_claims()["auth_time"].as_i64().expect("auth_time")
    }

    fn later(second: &Tokens, first: &Tokens) -> bool {
        auth_time(second) > auth_time(first)
    }

    pub(crate) async fn oidcc_prompt_none_not_logged_in(suite: &Suite) {
        let reply = suite.server.browser().get(&suite.url(&[("prompt", Some("none"))])).await;
        let answer = suite.answer(&reply).expect("told to the app, without a page");
        suite.check_refusal(&answer, &["login_required", "interaction_required"]);
    }

    pub(crate) async fn oidcc_prompt_none_logged_in(suite: &Suite) {
        let mut browser = suite.server.browser();
        let first = suite.tokens(&mut browser, &[]).await;
        suite.server.clock().advance(2);
        let (answer, asked) = suite.go(&mut browser, &suite.url(&[("prompt", Some("none"))])).await;
        assert!(!asked);
        let second = suite.redeem(&answer, false).await;
        for claim in ["sub", "auth_time"] {
            assert_eq!(second.id_claims()[claim], first.id_claims()[claim], "{claim}");
        }
    }

    pub(crate) async fn oidcc_max_age_1(suite: &Suite) {
        let mut browser = suite.server.browser();
        let first = suite.tokens(&mut browser, &[("max_age", Some("1"))]).await;
        suite.server.clock().advance(2);
        let (answer, asked) = suite.go(&mut browser, &suite.url(&[("max_age", Some("1"))])).await;
        assert!(asked, "the sign-in was too old");
        let second = suite.redeem(&answer, false).await;
        assert!(later(&second, &first));
        assert!(suite.server.app().clock.now().0 - auth_time(&second) <= 5, "recent");
    }

    pub(crate) async fn oidcc_max_age_10000(suite: &Suite) {
        let mut browser = suite.server.browser();
        let first = suite.tokens(&mut browser, &[("max_age", Some("15000"))]).await;
        suite.server.clock().advance(2);
        let (answer, asked) = suite.go(&mut browser, &suite.url(&[("max_age", Some("10000"))])).await;
        assert!(!asked, "recent enough");
        let second = suite.redeem(&answer, false).await;
        assert_eq!(auth_time(&second), auth_time(&first));
        assert_eq!(second.id_claims()["sub"], first.id_claims()["sub"]);
    }

    pub(crate) async fn oidcc_id_token_hint(suite: &Suite) {
        let mut browser = suite.server.browser();
        let first = suite.tokens(&mut browser, &[]).await;
        let changes = [("prompt", Some("none")), ("id_token_hint", Some(first.id_token()))];
        let second = suite.tokens(&mut browser, &changes).await;
        assert_eq!(second.id_claims()["sub"], first.id_claims()["sub"]);
    }

    pub(crate) async fn oidcc_ensure_request_with_acr_values_succeeds(suite: &Suite) {
        let metadata = suite.metadata().await;
        let offered = metadata["acr_values_supported"].as_array().unwrap();
        let offered = offered.iter().filter_map(Value::as_str).collect::<Vec<_>>();
        let acr_values = offered.join(" ");
        let tokens = suite.tokens(&mut suite.server.browser(), &[("acr_values", Some(&acr_values))]).await;
        assert!(offered.contains(&tokens.id_claims()["acr"].as_str().unwrap()));
    }

    pub(crate) async fn oidcc_codereuse(suite: &Suite) {
        reuse_after(suite, 0).await;
    }

    pub(crate) async fn oidcc_codereuse_30seconds(suite: &Suite) {
        reuse_after(suite, 30).await;
    }

    async fn reuse_after(suite: &Suite, seconds: i64) {
        let (answer, _) = suite.go(&mut suite.server.browser(), &suite.url(&[])).await;
        let tokens = suite.redeem(&answer, false).await;
        suite.server.clock().advance(seconds);
        is_error(&suite.redeem_raw(answer.get("code").unwrap()).await, 400, "invalid_grant", "reuse");
        let userinfo = suite.rp.userinfo(&suite.server.browser(), tokens.access_token()).await;
        assert_eq!(userinfo.status, 401, "and what the first use got is revoked");
    }

    pub(crate) async fn oidcc_ensure_registered_redirect_uri(suite: &Suite) {
        let elsewhere = suite.url(&[("redirect_uri", Some("https://evil.example/callback"))]);
        is_page(&suite.server.browser().get(&elsewhere).await, "an unregistered redirect_uri");
    }

    pub(crate) async fn oidcc_ensure_post_request_succeeds(suite: &Suite) {
        let address = suite.url(&[]);
        let (path, query) = address.split_once('?').unwrap();
        let fields = form_urlencoded::parse(query.as_bytes()).into_owned().collect::<Vec<_>>();
        let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>();
        let mut browser = suite.server.browser();
        let reply = browser.post(path, &fields).await;
        let page = browser.follow(reply).await;
        is_sign_in(&page, "a request by POST");
        let reply = browser.submit(&page, &[("username", "alice"), ("password", "alice")]).await;
        suite.redeem(&suite.answer(&reply).unwrap(), false).await;
    }

    pub(crate) async fn oidcc_server_client_secret_post(suite: &Suite) {
        let (answer, _) = suite.go(&mut suite.server.browser(), &suite.url(&[])).await;
        let by_form = Rp { secret: None, ..suite.rp.clone() };
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", answer.get("code").unwrap()),
            ("redirect_uri", &suite.rp.redirect_uri),
            ("client_secret", "web-secret"),
        ];
        assert!(by_form.tokens(&suite.server.browser(), &fields).await.is_ok());
    }

    /// `oidcc-unsigned-request-object-…`, `oidcc-request-uri-unsigned-…`, `oidcc-ensure-request-object-with-redirect-uri`:
    /// what is not offered is refused; a request object is never passed over in silence.
    pub(crate) async fn oidcc_unsigned_request_objects_are_refused_and_never_ignored(suite: &Suite) {
        let metadata = suite.metadata().await;
        let algorithms = metadata["request_object_signing_alg_values_supported"].as_array().cloned();
        assert!(!algorithms.unwrap_or_default().iter().any(|alg| alg == "none"));
        // {"alg":"none"} . {"state":"inside","redirect_uri":"https://evil.example/"} .
        let object = "eyJhbGciOiJub25lIn0.eyJzdGF0ZSI6Imluc2lkZSIsInJlZGlyZWN0X3VyaSI6Imh0dHBzOi8vZXZpbC5leGFtcGxlLyJ9.";
        for (name, value, expected) in [
            ("request", object, &["request_not_supported", "invalid_request_object", "invalid_request"][..]),
            (
                "request_uri",
                "https://suite.example/object.jwt",
                &["request_uri_not_supported", "invalid_request_uri", "invalid_request"],
            ),
        ] {
            let reply = suite.server.browser().open(&suite.url(&[(name, Some(value))])).await;
            assert!(attribute(&reply, "form#kc-form-login", "action").is_none(), "{name} was ignored");
            match suite.answer(&reply) {
                Some(answer) => assert!(expected.contains(&answer.get("error").unwrap()), "{answer:?}"),
                None => is_page(&reply, name),
            }
        }
        let evil = [("request", Some(object)), ("redirect_uri", Some("https://evil.example/"))];
        is_page(
            &suite.server.browser().get(&suite.url(&evil)).await,
            "the outer redirect_uri is not registered",
        );
    }

    pub(crate) async fn oidcc_claims_essential(suite: &Suite) {
        let asked = r#"{"userinfo":{"name":{"essential":true}}}"#;
        let tokens = suite.tokens(&mut suite.server.browser(), &[("claims", Some(asked))]).await;
        let told = suite.rp.userinfo(&suite.server.browser(), tokens.access_token()).await.json();
        assert_eq!((&told["name"], &told["email"]), (&"Alice Adams".into(), &Value::Null), "{told}");
        has_none(&tokens.id_claims(), "what is asked for at userinfo comes there");
    }

    pub(crate) async fn oidcc_refresh_token(suite: &Suite) {
        let metadata = suite.metadata().await;
        let grants = metadata["grant_types_supported"].as_array().unwrap();
        assert!(grants.iter().any(|grant| grant == "refresh_token"));
        let changes = [("scope", Some("openid offline_access")), ("prompt", Some("consent"))];
        let first = suite.tokens(&mut suite.server.browser(), &changes).await;
        suite.server.clock().advance(2);
        let browser = suite.server.browser();
        let other = suite.server.rp("third-party", Some("third-party-secret"));
        let stolen = other.refresh(&browser, first.refresh_token()).await.unwrap_err();
        is_error(&stolen, 400, "invalid_grant", "another client");
        let second = suite.rp.refresh(&browser, first.refresh_token()).await.unwrap();
        assert!(second.text("token_type").eq_ignore_ascii_case("bearer"));
        assert_ne!(second.access_token(), first.access_token());
        let (before, after) = (first.id_claims(), second.id_claims());
        for kept in ["iss", "sub", "aud", "azp", "auth_time"] {
            assert_eq!(after[kept], before[kept], "{kept} (Core §12.2)");
        }
        assert!(after["nonce"].is_null() || after["nonce"] == before["nonce"]);
        assert!(after["iat"].as_i64() > before["iat"].as_i64());
        assert_eq!(claims(second.access_token())["sub"], before["sub"]);
    }

    pub(crate) async fn oidcc_ensure_request_with_valid_pkce_succeeds(suite: &Suite) {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
        let verifier = alphabet.chars().cycle().take(128).collect::<String>();
        let challenge = pkce::s256(&verifier);
        let changes = [("code_challenge", Some(challenge.as_str())), ("code_challenge_method", Some("S256"))];
        let (answer, _) = suite.go(&mut suite.server.browser(), &suite.url(&changes)).await;
        suite.check_answer(&answer);
        let rp = Rp { verifier, ..suite.rp.clone() };
        assert!(rp.redeem(&suite.server.browser(), answer.get("code").unwrap()).await.is_ok());
    }
}
