//! Whose token is exchanged: one of this realm, or of an issuer that the realm trusts.

use crate::http::bearer::{self, BearerError, Live};
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::key_sets::{KeySetError, PAUSE};
use crate::protocol::brake;
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grant::Grant;
use crate::protocol::grants::token_exchange::{ExchangeRule, Presented, Shown, TokenType, takes};
use crate::protocol::jws::{self, Claims};
use crate::protocol::standing::Standing;
use crate::protocol::trusted_issuer::TrustedIssuer;
use crate::protocol::user::{User, UserRoles};
use crate::signer::{KeySet, VerifiedJws};
use crate::store::{Store, StoreError};

/// A token that is genuine and still counts, with the user that it speaks for.
pub(super) enum Subject {
    /// Of this realm.
    Own(Box<Live>),
    /// Of an issuer that the realm trusts.
    Foreign(Box<Foreign>),
}

/// A token of another issuer.
pub(super) struct Foreign {
    issuer: String,
    claims: Claims,
    user: User,
}

impl Subject {
    /// What the token says.
    pub(super) fn claims(&self) -> &Claims {
        match self {
            Self::Own(live) => &live.claims,
            Self::Foreign(foreign) => &foreign.claims,
        }
    }

    /// Whom it speaks for here.
    pub(super) fn user(&self) -> &User {
        match self {
            Self::Own(live) => &live.user,
            Self::Foreign(foreign) => &foreign.user,
        }
    }

    /// What that user holds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn roles(&self, store: &Store) -> Result<UserRoles, StoreError> {
        match self {
            Self::Own(live) => Ok(live.roles.clone()),
            Self::Foreign(foreign) => store.roles_of_user(&foreign.user.realm_id, &foreign.user.id).await,
        }
    }

    /// The token with what it hangs on; none when it is another issuer's.
    pub(super) fn live(&self) -> Option<&Live> {
        match self {
            Self::Own(live) => Some(live),
            Self::Foreign(_) => None,
        }
    }

    /// The grant that it hangs on.
    pub(super) fn grant(&self) -> Option<&Grant> {
        self.live().and_then(|live| live.grant.as_ref())
    }

    /// The other issuer that it is of.
    pub(super) fn issuer(&self) -> Option<&str> {
        match self {
            Self::Own(_) => None,
            Self::Foreign(foreign) => Some(&foreign.issuer),
        }
    }

    /// What the decision needs to know of it.
    pub(super) fn shown(&self) -> Shown<'_> {
        Shown {
            claims: self.claims(),
            foreign: self.issuer(),
            of_service: self.user().service_account_client.is_some(),
            of_derived_grant: self.grant().is_some_and(|grant| grant.parent.is_some()),
        }
    }
}

fn refused() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, "The token is not one that is good and may be exchanged")
}

/// The subject token with whom it speaks for. Which issuer's it is decides which keys are tried, and no more.
///
/// # Errors
/// `invalid_request` when it is not good or its user is held up after too many wrong passwords,
/// `temporarily_unavailable` when its issuer's keys are not to be had, or trouble of ours.
pub(super) async fn subject(
    context: &RealmContext,
    requester: &Client,
    rules: &[&ExchangeRule],
    presented: Presented<'_>,
) -> Result<Subject, ApiError> {
    let jws = jws::parse(presented.token).map_err(|_| refused())?;
    let issuer = jws.claims.text("iss").ok_or_else(refused)?;
    let subject = if context.app.hosts.accepts_issuer(issuer, context.realm()) {
        Subject::Own(Box::new(own(context, presented).await?))
    } else {
        Subject::Foreign(Box::new(foreign(context, requester, rules, issuer, presented).await?))
    };
    let user = subject.user();
    if user.service_account_client.is_none() {
        let locked = context.app.store.locked_until(&user.realm_id, &brake::account(&user.username)).await?;
        if locked.is_some_and(|until| context.app.clock.now() < until) {
            return Err(refused().into());
        }
    }
    Ok(subject)
}

async fn foreign(
    context: &RealmContext,
    requester: &Client,
    rules: &[&ExchangeRule],
    issuer: &str,
    presented: Presented<'_>,
) -> Result<Foreign, ApiError> {
    // Keys are fetched for those alone who may have the token exchanged.
    let trusted = context.state.trusted_issuer(issuer).filter(|_| takes(rules, issuer));
    let (trusted, keys) = trusted.ok_or_else(refused)?;
    let verified = verify(context, trusted, keys, presented.token).await?;
    let (claims, now) = (verified.claims, context.app.clock.now());
    trusted.check(verified.typ.as_deref(), &claims, now).map_err(|why| {
        tracing::debug!(issuer, %why, "a token of another issuer was refused");
        refused()
    })?;
    let user = user(context, trusted, &claims).await?;
    let issued_at = claims.time("iat").ok_or_else(refused)?;
    let standing =
        Standing { client: requester, user: &user, grant: None, origins: &[], session: None, issued_at };
    standing.check(&context.state.realm.settings, now).map_err(|_| refused())?;
    Ok(Foreign { issuer: trusted.issuer.clone(), claims, user })
}

/// A token of this realm with what it hangs on, while it still counts (attacks X05, X06).
///
/// # Errors
/// `invalid_request`, or trouble of ours.
pub(super) async fn own(context: &RealmContext, presented: Presented<'_>) -> Result<Live, ApiError> {
    if presented.kind == TokenType::IdToken {
        return Err(refused().into());
    }
    bearer::live(context, presented.token)
        .await
        .map_err(|error| BearerError::into_fault(error).unwrap_or_else(|| refused().into()))
}

async fn verify(
    context: &RealmContext,
    trusted: &TrustedIssuer,
    keys: &KeySet,
    token: &str,
) -> Result<VerifiedJws, ApiError> {
    let allowed = trusted.algorithms();
    let result = match &trusted.jwks_uri {
        Some(uri) => context.app.key_sets.verify(uri, token, &allowed).await,
        None => keys.verify(token, &allowed).map_err(KeySetError::from),
    };
    result.map_err(|why| match why {
        KeySetError::Token(why) => {
            tracing::debug!(issuer = trusted.issuer, %why, "a token of another issuer was refused");
            refused().into()
        }
        why => {
            tracing::warn!(issuer = trusted.issuer, %why, "the keys of a trusted issuer are not to be had");
            let text = "The keys of the token's issuer are not to be had now, try again";
            ApiError::from(OAuthError::new(ErrorCode::TemporarilyUnavailable, text)).retry_after(PAUSE)
        }
    })
}

/// The user whom a token of another issuer means; nobody is made who is not there.
async fn user(context: &RealmContext, trusted: &TrustedIssuer, claims: &Claims) -> Result<User, ApiError> {
    let name = trusted.name_of_user(claims).ok_or_else(refused)?;
    let found = context.app.store.user_by_login(&context.state.realm.id, &name, true).await?;
    let user = found.map(|found| found.user).filter(|user| trusted.is_meant(user, &name));
    Ok(user.ok_or_else(refused)?)
}
