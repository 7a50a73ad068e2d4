//! What a token exchange gives, signed.

use serde_json::{Map, Value};

use super::{facts, known_to, lifetime, random_name, signer, subject};
use crate::clock::Timestamp;
use crate::http::bearer::Live;
use crate::http::client_auth::Authenticated;
use crate::http::context::RealmContext;
use crate::protocol::access_token::{self, AccessTokenRequest, access_token, exchanged_jti};
use crate::protocol::claims::{self, Facts, Subject, Target};
use crate::protocol::client::Client;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::grant::Grant;
use crate::protocol::grants::token_exchange::{Ceiling, Exchange, TokenType, tell_actors};
use crate::protocol::id_token::{self, IdTokenRequest};
use crate::protocol::jws::Claims;
use crate::protocol::scope::{self, Granted};
use crate::protocol::token_response::TokenResponse;
use crate::protocol::user::{User, UserRoles};
use crate::signer::SignError;

/// What an exchange is to give.
pub struct ExchangeIssue<'a> {
    /// Who asked, with the key that it proved to hold: the result is bound to it.
    pub caller: &'a Authenticated,
    /// Whom the result speaks for.
    pub user: &'a User,
    /// The grant that it hangs on; none for a service's, and for what is made of another issuer's token.
    pub grant: Option<&'a Grant>,
    /// What the token says that it is made from; none for another issuer's.
    pub before: Option<&'a Claims>,
    /// The user's roles and groups.
    pub roles: &'a UserRoles,
    /// What was granted.
    pub granted: &'a Granted<'a>,
    /// Whom the result is for.
    pub audiences: &'a [String],
    /// The client that an ID token is for.
    pub service: &'a Client,
    /// What was decided.
    pub exchange: &'a Exchange,
    /// What is issued.
    pub kind: TokenType,
    /// When.
    pub now: Timestamp,
}

/// Signs what an exchange gives: an access token, or an ID token in its place (RFC 8693 §2.2.1).
///
/// # Errors
/// [`SignError`], or when the realm has no key.
pub fn sign_exchanged(context: &RealmContext, issue: &ExchangeIssue<'_>) -> Result<TokenResponse, SignError> {
    let realm_algorithm = context.state.algorithm();
    let (client, confirmation) = (&issue.caller.entry.client, issue.caller.confirmation.as_ref());
    let reader = if issue.kind == TokenType::IdToken { issue.service } else { client };
    let user = known_to(context, reader, issue.user);
    let ceiling = issue.before.map(|before| Ceiling::of(before.members()));
    let who = Subject { ceiling, ..subject(context, &user, issue.roles) };
    let facts = facts(issue.grant);
    let lifetime = lifetime(context, client).min(issue.exchange.ends_at.since(issue.now));
    let jti = match issue.before.and_then(|before| before.text("jti")) {
        Some(before) => exchanged_jti(before, &own_name(context, issue, &user)),
        None => own_name(context, issue, &user),
    };
    let mut claims = if issue.kind == TokenType::IdToken {
        id_token::id_token(&IdTokenRequest {
            issuer: &context.issuer,
            client: issue.service,
            subject: &who,
            granted: issue.granted,
            facts,
            nonce: None,
            at_hash: None,
            now: issue.now,
            lifetime,
            jti: &jti,
        })
    } else {
        access_token(&AccessTokenRequest {
            issuer: &context.issuer,
            client,
            subject: &who,
            granted: issue.granted,
            facts,
            jti: &jti,
            confirmation,
            audiences: Some(issue.audiences),
            now: issue.now,
            lifetime,
        })
    };
    issue.exchange.stamp(&mut claims, client);
    let (typ, algorithm) = match issue.kind {
        TokenType::IdToken => ("JWT", issue.service.id_token_algorithm(realm_algorithm)),
        _ => (access_token::header_type(client), client.access_token_algorithm(realm_algorithm)),
    };
    let token = signer(context, algorithm)?.sign(typ, &claims)?;
    Ok(TokenResponse {
        token_type: match issue.kind {
            TokenType::IdToken => "N_A",
            _ => Confirmation::token_type(confirmation),
        },
        issued_token_type: Some(issue.kind.wire()),
        session_state: issue.grant.and_then(|grant| grant.session_id.clone()),
        ..TokenResponse::bearer(token, lifetime, issue.granted.token_scope())
    })
}

/// The audiences that a token of `client` for the person of `live` would have, by the roles that `live` shows: what a rule
/// for every service reaches.
pub fn own_audiences(
    context: &RealmContext,
    client: &Client,
    live: &Live,
    roles: &UserRoles,
    granted: &Granted<'_>,
) -> Vec<String> {
    let ceiling = Some(Ceiling::of(live.claims.members()));
    let who = Subject { ceiling, ..subject(context, &live.user, roles) };
    let claims = claims::evaluate(Target::AccessToken, &who, client, granted, &facts(live.grant.as_ref()));
    let mapped = claims.get("aud").and_then(Value::as_array).into_iter().flatten();
    let mapped = mapped.filter_map(Value::as_str).map(str::to_owned);
    client.settings.audiences.iter().cloned().chain(mapped).collect()
}

/// The token's own name in its `jti`, by which a live check finds the user where neither a grant nor `sub` leads to them.
fn own_name(context: &RealmContext, issue: &ExchangeIssue<'_>, known: &User) -> String {
    if issue.grant.is_some() || known.id == issue.user.id {
        return random_name();
    }
    access_token::name_of_user(&context.app.vault.seal(&aad(context), issue.user.id.as_bytes()))
}

/// The identifier of the user whom a token names in its own part of `jti`.
pub(in crate::http) fn user_id(context: &RealmContext, sealed: &str) -> Option<String> {
    String::from_utf8(context.app.vault.open(&aad(context), sealed).ok()?.to_vec()).ok()
}

fn aad(context: &RealmContext) -> String {
    format!("access token's user/{}", context.state.realm.id)
}

/// What the tokens on a grant that an exchange made are held to: the roles of a token that `origin` would get today. None
/// for any other grant.
pub(super) fn ceiling(
    context: &RealmContext,
    grant: &Grant,
    origin: Option<&Client>,
    subject: &Subject<'_>,
    facts: Facts<'_>,
) -> Option<Ceiling> {
    grant.request.exchange.as_ref()?;
    let of_origin = origin.map(|origin| {
        let settings = &context.state.realm.settings;
        let granted = scope::regrant(&grant.scope, origin, settings, &context.state.scopes);
        claims::evaluate(Target::AccessToken, subject, origin, &granted, &facts)
    });
    Some(Ceiling::of(&of_origin.unwrap_or_default()))
}

/// Writes into a token on a grant that an exchange made who acts.
pub(super) fn tell(claims: &mut Map<String, Value>, grant: &Grant) {
    if let Some(exchange) = &grant.request.exchange {
        tell_actors(claims, exchange.act.as_ref(), exchange.may_act.as_ref());
    }
}
