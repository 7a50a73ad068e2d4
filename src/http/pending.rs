//! An authorization request while pages are shown for it.
//!
//! It waits in the address of the form, sealed by the server's key and bound to one browser by a cookie: no row is
//! written for a request that nobody completes, any node can go on with it, and nobody can read, change or hand it on
//! (attacks R08, S02). A pushed request has a row already, to which the sealed form refers. Of progress it says one
//! thing, that a session's person has signed in for it; the rest is decided anew from the records each time. The code
//! that answers it uses it up: a page that a browser kept is good for no second one (attacks S03).

use axum::http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use super::context::RealmContext;
use super::cookies::{self, Kind};
use super::error::PageError;
use super::pages::Trouble;
use super::params::Params;
use crate::clock::Timestamp;
use crate::protocol::authorize::{Outcome, RequestParameters};
use crate::protocol::otp::DeviceKey;
use crate::protocol::pushed_request::PushedRequest;
use crate::protocol::realm::RealmSettings;
use crate::protocol::spend::{Spend, SpendKind};
use crate::secrets;

/// Most bytes of parameters, as they are sealed, that a pending request may hold: with what else it holds, and as
/// base64url, its sealed form stays below the limit of a parameter (`params::MAX_TOKEN_BYTES`).
const MOST_BYTES: usize = 5_400;

/// Most bytes of each of the two values that name who sent a person to the account page.
const LONGEST_REFERRER: usize = 1_024;

/// A request that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRequest {
    /// Names the request among all; none in what an older version sealed.
    #[serde(default)]
    pub(super) id: Option<String>,
    /// Whether it comes back from a page.
    #[serde(skip)]
    pub(super) from_page: bool,
    /// The parameters as they arrived; none when the person wants to see a page of the server's own.
    pub parameters: Option<RequestParameters>,
    /// That page.
    pub page: OwnPage,
    /// Whether the person wants to sign in for it as somebody else, whoever is signed in.
    #[serde(default)]
    pub chooses: bool,
    /// When they arrived.
    pub received_at: Timestamp,
    /// Subject of the verified `id_token_hint`.
    pub hinted_subject: Option<String>,
    /// The session whose person has signed in on the page of this request.
    pub signed_in: Option<String>,
    /// The question that the consent page of this request asked (`protocol::consent::question`).
    pub asked: Option<String>,
    /// What a person has proven who is not signed in yet, or who is to do what an app asks.
    #[serde(default)]
    pub half: Option<Half>,
    /// What became of what the app asked the person to do (`kc_action`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acted: Option<Outcome>,
    /// Whether the client signed it.
    pub signed: bool,
    /// Fingerprint of the pushed request that this is, whose parameters the store keeps.
    pub pushed: Option<String>,
    /// Fingerprint of the browser's cookie.
    pub(super) browser: String,
}

/// A sign-in whose password was right, and that asks for more; or a session whose person does what an app asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Half {
    /// Whose.
    pub user_id: String,
    /// How often the password had been set when it was right.
    pub changes: i64,
    /// Whether "remember me" was ticked.
    pub remember: bool,
    /// Whether a code of a device was right.
    pub code_proven: bool,
    /// The key of the device that the person is setting up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceKey>,
    /// The session whose person does what an app asks; none at a sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// Where a person goes who signs in for no client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OwnPage {
    /// The account page.
    #[default]
    Account,
    /// The account page, with the way back to an app.
    AccountFrom(Referrer),
    /// What the person changes of the own account, by Keycloak's name of the action.
    Change {
        /// One that has a page.
        action: String,
    },
    /// The question about a device.
    Device {
        /// The code that was typed, as people read it.
        user_code: String,
    },
}

/// Who sent a person to the account page, in the app's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referrer {
    /// The app's `client_id`.
    pub client_id: String,
    /// Where the person comes from.
    pub uri: Option<String>,
}

impl Referrer {
    /// Reads `referrer` and `referrer_uri`, as keycloak-js sends them; none that would make the address too long.
    #[must_use]
    pub fn read(params: &Params) -> Option<Self> {
        let named = |name| params.get(name).filter(|value: &&str| value.len() <= LONGEST_REFERRER);
        Some(Self { client_id: named("referrer")?.to_owned(), uri: named("referrer_uri").map(str::to_owned) })
    }

    /// The address of the account page with it.
    #[must_use]
    pub fn address(&self, context: &RealmContext) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("referrer", &self.client_id);
        query.extend_pairs(self.uri.iter().map(|uri| ("referrer_uri", uri)));
        format!("{}?{}", context.url("/account/"), query.finish())
    }
}

/// A sealed request and the cookie that its browser must show.
pub struct Sealed {
    /// The value of `session_code`.
    pub code: String,
    /// `Set-Cookie`, when the browser had no mark yet.
    pub cookie: Option<HeaderValue>,
    /// The browser's mark.
    mark: String,
}

impl Sealed {
    /// The value of `session_code` for another request on the same page.
    #[must_use]
    pub fn beside(&self, context: &RealmContext, pending: &PendingRequest) -> String {
        pending.seal_for(context, &self.mark)
    }
}

impl PendingRequest {
    /// A request that has just arrived.
    ///
    /// # Errors
    /// A page when the parameters are too long to keep.
    pub fn new(
        parameters: RequestParameters,
        received_at: Timestamp,
        hinted_subject: Option<String>,
    ) -> Result<Self, PageError> {
        if serde_json::to_vec(&parameters).map_or(usize::MAX, |json| json.len()) > MOST_BYTES {
            let why = "The request is too long. A longer one can be pushed (pushed_authorization_request_endpoint).";
            return Err(PageError::new(Trouble::Request).detail(why));
        }
        Ok(Self {
            id: Some(secrets::random_name()),
            from_page: false,
            parameters: Some(parameters),
            page: OwnPage::Account,
            chooses: false,
            received_at,
            hinted_subject,
            signed_in: None,
            asked: None,
            half: None,
            acted: None,
            signed: false,
            pushed: None,
            browser: String::new(),
        })
    }

    /// A pushed request for which a browser has just come.
    #[must_use]
    pub fn pushed(request: PushedRequest, received_at: Timestamp) -> Self {
        Self {
            id: None,
            from_page: false,
            parameters: Some(request.parameters),
            page: OwnPage::Account,
            chooses: false,
            received_at,
            hinted_subject: request.hinted_subject,
            signed_in: None,
            asked: None,
            half: None,
            acted: None,
            signed: false,
            pushed: Some(request.fingerprint),
            browser: String::new(),
        }
    }

    /// A person who wants to see the own account page.
    #[must_use]
    pub fn account(received_at: Timestamp) -> Self {
        Self {
            id: None,
            from_page: false,
            parameters: None,
            page: OwnPage::Account,
            chooses: false,
            received_at,
            hinted_subject: None,
            signed_in: None,
            asked: None,
            half: None,
            acted: None,
            signed: false,
            pushed: None,
            browser: String::new(),
        }
    }

    /// The same request as it would arrive at `now` from a person who wants to choose the account.
    #[must_use]
    pub fn choosing_account(&self, now: Timestamp) -> Self {
        Self {
            parameters: self.parameters.as_ref().map(RequestParameters::choosing_account),
            chooses: self.parameters.is_none(),
            received_at: now,
            signed_in: None,
            asked: None,
            half: None,
            acted: None,
            ..self.clone()
        }
    }

    /// A person who wants to connect a device.
    #[must_use]
    pub fn device(received_at: Timestamp, user_code: String) -> Self {
        Self { page: OwnPage::Device { user_code }, ..Self::account(received_at) }
    }

    /// Seals the request for the browser that sent `headers`.
    #[must_use]
    pub fn seal(&self, context: &RealmContext, headers: &HeaderMap) -> Sealed {
        let (value, is_new) = match cookies::read(context, headers, Kind::Browser) {
            Some(value) => (value, false),
            None => (secrets::random_token(), true),
        };
        let code = self.seal_for(context, &value);
        let cookie = if is_new { cookies::set(context, Kind::Browser, &value, None) } else { None };
        Sealed { code, cookie, mark: value }
    }

    fn seal_for(&self, context: &RealmContext, mark: &str) -> String {
        let parameters = match (&self.pushed, &self.parameters) {
            // The store has them, but for the prompt, which a person may have changed.
            (Some(_), Some(parameters)) => Some(parameters.only("prompt")),
            _ => self.parameters.clone(),
        };
        let bound = Self { browser: secrets::fingerprint(mark), parameters, ..self.clone() };
        context.app.vault.seal(&aad(context), &serde_json::to_vec(&bound).unwrap_or_default())
    }

    /// Opens the sealed request of a form's address, if it is of this realm, of this browser and not too old.
    ///
    /// # Errors
    /// The "expired" page, whatever is wrong, a pushed request that was spent meanwhile included: who brings another's
    /// link learns nothing. It leads back to the app that the address names, where that has a home page.
    pub async fn open(
        context: &RealmContext,
        headers: &HeaderMap,
        query: &Params,
    ) -> Result<Self, PageError> {
        let error = match Self::unseal(context, headers, query.get("session_code")).await {
            Err(error) if matches!(error.trouble, Trouble::Expired | Trouble::NoCookie) => error,
            other => return other,
        };
        let entry = match query.get("client_id") {
            Some(id) => context.state.client(&context.app.store, id).await?,
            None => None,
        };
        let error = error.back_to(entry.as_ref().map(|entry| &entry.client));
        Err(if error.back.is_some() { error } else { error.own_page(context.url("/account/")) })
    }

    async fn unseal(
        context: &RealmContext,
        headers: &HeaderMap,
        code: Option<&str>,
    ) -> Result<Self, PageError> {
        let expired = || PageError::new(Trouble::Expired);
        // Before anything of the request is looked at: a browser without the mark learns that it has none, and no more.
        let browser = cookies::read(context, headers, Kind::Browser)
            .ok_or_else(|| PageError::new(Trouble::NoCookie))?;
        let plain =
            context.app.vault.open(&aad(context), code.ok_or_else(expired)?).map_err(|_| expired())?;
        let mut pending: Self = serde_json::from_slice(&plain).map_err(|_| expired())?;
        let of_this_browser = secrets::same(&secrets::fingerprint(&browser), &pending.browser);
        let age = context.app.clock.now().since(pending.received_at);
        if !of_this_browser || age > context.state.realm.settings.login {
            return Err(expired());
        }
        if let Some(fingerprint) = &pending.pushed {
            let record = context.app.store.pushed_request(&context.state.realm.id, fingerprint).await?;
            let record = record.filter(|record| record.spent_at.is_none()).ok_or_else(expired)?;
            let changed = pending.parameters.take().unwrap_or_default();
            pending.parameters = Some(record.parameters.changed_by(changed));
        }
        Ok(Self { from_page: true, ..pending })
    }

    /// What a code uses up that is issued at `now`. A request that no page was shown for is over with its answer, and a
    /// pushed one is used up itself.
    #[must_use]
    pub fn spend(&self, settings: &RealmSettings, now: Timestamp) -> Option<Spend> {
        let id = self.id.as_deref().filter(|_| self.from_page)?;
        Some(Spend::new(SpendKind::AuthorizationRequest, "", id, now.plus(settings.login)))
    }

    /// The address at which a browser asks the same anew; none for a request that came otherwise than in its address.
    #[must_use]
    pub fn anew(&self, context: &RealmContext) -> Option<String> {
        let plain = self.pushed.is_none() && !self.signed && self.hinted_subject.is_none();
        let mut parameters = self.parameters.clone().filter(|_| plain)?;
        // What the person has done is not asked of them again.
        parameters.0.retain(|name, _| self.acted.is_none() || name != "kc_action");
        Some(asked_at(context, &parameters))
    }
}

/// The address at which a browser asks for what the parameters say.
#[must_use]
pub fn asked_at(context: &RealmContext, parameters: &RequestParameters) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(&parameters.0);
    format!("{}?{}", context.url("/protocol/openid-connect/auth"), query.finish())
}

fn aad(context: &RealmContext) -> String {
    format!("authorization request/{}", context.state.realm.id)
}
