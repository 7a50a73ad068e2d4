//! The client credentials grant (RFC 6749 §4.4).

use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::user::User;

/// Whether the authenticated `client` may act as its service account.
///
/// # Errors
/// `unauthorized_client` for a public client (RFC 6749 §4.4.2), `invalid_client` when the account is disabled.
pub fn check(client: &Client, account: &User) -> Result<(), OAuthError> {
    if client.is_public() {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "A public client cannot use client_credentials",
        ));
    }
    if !account.enabled {
        return Err(OAuthError::new(ErrorCode::InvalidClient, "The client's service account is disabled"));
    }
    Ok(())
}
