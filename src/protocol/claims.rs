//! Claims that mappers make: of a user, for a client, as far as the scopes go.
//!
//! Owns whose mappers run and in which order. Leaves the single rule to `mapper`, and the claims that every token has
//! to `access_token` and `id_token`.

use serde_json::{Map, Value};

use super::client::Client;
use super::grants::token_exchange::Ceiling;
use super::mapper::{self, Held, Kind, Mapper, Plan, Source};
use super::role::{Role, Roles};
use super::scope::{Granted, Scope};
use super::user::User;
use crate::clock::Timestamp;

/// Whom the claims are about.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The person, or the service account.
    pub user: &'a User,
    /// Roles in effect: assigned ones and those of groups, composites expanded (see [`Roles::effective`]).
    pub roles: Vec<&'a Role>,
    /// The realm's roles, which know the `client_id` of a client role.
    pub role_names: &'a Roles,
    /// Paths of the groups that the user is a member of: `/staff/board`.
    pub groups: &'a [String],
    /// What roles and groups are held to, when the claims are those of an exchanged token.
    pub ceiling: Option<Ceiling>,
}

/// Where the claims will stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An access token.
    AccessToken,
    /// An access token that says little: whoever gets it asks introspection for the rest.
    Lightweight,
    /// An ID token (OpenID Connect Core §2).
    IdToken,
    /// A UserInfo response (OpenID Connect Core §5.3).
    UserInfo,
    /// An introspection response (RFC 7662).
    Introspection,
}

/// What is known of the sign-in; for a service nothing but from where it asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// Identifier of the session (`sid`).
    pub sid: Option<&'a str>,
    /// When the user last proved who they are.
    pub auth_time: Option<Timestamp>,
    /// How.
    pub acr: Option<&'a str>,
    /// The address from which a service asks for its own token.
    pub address: Option<&'a str>,
}

/// Whether tokens of `client` say from where it asked for them, so that no two need be alike.
#[must_use]
pub fn tells_address(client: &Client, granted: &Granted<'_>) -> bool {
    let of_scopes = granted.scopes.iter().flat_map(|scope| &scope.settings.mappers);
    of_scopes.chain(&client.settings.mappers).any(mapper::tells_address)
}

/// The claims that the mappers of the granted scopes, then those of the client, and then those of claims granted on
/// their own make for `target`. They never
/// hold `null` or an empty value, nor a claim that a token stands on (see [`Kind::may_write`]); `aud`, when there, is
/// a list.
#[must_use]
pub fn evaluate(
    target: Target,
    subject: &Subject<'_>,
    client: &Client,
    granted: &Granted<'_>,
    facts: &Facts<'_>,
) -> Map<String, Value> {
    let mappers: Vec<(&Plan, &Mapper)> = granted
        .scopes
        .iter()
        .flat_map(|scope| &scope.settings.mappers)
        .chain(&client.settings.mappers)
        .filter_map(|mapper| Some((mapper.plan()?, mapper)))
        .collect();
    let held = roles(&mappers, subject, client, &granted.scopes);
    let source = Source { subject, client, facts, held };
    let mut claims = Map::new();
    let singles = granted.singles_for(target).filter_map(|mapper| Some((mapper.plan()?, mapper)));
    let apply = mappers.into_iter().filter(|(plan, _)| plan.is_for(target)).chain(singles);
    for (plan, mapper) in apply {
        mapper::apply(plan, mapper, &source, &mut claims);
    }
    claims
}

/// A UserInfo response: `sub` and what the mappers make (OpenID Connect Core §5.3.2).
#[must_use]
pub fn userinfo(
    subject: &Subject<'_>,
    client: &Client,
    granted: &Granted<'_>,
    facts: &Facts<'_>,
) -> Map<String, Value> {
    let mut claims = evaluate(Target::UserInfo, subject, client, granted, facts);
    claims.remove("aud");
    claims.insert("sub".into(), subject.user.id.clone().into());
    claims
}

/// Roles are settled before any claim shows them: first what mappers add, then what they rename.
fn roles<'a>(
    mappers: &[(&Plan, &'a Mapper)],
    subject: &Subject<'a>,
    client: &Client,
    scopes: &[&Scope],
) -> Held<'a> {
    let mut held = Held::of(subject, client, scopes);
    for (_, mapper) in mappers.iter().filter(|(plan, _)| plan.kind == Kind::HardcodedRole) {
        held.add(mapper, subject.role_names);
    }
    for (_, mapper) in mappers.iter().filter(|(plan, _)| plan.kind == Kind::RoleName) {
        held.rename(mapper, subject.role_names);
    }
    if let Some(ceiling) = &subject.ceiling {
        held.lower(ceiling);
    }
    held
}
