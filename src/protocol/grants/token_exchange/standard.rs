//! Keycloak's standard token exchange: one rule for every service that the client's own tokens for the same person are for.
//!
//! It leads nowhere that the client could not get by a sign-in of the person, and no further than the roles that the
//! subject token shows.

use super::ExchangeRule;
use crate::protocol::admin::is_entrance;
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};

/// The audience of such a rule.
const EVERY: &str = "*";

impl ExchangeRule {
    /// The rule that Keycloak's switch stands for.
    #[must_use]
    pub fn standard(refresh_token: bool) -> Self {
        Self { audience: EVERY.to_owned(), impersonation: true, refresh_token, ..Self::default() }
    }

    /// Whether it is for every service that the client's own tokens are for.
    #[must_use]
    pub fn is_standard(&self) -> bool {
        self.audience == EVERY
    }
}

/// What such a rule reaches, for one subject token.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    /// Name of the realm.
    pub realm: &'a str,
    /// Who asks.
    pub requester: &'a Client,
    /// Audiences of the subject token.
    pub subject: &'a [&'a str],
    /// Audiences that a token of the requester for the same person would have.
    pub own: &'a [String],
}

impl Reach<'_> {
    /// Whether the result may be for `service`. Where administrators come in it is so only when the subject token was for
    /// that already: one that was cut down to another service opens nothing there (attacks A02).
    #[must_use]
    pub fn covers(&self, service: &Client) -> bool {
        let own = self.own.contains(&service.client_id);
        service.id == self.requester.id
            || (own && (!is_entrance(self.realm, service) || service.is_among(self.subject)))
    }

    /// Refuses a service that is out of reach; none is one that is not there.
    ///
    /// # Errors
    /// `invalid_target` (RFC 8693 §2.2.2), the same whatever the reason.
    pub fn admit(&self, service: Option<&Client>) -> Result<(), OAuthError> {
        if service.is_some_and(|service| self.covers(service)) {
            return Ok(());
        }
        let why = "The audience is not among those that the client's own tokens have";
        Err(OAuthError::new(ErrorCode::InvalidTarget, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::ClientSettings;

    fn client(client_id: &str) -> Client {
        Client {
            id: format!("id of {client_id}"),
            realm_id: "realm".into(),
            client_id: client_id.into(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings::default(),
        }
    }

    #[test]
    fn x03_a_rule_for_every_service_reaches_what_the_clients_own_tokens_are_for() {
        let requester = client("gateway");
        let own = ["api", "realm-management"].map(str::to_owned);
        for (row, subject, service, expected) in [
            ("an audience of its own", &["gateway"][..], "api", true),
            ("itself", &["gateway"], "gateway", true),
            ("another's", &["gateway"], "billing", false),
            ("another's that the subject token is for", &["gateway", "billing"], "billing", false),
            ("A02 where administrators come in", &["gateway"], "realm-management", false),
            ("that was open before", &["gateway", "realm-management"], "realm-management", true),
        ] {
            let reach = Reach { realm: "main", requester: &requester, subject, own: &own };
            assert_eq!(reach.covers(&client(service)), expected, "{row}");
            assert_eq!(reach.admit(Some(&client(service))).is_ok(), expected, "{row}");
            assert!(reach.admit(None).is_err());
        }
    }
}
