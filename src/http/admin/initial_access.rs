//! Tokens by which clients may register themselves.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use crate::protocol::register::InitialToken;
use crate::secrets::{fingerprint, random_token};
use crate::store::Change;

const KIND: &str = "CLIENT_INITIAL_ACCESS_MODEL";

/// How long one is good when the body does not say, in seconds.
const USUAL: i64 = 86_400;

/// Longest span, in seconds.
const LONGEST: i64 = 366 * 86_400;

/// Most clients that may register by one.
const MOST: i64 = 100_000;

#[derive(Deserialize)]
struct Body {
    /// Seconds; 0 is as long as one may be.
    expiration: Option<i64>,
    count: Option<i64>,
}

/// Those that can still be used, oldest first, without the tokens themselves.
pub(super) async fn list(call: Call) -> Answer {
    let tokens = call.store().registration_tokens(call.realm_id(), call.now()).await?;
    told(&tokens.iter().map(shown).collect::<Vec<_>>())
}

fn shown(token: &InitialToken) -> Value {
    json!({
        "id": token.id,
        "timestamp": token.created_at.0,
        "expiration": token.expires_at.since(token.created_at),
        "count": token.uses,
        "remainingCount": token.uses_left,
    })
}

/// Makes one, which is shown this once.
pub(super) async fn create(call: Call) -> Answer {
    let body: Body = call.server.json()?;
    let span = match body.expiration.unwrap_or(USUAL) {
        0 => LONGEST,
        span => span,
    };
    let uses = body.count.unwrap_or(1);
    if !(1..=LONGEST).contains(&span) {
        return Err(AdminError::bad(format!("expiration must be from 1 to {LONGEST} seconds")));
    }
    if !(1..=MOST).contains(&uses) {
        return Err(AdminError::bad(format!("count must be from 1 to {MOST}")));
    }
    let (secret, now) = (random_token(), call.now());
    let token = InitialToken {
        id: Uuid::new_v4().to_string(),
        realm_id: call.realm_id().to_owned(),
        created_at: now,
        expires_at: now.plus(span),
        uses,
        uses_left: uses,
    };
    let mut answer = shown(&token);
    if let Some(members) = answer.as_object_mut() {
        members.insert("token".to_owned(), secret.as_str().into());
    }
    let id = token.id.clone();
    let path = format!("clients-initial-access/{id}");
    let change = Change::AddRegistrationToken { token, fingerprint: fingerprint(&secret) };
    call.commit(vec![change], Operation::Create, KIND, &path).await?;
    // 200 and not 201, which python-keycloak takes for a failure.
    told(&answer)
}

/// Takes one back.
pub(super) async fn delete(call: Call) -> Answer {
    let id = call.part("token").to_owned();
    let path = format!("clients-initial-access/{id}");
    let change = Change::DeleteRegistrationToken { realm_id: call.realm_id().to_owned(), id };
    let gone = call.commit(vec![change], Operation::Delete, KIND, &path).await;
    gone.map_err(|error| {
        AdminError::of_conflict(error, |_| AdminError::not_found("Initial access token not found"))
    })?;
    done()
}
