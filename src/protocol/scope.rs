//! Scopes: what a client may ask for (RFC 6749 §3.3), and what it gets.
//!
//! Owns the one way from a `scope` parameter to the scopes that are granted, at the authorization endpoint and for
//! service tokens ([`grant`]), at redemption and refresh ([`regrant`], [`narrow`]). Leaves to `consent` what a person
//! has allowed, and to `claims` what the scopes put into tokens.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::authorization_details::Detail;
use super::claims_request::SingleClaim;
use super::client::Client;
use super::mapper::Mapper;
use super::realm::RealmSettings;

/// The scope that makes a request an OpenID Connect request (OpenID Connect Core §3.1.2.1). It is no record of a realm.
pub const OPENID: &str = "openid";

/// The scope that asks for a grant which outlives the session (OpenID Connect Core §11).
pub const OFFLINE_ACCESS: &str = "offline_access";

/// More scope tokens than any honest request carries.
pub const MOST_TOKENS: usize = 100;

/// A scope as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// Identifier (UUID).
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// The scope token.
    pub name: String,
    /// What it is, for people.
    pub description: Option<String>,
    /// Everything else.
    pub settings: ScopeSettings,
}

/// What a scope does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScopeSettings {
    /// Whether the name stands in `scope` of tokens and token responses.
    pub include_in_token: bool,
    /// Sentence on the consent page; none = the scope is not shown there.
    pub consent_text: Option<String>,
    /// Claims that it adds.
    pub mappers: Vec<Mapper>,
    /// `id`s of the roles that a client without full scope may show when it has this scope.
    pub scope_mappings: BTreeSet<String>,
    /// Comes with every realm.
    pub built_in: bool,
}

/// Why a `scope` parameter is refused: always `invalid_scope` (RFC 6749 §4.1.2.1, §5.2). The messages keep to the
/// characters of `error_description`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScopeError {
    /// A character outside of RFC 6749 §3.3.
    #[error("The scope holds a character that scopes cannot have")]
    Character,
    /// More than [`MOST_TOKENS`].
    #[error("More than {MOST_TOKENS} scopes were asked for")]
    TooMany,
    /// The realm does not know it, or the client may not have it: which of the two is not told.
    #[error("Invalid scopes: {0}")]
    Refused(String),
    /// At a refresh: it was not granted before (RFC 6749 §6).
    #[error("The scope was not granted before: {0}")]
    Widened(String),
}

/// What a client gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Granted<'a> {
    /// Whether `openid` was asked for: only then is there an ID token.
    pub openid: bool,
    /// The scopes, the client's default ones first, each kind in the order in which the client lists them.
    pub scopes: Vec<&'a Scope>,
    /// What was asked for by name, each token once.
    pub asked: Vec<String>,
    /// Claims that were asked for one by one, and that no granted scope brings.
    pub singles: Vec<SingleClaim<'a>>,
    /// What was granted in detail (RFC 9396).
    pub details: Vec<Detail>,
}

impl<'a> Granted<'a> {
    /// Whether the scope with this name is granted, `openid` included.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        (name == OPENID && self.openid) || self.scopes.iter().any(|scope| scope.name == name)
    }

    /// `scope` of tokens and token responses: `openid` first, then the scopes that say they stand there.
    #[must_use]
    pub fn token_scope(&self) -> String {
        self.join(|scope| scope.settings.include_in_token)
    }

    /// `Grant::scope`: every scope by name, those that tokens do not show included. [`regrant`] reads it back.
    #[must_use]
    pub fn stored(&self) -> String {
        self.join(|_| true)
    }

    /// Name and sentence of each scope that a person must allow before a client with consent gets it, or a claim of it.
    #[must_use]
    pub fn needs_consent(&self) -> Vec<(&'a str, &'a str)> {
        let mut asks: Vec<(&str, &str)> = Vec::new();
        for scope in self.scopes.iter().copied().chain(self.singles.iter().filter_map(|single| single.scope))
        {
            let ask = scope.settings.consent_text.as_deref().map(|text| (scope.name.as_str(), text));
            asks.extend(ask.filter(|ask| !asks.contains(ask)));
        }
        asks
    }

    /// The same with these details.
    #[must_use]
    pub fn with_details(self, details: Vec<Detail>) -> Self {
        Self { details, ..self }
    }

    /// The part with these names, of scopes that tokens do not show too.
    #[must_use]
    pub fn only(&self, names: &[String]) -> Self {
        let named = |name: &str| names.iter().any(|one| one == name);
        Self {
            openid: self.openid && named(OPENID),
            scopes: self.scopes.iter().copied().filter(|scope| named(&scope.name)).collect(),
            asked: self.asked.iter().filter(|name| named(name)).cloned().collect(),
            // A rule that names scopes has said everything: claims one by one, and details, are not among them.
            singles: Vec::new(),
            details: Vec::new(),
        }
    }

    fn join(&self, shown: impl Fn(&Scope) -> bool) -> String {
        let names = self.scopes.iter().filter(|scope| shown(scope)).map(|scope| scope.name.as_str());
        self.openid.then_some(OPENID).into_iter().chain(names).collect::<Vec<_>>().join(" ")
    }
}

/// What `client` gets when it asks for `requested`: its default scopes always, its optional ones when they are asked
/// for. An empty parameter counts as absent (RFC 6749 §3.1).
///
/// # Errors
/// When the parameter is malformed or names a scope that the client may not have.
pub fn grant<'a>(
    requested: Option<&str>,
    client: &Client,
    realm: &RealmSettings,
    known: &'a [Scope],
) -> Result<Granted<'a>, ScopeError> {
    let asked = parse(requested.unwrap_or_default())?;
    let offer = Offer::of(client, realm, known);
    match asked.iter().find(|&&token| token != OPENID && !offer.names(token)) {
        Some(token) => Err(ScopeError::Refused(shorten(token))),
        None => Ok(offer.pick(&asked, |_| true)),
    }
}

/// What is left of a grant: what was granted before (`stored`, see [`Granted::stored`]) as far as the client may still
/// have it. Scopes that the client lost, or that are gone, fall away; ones that it gained since are not added.
#[must_use]
pub fn regrant<'a>(stored: &str, client: &Client, realm: &RealmSettings, known: &'a [Scope]) -> Granted<'a> {
    let before: Vec<&str> = stored.split(' ').filter(|token| !token.is_empty()).collect();
    let lookup: BTreeSet<&str> = before.iter().copied().collect();
    Offer::of(client, realm, known).pick(&before, |scope| lookup.contains(scope.name.as_str()))
}

/// What a refresh that asks for `requested` gets: that part of `granted` (RFC 6749 §6). Scopes that tokens do not
/// show stay, since a client has no way to see and to name them.
///
/// # Errors
/// When the parameter is malformed or names something that was not granted.
pub fn narrow<'a>(granted: &Granted<'a>, requested: Option<&str>) -> Result<Granted<'a>, ScopeError> {
    let asked = parse(requested.unwrap_or_default())?;
    if asked.is_empty() {
        return Ok(granted.clone());
    }
    if let Some(token) = asked.iter().find(|token| !granted.has(token)) {
        return Err(ScopeError::Widened(shorten(token)));
    }
    let kept = keep(granted, &asked.join(" "));
    Ok(Granted { asked: asked.into_iter().map(str::to_owned).collect(), ..kept })
}

/// What is left of `granted` for a token whose claim `scope` says `shown`: a token that was narrowed says no more than
/// its own scope, and one that outlived a scope of its client lost it. Scopes that tokens do not show stay.
#[must_use]
pub fn keep<'a>(granted: &Granted<'a>, shown: &str) -> Granted<'a> {
    let shown: BTreeSet<&str> = shown.split(' ').collect();
    let stays = |scope: &&Scope| !scope.settings.include_in_token || shown.contains(scope.name.as_str());
    Granted {
        openid: granted.openid && shown.contains(OPENID),
        scopes: granted.scopes.iter().copied().filter(stays).collect(),
        asked: granted.asked.iter().filter(|name| shown.contains(name.as_str())).cloned().collect(),
        singles: granted.singles.clone(),
        details: granted.details.clone(),
    }
}

/// What a client's own token was issued for, as far as the client may still have it, when its claim `scope` says
/// `shown`. No grant remembers what such a token does not show, so its client's default scopes count.
#[must_use]
pub fn of_service<'a>(
    shown: &str,
    client: &Client,
    realm: &RealmSettings,
    known: &'a [Scope],
) -> Granted<'a> {
    let tokens: Vec<&str> = shown.split(' ').filter(|token| !token.is_empty()).collect();
    keep(&Offer::of(client, realm, known).pick(&tokens, |_| true), shown)
}

/// The tokens of a `scope` parameter, each once. Surplus spaces are forgiven, other white space is not.
fn parse(parameter: &str) -> Result<Vec<&str>, ScopeError> {
    let allowed = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    if !parameter.bytes().all(allowed) {
        return Err(ScopeError::Character);
    }
    let mut seen = BTreeSet::new();
    let mut tokens = Vec::new();
    for (count, token) in parameter.split(' ').filter(|token| !token.is_empty()).enumerate() {
        if count == MOST_TOKENS {
            return Err(ScopeError::TooMany);
        }
        if seen.insert(token) {
            tokens.push(token);
        }
    }
    Ok(tokens)
}

fn shorten(token: &str) -> String {
    token.chars().take(64).collect()
}

/// The scopes that a client may have, as far as the realm knows them.
pub(super) struct Offer<'a> {
    default: Vec<&'a Scope>,
    optional: Vec<&'a Scope>,
}

impl<'a> Offer<'a> {
    pub(super) fn of(client: &Client, realm: &RealmSettings, known: &'a [Scope]) -> Self {
        let find = |names: &[String]| {
            names
                .iter()
                .filter_map(|name| known.iter().find(|scope| scope.name == *name && scope.name != OPENID))
                .collect::<Vec<_>>()
        };
        let default = find(client.settings.default_scopes.as_ref().unwrap_or(&realm.default_scopes));
        let optional = find(client.settings.optional_scopes.as_ref().unwrap_or(&realm.optional_scopes));
        Self { default, optional }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &'a Scope> {
        self.default.iter().chain(&self.optional).copied()
    }

    fn names(&self, token: &str) -> bool {
        self.all().any(|scope| scope.name == token)
    }

    /// The default scopes that `keep` keeps, and the optional ones among `asked`.
    fn pick(self, asked: &[&str], keep: impl Fn(&Scope) -> bool) -> Granted<'a> {
        let lookup: BTreeSet<&str> = asked.iter().copied().collect();
        let known = |token: &&&str| **token == OPENID || self.names(token);
        let names = asked.iter().filter(known).map(|&token| token.to_owned()).collect();
        let mut scopes: Vec<&Scope> = Vec::new();
        let default = self.default.iter().filter(|scope| keep(scope));
        let optional = self.optional.iter().filter(|scope| lookup.contains(scope.name.as_str()));
        for &scope in default.chain(optional) {
            if !scopes.iter().any(|already| already.name == scope.name) {
                scopes.push(scope);
            }
        }
        Granted {
            openid: lookup.contains(OPENID),
            scopes,
            asked: names,
            singles: Vec::new(),
            details: Vec::new(),
        }
    }
}

#[cfg(test)]
#[path = "scope_tests.rs"]
mod tests;
