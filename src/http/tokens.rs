//! Tokens of a request: records to claims (by the rules), claims to signed text (by the realm's keys), and back.

mod answers;
mod exchange;
mod known;
mod refresh;
mod service;

use serde_json::{Map, Value};

pub use answers::{sign_introspection, sign_response, sign_userinfo};
pub(super) use exchange::user_id;
pub use exchange::{ExchangeIssue, own_audiences, sign_exchanged};
pub use known::{granted_to, session_known_to, sub};
pub use refresh::{refresh_introspection, refresh_token_id};
pub use service::{service_draft, sign_service};

use known::{facts, granted_now, known_to, subject, with_claims};
use refresh::sign_refresh_token;

use super::bearer::Live;
use super::client_auth::Authenticated;
use super::context::RealmContext;
use crate::clock::Timestamp;
use crate::protocol::access_token::{self, AccessTokenRequest, access_token, exchanges, jti};
use crate::protocol::claims::{self, Subject, Target};
use crate::protocol::client::Client;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::grant::Grant;
use crate::protocol::grants::token_exchange::Ceiling;
use crate::protocol::id_token::{self, IdTokenRequest};
use crate::protocol::introspection;
use crate::protocol::jws::{Audience, Expect, half_hash};
use crate::protocol::logout::Hint;
use crate::protocol::refresh::RefreshToken;
use crate::protocol::scope::Granted;
use crate::protocol::token_response::TokenResponse;
use crate::protocol::user::{User, UserRoles};
use crate::secrets;
use crate::signer::{Algorithm, SignError, SigningKey};

/// Whom tokens are for and what they may say.
pub struct Issue<'a> {
    /// The client, with the key that it proved to hold: every grant's tokens are bound to it here.
    pub caller: &'a Authenticated,
    /// The user, or the client's service account.
    pub user: &'a User,
    /// The user's roles and groups.
    pub roles: &'a UserRoles,
    /// What was granted.
    pub granted: &'a Granted<'a>,
    /// The grant; none for a client's own token.
    pub grant: Option<&'a Grant>,
    /// The refresh token that was committed with this.
    pub refresh: Option<&'a RefreshToken>,
    /// What holds the access token to less than the client could have.
    pub bounds: Bounds<'a>,
    /// When.
    pub now: Timestamp,
}

impl Issue<'_> {
    fn client(&self) -> &Client {
        &self.caller.entry.client
    }
}

/// What holds an access token to less than its client could have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds<'a> {
    /// The audiences when they were asked for; none = the client's.
    pub audiences: Option<&'a [String]>,
    /// The client whose token an exchange made the grant from: no role that its token would not have.
    pub origin: Option<&'a Client>,
    /// When it must have ended.
    pub ends_at: Option<Timestamp>,
}

/// Signs what was decided and committed.
///
/// # Errors
/// [`SignError`], or when the realm has no key.
pub fn sign(context: &RealmContext, issue: &Issue<'_>) -> Result<TokenResponse, SignError> {
    let key = signer(context, issue.client().access_token_algorithm(context.state.algorithm()))?;
    let user = known_to(context, issue.client(), issue.user);
    let facts = facts(issue.grant);
    let mut subject = subject(context, &user, issue.roles);
    if let Some(grant) = issue.grant {
        subject.ceiling = exchange::ceiling(context, grant, issue.bounds.origin, &subject, facts);
    }
    let realm_settings = &context.state.realm.settings;
    let (client, bounds, confirmation) = (issue.client(), issue.bounds, issue.caller.confirmation.as_ref());
    let lifetime = lifetime(context, client);
    let lifetime = bounds.ends_at.map_or(lifetime, |end| lifetime.min(end.since(issue.now)));
    let jti = jti(issue.grant.map(|grant| grant.id.as_str()), &random_name());
    let mut claims = access_token(&AccessTokenRequest {
        issuer: &context.issuer,
        client,
        subject: &subject,
        granted: issue.granted,
        facts,
        jti: &jti,
        audiences: bounds.audiences,
        confirmation,
        now: issue.now,
        lifetime,
    });
    if let Some(grant) = issue.grant {
        exchange::tell(&mut claims, grant);
    }
    let access = key.sign(access_token::header_type(client), &claims)?;
    // What an exchange made is no sign-in of its own.
    let sign_in = issue.grant.filter(|grant| issue.granted.openid && grant.request.exchange.is_none());
    let id_token = match sign_in {
        Some(grant) => Some(sign_id_token(context, issue, &subject, grant, &access, lifetime)?),
        None => None,
    };
    let refresh = match issue.refresh.zip(issue.grant) {
        Some((token, grant)) => Some(sign_refresh_token(context, issue, token, grant)?),
        None => None,
    };
    let not_before = realm_settings.not_before.max(client.settings.not_before);
    Ok(TokenResponse {
        token_type: Confirmation::token_type(confirmation),
        not_before_policy: not_before.map_or(0, |at| at.0),
        refresh_expires_in: issue.refresh.map_or(0, |token| token.expires_at.since(issue.now)),
        refresh_token: refresh,
        id_token,
        session_state: issue.grant.and_then(|grant| grant.session_id.clone()),
        authorization_details: issue.granted.details.clone(),
        ..TokenResponse::bearer(access, lifetime, issue.granted.token_scope())
    })
}

fn sign_id_token(
    context: &RealmContext,
    issue: &Issue<'_>,
    subject: &Subject<'_>,
    grant: &Grant,
    access: &str,
    lifetime: i64,
) -> Result<String, SignError> {
    let key = signer(context, issue.client().id_token_algorithm(context.state.algorithm()))?;
    let at_hash = half_hash(key.algorithm(), access);
    let jti = random_name();
    let granted = with_claims(context, issue.granted, issue.client(), grant);
    let claims = id_token::id_token(&IdTokenRequest {
        issuer: &context.issuer,
        client: issue.client(),
        subject,
        granted: &granted,
        facts: facts(Some(grant)),
        nonce: grant.nonce.as_deref(),
        at_hash: Some(&at_hash),
        now: issue.now,
        lifetime,
        jti: &jti,
    });
    key.sign("JWT", &claims)
}

/// What an `id_token_hint` says, if it is an ID token of this realm, expired or not, and though the key that signed it was
/// replaced since (Core §3.1.2.1, RP-Initiated Logout 1.0 §2).
#[must_use]
pub fn id_token_hint(context: &RealmContext, token: &str) -> Option<Hint> {
    let now = context.app.clock.now();
    let verified = context.state.ring.verify_hint(token, now).ok()?;
    let issuer = verified.claims.text("iss")?;
    let issuers = [issuer];
    let expect = Expect {
        token_types: &[id_token::TYP],
        header_types: &["JWT"],
        audience: Audience::Named,
        expired_too: true,
        ..Expect::at(now, &issuers)
    };
    expect.check(verified.typ.as_deref(), &verified.claims).ok()?;
    if !context.app.hosts.accepts_issuer(issuer, context.realm()) {
        return None;
    }
    Some(Hint {
        subject: verified.claims.text("sub")?.to_owned(),
        session_id: verified.claims.text("sid").map(str::to_owned),
        client_id: verified.claims.text("azp")?.to_owned(),
    })
}

/// The claims of a userinfo response; none for a token without `openid` (Core §5.3).
#[must_use]
pub fn userinfo(context: &RealmContext, live: &Live) -> Option<Map<String, Value>> {
    let (grant, granted) = (live.grant.as_ref(), granted_now(context, live));
    // A service is no person. What was made of another issuer's token is for one, and hangs on no grant.
    if !granted.openid || live.user.service_account_client.is_some() {
        return None;
    }
    // What was asked for singly was granted to the client that asked, and not to one that its token was exchanged for.
    let granted = match grant.filter(|_| live.origins.is_empty()) {
        Some(grant) => with_claims(context, &granted, &live.entry.client, grant),
        None => granted,
    };
    let user = known_to(context, &live.entry.client, &live.user);
    let subject = subject(context, &user, &live.roles);
    Some(claims::userinfo(&subject, &live.entry.client, &granted, &facts(grant)))
}

/// The answer about a live access token (RFC 7662 §2.2).
#[must_use]
pub fn introspection(context: &RealmContext, live: &Live) -> Map<String, Value> {
    let granted = granted_now(context, live);
    let user = known_to(context, &live.entry.client, &live.user);
    let exchanged = !live.origins.is_empty() || live.claims.text("jti").is_some_and(|jti| exchanges(jti) > 0);
    let ceiling = exchanged.then(|| Ceiling::of(live.claims.members()));
    let subject = Subject { ceiling, ..subject(context, &user, &live.roles) };
    let facts = facts(live.grant.as_ref());
    let mapped = claims::evaluate(Target::Introspection, &subject, &live.entry.client, &granted, &facts);
    introspection::access_token(&live.claims, &live.user.username, &granted.token_scope(), mapped)
}

/// Seconds that an access token of `client` is good for.
fn lifetime(context: &RealmContext, client: &Client) -> i64 {
    client.access_token_lifetime(&context.state.realm.settings)
}

fn signer(context: &RealmContext, algorithm: Algorithm) -> Result<&SigningKey, SignError> {
    context.state.ring.signer(algorithm).ok_or(SignError::NoKey)
}

/// 128 random bits, without a dot.
fn random_name() -> String {
    secrets::random_name()
}
