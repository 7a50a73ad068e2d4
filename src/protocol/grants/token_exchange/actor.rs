//! Who acts for whom: the claims `act` and `may_act` (RFC 8693 §4.1 and §4.4).

use serde_json::{Map, Value};

use super::{Shown, refuse};
use crate::protocol::access_token::{self, holder};
use crate::protocol::client::Client;
use crate::protocol::error::OAuthError;

/// Most actors that a token may name, the one who acts now included, and most exchanges that it may have gone through.
pub const MOST_ACTORS: usize = 5;

/// The claim `act` of the result: the actor, with those before it inside; those before it alone when nobody new is told.
///
/// # Errors
/// `invalid_request` when the chain is too long, or is none.
pub(super) fn chain(subject: &Shown<'_>, actor: Option<&Shown<'_>>) -> Result<Option<Value>, OAuthError> {
    let before = subject.claims.value("act");
    if before.is_some_and(|act| depth(act).is_none()) {
        return Err(refuse("The subject token names its actors wrongly"));
    }
    let act = match actor {
        None => before.cloned(),
        Some(actor) => {
            let mut act = Map::new();
            for (name, value) in [
                ("sub", actor.claims.text("sub").map(Value::from)),
                ("client_id", holder(actor.claims).map(Value::from)),
                ("act", before.cloned()),
            ] {
                if let Some(value) = value {
                    act.insert(name.to_owned(), value);
                }
            }
            Some(Value::Object(act))
        }
    };
    match act.as_ref().map_or(Some(0), depth) {
        Some(depth) if depth <= MOST_ACTORS => Ok(act),
        _ => Err(refuse("The token went through too many hands")),
    }
}

/// How many actors a claim `act` names; none when it is not made of objects.
fn depth(act: &Value) -> Option<usize> {
    let mut depth = 0;
    let mut rest = Some(act);
    while let Some(act) = rest {
        depth += 1;
        rest = act.as_object()?.get("act");
    }
    Some(depth)
}

/// Whether `actor` may act for the subject. The client's own account may, since the rule of the exchange says so;
/// anybody else must be named by the subject token's `may_act`, and where that claim stands nobody but whom it names.
///
/// # Errors
/// `invalid_request`.
pub(super) fn may_act(requester: &Client, subject: &Shown<'_>, actor: &Shown<'_>) -> Result<(), OAuthError> {
    let itself = actor.of_service && holder(actor.claims) == Some(requester.client_id.as_str());
    let allowed = match subject.claims.value("may_act") {
        // Names that another issuer gives are its own, unless it says whose.
        Some(named) if subject.foreign.is_some() && named.get("iss").is_none() => false,
        Some(named) => is_named(named, actor),
        None => itself,
    };
    if allowed { Ok(()) } else { Err(refuse("The actor may not act for the subject (may_act)")) }
}

/// Whether each member of `may_act` is true of the actor. One that is not understood may narrow the meaning, so it
/// names nobody.
fn is_named(may_act: &Value, actor: &Shown<'_>) -> bool {
    let Some(members) = may_act.as_object() else { return false };
    let mut told = false;
    for (name, value) in members {
        let fits = match name.as_str() {
            "iss" => value.as_str() == actor.claims.text("iss"),
            "sub" => value.as_str() == actor.claims.text("sub"),
            "client_id" => value.as_str() == access_token::holder(actor.claims),
            _ => false,
        };
        if !fits || value.as_str().is_none() {
            return false;
        }
        told |= name != "iss";
    }
    told
}
