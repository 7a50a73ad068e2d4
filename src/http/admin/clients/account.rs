//! The service account of a client, and what an adapter is configured with.

use serde_json::{Map, Value, json};

use super::super::answer::{AdminError, Answer, told};
use super::super::call::Call;
use super::{cover, secrets};
use crate::http::service_account;
use crate::keycloak::Kept;
use crate::keycloak::user::to_representation;
use crate::protocol::admin::Permission;
use crate::protocol::client::Client;
use crate::store::Change;

/// What becomes of the service account of a client that is to be as `client` says.
pub(super) async fn changes(
    call: &Call,
    client: &Client,
    old: Option<&Client>,
) -> Result<Vec<Change>, AdminError> {
    Ok(service_account::changes(call.store(), &call.state, client, old, call.now()).await?)
}

/// The service account.
pub(in super::super) async fn user(call: Call) -> Answer {
    let client = cover::named(&call).await?;
    let user = call.store().user_of_service_account(call.realm_id(), &client.id).await?;
    let user = user.ok_or_else(|| {
        AdminError::bad(format!("Service account not enabled for the client '{}'", client.client_id))
    })?;
    let mut shown = to_representation(&user, false, Kept::new());
    shown.service_account_client_id = Some(client.client_id);
    told(&shown)
}

/// `keycloak.json`, as old adapters read it.
pub(in super::super) async fn installation(call: Call) -> Answer {
    let client = cover::named(&call).await?;
    let provider = call.part("provider");
    if !["keycloak-oidc-keycloak-json", "keycloak-oidc-jboss-subsystem-cli"].contains(&provider) {
        return Err(AdminError::not_found("Unknown Provider"));
    }
    if provider == "keycloak-oidc-jboss-subsystem-cli" {
        return Err(AdminError::not_implemented("This server knows keycloak-oidc-keycloak-json alone"));
    }
    let realm = &call.state.realm.name;
    let mut shown: Map<String, Value> = Map::new();
    let mut put = |name: &str, value: Value| drop(shown.insert(name.to_owned(), value));
    put("realm", realm.as_str().into());
    put("auth-server-url", format!("{}/", call.server.base).into());
    put("ssl-required", "external".into());
    put("resource", client.client_id.as_str().into());
    if client.is_public() {
        put("public-client", true.into());
    } else {
        let manages = call.may(Permission::ManageClients) && cover::covered(&call, &client).await.is_ok();
        let secret = if manages { secrets::shown(&call, &client) } else { secrets::masked(&client) };
        put("credentials", json!({ "secret": secret }));
    }
    put("confidential-port", 0.into());
    told(&shown)
}
