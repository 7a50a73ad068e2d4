//! `…/management/permissions`: Keycloak's permissions on single records, in their first form. Here administrators are held to
//! their roles alone: whoever asks is told that such permissions are off, and nobody switches them on.

use serde::Deserialize;
use serde_json::json;

use super::answer::{AdminError, Answer, told};
use super::call::Call;
use super::{clients, groups, roles};

/// Of a client.
pub(super) async fn of_client(call: Call) -> Answer {
    clients::named(&call).await?;
    off(&call)
}

/// Of a group.
pub(super) async fn of_group(call: Call) -> Answer {
    groups::named(&call).await?;
    off(&call)
}

/// Of a role.
pub(super) async fn of_role(call: Call) -> Answer {
    roles::named(&call).await?;
    off(&call)
}

/// Of an identity provider.
pub(super) async fn of_provider(call: Call) -> Answer {
    super::identity_providers::named(&call).await?;
    off(&call)
}

/// Of the realm's users.
pub(super) async fn of_users(call: Call) -> Answer {
    off(&call)
}

/// Says that they are off, also to one who switches them off.
fn off(call: &Call) -> Answer {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Wanted {
        enabled: bool,
    }
    let wanted = if call.server.body.is_empty() { Wanted::default() } else { call.server.json()? };
    if wanted.enabled {
        return Err(AdminError::not_implemented(
            "Permissions on single records are not offered: administrators are held to their roles",
        ));
    }
    told(&json!({ "enabled": false }))
}
