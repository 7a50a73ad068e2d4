//! The `claims` parameter (OpenID Connect Core §5.5): claims that a client asks for one by one.
//!
//! Owns reading the parameter, and which of its wishes are granted. Leaves `acr` to [`super::acr`], and what the claims
//! say to their mappers.
//!
//! A claim is granted when one of the client's scopes, default or optional, or one of its own mappers makes it for
//! what the client itself reads: ID tokens and UserInfo. So the parameter opens nothing that the client could not have
//! asked for by a scope; it asks for less than the scope. A person is asked for consent to the scope that it is of.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::acr::Wish;
use super::claims::Target;
use super::client::Client;
use super::error::{ErrorCode, OAuthError};
use super::jws::strict_object;
use super::mapper::{Kind, Mapper};
use super::realm::RealmSettings;
use super::scope::{Granted, Offer, Scope};

/// Longest `claims` parameter that is read, in bytes.
pub const MOST_BYTES: usize = 4_000;

/// What the parameter says, as far as it means something here: other members and the values of other claims are passed
/// over, since a claim says what is, whatever is asked for (Core §5.5.1 lets a server do so).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    /// Names of the claims that are asked for.
    pub names: ClaimNames,
    /// The one of `sub` that must sign in; empty when it does not matter who (Core §5.5.1: no answer about another).
    pub subjects: Vec<String>,
    /// How the person must have signed in.
    pub acr: Option<Wish>,
}

/// Names of claims by where they are to stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimNames {
    /// In the ID token.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub id_token: BTreeSet<String>,
    /// In the UserInfo response.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub userinfo: BTreeSet<String>,
}

impl ClaimNames {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id_token.is_empty() && self.userinfo.is_empty()
    }

    fn of(&self, target: Target) -> Option<&BTreeSet<String>> {
        match target {
            Target::IdToken => Some(&self.id_token),
            Target::UserInfo => Some(&self.userinfo),
            Target::AccessToken | Target::Lightweight | Target::Introspection => None,
        }
    }
}

impl ClaimsRequest {
    /// Whether the request may be answered about the user `id`.
    #[must_use]
    pub fn allows_subject(&self, id: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|subject| subject == id)
    }

    /// Reads the parameter; absent, it asks for nothing.
    ///
    /// # Errors
    /// `invalid_request` when it is not an object of strict JSON in the form of Core §5.5.
    pub fn read(parameter: Option<&str>) -> Result<Self, OAuthError> {
        let Some(text) = parameter else { return Ok(Self::default()) };
        if text.len() > MOST_BYTES {
            return Err(refused("claims is too long"));
        }
        let members = strict_object(text.as_bytes()).map_err(|fault| refused(format!("claims {fault}")))?;
        let mut request = Self::default();
        for (place, names) in
            [("id_token", &mut request.names.id_token), ("userinfo", &mut request.names.userinfo)]
        {
            let Some(wishes) = members.get(place) else { continue };
            let wishes = wishes.as_object().ok_or_else(|| refused("a member of claims is not an object"))?;
            for (name, wish) in wishes {
                let values = read_wish(wish)?;
                match (name.as_str(), values) {
                    ("sub", Some((_, values))) => request.subjects.extend(texts(values)?),
                    ("acr", Some((essential, values))) if place == "id_token" => {
                        request.acr = Some(Wish { values: texts(values)?, essential });
                    }
                    _ => {}
                }
                names.insert(name.clone());
            }
        }
        Ok(request)
    }
}

/// Whether the claim is essential, and the values that are asked for; none for a wish that says nothing (`null`).
fn read_wish(wish: &Value) -> Result<Option<(bool, Vec<&Value>)>, OAuthError> {
    let members: &Map<String, Value> = match wish {
        Value::Null => return Ok(None),
        Value::Object(members) => members,
        _ => return Err(refused("a claim in claims is neither null nor an object")),
    };
    let essential = match members.get("essential") {
        None => false,
        Some(Value::Bool(essential)) => *essential,
        Some(_) => return Err(refused("essential in claims is neither true nor false")),
    };
    let values = match (members.get("value"), members.get("values")) {
        (None, None) => Vec::new(),
        (Some(value), None) => vec![value],
        (None, Some(Value::Array(values))) if !values.is_empty() => values.iter().collect(),
        (None, Some(_)) => return Err(refused("values in claims is not a list of values")),
        (Some(_), Some(_)) => return Err(refused("a claim in claims has both value and values")),
    };
    Ok(Some((essential, values)))
}

fn texts(values: Vec<&Value>) -> Result<Vec<String>, OAuthError> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let texts: Option<Vec<String>> = values.into_iter().map(text).collect();
    texts.ok_or_else(|| refused("a value of sub or acr in claims is not a text"))
}

fn refused(why: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, why)
}

/// A claim that is granted on its own: the mapper that makes it, and the scope that it is of (none: the client's own).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SingleClaim<'a> {
    /// Where it stands.
    pub target: Target,
    /// The scope.
    pub scope: Option<&'a Scope>,
    /// The mapper.
    pub mapper: &'a Mapper,
}

impl<'a> Granted<'a> {
    /// The same with the claims of `names` that the client may have and does not get by a scope already.
    #[must_use]
    pub fn with_claims(
        &self,
        names: &ClaimNames,
        client: &'a Client,
        realm: &RealmSettings,
        known: &'a [Scope],
    ) -> Self {
        let mut granted = self.clone();
        if names.is_empty() {
            return granted;
        }
        let offer = Offer::of(client, realm, known);
        let of_scopes = offer
            .all()
            .flat_map(|scope| scope.settings.mappers.iter().map(move |mapper| (Some(scope), mapper)));
        let own = client.settings.mappers.iter().map(|mapper| (None, mapper));
        for (scope, mapper) in of_scopes.chain(own) {
            let Some(kind) = Kind::parse(&mapper.kind) else { continue };
            let read = mapper.is_for(kind, Target::IdToken) || mapper.is_for(kind, Target::UserInfo);
            let Some(claim) = mapper.claim().filter(|_| read) else { continue };
            let has = scope.is_none_or(|scope| self.has(&scope.name));
            for target in [Target::IdToken, Target::UserInfo] {
                let wished = names.of(target).is_some_and(|names| names.contains(&claim));
                if wished && !(has && mapper.is_for(kind, target)) {
                    granted.singles.push(SingleClaim { target, scope, mapper });
                }
            }
        }
        granted
    }

    /// The mappers of the claims that are granted on their own for `target`.
    pub fn singles_for(&self, target: Target) -> impl Iterator<Item = &'a Mapper> {
        self.singles.iter().filter(move |single| single.target == target).map(|single| single.mapper)
    }

    /// The names of those claims, to be kept with the grant.
    #[must_use]
    pub fn single_names(&self) -> ClaimNames {
        let names = |target| self.singles_for(target).filter_map(Mapper::claim).collect();
        ClaimNames { id_token: names(Target::IdToken), userinfo: names(Target::UserInfo) }
    }
}

#[cfg(test)]
#[path = "claims_request_tests.rs"]
mod tests;
