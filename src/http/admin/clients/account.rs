//! The service account of a client, and what an adapter is configured with.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::answer::{AdminError, Answer, told};
use super::super::call::Call;
use super::{cover, secrets};
use crate::keycloak::Kept;
use crate::keycloak::user::to_representation;
use crate::protocol::admin::Permission;
use crate::protocol::client::{Client, GrantType};
use crate::protocol::user::{User, service_account_name};
use crate::store::Change;

/// Whether the client acts as itself.
fn acts(client: &Client) -> bool {
    client.may(GrantType::ClientCredentials) || client.may(GrantType::JwtBearer)
}

/// What becomes of the service account: it comes with the first grant that needs it, has the client's name, and goes with
/// the last.
pub(super) async fn changes(
    call: &Call,
    client: &Client,
    old: Option<&Client>,
) -> Result<Vec<Change>, AdminError> {
    let there = match old {
        Some(old) => call.store().user_of_service_account(call.realm_id(), &old.id).await?,
        None => None,
    };
    let username = service_account_name(&client.client_id);
    Ok(match (acts(client), there) {
        (true, None) => fresh(call, client, username),
        (true, Some(user)) if user.username != username => {
            vec![Change::PutUser(Box::new(User { username, ..user }))]
        }
        (false, Some(user)) => {
            vec![Change::DeleteUser { realm_id: user.realm_id, id: user.id, at: call.now() }]
        }
        (true, Some(_)) | (false, None) => Vec::new(),
    })
}

/// A new service account, with what every user of the realm has.
fn fresh(call: &Call, client: &Client, username: String) -> Vec<Change> {
    let (realm_id, id) = (call.realm_id().to_owned(), Uuid::new_v4().to_string());
    let user = User {
        id: id.clone(),
        realm_id: realm_id.clone(),
        username,
        email: None,
        email_verified: false,
        enabled: true,
        first_name: None,
        last_name: None,
        attributes: Default::default(),
        required_actions: Vec::new(),
        service_account_client: Some(client.id.clone()),
        not_before: None,
        created_at: call.now(),
    };
    let default = call.state.roles.realm_role(&call.state.realm.default_role());
    let role = default.map(|role| Change::AddUserRole { realm_id, user_id: id, role_id: role.id.clone() });
    std::iter::once(Change::PutUser(Box::new(user))).chain(role).collect()
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
