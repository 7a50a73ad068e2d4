//! The refresh token that a client has after it used one: another, or the same.

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::grants::{Refused, event};
use crate::protocol::audit::AuditKind;
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grant::Grant;
use crate::protocol::grants::refresh_token::{RefreshRecord, expires_at, not_valid};
use crate::protocol::refresh::RefreshToken;
use crate::store::{KeepRefresh, Keeping, RotateRefresh, Rotation, SessionTouch};

/// Commits the use of a token that the rules allow, and gives the one that is good from now on.
///
/// # Errors
/// `invalid_grant` when the token was used up or revoked meanwhile, or trouble of ours.
pub(super) async fn token(
    context: &RealmContext,
    caller: &Authenticated,
    record: &RefreshRecord,
    now: Timestamp,
) -> Result<RefreshToken, Refused> {
    let reach = reach(context, &caller.entry.client, record, now);
    if caller.entry.client.rotates_refresh_tokens() {
        rotate(context, caller, record, reach, now).await
    } else {
        keep(context, caller, record, reach, now).await
    }
}

/// How far a use reaches.
struct Reach {
    /// The end of the token that is good from now on.
    ends: Timestamp,
    /// Until when the grant is needed.
    grant_expires_at: Timestamp,
    /// The session that is kept alive by it.
    session: Option<SessionTouch>,
}

fn reach(context: &RealmContext, client: &Client, record: &RefreshRecord, now: Timestamp) -> Reach {
    let settings = &context.state.realm.settings;
    let unseen = record.session.as_ref().is_some_and(|session| session.last_seen_at < now);
    let touched = record.session.as_ref().map(|session| session.used(now));
    let ends = expires_at(&record.grant, client, touched.as_ref(), settings, now);
    let access_ends = now.plus(client.access_token_lifetime(settings));
    let session = touched
        .filter(|_| unseen && keeps_session(&record.grant))
        .map(|session| SessionTouch { expires_at: session.ends_at(settings), id: session.id });
    Reach { ends, grant_expires_at: ends.max(access_ends), session }
}

/// Whether a refresh counts as a use of the session: what an exchange made does not keep the person's session alive.
fn keeps_session(grant: &Grant) -> bool {
    !grant.offline && grant.parent.is_none()
}

async fn rotate(
    context: &RealmContext,
    caller: &Authenticated,
    record: &RefreshRecord,
    reach: Reach,
    now: Timestamp,
) -> Result<RefreshToken, Refused> {
    let (realm, client) = (&context.state.realm, &caller.entry.client);
    let successor = record.token.successor(Uuid::now_v7().to_string(), now, reach.ends);
    let rotation = RotateRefresh {
        realm_id: realm.id.clone(),
        id: record.token.id.clone(),
        grant_id: record.grant.id.clone(),
        now,
        retry_window: realm.settings.refresh_retry_window,
        successor: successor.clone(),
        grant_expires_at: reach.grant_expires_at,
        session: reach.session,
        spends: caller.spends.clone(),
        audit: event(context, AuditKind::RefreshToken, client, Some(&record.grant)),
        reuse_audit: event(context, AuditKind::RefreshReuse, client, Some(&record.grant)),
    };
    match context.app.store.rotate_refresh_token(rotation).await? {
        Rotation::Rotated | Rotation::Retried => Ok(successor),
        Rotation::Reused => {
            tracing::warn!(client_id = %client.client_id, "a refresh token was used twice; its grant is revoked");
            let why = "Maximum allowed refresh token reuse exceeded";
            Err(Refused::settled(OAuthError::new(ErrorCode::InvalidGrant, why)))
        }
        Rotation::Gone => Err(not_valid().into()),
        Rotation::Replayed(kind) => Err(client_auth::replayed(kind).into()),
    }
}

async fn keep(
    context: &RealmContext,
    caller: &Authenticated,
    record: &RefreshRecord,
    reach: Reach,
    now: Timestamp,
) -> Result<RefreshToken, Refused> {
    let keep = KeepRefresh {
        realm_id: context.state.realm.id.clone(),
        id: record.token.id.clone(),
        grant_id: record.grant.id.clone(),
        now,
        expires_at: reach.ends,
        grant_expires_at: reach.grant_expires_at,
        session: reach.session,
        spends: caller.spends.clone(),
        audit: event(context, AuditKind::RefreshToken, &caller.entry.client, Some(&record.grant)),
    };
    match context.app.store.keep_refresh_token(keep).await? {
        Keeping::Kept => Ok(RefreshToken { expires_at: reach.ends, ..record.token.clone() }),
        Keeping::Gone => Err(not_valid().into()),
        Keeping::Replayed(kind) => Err(client_auth::replayed(kind).into()),
    }
}
