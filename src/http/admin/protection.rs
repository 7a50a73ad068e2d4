//! The brake on guessing passwords, as administrators see it and take it off.

use serde_json::json;

use super::answer::{Answer, done, told};
use super::call::{Call, Operation};
use super::users;
use crate::protocol::brake;
use crate::store::Change;

/// What is counted against a user's name, from anywhere. `disabled` is one whom somebody must wait for, be it from one
/// network alone.
pub(super) async fn read(call: Call) -> Answer {
    let user = users::named(&call).await?;
    let now = call.now();
    let account = brake::account(&user.username);
    let counted = call.store().failures_of_account(call.realm_id(), &account, now).await?;
    told(&json!({
        "numFailures": counted.count,
        "numTemporaryLockouts": 0,
        "disabled": counted.locked_until > now,
        "lastIPFailure": "n/a",
        "lastFailure": counted.last_at.0.saturating_mul(1_000),
        "failedLoginNotBefore": 0,
    }))
}

/// Forgets what is counted against a user's name, from every address.
pub(super) async fn forgive(call: Call) -> Answer {
    let user = users::manageable(&call).await?;
    let account = brake::account(&user.username);
    let change = Change::ForgiveAccount { realm_id: call.realm_id().to_owned(), account: Some(account) };
    let path = format!("attack-detection/brute-force/users/{}", user.id);
    call.commit(vec![change], Operation::Delete, "USER_LOGIN_FAILURE", &path).await?;
    done()
}

/// Forgets it of every name.
pub(super) async fn forgive_all(call: Call) -> Answer {
    let change = Change::ForgiveAccount { realm_id: call.realm_id().to_owned(), account: None };
    let path = "attack-detection/brute-force/users";
    call.commit(vec![change], Operation::Delete, "USER_LOGIN_FAILURE", path).await?;
    done()
}
