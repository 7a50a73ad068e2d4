//! Where the answer to a request may go, and how it travels.

use super::RequestParameters;
use crate::protocol::client::Client;
use crate::protocol::error::OAuthError;
use crate::protocol::redirect_uri::{self, Strictness};

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

/// The mode that `response_mode` names; none for one that is not known.
pub(super) fn mode(value: Option<&str>) -> Option<ResponseMode> {
    match value {
        None | Some("query") => Some(ResponseMode::Query),
        Some("fragment") => Some(ResponseMode::Fragment),
        Some("form_post") => Some(ResponseMode::FormPost),
        Some(_) => None,
    }
}
