//! Reading a request: parameters to values, each refusal one that the client hears.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ResponseMode, Target};
use crate::protocol::acr;
use crate::protocol::claims_request::ClaimsRequest;
use crate::protocol::client::{Client, GrantType};
use crate::protocol::confirmation::Confirmation;
use crate::protocol::dpop;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::pkce;
use crate::protocol::sign_in_step::Step;

/// The parameters of a request, each at most once, empty ones left out (OAuth 2.1 §3.1). Several values of `resource`
/// (RFC 8707 §2) are one with spaces between, which no URI holds. They wait in sealed form while pages are shown, and are
/// read anew after each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestParameters(pub BTreeMap<String, String>);

impl RequestParameters {
    /// Every parameter that means something to the authorization endpoint; others are ignored (RFC 6749 §3.1).
    pub const KNOWN: &[&str] = &[
        "acr_values",
        "authorization_details",
        "claims",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "dpop_jkt",
        "id_token_hint",
        "kc_action",
        "login_hint",
        "max_age",
        "nonce",
        "prompt",
        "redirect_uri",
        "request",
        "request_uri",
        "resource",
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

    /// The parameter `name` alone.
    #[must_use]
    pub fn only(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(own, _)| *own == name).map(|(n, v)| (n.clone(), v.clone())).collect())
    }

    /// The same request with what `changes` say in the place of what was said before.
    #[must_use]
    pub fn changed_by(mut self, changes: Self) -> Self {
        self.0.extend(changes.0);
        self
    }

    /// The same request with `prompt=select_account` in the place of `login`; whether consent is asked stays as it is.
    #[must_use]
    pub fn choosing_account(&self) -> Self {
        let asks_consent =
            self.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|word| word == "consent"));
        let prompt = if asks_consent { "select_account consent" } else { "select_account" };
        let mut changed = self.clone();
        changed.0.insert("prompt".to_owned(), prompt.to_owned());
        changed
    }

    /// Binds a request that is pushed with a proof to the key of that proof, as its `dpop_jkt` would (RFC 9449 §10.1).
    ///
    /// # Errors
    /// `invalid_dpop_proof` when the request names another key.
    pub fn bind(&mut self, confirmation: &Confirmation) -> Result<(), OAuthError> {
        // A certificate is shown with each request by itself, and binds no code.
        let Confirmation::Jkt(jkt) = confirmation else { return Ok(()) };
        match self.get("dpop_jkt") {
            Some(named) if named != jkt => {
                let why = "dpop_jkt is not the thumbprint of the DPoP proof's key";
                Err(OAuthError::new(ErrorCode::InvalidDpopProof, why))
            }
            _ => {
                self.0.insert("dpop_jkt".to_owned(), jkt.clone());
                Ok(())
            }
        }
    }
}

/// A request that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Where the answer goes.
    pub target: Target,
    /// `scope` as asked.
    pub scope: Option<String>,
    /// `authorization_details` as asked.
    pub authorization_details: Option<String>,
    /// `nonce`, echoed in the ID token.
    pub nonce: Option<String>,
    /// S256 challenge.
    pub code_challenge: Option<String>,
    /// The key that the code is to be bound to: `dpop_jkt` (RFC 9449 §10).
    pub confirmation: Option<Confirmation>,
    /// What the client wants the person to be asked.
    pub prompt: BTreeSet<Prompt>,
    /// Greatest age of the sign-in, in seconds.
    pub max_age: Option<i64>,
    /// What to put into the user name field.
    pub login_hint: Option<String>,
    /// `id_token_hint`, to be verified by who holds the keys.
    pub id_token_hint: Option<String>,
    /// Claims that are asked for one by one, and who must sign in.
    pub claims: ClaimsRequest,
    /// How the person must or should sign in: by `claims`, else by `acr_values`.
    pub acr: Option<acr::Wish>,
    /// What the person is to do before the answer, by `kc_action`; none for an action that has no page here.
    pub action: Option<Step>,
    /// Whom access tokens are to be for (RFC 8707 §2); whether the client may ask so is for `resource` to say.
    pub resources: Vec<String>,
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
    /// Let the person choose an account: here, sign in as whom they like.
    SelectAccount,
}

impl AuthorizationRequest {
    /// Whether no page may be shown (`prompt=none`).
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.prompt.contains(&Prompt::None)
    }

    /// Reads the rest of a request whose target is proven; a request object was read before, by the module of that name. The scope is read by `scope::grant`,
    /// `authorization_details` by the module of that name.
    ///
    /// # Errors
    /// The refusal to send to the target.
    pub fn read(parameters: &RequestParameters, client: &Client, target: Target) -> Result<Self, OAuthError> {
        response_type(parameters)?;
        if ResponseMode::read(parameters.get("response_mode")).is_none() {
            let why =
                "response_mode must be query, fragment or form_post, signed with .jwt at its end, or jwt";
            return Err(OAuthError::new(ErrorCode::InvalidRequest, why));
        }
        if !client.may(GrantType::AuthorizationCode) {
            return Err(OAuthError::new(
                ErrorCode::UnauthorizedClient,
                "The client may not use the authorization code grant",
            ));
        }
        let code_challenge = pkce::challenge(
            client,
            target.strictness(),
            parameters.get("code_challenge"),
            parameters.get("code_challenge_method"),
        )?;
        let claims = ClaimsRequest::read(parameters.get("claims"))?;
        let defaults = client.settings.registered.as_ref();
        let default_acr = defaults.map(|defaults| defaults.default_acr_values.join(" "));
        let acr = claims.acr.clone().filter(|wish| !wish.values.is_empty());
        Ok(Self {
            acr: acr
                .or_else(|| acr::Wish::of_parameter(parameters.get("acr_values").or(default_acr.as_deref()))),
            claims,
            target,
            scope: parameters.get("scope").map(str::to_owned),
            authorization_details: parameters.get("authorization_details").map(str::to_owned),
            nonce: parameters.get("nonce").map(str::to_owned),
            code_challenge,
            confirmation: confirmation(parameters.get("dpop_jkt"))?,
            prompt: prompt(parameters.get("prompt"))?,
            max_age: max_age(parameters.get("max_age"))?
                .or_else(|| defaults.and_then(|defaults| defaults.default_max_age)),
            login_hint: parameters.get("login_hint").map(str::to_owned),
            id_token_hint: parameters.get("id_token_hint").map(str::to_owned),
            action: parameters.get("kc_action").and_then(Step::of_action),
            resources: resources(parameters.get("resource")),
        })
    }
}

fn resources(value: Option<&str>) -> Vec<String> {
    let mut resources: Vec<String> = Vec::new();
    for resource in value.unwrap_or_default().split(' ').filter(|resource| !resource.is_empty()) {
        if !resources.iter().any(|known| known == resource) {
            resources.push(resource.to_owned());
        }
    }
    resources
}

fn response_type(parameters: &RequestParameters) -> Result<(), OAuthError> {
    match parameters.get("response_type") {
        Some("code") => Ok(()),
        Some(_) => Err(OAuthError::new(ErrorCode::UnsupportedResponseType, "response_type must be code")),
        None => Err(OAuthError::new(ErrorCode::InvalidRequest, "response_type is missing")),
    }
}

fn confirmation(dpop_jkt: Option<&str>) -> Result<Option<Confirmation>, OAuthError> {
    match dpop_jkt {
        Some(jkt) if !dpop::is_thumbprint(jkt) => {
            let why = "dpop_jkt must be a SHA-256 thumbprint in base64url";
            Err(OAuthError::new(ErrorCode::InvalidRequest, why))
        }
        jkt => Ok(jkt.map(|jkt| Confirmation::Jkt(jkt.to_owned()))),
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
