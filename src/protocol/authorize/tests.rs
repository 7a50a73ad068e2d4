use std::collections::BTreeSet;

use super::*;
use crate::clock::Timestamp;
use crate::protocol::client::{Client, ClientAuthentication, ClientSettings, GrantType};
use crate::protocol::confirmation::Confirmation;
use crate::protocol::consent::Consent;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::realm::RealmSettings;
use crate::protocol::redirect_uri::Strictness;
use crate::protocol::register::Registered;
use crate::protocol::session::Session;

fn client() -> Client {
    let settings = ClientSettings {
        authentication: ClientAuthentication::Secret,
        grants: BTreeSet::from([GrantType::AuthorizationCode]),
        redirect_uris: vec!["https://app.example/cb".into(), "https://app.example/other?x=1".into()],
        ..ClientSettings::default()
    };
    Client {
        id: "1".into(),
        realm_id: "r".into(),
        client_id: "app".into(),
        enabled: true,
        secret_hash: None,
        settings,
    }
}

fn valid() -> RequestParameters {
    let pairs = [
        ("client_id", "app"),
        ("redirect_uri", "https://app.example/cb"),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "s&t"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    RequestParameters(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
}

fn with(change: &[(&str, Option<&str>)]) -> RequestParameters {
    let mut parameters = valid();
    for (name, value) in change {
        match value {
            Some(value) => parameters.0.insert((*name).to_owned(), (*value).to_owned()),
            None => parameters.0.remove(*name),
        };
    }
    parameters
}

fn read(parameters: &RequestParameters) -> Result<AuthorizationRequest, OAuthError> {
    let target = Target::prove(parameters, Some(&client()), Strictness::Serve).expect("a target");
    AuthorizationRequest::read(parameters, &client(), target)
}

#[test]
fn r06_no_redirect_while_client_or_redirect_uri_is_in_doubt() {
    let disabled = Client { enabled: false, ..client() };
    for (case, parameters, client, refusal) in [
        ("a no redirect_uri", with(&[("redirect_uri", None)]), Some(client()), NoTarget::RedirectUriMissing),
        (
            "c unregistered",
            with(&[("redirect_uri", Some("https://evil.test/"))]),
            Some(client()),
            NoTarget::RedirectUriUnregistered,
        ),
        ("d unknown client", valid(), None, NoTarget::ClientUnknown),
        ("e disabled client", valid(), Some(disabled), NoTarget::ClientUnknown),
        ("no client_id", with(&[("client_id", None)]), Some(client()), NoTarget::ClientMissing),
    ] {
        assert_eq!(Target::prove(&parameters, client.as_ref(), Strictness::Serve), Err(refusal), "{case}");
    }
}

#[test]
fn p08_refusals_that_go_to_the_client() {
    for (case, change, code) in [
        ("a token", ("response_type", Some("token")), ErrorCode::UnsupportedResponseType),
        ("a hybrid", ("response_type", Some("code token")), ErrorCode::UnsupportedResponseType),
        ("a missing", ("response_type", None), ErrorCode::InvalidRequest),
        ("b none and login", ("prompt", Some("none login")), ErrorCode::InvalidRequest),
        ("unknown prompt", ("prompt", Some("dance")), ErrorCode::InvalidRequest),
        ("d negative age", ("max_age", Some("-1")), ErrorCode::InvalidRequest),
        ("d a word", ("max_age", Some("abc")), ErrorCode::InvalidRequest),
        ("d too large", ("max_age", Some("100000000000000000000")), ErrorCode::InvalidRequest),
        ("no PKCE", ("code_challenge", None), ErrorCode::InvalidRequest),
        ("mode", ("response_mode", Some("smoke")), ErrorCode::InvalidRequest),
    ] {
        assert_eq!(read(&with(&[change])).unwrap_err().code, code, "{case}");
    }
    assert!(read(&valid()).is_ok());
}

#[test]
fn rfc9207_answers_name_the_issuer_and_keep_the_state() {
    let grant = |change: &[(&str, Option<&str>)]| {
        let target = Target::prove(&with(change), Some(&client()), Strictness::Serve).unwrap();
        target.grant("c".into(), "sid", "https://op", None).deliver()
    };
    let tail = "code=c&session_state=sid&iss=https%3A%2F%2Fop&state=s%26t";
    for (case, change, start) in [
        ("query", vec![], "https://app.example/cb?"),
        ("fragment", vec![("response_mode", Some("fragment"))], "https://app.example/cb#"),
        (
            "own query kept",
            vec![("redirect_uri", Some("https://app.example/other?x=1"))],
            "https://app.example/other?x=1&",
        ),
    ] {
        assert_eq!(grant(&change), Delivery::Redirect(format!("{start}{tail}")), "{case}");
    }
    let Delivery::FormPost { action, fields } = grant(&[("response_mode", Some("form_post"))]) else {
        panic!("form_post answers with a form");
    };
    assert_eq!((action.as_str(), fields.len()), ("https://app.example/cb", 4));
}

#[test]
fn an_app_hears_what_became_of_the_action_that_it_asked_for() {
    for (acted, status) in
        [(Some(Outcome::Success), "success"), (Some(Outcome::Cancelled), "cancelled"), (None, "error")]
    {
        let parameters = with(&[("kc_action", Some("UPDATE_PASSWORD"))]);
        let target = Target::prove(&parameters, Some(&client()), Strictness::Serve).unwrap();
        let Delivery::Redirect(address) = target.grant("c".into(), "sid", "https://op", acted).deliver()
        else {
            panic!("the query carries it");
        };
        assert!(
            address.contains(&format!("&kc_action_status={status}&kc_action=UPDATE_PASSWORD&")),
            "{address}"
        );
    }
}

/// JARM §2.1: what would have stood in the open, with the audience and a short life.
#[test]
fn jarm_signed_answers_show_nothing_but_the_response() {
    let answer = |mode| {
        let parameters = with(&[("response_mode", Some(mode))]);
        let target = Target::prove(&parameters, Some(&client()), Strictness::Serve).unwrap();
        target.grant("c".into(), "sid", "https://op", None)
    };
    for (mode, delivered) in [
        ("jwt", Some("https://app.example/cb?response=signed")),
        ("query.jwt", Some("https://app.example/cb?response=signed")),
        ("fragment.jwt", Some("https://app.example/cb#response=signed")),
        ("form_post.jwt", None),
    ] {
        let claims = answer(mode).claims("app", Timestamp(1_000)).expect(mode);
        let expected = serde_json::json!({
            "iss": "https://op", "aud": "app", "iat": 1_000, "exp": 1_300, "code": "c", "session_state": "sid",
            "state": "s&t",
        });
        assert_eq!(serde_json::Value::Object(claims), expected, "{mode}");
        let delivery = answer(mode).signed("signed".into()).deliver();
        let expected = match delivered {
            Some(address) => Delivery::Redirect(address.to_owned()),
            None => Delivery::FormPost {
                action: "https://app.example/cb".into(),
                fields: vec![("response", "signed".into())],
            },
        };
        assert_eq!(delivery, expected, "{mode}");
    }
    assert_eq!(answer("query").claims("app", Timestamp(1_000)), None);
    for mode in ResponseMode::NAMES {
        assert!(ResponseMode::read(Some(mode)).is_some(), "{mode}");
    }
    for mode in ["", "jwt.jwt", "queryjwt", ".jwt", "smoke", "smoke.jwt", "query.jwt.jwt", "JWT"] {
        assert_eq!(ResponseMode::read(Some(mode)), None, "{mode}");
    }
}

const T0: Timestamp = Timestamp(10_000);

fn session(auth_time: i64) -> Session {
    Session {
        id: "sid".into(),
        realm_id: "r".into(),
        user_id: "alice".into(),
        auth_time: Timestamp(auth_time),
        acr: "1".into(),
        remembered: false,
        started_at: Timestamp(auth_time),
        last_seen_at: Timestamp(auth_time),
        ended_at: None,
        address: String::new(),
        user_agent: String::new(),
    }
}

/// (name, change to the request, `auth_time` of the session, hinted subject, expected)
type Row<'a> = (&'a str, &'a [(&'a str, Option<&'a str>)], Option<i64>, Option<&'a str>, Decision);

#[test]
fn who_must_sign_in() {
    let again = Decision::SignIn { again: true };
    let login_required = Decision::Refuse(ErrorCode::LoginRequired);
    let anybody = Decision::SignIn { again: false };
    let rows: [Row<'_>; 18] = [
        ("nobody", &[], None, None, Decision::SignIn { again: false }),
        ("somebody", &[], Some(9_000), None, Decision::Issue),
        ("c prompt=none, nobody", &[("prompt", Some("none"))], None, None, login_required),
        ("prompt=none, somebody", &[("prompt", Some("none"))], Some(9_000), None, Decision::Issue),
        ("prompt=login", &[("prompt", Some("login"))], Some(9_000), None, again),
        ("prompt=login, done", &[("prompt", Some("login"))], Some(10_001), None, Decision::Issue),
        ("prompt=login in the second of a sign-in", &[("prompt", Some("login"))], Some(10_000), None, again),
        (
            "select_account leaves the choice",
            &[("prompt", Some("select_account"))],
            Some(9_000),
            None,
            anybody,
        ),
        ("and login", &[("prompt", Some("login select_account"))], Some(9_000), None, anybody),
        ("hint of another", &[], Some(9_000), Some("bob"), anybody),
        ("max_age over", &[("max_age", Some("100"))], Some(9_000), None, again),
        ("max_age within", &[("max_age", Some("5000"))], Some(9_000), None, Decision::Issue),
        ("e max_age=0", &[("max_age", Some("0"))], Some(9_999), None, again),
        ("e max_age=0, done", &[("max_age", Some("0"))], Some(10_001), None, Decision::Issue),
        ("idle session", &[], Some(7_000), None, Decision::SignIn { again: false }),
        ("hint of the same", &[("prompt", Some("none"))], Some(9_000), Some("alice"), Decision::Issue),
        (
            "g hint of another, prompt=none",
            &[("prompt", Some("none"))],
            Some(9_000),
            Some("bob"),
            login_required,
        ),
        ("hint of another, then signed in as alice", &[], Some(10_001), Some("bob"), login_required),
    ];
    for (case, change, auth_time, hinted_subject, expected) in rows {
        let session = auth_time.map(session);
        let facts = Facts {
            received_at: T0,
            now: T0.plus(5),
            session: session.as_ref(),
            signed_in_here: false,
            hinted_subject,
            asks: &[],
            asks_details: false,
            consent: None,
            consented_now: false,
            acted: false,
        };
        let request = read(&with(change)).expect(case);
        assert_eq!(decide(&request, &client(), &RealmSettings::default(), &facts), expected, "{case}");
    }
}

/// Keycloak's `kc_action`: the person who is signed in does it once, and not in a browser that was left open.
#[test]
fn an_action_is_done_by_whom_signed_in_a_moment_ago() {
    let act = Decision::Act;
    for (case, action, prompt, auth_time, acted, expected) in [
        ("a moment ago", "UPDATE_PASSWORD", None, Some(9_705), false, act),
        ("too long ago", "UPDATE_PASSWORD", None, Some(9_704), false, Decision::SignIn { again: true }),
        ("nobody is signed in", "UPDATE_PASSWORD", None, None, false, Decision::SignIn { again: false }),
        ("signed in for it", "CONFIGURE_TOTP", Some("login"), Some(10_001), false, act),
        (
            "without a page",
            "TERMS_AND_CONDITIONS",
            Some("none"),
            Some(9_999),
            false,
            Decision::Refuse(ErrorCode::InteractionRequired),
        ),
        (
            "nor a sign-in",
            "UPDATE_PROFILE",
            Some("none"),
            Some(9_000),
            false,
            Decision::Refuse(ErrorCode::InteractionRequired),
        ),
        ("it is over", "UPDATE_PROFILE", None, Some(9_000), true, Decision::Issue),
        ("it has no page", "webauthn-register", Some("none"), Some(9_000), false, Decision::Issue),
    ] {
        let session = auth_time.map(session);
        let facts = Facts {
            received_at: T0,
            now: T0.plus(5),
            session: session.as_ref(),
            signed_in_here: false,
            hinted_subject: None,
            asks: &[],
            asks_details: false,
            consent: None,
            consented_now: false,
            acted,
        };
        let request = read(&with(&[("kc_action", Some(action)), ("prompt", prompt)])).expect(case);
        assert_eq!(decide(&request, &client(), &RealmSettings::default(), &facts), expected, "{case}");
    }
}

#[test]
fn who_chooses_another_account_is_asked_for_what_the_client_asked() {
    for (before, after) in [
        (None, "select_account"),
        (Some("login"), "select_account"),
        (Some("consent"), "select_account consent"),
        (Some("login consent"), "select_account consent"),
    ] {
        let chosen = with(&[("prompt", before)]).choosing_account();
        assert_eq!(chosen.get("prompt"), Some(after), "{before:?}");
        assert_eq!(chosen.get("state"), Some("s&t"), "{before:?}");
    }
}

#[test]
fn a_sign_in_on_the_page_of_the_request_counts_within_the_second() {
    let session = session(10_000);
    let facts = |signed_in_here| Facts {
        received_at: T0,
        now: T0,
        session: Some(&session),
        signed_in_here,
        hinted_subject: None,
        asks: &[],
        asks_details: false,
        consent: None,
        consented_now: false,
        acted: false,
    };
    for change in [("prompt", Some("login")), ("max_age", Some("0"))] {
        let request = read(&with(&[change])).expect("a request");
        let after = |here| decide(&request, &client(), &RealmSettings::default(), &facts(here));
        assert_eq!(after(false), Decision::SignIn { again: true }, "{change:?}");
        assert_eq!(after(true), Decision::Issue, "{change:?}");
    }
}

/// OAuth 2.1 §7.3.1: which app answers at a loopback port or a scheme of its own is anybody's guess.
#[test]
fn s07_consent_is_remembered_where_the_app_is_surely_the_same() {
    let session = session(9_000);
    let consent = Consent {
        realm_id: "r".into(),
        user_id: "alice".into(),
        client: "1".into(),
        scopes: BTreeSet::from(["profile".to_owned()]),
        granted_at: T0,
        updated_at: T0,
    };
    for (public, uri, expected) in [
        (false, "https://app.example/cb", Decision::Issue),
        (false, "http://127.0.0.1:4000/cb", Decision::Issue),
        (true, "https://app.example/cb", Decision::Issue),
        (true, "http://127.0.0.1:4000/cb", Decision::AskConsent),
        (true, "com.example.app:/cb", Decision::AskConsent),
    ] {
        let mut client = client();
        client.settings.consent = true;
        client.settings.redirect_uris = vec![uri.to_owned()];
        if public {
            client.settings.authentication = ClientAuthentication::None;
        }
        let parameters = with(&[("redirect_uri", Some(uri))]);
        let target = Target::prove(&parameters, Some(&client), Strictness::Serve).expect(uri);
        let request = AuthorizationRequest::read(&parameters, &client, target).expect(uri);
        let facts = Facts {
            received_at: T0,
            now: T0.plus(5),
            session: Some(&session),
            signed_in_here: false,
            hinted_subject: None,
            asks: &["profile".to_owned()],
            asks_details: false,
            consent: Some(&consent),
            consented_now: false,
            acted: false,
        };
        let decision = decide(&request, &client, &RealmSettings::default(), &facts);
        assert_eq!(decision, expected, "{uri}, public: {public}");
    }
}

#[test]
fn when_consent_is_asked() {
    let mut asking = client();
    asking.settings.consent = true;
    let session = session(9_000);
    let asks = ["profile".to_owned(), "email".to_owned()];
    let consent = |scopes: &[&str]| Consent {
        realm_id: "r".into(),
        user_id: "alice".into(),
        client: "1".into(),
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        granted_at: T0,
        updated_at: T0,
    };
    let silent: &[(&str, Option<&str>)] = &[("prompt", Some("none"))];
    let prompted: &[(&str, Option<&str>)] = &[("prompt", Some("consent"))];
    for (case, client, change, given, now, expected) in [
        ("not asked of a trusted client", client(), &[][..], None, false, Decision::Issue),
        ("asked", asking.clone(), &[], None, false, Decision::AskConsent),
        (
            "remembered",
            asking.clone(),
            &[],
            Some(consent(&["profile", "email", "x"])),
            false,
            Decision::Issue,
        ),
        ("S07 grown", asking.clone(), &[], Some(consent(&["profile"])), false, Decision::AskConsent),
        ("prompt=none", asking.clone(), silent, None, false, Decision::Refuse(ErrorCode::ConsentRequired)),
        (
            "prompt=consent",
            client(),
            prompted,
            Some(consent(&["profile", "email"])),
            false,
            Decision::AskConsent,
        ),
        ("just given", asking, prompted, None, true, Decision::Issue),
    ] {
        let facts = Facts {
            received_at: T0,
            now: T0.plus(5),
            session: Some(&session),
            signed_in_here: false,
            hinted_subject: None,
            asks: &asks,
            asks_details: false,
            consent: given.as_ref(),
            consented_now: now,
            acted: false,
        };
        let request = read(&with(change)).expect(case);
        assert_eq!(decide(&request, &client, &RealmSettings::default(), &facts), expected, "{case}");
    }
}

#[test]
fn rfc9449_10_a_request_names_the_key_of_its_code() {
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    assert_eq!(read(&valid()).unwrap().confirmation, None);
    let named = with(&[("dpop_jkt", Some(jkt))]);
    assert_eq!(read(&named).unwrap().confirmation, Some(Confirmation::Jkt(jkt.into())));
    let refusal = read(&with(&[("dpop_jkt", Some("thumbprint"))])).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::InvalidRequest);
}

#[test]
fn rfc9449_10_1_a_pushed_request_is_bound_by_its_proof() {
    let key = Confirmation::Jkt("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".into());
    let mut plain = valid();
    plain.bind(&key).unwrap();
    assert_eq!(read(&plain).unwrap().confirmation, Some(key.clone()));
    plain.bind(&key).unwrap();
    let other = Confirmation::Jkt("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".into());
    assert_eq!(plain.bind(&other).unwrap_err().code, ErrorCode::InvalidDpopProof);
    assert_eq!(read(&plain).unwrap().confirmation, Some(key), "nothing changes");
}

/// OpenID Connect Registration 1.0 §2: what was registered is asked for where the request says nothing.
#[test]
fn registration_2_defaults_of_the_client() {
    let mut client = client();
    client.settings.registered = Some(Registered {
        default_max_age: Some(60),
        default_acr_values: vec!["gold".into(), "silver".into()],
        ..Registered::default()
    });
    let wish = |request: &AuthorizationRequest| request.acr.clone().map(|wish| wish.values);
    for (changes, age, values) in [
        (vec![], Some(60), vec!["gold", "silver"]),
        (vec![("max_age", Some("300"))], Some(300), vec!["gold", "silver"]),
        (vec![("acr_values", Some("bronze"))], Some(60), vec!["bronze"]),
        (
            vec![("claims", Some(r#"{"id_token":{"acr":{"essential":true,"values":["iron"]}}}"#))],
            Some(60),
            vec!["iron"],
        ),
    ] {
        let parameters = with(&changes);
        let target = Target::prove(&parameters, Some(&client), Strictness::Serve).unwrap();
        let request = AuthorizationRequest::read(&parameters, &client, target).unwrap();
        let values = values.into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!((request.max_age, wish(&request)), (age, Some(values)), "{changes:?}");
    }
}
