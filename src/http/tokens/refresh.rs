//! Refresh tokens: signed, and read again.

use serde_json::{Map, Value};

use super::{Issue, sub};
use crate::http::context::RealmContext;
use crate::protocol::client::Client;
use crate::protocol::grant::Grant;
use crate::protocol::grants::refresh_token::RefreshRecord;
use crate::protocol::introspection;
use crate::protocol::jws::Expect;
use crate::protocol::refresh::{OFFLINE_TYP, RefreshToken, RefreshTokenRequest, TYP, refresh_token};
use crate::protocol::scope::{self, Granted};
use crate::signer::SignError;

pub(super) fn sign_refresh_token(
    context: &RealmContext,
    issue: &Issue<'_>,
    token: &RefreshToken,
    grant: &Grant,
) -> Result<String, SignError> {
    let claims = refresh_claims(context, issue.client(), issue.granted, token, grant);
    context.state.ring.mac_sign(&claims)
}

fn refresh_claims(
    context: &RealmContext,
    client: &Client,
    granted: &Granted<'_>,
    token: &RefreshToken,
    grant: &Grant,
) -> Map<String, Value> {
    refresh_token(&RefreshTokenRequest {
        issuer: &context.issuer,
        client_id: &client.client_id,
        user_id: &sub(context, client, &grant.user_id),
        sid: grant.session_id.as_deref(),
        offline: grant.offline,
        scope: &granted.token_scope(),
        token,
    })
}

/// The row that a refresh token of this realm names; its state is the row's.
#[must_use]
pub fn refresh_token_id(context: &RealmContext, token: &str) -> Option<String> {
    let ring = &context.state.ring;
    let verified = ring.bears_mac(token).then(|| ring.mac_verify(token))?.ok()?;
    let issuer = verified.claims.text("iss")?;
    let issuers = [issuer];
    let expect = Expect {
        token_types: &[TYP, OFFLINE_TYP],
        needs_jti: true,
        expired_too: true,
        ..Expect::at(context.app.clock.now(), &issuers)
    };
    expect.check(verified.typ.as_deref(), &verified.claims).ok()?;
    let ours = context.app.hosts.accepts_issuer(issuer, context.realm());
    verified.claims.text("jti").filter(|_| ours).map(str::to_owned)
}

/// The answer about a good refresh token of `client` (RFC 7662 §2.2).
#[must_use]
pub fn refresh_introspection(
    context: &RealmContext,
    client: &Client,
    record: &RefreshRecord,
) -> Map<String, Value> {
    let RefreshRecord { token, grant, user, .. } = record;
    let settings = &context.state.realm.settings;
    let granted = scope::regrant(&grant.scope, client, settings, &context.state.scopes);
    let claims = refresh_claims(context, client, &granted, token, grant);
    introspection::refresh_token(claims, &user.username)
}
