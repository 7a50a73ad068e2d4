//! The authorization request (OpenID Connect Core §3.1.2, RFC 6749 §4.1.1): reading it, and deciding what comes next.
//!
//! A request is read in two steps. [`Target::prove`] settles where an answer may go; until it has, a refusal is a page.
//! [`AuthorizationRequest::read`] settles the rest; its refusals go to the target. [`decide`] is run when the request
//! arrives and again after each page, so that no page can be skipped: the state is in the records, not in the flow.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::client::{Client, GrantType};
use super::consent::Consent;
use super::error::{ErrorCode, OAuthError};
use super::pkce;
use super::realm::RealmSettings;
use super::redirect_uri::{self, Strictness};
use super::session::Session;
use crate::clock::Timestamp;

/// The parameters of a request, each at most once, empty ones left out (OAuth 2.1 §3.1). They wait in sealed form
/// while pages are shown, and are read anew after each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestParameters(pub BTreeMap<String, String>);

impl RequestParameters {
    /// Every parameter that means something to the authorization endpoint; others are ignored (RFC 6749 §3.1).
    pub const KNOWN: [&str; 17] = [
        "acr_values",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "id_token_hint",
        "login_hint",
        "max_age",
        "nonce",
        "prompt",
        "redirect_uri",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
        "ui_locales",
    ];

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// How an answer travels (OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    #[default]
    Query,
    /// In its fragment.
    Fragment,
    /// As a form that the browser posts.
    FormPost,
}

/// Where the answer to a request may go. Only [`Target::prove`] makes one, so that a redirect to an address that was
/// not registered cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    redirect_uri: String,
    mode: ResponseMode,
    state: Option<String>,
}

/// Why a request cannot be answered at the client: the person gets a page instead (RFC 6749 §4.1.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTarget {
    /// `client_id` is missing.
    ClientMissing,
    /// No such client, or it is switched off.
    ClientUnknown,
    /// `redirect_uri` is missing (OpenID Connect Core §3.1.2.1 asks for it).
    RedirectUriMissing,
    /// `redirect_uri` is not one of those that are registered.
    RedirectUriUnregistered,
}

impl Target {
    /// Proves that the request's `redirect_uri` is registered for `client` (none = unknown).
    ///
    /// # Errors
    /// [`NoTarget`] when there is nowhere that an answer may go.
    pub fn prove(
        parameters: &RequestParameters,
        client: Option<&Client>,
        strictness: Strictness,
    ) -> Result<Self, NoTarget> {
        parameters.get("client_id").ok_or(NoTarget::ClientMissing)?;
        let client = client.filter(|client| client.enabled).ok_or(NoTarget::ClientUnknown)?;
        let requested = parameters.get("redirect_uri").ok_or(NoTarget::RedirectUriMissing)?;
        let registered = client.settings.redirect_uris.iter().any(|registered| {
            redirect_uri::matches(registered, requested, strictness, client.settings.native)
        });
        if !registered {
            return Err(NoTarget::RedirectUriUnregistered);
        }
        Ok(Self {
            redirect_uri: requested.to_owned(),
            mode: mode(parameters.get("response_mode")).unwrap_or_default(),
            state: parameters.get("state").map(str::to_owned),
        })
    }

    /// The proven redirect URI.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The answer that refuses (RFC 6749 §4.1.2.1, with `iss` of RFC 9207).
    #[must_use]
    pub fn refuse(&self, error: &OAuthError, issuer: &str) -> Answer {
        self.answer(
            vec![
                ("error", error.code.wire().into()),
                ("error_description", error.description.clone().into_owned()),
            ],
            issuer,
        )
    }

    /// The answer that carries a code (RFC 6749 §4.1.2, with `iss` of RFC 9207 and Keycloak's `session_state`).
    #[must_use]
    pub fn grant(&self, code: String, session_id: &str, issuer: &str) -> Answer {
        self.answer(vec![("code", code), ("session_state", session_id.into())], issuer)
    }

    fn answer(&self, mut fields: Vec<(&'static str, String)>, issuer: &str) -> Answer {
        fields.push(("iss", issuer.to_owned()));
        if let Some(state) = &self.state {
            fields.push(("state", state.clone()));
        }
        let encoded = || {
            let mut pairs = form_urlencoded::Serializer::new(String::new());
            pairs.extend_pairs(&fields);
            pairs.finish()
        };
        match self.mode {
            ResponseMode::Query => {
                let separator = if self.redirect_uri.contains('?') { '&' } else { '?' };
                Answer::Redirect(format!("{}{separator}{}", self.redirect_uri, encoded()))
            }
            ResponseMode::Fragment => Answer::Redirect(format!("{}#{}", self.redirect_uri, encoded())),
            ResponseMode::FormPost => Answer::FormPost { action: self.redirect_uri.clone(), fields },
        }
    }
}

/// An answer on its way to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The browser goes to this address.
    Redirect(String),
    /// The browser posts these fields.
    FormPost {
        /// Where to.
        action: String,
        /// Names and values.
        fields: Vec<(&'static str, String)>,
    },
}

fn mode(value: Option<&str>) -> Option<ResponseMode> {
    match value {
        None | Some("query") => Some(ResponseMode::Query),
        Some("fragment") => Some(ResponseMode::Fragment),
        Some("form_post") => Some(ResponseMode::FormPost),
        Some(_) => None,
    }
}

/// A request that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Where the answer goes.
    pub target: Target,
    /// `scope` as asked.
    pub scope: Option<String>,
    /// `nonce`, echoed in the ID token.
    pub nonce: Option<String>,
    /// S256 challenge.
    pub code_challenge: Option<String>,
    /// What the client wants the person to be asked.
    pub prompt: BTreeSet<Prompt>,
    /// Greatest age of the sign-in, in seconds.
    pub max_age: Option<i64>,
    /// What to put into the user name field.
    pub login_hint: Option<String>,
    /// `id_token_hint`, to be verified by who holds the keys.
    pub id_token_hint: Option<String>,
}

/// A value of `prompt` (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prompt {
    /// Show no page.
    None,
    /// Ask for the password again.
    Login,
    /// Ask for consent again.
    Consent,
    /// Let the person choose an account: here, sign in again.
    SelectAccount,
}

impl AuthorizationRequest {
    /// Reads the rest of a request whose target is proven. The scope is read by `scope::grant`.
    ///
    /// # Errors
    /// The refusal to send to the target.
    pub fn read(parameters: &RequestParameters, client: &Client, target: Target) -> Result<Self, OAuthError> {
        response_type(parameters)?;
        if parameters.get("request").is_some() {
            return Err(OAuthError::new(ErrorCode::RequestNotSupported, "Request objects are not supported"));
        }
        if parameters.get("request_uri").is_some() {
            return Err(OAuthError::new(ErrorCode::RequestUriNotSupported, "request_uri is not supported"));
        }
        if mode(parameters.get("response_mode")).is_none() {
            return Err(OAuthError::new(
                ErrorCode::InvalidRequest,
                "response_mode must be query, fragment or form_post",
            ));
        }
        if !client.may(GrantType::AuthorizationCode) {
            return Err(OAuthError::new(
                ErrorCode::UnauthorizedClient,
                "The client may not use the authorization code grant",
            ));
        }
        let code_challenge = pkce::challenge(
            client,
            parameters.get("code_challenge"),
            parameters.get("code_challenge_method"),
        )?;
        Ok(Self {
            target,
            scope: parameters.get("scope").map(str::to_owned),
            nonce: parameters.get("nonce").map(str::to_owned),
            code_challenge,
            prompt: prompt(parameters.get("prompt"))?,
            max_age: max_age(parameters.get("max_age"))?,
            login_hint: parameters.get("login_hint").map(str::to_owned),
            id_token_hint: parameters.get("id_token_hint").map(str::to_owned),
        })
    }
}

fn response_type(parameters: &RequestParameters) -> Result<(), OAuthError> {
    match parameters.get("response_type") {
        Some("code") => Ok(()),
        Some(_) => Err(OAuthError::new(ErrorCode::UnsupportedResponseType, "response_type must be code")),
        None => Err(OAuthError::new(ErrorCode::InvalidRequest, "response_type is missing")),
    }
}

fn prompt(value: Option<&str>) -> Result<BTreeSet<Prompt>, OAuthError> {
    let prompts = value
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(|word| match word {
            "none" => Ok(Prompt::None),
            "login" => Ok(Prompt::Login),
            "consent" => Ok(Prompt::Consent),
            "select_account" => Ok(Prompt::SelectAccount),
            _ => Err(OAuthError::new(
                ErrorCode::InvalidRequest,
                "prompt must be none, login, consent or select_account",
            )),
        })
        .collect::<Result<BTreeSet<_>, _>>()?;
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return Err(OAuthError::new(ErrorCode::InvalidRequest, "prompt=none allows no other prompt"));
    }
    Ok(prompts)
}

fn max_age(value: Option<&str>) -> Result<Option<i64>, OAuthError> {
    value
        .map(|text| {
            text.parse::<u32>().map(i64::from).map_err(|_| {
                OAuthError::new(ErrorCode::InvalidRequest, "max_age must be a number of seconds")
            })
        })
        .transpose()
}

/// What is known when a request is decided.
pub struct Facts<'a> {
    /// When the request arrived.
    pub received_at: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// The browser's session, if its user is enabled.
    pub session: Option<&'a Session>,
    /// Whether that session's last sign-in was made on the page of this very request. Times alone cannot say: they
    /// are whole seconds, and a request may arrive in the second of an earlier sign-in.
    pub signed_in_here: bool,
    /// Whom the client believes to be signed in: the subject of a verified `id_token_hint`.
    pub hinted_subject: Option<&'a str>,
    /// The scopes that need consent.
    pub asks: &'a [String],
    /// What the user allowed this client before.
    pub consent: Option<&'a Consent>,
    /// Whether the person has just pressed "yes" on the consent page of this request.
    pub consented_now: bool,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Show the sign-in page.
    SignIn {
        /// Somebody is signed in, and must prove it again.
        again: bool,
    },
    /// Show the consent page.
    AskConsent,
    /// Issue a code.
    Issue,
    /// Refuse, to the client.
    Refuse(ErrorCode),
}

/// Decides what comes next (OpenID Connect Core §3.1.2.3 and §3.1.2.4).
#[must_use]
pub fn decide(
    request: &AuthorizationRequest,
    client: &Client,
    settings: &RealmSettings,
    facts: &Facts<'_>,
) -> Decision {
    let silent = request.prompt.contains(&Prompt::None);
    let session = facts.session.filter(|session| session.is_live(settings, facts.now));
    let Some(session) = session else {
        return if silent {
            Decision::Refuse(ErrorCode::LoginRequired)
        } else {
            Decision::SignIn { again: false }
        };
    };
    let signed_in_for_this = facts.signed_in_here || session.auth_time > facts.received_at;
    let other_person = facts.hinted_subject.is_some_and(|subject| subject != session.user_id);
    if other_person && (silent || signed_in_for_this) {
        return Decision::Refuse(ErrorCode::LoginRequired);
    }
    if other_person || (!signed_in_for_this && must_prove_again(request, session, facts.now)) {
        return if silent {
            Decision::Refuse(ErrorCode::LoginRequired)
        } else {
            Decision::SignIn { again: !other_person }
        };
    }
    if must_ask_consent(request, client, facts) {
        return if silent { Decision::Refuse(ErrorCode::ConsentRequired) } else { Decision::AskConsent };
    }
    Decision::Issue
}

fn must_prove_again(request: &AuthorizationRequest, session: &Session, now: Timestamp) -> bool {
    request.prompt.contains(&Prompt::Login)
        || request.prompt.contains(&Prompt::SelectAccount)
        || request.max_age.is_some_and(|max_age| now.since(session.auth_time) >= max_age)
}

fn must_ask_consent(request: &AuthorizationRequest, client: &Client, facts: &Facts<'_>) -> bool {
    if facts.consented_now {
        return false;
    }
    let allowed = |scope: &String| facts.consent.is_some_and(|consent| consent.scopes.contains(scope));
    request.prompt.contains(&Prompt::Consent)
        || (client.settings.consent && (facts.consent.is_none() || !facts.asks.iter().all(allowed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::{ClientAuthentication, ClientSettings};

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
            (
                "a no redirect_uri",
                with(&[("redirect_uri", None)]),
                Some(client()),
                NoTarget::RedirectUriMissing,
            ),
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
            assert_eq!(
                Target::prove(&parameters, client.as_ref(), Strictness::Serve),
                Err(refusal),
                "{case}"
            );
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
            ("h request", ("request", Some("e30.e30.")), ErrorCode::RequestNotSupported),
            ("h request_uri", ("request_uri", Some("https://x")), ErrorCode::RequestUriNotSupported),
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
            let parameters = with(change);
            Target::prove(&parameters, Some(&client()), Strictness::Serve).unwrap().grant(
                "c".into(),
                "sid",
                "https://op",
            )
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
            assert_eq!(grant(&change), Answer::Redirect(format!("{start}{tail}")), "{case}");
        }
        let Answer::FormPost { action, fields } = grant(&[("response_mode", Some("form_post"))]) else {
            panic!("form_post answers with a form");
        };
        assert_eq!((action.as_str(), fields.len()), ("https://app.example/cb", 4));
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
        let rows: [Row<'_>; 16] = [
            ("nobody", &[], None, None, Decision::SignIn { again: false }),
            ("somebody", &[], Some(9_000), None, Decision::Issue),
            ("c prompt=none, nobody", &[("prompt", Some("none"))], None, None, login_required),
            ("prompt=none, somebody", &[("prompt", Some("none"))], Some(9_000), None, Decision::Issue),
            ("prompt=login", &[("prompt", Some("login"))], Some(9_000), None, again),
            ("prompt=login, done", &[("prompt", Some("login"))], Some(10_001), None, Decision::Issue),
            (
                "prompt=login in the second of a sign-in",
                &[("prompt", Some("login"))],
                Some(10_000),
                None,
                again,
            ),
            ("select_account", &[("prompt", Some("select_account"))], Some(9_000), None, again),
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
                consent: None,
                consented_now: false,
            };
            let request = read(&with(change)).expect(case);
            assert_eq!(decide(&request, &client(), &RealmSettings::default(), &facts), expected, "{case}");
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
            consent: None,
            consented_now: false,
        };
        for change in [("prompt", Some("login")), ("max_age", Some("0"))] {
            let request = read(&with(&[change])).expect("a request");
            let after = |here| decide(&request, &client(), &RealmSettings::default(), &facts(here));
            assert_eq!(after(false), Decision::SignIn { again: true }, "{change:?}");
            assert_eq!(after(true), Decision::Issue, "{change:?}");
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
            (
                "prompt=none",
                asking.clone(),
                silent,
                None,
                false,
                Decision::Refuse(ErrorCode::ConsentRequired),
            ),
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
                consent: given.as_ref(),
                consented_now: now,
            };
            let request = read(&with(change)).expect(case);
            assert_eq!(decide(&request, &client, &RealmSettings::default(), &facts), expected, "{case}");
        }
    }
}
