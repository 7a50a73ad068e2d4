//! Identifiers that may be used once: a request that brings one uses it up.

use crate::clock::Timestamp;
use crate::secrets;

/// What an identifier came in. The same text is another identifier in a kind of another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpendKind {
    /// `jti` of a client's assertion (RFC 7523 §3).
    ClientAssertion,
    /// The same, shown as a grant (RFC 7523 §2.1): one identifier whichever way, and another answer to a replay.
    ClientGrant,
    /// `jti` of a DPoP proof (RFC 9449 §11.1).
    DpopProof,
    /// `jti` of another issuer's token (RFC 7523 §3).
    IssuerAssertion,
    /// A code of a person's device (RFC 6238 §5.2).
    OneTimeCode,
    /// An authorization request that pages were shown for: a code was issued for it.
    AuthorizationRequest,
}

impl SpendKind {
    /// The name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientAssertion | Self::ClientGrant => "client_assertion",
            Self::DpopProof => "dpop_proof",
            Self::IssuerAssertion => "issuer_assertion",
            Self::OneTimeCode => "one_time_code",
            Self::AuthorizationRequest => "authorization_request",
        }
    }
}

/// An identifier that a request uses up. It travels with the request's decision into the one transaction that commits
/// it; when it was used before, nothing of the request lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// What it came in.
    pub kind: SpendKind,
    /// What is kept of it: a hash, so that any length fits.
    pub fingerprint: String,
    /// When what it came in is refused for its age alone, clocks that differ included: until then it is kept.
    pub expires_at: Timestamp,
}

impl Spend {
    /// The identifier `jti` of `owner`: the record of the client, or the key that signed it. Two owners may choose the
    /// same text.
    #[must_use]
    pub fn new(kind: SpendKind, owner: &str, jti: &str, expires_at: Timestamp) -> Self {
        let length = owner.len();
        Self { kind, fingerprint: secrets::fingerprint(&format!("{length}:{owner}{jti}")), expires_at }
    }

    /// The order in which identifiers are used up: two requests with the same ones wait for each other, and not each for
    /// the other.
    #[must_use]
    pub fn in_order(spends: &[Self]) -> Vec<&Self> {
        let mut in_order: Vec<_> = spends.iter().collect();
        in_order.sort_by_key(|spend| (spend.kind.name(), spend.fingerprint.as_str()));
        in_order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_do_not_share_identifiers() {
        let fingerprint = |owner: &str, jti: &str| {
            Spend::new(SpendKind::ClientAssertion, owner, jti, Timestamp(0)).fingerprint
        };
        assert_eq!(fingerprint("a", "x"), fingerprint("a", "x"));
        for (case, owner, jti) in
            [("owner", "b", "x"), ("identifier", "a", "y"), ("seam", "ax", ""), ("seam", "", "ax")]
        {
            assert_ne!(fingerprint("a", "x"), fingerprint(owner, jti), "{case}");
        }
        assert_eq!(fingerprint("a", &"x".repeat(10_000)).len(), 43);
    }
}
