//! The password grant (RFC 6749 §4.3): who may use it, and in what words it refuses.
//!
//! An app that sees its users' passwords is what OpenID Connect exists to avoid, and RFC 9700 §2.4 forbids the grant. It is
//! here for tests and tools that were written against Keycloak: in development for clients that have it, in production
//! for the admin API's own client alone, and only when the operator says so or starts the server in Keycloak's place.

use crate::protocol::built_in::ADMIN_CLI;
use crate::protocol::client::{Client, GrantType};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::profile::Profile;

/// Whose password grants a server takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordGrant {
    /// Nobody's: the grant does not exist.
    #[default]
    Off,
    /// Those of the client that comes with each realm for the admin API.
    AdminCli,
    /// Those of every client that has the grant: development.
    Any,
}

/// Whether `client` may sign people in by their password.
///
/// # Errors
/// `unsupported_grant_type` where the server does not take the grant from it; `unauthorized_client` when the client does
/// not have it, and when people are to be asked what the client gets, which nobody can here.
pub fn admit(client: &Client, policy: PasswordGrant) -> Result<(), OAuthError> {
    let admin_cli = client.settings.built_in && client.client_id == ADMIN_CLI;
    match policy {
        PasswordGrant::Any => {}
        PasswordGrant::AdminCli if admin_cli => {}
        PasswordGrant::Off | PasswordGrant::AdminCli => return Err(OAuthError::unsupported_grant()),
    }
    if !client.may(GrantType::Password) || client.settings.profile != Profile::None {
        let why = "Client not allowed for direct access grants";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, why));
    }
    if client.settings.consent {
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, "Client requires user consent"));
    }
    Ok(())
}

/// The one answer to a name and a password that do not fit, whatever the reason (attacks U01).
#[must_use]
pub fn wrong_credentials() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "Invalid user credentials")
}

/// The answer to who proved to be a user that is switched off.
#[must_use]
pub fn disabled() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "Account disabled")
}

/// The answer to who proved to be a user that must still do something which only a page can ask for.
#[must_use]
pub fn not_fully_set_up() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "Account is not fully set up")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::protocol::client::ClientSettings;

    fn client(client_id: &str) -> Client {
        let grants = BTreeSet::from([GrantType::Password]);
        Client {
            id: "1".into(),
            realm_id: "1".into(),
            client_id: client_id.into(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings {
                grants,
                built_in: client_id == ADMIN_CLI,
                ..ClientSettings::default()
            },
        }
    }

    #[test]
    fn c02_who_may_send_a_password() {
        let own = Client {
            settings: ClientSettings { built_in: false, ..client(ADMIN_CLI).settings },
            ..client(ADMIN_CLI)
        };
        let with = |change: fn(&mut ClientSettings)| {
            let mut client = client("app");
            change(&mut client.settings);
            client
        };
        let without = with(|settings| settings.grants.clear());
        let asks = with(|settings| settings.consent = true);
        let fapi = with(|settings| settings.profile = Profile::Fapi2);
        for (case, client, policy, expected) in [
            ("development", client("app"), PasswordGrant::Any, None),
            ("production", client("app"), PasswordGrant::Off, Some("unsupported_grant_type")),
            (
                "production, switched on",
                client("app"),
                PasswordGrant::AdminCli,
                Some("unsupported_grant_type"),
            ),
            ("admin-cli, switched on", client(ADMIN_CLI), PasswordGrant::AdminCli, None),
            (
                "admin-cli, not switched on",
                client(ADMIN_CLI),
                PasswordGrant::Off,
                Some("unsupported_grant_type"),
            ),
            ("a client of that name", own, PasswordGrant::AdminCli, Some("unsupported_grant_type")),
            ("without the grant", without, PasswordGrant::Any, Some("unauthorized_client")),
            ("with consent", asks, PasswordGrant::Any, Some("unauthorized_client")),
            ("under FAPI 2.0", fapi, PasswordGrant::Any, Some("unauthorized_client")),
        ] {
            let refusal = admit(&client, policy).err().map(|error| error.code.wire());
            assert_eq!(refusal, expected, "{case}");
        }
    }
}
