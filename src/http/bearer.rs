//! Access tokens at our own endpoints (RFC 6750, RFC 9449 §7): read, verified, still alive at the database, and sent by
//! the one they are bound to.
//!
//! [`admit`] is the only way from a request to what its token allows, so that no endpoint can take a bound token from
//! somebody who merely found it (CVE-2024-49755). [`live`] asks about a token that is not the caller's own.

mod error;

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

pub use error::BearerError;

use super::certificate;
use super::context::RealmContext;
use super::dpop;
use super::tokens;
use crate::protocol::access_token;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::grant::Grant;
use crate::protocol::jws::{Audience, Claims, Expect};
use crate::protocol::session::Session;
use crate::protocol::standing::Standing;
use crate::protocol::user::{User, UserRoles};
use crate::realms::ClientEntry;
use crate::secrets::Secret;
use crate::store::TokenGrant;

/// An access token that is good, with the records that say so.
pub struct Live {
    /// Its claims.
    pub claims: Claims,
    /// `client_id` of the client that it was issued to.
    pub client_id: String,
    /// The client that it was issued to.
    pub entry: Arc<ClientEntry>,
    /// The user that it speaks for.
    pub user: User,
    /// What that user holds.
    pub roles: UserRoles,
    /// The grant that it hangs on; none for a client's own token.
    pub grant: Option<Grant>,
    /// For what an exchange made, the clients whose tokens it was made from, as far as the grant knows them.
    pub origins: Vec<Arc<ClientEntry>>,
    /// The session that the grant was given in.
    pub session: Option<Session>,
}

impl Live {
    /// What the token is bound to.
    ///
    /// # Errors
    /// `invalid_token` for a token that is bound in a way which is not known here.
    pub fn confirmation(&self) -> Result<Option<Confirmation>, BearerError> {
        let claim = self.claims.value("cnf").map(Confirmation::read).transpose();
        claim.map_err(|why| refused(&why.to_string()).of(&self.client_id))
    }
}

/// How a token was sent: the scheme of `Authorization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

/// A token as a request presents it, to be handed to [`admit`].
pub struct Presented {
    scheme: Scheme,
    token: String,
}

impl Presented {
    /// The token of a form field `access_token` (RFC 6750 §2.2), which has no scheme and so is a bearer token.
    #[must_use]
    pub fn in_form(token: &str) -> Self {
        Self { scheme: Scheme::Bearer, token: token.to_owned() }
    }

    /// The token as it came, unproven: for an address that does not say whose token it expects.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}

/// The token of the `Authorization` header, if there is one.
///
/// # Errors
/// `invalid_request` for more than one header, a challenge for one of another scheme.
pub fn from_header(headers: &HeaderMap) -> Result<Option<Presented>, BearerError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    if second.is_some() {
        return Err(BearerError::bad_request("Send one Authorization header"));
    }
    let text = std::str::from_utf8(value.as_bytes()).ok().filter(|text| text.is_ascii());
    let text = text.ok_or_else(BearerError::invalid)?;
    let (scheme, token) = text.split_once(' ').ok_or_else(BearerError::missing)?;
    let scheme = match scheme {
        scheme if scheme.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
        scheme if scheme.eq_ignore_ascii_case("dpop") => Scheme::Dpop,
        _ => return Err(BearerError::missing()),
    };
    Ok(Some(Presented { scheme, token: token.trim().to_owned() }))
}

/// The bearer token of the `Authorization` header, if there is one, where it is no access token but a secret to compare.
///
/// # Errors
/// As [`from_header`], and a challenge for a token of another scheme.
pub fn secret_from_header(headers: &HeaderMap) -> Result<Option<Secret>, BearerError> {
    match from_header(headers)? {
        None => Ok(None),
        Some(Presented { scheme: Scheme::Bearer, token }) => Ok(Some(Secret::from(token))),
        Some(_) => Err(BearerError::missing()),
    }
}

/// What the token of this request allows: a live token of this realm, sent by the one it is bound to. The proof that
/// shows it is used up.
///
/// # Errors
/// `invalid_token`, also for a bound token that comes as a bearer token (RFC 9449 §7.2) and for an unbound one that
/// does not; `invalid_dpop_proof`, `use_dpop_nonce`; or trouble with the database.
pub async fn admit(
    context: &RealmContext,
    headers: &HeaderMap,
    presented: Presented,
) -> Result<Live, BearerError> {
    let Presented { scheme, token } = presented;
    let live = match (live(context, &token).await, scheme) {
        (Err(error), Scheme::Dpop) => return Err(error.bound()),
        (live, _) => live?,
    };
    match (live.confirmation()?, scheme) {
        (None, Scheme::Bearer) => {}
        (None, Scheme::Dpop) => return Err(refused("it is bound to no key").of(&live.client_id).bound()),
        (Some(bound @ Confirmation::X5t(_)), Scheme::Bearer) => {
            if certificate::shown(context).as_ref() != Some(&bound) {
                return Err(refused("it is bound to another certificate").of(&live.client_id));
            }
        }
        (Some(Confirmation::X5t(_)), Scheme::Dpop) => {
            return Err(refused("it is bound to a certificate").of(&live.client_id).bound());
        }
        (Some(Confirmation::Jkt(_)), Scheme::Bearer) => {
            return Err(refused("it is bound, and came as a bearer token").of(&live.client_id).bound());
        }
        (Some(bound @ Confirmation::Jkt(_)), Scheme::Dpop) => {
            // Few tokens are bound: those that are not need not carry the way to a proof.
            let proven = Box::pin(dpop::prove(context, headers, &token, &bound)).await;
            proven.map_err(|error| error.of(&live.client_id))?;
        }
    }
    Ok(live)
}

/// The claims of an access token of this realm that has not expired. Whether it still counts is not asked.
///
/// # Errors
/// `invalid_token`.
pub fn genuine(context: &RealmContext, token: &str) -> Result<Claims, BearerError> {
    let (app, now) = (&context.app, context.app.clock.now());
    let verified = context.state.ring.verify(token, now).map_err(|why| refused(&why.to_string()))?;
    let claims = verified.claims;
    let issuer = claims.text("iss").unwrap_or_default();
    if !app.hosts.accepts_issuer(issuer, context.realm()) {
        return Err(refused("it is of another issuer"));
    }
    let issuers = [issuer];
    let (header_types, token_types) = access_token::kinds(verified.typ.as_deref());
    let audience = Audience::Named;
    let expect = Expect { token_types, header_types, audience, needs_jti: true, ..Expect::at(now, &issuers) };
    expect.check(verified.typ.as_deref(), &claims).map_err(|why| refused(&why.to_string()))?;
    if !access_token::is_shaped(verified.typ.as_deref(), &claims) {
        return Err(refused("its header and its claims are of two kinds of tokens"));
    }
    Ok(claims)
}

fn refused(why: &str) -> BearerError {
    tracing::debug!(why, "an access token was refused");
    BearerError::invalid()
}

/// Verifies an access token of this realm and asks the database whether what it hangs on still stands: client, user,
/// grant and session (attacks I03, J04). Who sent it is not asked: [`admit`] does.
///
/// # Errors
/// `invalid_token`, or trouble with the database.
pub async fn live(context: &RealmContext, token: &str) -> Result<Live, BearerError> {
    let claims = genuine(context, token)?;
    let (app, now) = (&context.app, context.app.clock.now());
    let client_id = access_token::holder(&claims).ok_or_else(|| refused("it names no client"))?.to_owned();
    let entry = context.state.client(&app.store, &client_id).await?;
    let entry = entry.ok_or_else(|| refused("its client is gone"))?;
    let realm = &context.state.realm;
    let [subject, jti] = ["sub", "jti"].map(|name| claims.text(name).unwrap_or_default());
    let lineage: Vec<&str> = access_token::lineage(jti).collect();
    let (user, roles, grant, session) = match access_token::grant_of(jti) {
        Some(id) => match app.store.grant_of_token(&realm.id, &entry.client.id, id, &lineage).await? {
            Some(TokenGrant { grant, user, roles, session }) => (user, roles, Some(grant), session),
            None => return Err(refused("its grant is gone, or it was revoked")),
        },
        None => {
            let known = access_token::sealed_user(jti).map(|sealed| tokens::user_id(context, sealed));
            let id = known.unwrap_or_else(|| Some(subject.to_owned()));
            let id = id.ok_or_else(|| refused("the user that it names cannot be read"))?;
            let user = app.store.user_of_token(&realm.id, &entry.client.id, &id, &lineage).await?;
            let (user, roles) = user.ok_or_else(|| refused("its user is gone, or it was revoked"))?;
            (user, roles, None, None)
        }
    };
    let origins = match &grant {
        Some(grant) => origins(context, grant, jti).await?,
        None => Vec::new(),
    };
    let issued_at = claims.time("iat").ok_or_else(|| refused("it has no iat"))?;
    let standing = Standing {
        client: &entry.client,
        user: &user,
        grant: grant.as_ref(),
        origins: &origins.iter().map(|origin| &origin.client).collect::<Vec<_>>(),
        session: session.as_ref(),
        issued_at,
    };
    standing.check(&realm.settings, now).map_err(|why| refused(&why.to_string()).of(&client_id))?;
    Ok(Live { claims, client_id, entry, user, roles, grant, origins, session })
}

/// The clients whose tokens a token on `grant` was made from: of the grant, when the token was exchanged, and of the
/// token that the grant itself was made from.
async fn origins(
    context: &RealmContext,
    grant: &Grant,
    jti: &str,
) -> Result<Vec<Arc<ClientEntry>>, BearerError> {
    let exchanged = Some(&grant.client).filter(|_| access_token::exchanges(jti) > 0);
    let derived = grant.request.exchange.as_ref().map(|exchange| &exchange.origin);
    let mut origins = Vec::new();
    for id in exchanged.into_iter().chain(derived) {
        let origin = context.state.client_of_record(&context.app.store, id).await?;
        origins.push(origin.ok_or_else(|| refused("the client that it came from is gone"))?);
    }
    Ok(origins)
}
