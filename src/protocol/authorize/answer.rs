//! Where the answer to a request may go, and how it travels.

use serde_json::{Map, Value};

use super::RequestParameters;
use super::kc_action::{Outcome, is_action};
use crate::clock::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::error::OAuthError;
use crate::protocol::redirect_uri::{self, Strictness};

/// Seconds that a signed answer is good for: the way from here to the client, which JARM §2.1 wants short.
pub const SIGNED_FOR: i64 = 300;

/// How an answer travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseMode {
    carrier: Carrier,
    /// Whether it is signed (JWT Secured Authorization Response Mode, JARM §2.3).
    signed: bool,
}

/// What carries it (OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Carrier {
    /// The query of the redirect URI.
    #[default]
    Query,
    /// Its fragment.
    Fragment,
    /// A form that the browser posts.
    FormPost,
}

impl ResponseMode {
    /// Every value of `response_mode`; `jwt` is the signed form of the usual mode, which for a code is `query`.
    pub const NAMES: [&str; 7] =
        ["query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt", "jwt"];

    /// The mode that `response_mode` names; none for one that is not known.
    pub(super) fn read(value: Option<&str>) -> Option<Self> {
        let Some(name) = value else { return Some(Self::default()) };
        let (name, signed) = match name.strip_suffix("jwt") {
            Some(plain) => {
                (plain.strip_suffix('.').unwrap_or(if plain.is_empty() { "query" } else { name }), true)
            }
            None => (name, false),
        };
        let carrier = match name {
            "query" => Carrier::Query,
            "fragment" => Carrier::Fragment,
            "form_post" => Carrier::FormPost,
            _ => return None,
        };
        Some(Self { carrier, signed })
    }
}

/// Where the answer to a request may go. Only [`Target::prove`] makes one, so that a redirect to an address that was
/// not registered cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    redirect_uri: String,
    mode: ResponseMode,
    state: Option<String>,
    action: Option<String>,
    strictness: Strictness,
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
            mode: ResponseMode::read(parameters.get("response_mode")).unwrap_or_default(),
            state: parameters.get("state").map(str::to_owned),
            action: parameters.get("kc_action").filter(|action| is_action(action)).map(str::to_owned),
            strictness,
        })
    }

    /// The rules by which it was proven, and by which the rest of the request is read.
    #[must_use]
    pub(super) fn strictness(&self) -> Strictness {
        self.strictness
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

    /// The answer that carries a code (RFC 6749 §4.1.2, with `iss` of RFC 9207 and Keycloak's `session_state`). An app that
    /// asked for a `kc_action` is told what became of it: none is that it cannot be done here.
    #[must_use]
    pub fn grant(&self, code: String, session_id: &str, issuer: &str, acted: Option<Outcome>) -> Answer {
        let mut fields = vec![("code", code), ("session_state", session_id.into())];
        if let Some(action) = &self.action {
            fields.push(("kc_action_status", acted.map_or("error", Outcome::status).into()));
            fields.push(("kc_action", action.clone()));
        }
        self.answer(fields, issuer)
    }

    fn answer(&self, mut fields: Vec<(&'static str, String)>, issuer: &str) -> Answer {
        fields.push(("iss", issuer.to_owned()));
        if let Some(state) = &self.state {
            fields.push(("state", state.clone()));
        }
        Answer { redirect_uri: self.redirect_uri.clone(), mode: self.mode, fields }
    }
}

/// An answer on its way to the client. Only a [`Target`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    redirect_uri: String,
    mode: ResponseMode,
    fields: Vec<(&'static str, String)>,
}

/// How an answer leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
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

impl Answer {
    /// The claims that are to be signed and sent in the place of the answer's fields (JARM §2.1); none for an answer
    /// that travels in the clear.
    #[must_use]
    pub fn claims(&self, client_id: &str, now: Timestamp) -> Option<Map<String, Value>> {
        if !self.mode.signed {
            return None;
        }
        let mut claims: Map<String, Value> =
            self.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
        claims.insert("aud".into(), client_id.into());
        claims.insert("iat".into(), now.0.into());
        claims.insert("exp".into(), now.plus(SIGNED_FOR).0.into());
        Some(claims)
    }

    /// The same answer with nothing in it but the signed `response` (JARM §2.3).
    #[must_use]
    pub fn signed(self, response: String) -> Self {
        Self { fields: vec![("response", response)], ..self }
    }

    /// Writes the answer down as it leaves.
    #[must_use]
    pub fn deliver(self) -> Delivery {
        let Self { redirect_uri, mode, fields } = self;
        let encoded = || {
            let mut pairs = form_urlencoded::Serializer::new(String::new());
            pairs.extend_pairs(&fields);
            pairs.finish()
        };
        match mode.carrier {
            Carrier::Query => {
                let separator = if redirect_uri.contains('?') { '&' } else { '?' };
                Delivery::Redirect(format!("{redirect_uri}{separator}{}", encoded()))
            }
            Carrier::Fragment => Delivery::Redirect(format!("{redirect_uri}#{}", encoded())),
            Carrier::FormPost => Delivery::FormPost { action: redirect_uri, fields },
        }
    }
}
