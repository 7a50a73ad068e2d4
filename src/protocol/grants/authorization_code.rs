//! The authorization code grant at the token endpoint (RFC 6749 §4.1.3, OpenID Connect Core §3.1.3).

use crate::clock::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::code::AuthorizationCode;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grant::Grant;
use crate::protocol::pkce::{self, Proof};
use crate::protocol::realm::RealmSettings;
use crate::protocol::session::Session;
use crate::protocol::standing::not_before;
use crate::protocol::user::{User, UserRoles};

/// Redemptions with a wrong verifier after which a code is burnt.
pub const MAX_WRONG_VERIFIERS: i64 = 5;

/// What the token request brought.
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'a> {
    /// `redirect_uri`.
    pub redirect_uri: Option<&'a str>,
    /// `code_verifier`.
    pub code_verifier: Option<&'a str>,
    /// The key that the request proved to hold.
    pub confirmation: Option<&'a Confirmation>,
}

/// A code with the records that it hangs on.
#[derive(Clone, Debug)]
pub struct CodeRecord {
    /// The code.
    pub code: AuthorizationCode,
    /// Its grant.
    pub grant: Grant,
    /// Who gave the grant.
    pub user: User,
    /// What that user holds.
    pub roles: UserRoles,
    /// The session it was given in, while the store still has it.
    pub session: Option<Session>,
}

/// What to do with a token request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Spend the code, and issue tokens if it was still there to spend.
    Redeem,
    /// A fully valid request for a code that was spent before: revoke its grant, then refuse (OAuth 2.1 §4.1.3).
    Replay,
    /// Count the wrong verifier, then refuse.
    WrongVerifier,
    /// Refuse; nothing changes.
    Refuse(OAuthError),
}

/// The one answer to a code that is not good, whatever the reason: who guesses learns nothing.
#[must_use]
pub fn not_valid() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "Code not valid")
}

/// Decides a redemption by the authenticated `client`. The binding to the client is looked at first, so that another
/// client can neither spend nor burn a code (RFC 6749 §4.1.3).
#[must_use]
pub fn decide(
    record: Option<&CodeRecord>,
    client: &Client,
    settings: &RealmSettings,
    request: TokenRequest<'_>,
    now: Timestamp,
) -> Decision {
    let refuse = |why: &'static str| Decision::Refuse(OAuthError::new(ErrorCode::InvalidGrant, why));
    let Some(CodeRecord { code, grant, user, session, .. }) = record.filter(|r| r.code.client == client.id)
    else {
        return Decision::Refuse(not_valid());
    };
    if now >= code.expires_at || code.failures >= MAX_WRONG_VERIFIERS || grant.revoked_at.is_some() {
        return Decision::Refuse(not_valid());
    }
    if request.redirect_uri != Some(code.redirect_uri.as_str()) {
        return refuse("redirect_uri is not that of the authorization request");
    }
    if let Some(Err(refusal)) = code.confirmation.as_ref().map(|bound| bound.admits(request.confirmation)) {
        return Decision::Refuse(refusal);
    }
    match pkce::verify(code.code_challenge.as_deref(), request.code_verifier) {
        Proof::Good => {}
        Proof::Wrong if request.code_verifier.is_none() => return refuse("code_verifier is missing"),
        Proof::Wrong if code.redeemed_at.is_some() => return Decision::Refuse(not_valid()),
        Proof::Wrong => return Decision::WrongVerifier,
        Proof::Unexpected => {
            let why = "code_verifier was not expected: the authorization request had no code_challenge";
            return Decision::Refuse(OAuthError::new(ErrorCode::InvalidRequest, why));
        }
    }
    if code.redeemed_at.is_some() {
        return Decision::Replay;
    }
    if not_before(settings, client, user).is_some_and(|not_before| code.issued_at < not_before) {
        return Decision::Refuse(not_valid());
    }
    if !user.enabled {
        return refuse("The user is disabled");
    }
    if !session.as_ref().is_some_and(|session| session.is_live(settings, now)) {
        return refuse("The session has ended");
    }
    Decision::Redeem
}
