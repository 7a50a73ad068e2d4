//! The token exchange grant (RFC 8693): who may have whose token exchanged, and for what.
//!
//! Owns the rules that a client may have for it ([`ExchangeRule`]) and the decision: a result is never wider, longer or
//! of another owner than the token it is made from. `request` reads, `actor` keeps the chain of actors, `ceiling` holds
//! roles, `standard` is Keycloak's rule for many services. Leaves to others the proof that a token is genuine and still counts.

mod actor;
mod ceiling;
mod request;
mod standard;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use actor::MOST_ACTORS;
pub use ceiling::Ceiling;
pub use request::{ExchangeRequest, Presented, TokenType};
pub use standard::Reach;

use crate::clock::Timestamp;
use crate::protocol::access_token::{self, holder};
use crate::protocol::client::{Client, GrantType};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::jws::Claims;
use crate::protocol::scope::{self, Granted};
use crate::protocol::subject;

/// What a client may exchange tokens for: one audience, and how. Nothing is allowed that is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExchangeRule {
    /// `client_id` of the service that the result is for; `*`: of each that the client's own tokens are for (see [`Reach`]).
    pub audience: String,
    /// Scopes that the result may have at most; none = those that the subject token has and the client may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Whether the result may speak as the subject alone (RFC 8693 §1.1).
    #[serde(skip_serializing_if = "is_off")]
    pub impersonation: bool,
    /// Whether the result may speak for the subject with the actor named in `act`.
    #[serde(skip_serializing_if = "is_off")]
    pub delegation: bool,
    /// Whether a refresh token may be had.
    #[serde(skip_serializing_if = "is_off")]
    pub refresh_token: bool,
    /// Whether an ID token for the audience may be had.
    #[serde(skip_serializing_if = "is_off")]
    pub id_token: bool,
    /// `client_id` of clients whose tokens may be exchanged although they are not meant for this client.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_clients: Vec<String>,
    /// Trusted issuers whose tokens may be exchanged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_issuers: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_off(switch: &bool) -> bool {
    !switch
}

/// A token that was shown, is proven, and still counts.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// What it says.
    pub claims: &'a Claims,
    /// The trusted issuer that it is from; none when it is this realm's own.
    pub foreign: Option<&'a str>,
    /// Whether it speaks for a client's own account.
    pub of_service: bool,
    /// Whether it hangs on a grant that an exchange made.
    pub of_derived_grant: bool,
}

impl<'a> Shown<'a> {
    /// `jti` of a token of this realm; what another issuer calls its tokens means nothing here.
    fn jti(&self) -> Option<&'a str> {
        self.claims.text("jti").filter(|_| self.foreign.is_none())
    }

    /// Whether it hangs on what a person's sign-in gave.
    fn is_of_sign_in(&self) -> bool {
        self.jti().is_some_and(|jti| access_token::grant_of(jti).is_some())
    }
}

/// What is decided about.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Who asks.
    pub requester: &'a Client,
    /// The rule for each service that the result is for (see [`rule`]).
    pub rules: &'a [&'a ExchangeRule],
    /// On whose behalf.
    pub subject: Shown<'a>,
    /// Who acts.
    pub actor: Option<Shown<'a>>,
    /// What is to be issued.
    pub issue: TokenType,
    /// Whether an access token that is issued will be bound to a key of the requester's.
    pub bound: bool,
}

/// What the result must be like.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// `act`.
    pub act: Option<Value>,
    /// `may_act`, which goes on to whoever is given the result.
    pub may_act: Option<Value>,
    /// When it must have ended.
    pub ends_at: Timestamp,
}

impl Exchange {
    /// Writes what the exchange says into the claims of the result: who asked for it, and who acts.
    pub fn stamp(&self, claims: &mut Map<String, Value>, requester: &Client) {
        // Of an ID token for another client too: `azp` is whom it was issued to (OpenID Connect Core §2).
        if let Some(azp) = claims.get_mut("azp") {
            *azp = requester.client_id.clone().into();
        }
        tell_actors(claims, self.act.as_ref(), self.may_act.as_ref());
    }
}

/// Writes the claims about who acts, and no others of these names.
pub fn tell_actors(claims: &mut Map<String, Value>, act: Option<&Value>, may_act: Option<&Value>) {
    for (name, value) in [("act", act), ("may_act", may_act)] {
        match value {
            Some(value) => claims.insert(name.into(), value.clone()),
            None => claims.remove(name),
        };
    }
}

/// Whether the client may exchange anything.
///
/// # Errors
/// `unauthorized_client` for a public client, and for one without a rule.
pub fn admit(requester: &Client) -> Result<(), OAuthError> {
    if requester.is_public() || requester.settings.exchange.is_empty() {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "The client has no rule that lets it exchange tokens",
        ));
    }
    Ok(())
}

/// The audience when a request names none: the one that the client has a rule for, itself if that is for every service.
///
/// # Errors
/// `invalid_request` when there are several.
pub fn only_audience(requester: &Client) -> Result<&str, OAuthError> {
    match requester.settings.exchange.as_slice() {
        [only] if only.is_standard() => Ok(&requester.client_id),
        [only] => Ok(&only.audience),
        _ => Err(refuse("audience is missing: the client may exchange for several")),
    }
}

/// The rule by which `requester` may have a token for `service` (none = there is no such client). One for every service
/// comes last, and reaches not all of them: see [`Reach`].
///
/// # Errors
/// `invalid_target` (§2.2.2), the same whatever the reason.
pub fn rule<'a>(requester: &'a Client, service: Option<&Client>) -> Result<&'a ExchangeRule, OAuthError> {
    let service = service.filter(|service| service.enabled);
    let rules = &requester.settings.exchange;
    let found = service.and_then(|service| {
        let named = rules.iter().find(|rule| rule.audience == service.client_id);
        named.or_else(|| rules.iter().find(|rule| rule.is_standard()))
    });
    let why = "The client may not have a token for this audience";
    found.ok_or_else(|| OAuthError::new(ErrorCode::InvalidTarget, why))
}

/// Whether `requester` may read an ID token for `service`. It says the name by which the service knows the person, which a
/// client that knows people by names of its own must not learn (OpenID Connect Core §8.1).
///
/// # Errors
/// `invalid_request`.
pub fn may_read(requester: &Client, service: &Client) -> Result<(), OAuthError> {
    match subject::pairwise(requester) {
        Some(own) if subject::pairwise(service).as_ref() != Some(&own) => Err(refuse(
            "The client knows people by pairwise names, and may have an ID token for its own sector alone",
        )),
        _ => Ok(()),
    }
}

/// Whether a refresh token of an exchange may still be used for `service` (X06).
///
/// # Errors
/// `invalid_target`.
pub fn still_refreshes(requester: &Client, service: Option<&Client>) -> Result<(), OAuthError> {
    match rule(requester, service)? {
        rule if rule.refresh_token => Ok(()),
        _ => Err(OAuthError::new(
            ErrorCode::InvalidTarget,
            "The client may not have refresh tokens for this audience any more",
        )),
    }
}

/// Decides an exchange (RFC 8693 §2.2.2: what a token or the policy does not allow is `invalid_request`).
///
/// # Errors
/// `invalid_request`.
pub fn decide(case: &Case<'_>) -> Result<Exchange, OAuthError> {
    let Case { requester, rules, subject, actor, issue, bound } = *case;
    let all = |allowed: fn(&ExchangeRule) -> bool| rules.iter().all(|rule| allowed(rule));
    match issue {
        TokenType::RefreshToken => refreshable(requester, rules, &subject)?,
        TokenType::IdToken if !all(|rule| rule.id_token) => {
            return Err(refuse("The client may not have an ID token for this audience"));
        }
        TokenType::IdToken if !subject.is_of_sign_in() => {
            return Err(refuse("An ID token is made of the token of a person's own sign-in alone"));
        }
        _ => {}
    }
    if subject.foreign.is_some() && subject.claims.value("act").is_some() {
        return Err(refuse("A token of another issuer that somebody acts with is not taken"));
    }
    if actor.is_none() && !all(|rule| rule.impersonation) {
        return Err(refuse("The client must say who acts: actor_token is missing"));
    }
    if actor.is_some() && !all(|rule| rule.delegation) {
        return Err(refuse("The client may not have an actor named for this audience"));
    }
    // What is made of a bound token stays bound (X07c): to the key of who made it, since the first one's is not here.
    let loosens =
        |shown: &Shown<'_>| shown.claims.value("cnf").is_some() && (!bound || issue == TokenType::IdToken);
    if loosens(&subject) || actor.as_ref().is_some_and(loosens) {
        return Err(refuse("A token that is bound to a key is exchanged for one that is: send a DPoP proof"));
    }
    belongs(requester, rules, &subject)?;
    if let Some(actor) = &actor {
        acts(requester, rules, &subject, actor)?;
    }
    let act = actor::chain(&subject, actor.as_ref())?;
    if subject.jti().is_some_and(|jti| access_token::exchanges(jti) >= MOST_ACTORS) {
        return Err(refuse("The token was exchanged too often"));
    }
    let end = |shown: &Shown<'_>| shown.claims.time("exp").unwrap_or(Timestamp(0));
    let ends_at = actor.iter().map(end).fold(end(&subject), Ord::min);
    Ok(Exchange { act, may_act: subject.claims.value("may_act").cloned(), ends_at })
}

/// Whether a refresh token may be had: of a grant that a person gave, never of what was exchanged before, so that
/// whoever ends that grant ends all of it.
fn refreshable(requester: &Client, rules: &[&ExchangeRule], subject: &Shown<'_>) -> Result<(), OAuthError> {
    if !rules.iter().all(|rule| rule.refresh_token) || !requester.may(GrantType::RefreshToken) {
        return Err(refuse("The client may not have a refresh token for this audience"));
    }
    let first_hand = subject.jti().is_some_and(|jti| access_token::exchanges(jti) == 0);
    if subject.of_derived_grant || !first_hand || !subject.is_of_sign_in() {
        return Err(refuse("A refresh token is made of the token of a person's own sign-in alone"));
    }
    Ok(())
}

/// Whether tokens of another issuer may be exchanged for every one of these audiences.
#[must_use]
pub fn takes(rules: &[&ExchangeRule], issuer: &str) -> bool {
    rules.iter().all(|rule| rule.subject_issuers.iter().any(|one| one == issuer))
}

/// Whether the token is the requester's to exchange: meant for it, issued to it, or from where a rule says.
fn belongs(requester: &Client, rules: &[&ExchangeRule], shown: &Shown<'_>) -> Result<(), OAuthError> {
    let allowed = match shown.foreign {
        Some(issuer) => takes(rules, issuer),
        None => {
            let holder = holder(shown.claims);
            holder == Some(requester.client_id.as_str())
                || requester.is_among(&shown.claims.audiences().unwrap_or_default())
                || holder.is_some_and(|holder| {
                    rules.iter().all(|rule| rule.subject_clients.iter().any(|one| one == holder))
                })
        }
    };
    if allowed { Ok(()) } else { Err(refuse("The token is not the client's to exchange")) }
}

fn acts(
    requester: &Client,
    rules: &[&ExchangeRule],
    subject: &Shown<'_>,
    actor: &Shown<'_>,
) -> Result<(), OAuthError> {
    if actor.foreign.is_some() {
        return Err(refuse("An actor is told by a token of this realm"));
    }
    if actor.claims.value("act").is_some() {
        return Err(refuse("The actor token is acted for itself"));
    }
    belongs(requester, rules, actor)?;
    actor::may_act(requester, subject, actor)
}

/// The scopes of the result: of what the subject token `held`, as far as the client may have it, the part that every
/// rule allows and, when scopes are asked for, those.
///
/// # Errors
/// `invalid_scope` for one that is asked for and is not in that part (X03).
pub fn scopes<'a>(
    held: &Granted<'a>,
    rules: &[&ExchangeRule],
    requested: Option<&str>,
) -> Result<Granted<'a>, OAuthError> {
    let limits = rules.iter().filter_map(|rule| rule.scopes.as_deref());
    let allowed = limits.fold(held.clone(), |granted, names| granted.only(names));
    scope::narrow(&allowed, requested)
        .map_err(|why| OAuthError::new(ErrorCode::InvalidScope, why.to_string()))
}

fn refuse(why: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, why)
}

#[cfg(test)]
#[path = "token_exchange/tests.rs"]
mod tests;
