//! Whom the result of an exchange is for.

use super::Decided;
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::tokens;
use crate::protocol::client::Client;
use crate::protocol::grants::token_exchange::{ExchangeRequest, Reach};
use crate::protocol::scope::Granted;
use crate::protocol::user::UserRoles;

/// The audiences of the result: those that were asked for; where a rule is for every service, as far as it reaches, and all
/// of that when nobody says.
///
/// # Errors
/// `invalid_target` for one that is out of reach; trouble of ours.
pub(super) async fn of_result(
    context: &RealmContext,
    requester: &Client,
    request: &ExchangeRequest<'_>,
    decided: &Decided<'_>,
    granted: &Granted<'_>,
    roles: &UserRoles,
) -> Result<Vec<String>, ApiError> {
    let Decided { targets, rules, subject, .. } = decided;
    let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
    let Some(live) = subject.live().filter(|_| rules.iter().any(|rule| rule.is_standard())) else {
        return Ok(names);
    };
    let own = tokens::own_audiences(context, requester, live, roles, granted);
    let of_subject = live.claims.audiences().unwrap_or_default();
    let realm = context.state.realm.name.as_str();
    let reach = Reach { realm, requester, subject: &of_subject, own: &own };
    if request.audiences.is_empty() && request.resources.is_empty() {
        let reached = reached(context, &reach).await?;
        return Ok(if reached.is_empty() { names } else { reached });
    }
    for (target, _) in targets.iter().zip(rules).filter(|(_, rule)| rule.is_standard()) {
        reach.admit(target.client())?;
    }
    Ok(names)
}

/// All that is within reach.
async fn reached(context: &RealmContext, reach: &Reach<'_>) -> Result<Vec<String>, ApiError> {
    let mut reached: Vec<String> = Vec::new();
    for name in reach.own {
        let entry = context.state.client(&context.app.store, name).await?;
        let within = entry.is_some_and(|entry| entry.client.enabled && reach.covers(&entry.client));
        if within && !reached.contains(name) {
            reached.push(name.clone());
        }
    }
    Ok(reached)
}
