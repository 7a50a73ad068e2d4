//! The rules of claims: what a token must say of itself to be believed here (RFC 7519 §4.1, RFC 8725 §3.8 to §3.11).

use super::Claims;
use crate::clock::Timestamp;

/// The most seconds by which another party's clock may differ when `exp` and `nbf` are compared.
pub const LEEWAY: i64 = 10;

/// Seconds that `iat` may lie ahead: nodes whose clocks differ by up to a minute accept each other's tokens, and what
/// lies further ahead is refused (FAPI 2.0 Security Profile §5.3.2.1).
pub const ISSUED_AHEAD: i64 = 60;

/// What is expected of a token's claims. Start from [`Expect::at`] and name what the place asks for: an empty list of
/// issuers accepts none.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// The issuers of which `iss` must be one, to the byte.
    pub issuers: &'a [&'a str],
    /// What the header's `typ` must be one of (letters of either case, `application/` left out, RFC 7515 §4.1.9);
    /// empty when the place does not ask.
    pub header_types: &'a [&'a str],
    /// What the claim `typ` must be one of, as Keycloak's tokens tell their kinds apart: `Bearer`, `ID`, `Refresh`;
    /// empty when the place does not ask.
    pub token_types: &'a [&'a str],
    /// Whom the token must be meant for.
    pub audience: Audience<'a>,
    /// Whether `jti` must be there.
    pub needs_jti: bool,
    /// Whether a token past its `exp` is accepted, as a hint of who someone was may be (OpenID Connect RP-Initiated
    /// Logout §2).
    pub expired_too: bool,
    /// Seconds, 0 to [`LEEWAY`], by which the issuer's clock may differ: none for our own tokens, whose end is a
    /// promise (`expires_in`); some for what others issue.
    pub leeway: i64,
    /// Now.
    pub now: Timestamp,
}

/// The audience that a token must have (RFC 7519 §4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience<'a> {
    /// Anything, also none.
    Any,
    /// Anybody, but somebody: for our own tokens, which always say whom they are for.
    Named,
    /// This one, perhaps among others.
    Contains(&'a str),
    /// One of these and nothing else.
    Only(&'a [&'a str]),
    /// One or several of these and nothing else: names of ours, when the token may not be good elsewhere too.
    Among(&'a [&'a str]),
    /// This one as a text, not in a list (FAPI 2.0 Security Profile §5.3.2.1).
    Exactly(&'a str),
}

/// The first rule that a token's claims broke. None of them shows a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimFault {
    /// The header's `typ` or the claim `typ` is another, or missing.
    #[error("the token is of another type")]
    Type,
    /// `iss` is missing, not a text, or another.
    #[error("the token is of another issuer")]
    Issuer,
    /// `aud` is missing, malformed, or names others.
    #[error("the token is meant for others")]
    Audience,
    /// `exp`, `iat` or `nbf` is missing (the first two) or no whole number.
    #[error("the token's time is missing or malformed")]
    Time,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` lies ahead.
    #[error("the token is not valid yet")]
    NotYet,
    /// `jti` is missing, empty, or not a text.
    #[error("the token has no identifier")]
    Identifier,
}

impl<'a> Expect<'a> {
    /// Of one of these issuers, valid now, with `iat` and `exp`; of any type and for any audience.
    #[must_use]
    pub fn at(now: Timestamp, issuers: &'a [&'a str]) -> Self {
        Self {
            issuers,
            header_types: &[],
            token_types: &[],
            audience: Audience::Any,
            needs_jti: false,
            expired_too: false,
            leeway: 0,
            now,
        }
    }

    /// Checks a token with this header `typ` and these claims.
    ///
    /// # Errors
    /// The first [`ClaimFault`], in the order of its variants.
    pub fn check(&self, typ: Option<&str>, claims: &Claims) -> Result<(), ClaimFault> {
        self.check_type(typ, claims)?;
        if !claims.text("iss").is_some_and(|issuer| self.issuers.contains(&issuer)) {
            return Err(ClaimFault::Issuer);
        }
        if !self.audience.is_met(claims) {
            return Err(ClaimFault::Audience);
        }
        self.check_times(claims)?;
        if self.needs_jti && claims.text("jti").is_none_or(str::is_empty) {
            return Err(ClaimFault::Identifier);
        }
        Ok(())
    }

    fn check_type(&self, typ: Option<&str>, claims: &Claims) -> Result<(), ClaimFault> {
        let bare = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.strip_prefix("application/").map(ToOwned::to_owned).unwrap_or(name)
        };
        let header = self.header_types.is_empty()
            || typ.is_some_and(|typ| self.header_types.iter().any(|known| bare(known) == bare(typ)));
        let claim = self.token_types.is_empty()
            || claims.text("typ").is_some_and(|typ| self.token_types.contains(&typ));
        if header && claim { Ok(()) } else { Err(ClaimFault::Type) }
    }

    fn check_times(&self, claims: &Claims) -> Result<(), ClaimFault> {
        let expires = claims.time("exp").ok_or(ClaimFault::Time)?;
        let issued = claims.time("iat").ok_or(ClaimFault::Time)?;
        let begins = match claims.value("nbf") {
            None => None,
            Some(_) => Some(claims.time("nbf").ok_or(ClaimFault::Time)?),
        };
        let leeway = self.leeway.clamp(0, LEEWAY);
        if !self.expired_too && self.now >= expires.plus(leeway) {
            return Err(ClaimFault::Expired);
        }
        if issued > self.now.plus(ISSUED_AHEAD) || begins.is_some_and(|begins| begins > self.now.plus(leeway))
        {
            return Err(ClaimFault::NotYet);
        }
        Ok(())
    }
}

impl Audience<'_> {
    fn is_met(&self, claims: &Claims) -> bool {
        match self {
            Self::Any => true,
            Self::Named => claims.audiences().is_some(),
            Self::Contains(one) => claims.audiences().is_some_and(|all| all.contains(one)),
            Self::Only(known) => {
                matches!(claims.audiences().as_deref(), Some([one]) if known.contains(one))
            }
            Self::Among(known) => {
                claims.audiences().is_some_and(|all| all.iter().all(|one| known.contains(one)))
            }
            Self::Exactly(one) => claims.text("aud") == Some(one),
        }
    }
}

#[cfg(test)]
#[path = "expect_tests.rs"]
mod tests;
