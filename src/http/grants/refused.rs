//! A request with a client's proof that is refused, and what the refusal leaves behind.

use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::protocol::error::ErrorCode;
use crate::protocol::spend::Spend;
use crate::store::{Change, StoreError};

/// A refusal that is not committed yet: what proved the caller is used up by it too, in one transaction with what else it
/// leaves.
#[derive(Debug)]
pub struct Refused {
    error: ApiError,
    /// None when everything is committed.
    leaves: Option<Vec<Change>>,
}

impl<E: Into<ApiError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self { error: error.into(), leaves: Some(Vec::new()) }
    }
}

impl Refused {
    /// A refusal that was committed with what it leaves, the caller's proof included.
    #[must_use]
    pub fn settled(error: impl Into<ApiError>) -> Self {
        Self { error: error.into(), leaves: None }
    }

    /// The same refusal with a change that it leaves; none for trouble of ours, which leaves nothing.
    #[must_use]
    pub fn leaving(mut self, change: Change) -> Self {
        if self.error.is_refusal()
            && let Some(leaves) = &mut self.leaves
        {
            leaves.push(change);
        }
        self
    }

    /// Commits what the refusal leaves, and gives the answer. Of a request whose proof was used before nothing lasts: it
    /// proves nothing, whatever else is wrong with it, and hears that alone. A client that is only told which nonce to use
    /// sends the same once more (RFC 9449 §8).
    pub async fn settle(self, context: &RealmContext, caller: &Authenticated) -> ApiError {
        let Some(leaves) = self.leaves else { return self.error };
        if self.error.code() == ErrorCode::UseDpopNonce {
            return self.error;
        }
        let realm_id = &context.state.realm.id;
        let spent = Spend::in_order(&caller.spends)
            .into_iter()
            .map(|spend| Change::Spend { realm_id: realm_id.clone(), spend: spend.clone() });
        match context.app.commit(spent.chain(leaves).collect()).await {
            Ok(()) => self.error,
            Err(StoreError::Conflict { what }) if self.error.is_refusal() => {
                match caller.spends.iter().find(|spend| spend.kind.name() == what) {
                    Some(spend) => client_auth::replayed(spend.kind),
                    None => StoreError::Conflict { what }.into(),
                }
            }
            Err(StoreError::Conflict { .. }) => self.error,
            Err(error) => error.into(),
        }
    }
}
