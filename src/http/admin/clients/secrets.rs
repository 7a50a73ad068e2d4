//! The secret of a client. Production keeps no more than a hash, and a mask stands for it; whoever drew a new one sees it
//! that once (attacks A06). Development keeps a sealed copy, since Keycloak's tools read it.

use serde_json::{Value, json};

use super::super::answer::{AdminError, Answer, told};
use super::super::call::{Call, Operation};
use super::cover;
use crate::keycloak::client::MASK;
use crate::keycloak::record::SECRET_COPY;
use crate::protocol::admin::Permission;
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::redirect_uri::Strictness;
use crate::secrets::{SEALED_PREFIX, SHARED_PREFIX, Secret, hash_generated, random_token};
use crate::store::Change;

fn keeps_copies(call: &Call) -> bool {
    call.server.app.rules.strictness == Strictness::Development
}

/// A mask, when the client has a secret.
pub(super) fn masked(client: &Client) -> Option<String> {
    client.secret_hash.as_ref().filter(|_| !client.is_public()).map(|_| MASK.to_owned())
}

/// The secret, where it is known and the server is for development; else a mask.
pub(super) async fn shown(call: &Call, client: &Client) -> Result<Option<String>, AdminError> {
    let masked = masked(client);
    if masked.is_none() || !keeps_copies(call) {
        return Ok(masked);
    }
    let known = known(call, client).await?;
    Ok(known.map(|secret| secret.expose().to_owned()).or(masked))
}

async fn known(call: &Call, client: &Client) -> Result<Option<Secret>, AdminError> {
    let secrets = &call.server.app.client_secrets;
    if let Some(secret) = secrets.reveal(client) {
        return Ok(Some(secret));
    }
    let copy = call.store().keycloak_record(&client.realm_id, SECRET_COPY, &client.id).await?;
    Ok(copy.and_then(|copy| secrets.of_copy(client, &copy)))
}

/// Gives `client` the stored form of its secret: of `new`, of the one that `old` has, else of one that is drawn. A client
/// that came with the realm gets none by itself. Gives what is to be committed beside the client.
pub(super) async fn settled(
    call: &Call,
    old: Option<&Client>,
    client: &mut Client,
    new: Option<Secret>,
) -> Result<Option<Change>, AdminError> {
    if client.is_public() {
        return Ok(client.secret_hash.take().map(|_| forget(client)));
    }
    let readable = client.settings.authentication == ClientAuthentication::ClientSecretJwt;
    let fits = |stored: &String| stored.starts_with(SEALED_PREFIX) == readable;
    // Like the other readable form it is sealed for its `client_id`.
    let is_shared = |stored: &String| stored.starts_with(SHARED_PREFIX);
    let renamed = old.is_some_and(|old| old.client_id != client.client_id);
    let (secret, drawn) = match (new, old) {
        (Some(new), _) => (new, false),
        (None, _) if client.settings.authentication == ClientAuthentication::PrivateKeyJwt => {
            return Ok(None);
        }
        (None, Some(_))
            if client
                .secret_hash
                .as_ref()
                .is_some_and(|stored| fits(stored) && !(renamed && (readable || is_shared(stored)))) =>
        {
            return Ok(None);
        }
        (None, _) if client.settings.built_in => return Ok(None),
        (None, old) => {
            let known = match old {
                Some(old) => known(call, old).await?,
                None => None,
            };
            known.map_or_else(|| (random_token().into(), true), |known| (known, false))
        }
    };
    set(call, client, secret, drawn).await
}

/// Sets the secret. One that was drawn is kept by a hash that costs nothing.
async fn set(
    call: &Call,
    client: &mut Client,
    secret: Secret,
    drawn: bool,
) -> Result<Option<Change>, AdminError> {
    let app = &call.server.app;
    let stored = if client.settings.authentication == ClientAuthentication::ClientSecretJwt {
        app.client_secrets.seal(&client.realm_id, &client.client_id, &secret)
    } else if drawn {
        hash_generated(secret.expose())
    } else {
        app.client_secrets.hash_chosen(app.rules.password_profile, secret.clone()).await?
    };
    let copy =
        keeps_copies(call).then(|| app.client_secrets.copy(&client.realm_id, &client.id, &stored, &secret));
    client.secret_hash = Some(stored);
    Ok(copy.map(Change::PutKeycloakRecord))
}

fn forget(client: &Client) -> Change {
    let (realm_id, id) = (client.realm_id.clone(), client.id.clone());
    Change::DeleteKeycloakRecord { realm_id, kind: SECRET_COPY.to_owned(), id }
}

fn credential(value: Option<String>) -> Value {
    json!({ "type": "secret", "value": value })
}

/// What is shown of the secret: for those who could set another.
pub(in super::super) async fn read(call: Call) -> Answer {
    let client = cover::named(&call).await?;
    if !call.may(Permission::ManageClients) {
        return told(&credential(masked(&client)));
    }
    cover::covered(&call, &client).await?;
    told(&credential(shown(&call, &client).await?))
}

/// Draws a new secret and shows it, this once.
pub(in super::super) async fn regenerate(call: Call) -> Answer {
    let mut client = cover::changeable(&call).await?;
    if client.is_public() {
        return Err(AdminError::bad("A public client keeps no secret"));
    }
    let secret = Secret::from(random_token());
    let copy = set(&call, &mut client, secret.clone(), true).await?;
    let path = format!("clients/{}/client-secret", client.id);
    let mut changes = vec![Change::PutClient { client: Box::new(client), at: call.now() }];
    changes.extend(copy);
    call.commit(changes, Operation::Action, "CLIENT", &path).await?;
    told(&credential(Some(secret.expose().to_owned())))
}

/// The secret of before: this server has one at a time.
pub(in super::super) async fn rotated(call: Call) -> Answer {
    cover::named(&call).await?;
    Err(AdminError::not_found("Client does not have a rotated secret"))
}

/// Draws a token by which the client could look after its own registration.
pub(in super::super) async fn registration_token(call: Call) -> Answer {
    cover::changeable(&call).await?;
    Err(AdminError::not_implemented(
        "Clients that administrators made are changed by administrators: only one that registered itself has such a token",
    ))
}
