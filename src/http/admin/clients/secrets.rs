//! The secret of a client. Production keeps no more than a hash, and a mask stands for it; whoever drew a new one sees it
//! that once (attacks A06). Development shows it, since Keycloak's tools read it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::answer::{AdminError, Answer, told};
use super::super::call::{Call, Operation};
use super::cover;
use crate::keycloak::client::MASK;
use crate::keycloak::representation::ClientRepresentation;
use crate::protocol::admin::Permission;
use crate::protocol::client::{Client, ClientAuthentication};
use crate::secrets::{SEALED_PREFIX, SHARED_PREFIX, Secret, random_token};
use crate::store::Change;

/// A mask, when the client has a secret.
pub(super) fn masked(client: &Client) -> Option<String> {
    client.secret_hash.as_ref().filter(|_| !client.is_public()).map(|_| MASK.to_owned())
}

/// The secret, where it is known and the server is for development; else a mask.
pub(super) fn shown(call: &Call, client: &Client) -> Option<String> {
    let masked = masked(client)?;
    let known = call.server.app.client_secrets.shown(client);
    Some(known.map_or(masked, |secret| secret.expose().to_owned()))
}

/// The hash of the secret that a body gives its client, where one will be kept. It takes a while, in which nobody else who
/// changes the realm has to wait; so it is made before their turns.
pub(super) async fn hashed(call: &Call, body: &ClientRepresentation) -> Result<Option<Arc<str>>, AdminError> {
    let secret = body.secret.as_deref().filter(|secret| !secret.is_empty() && *secret != MASK);
    let is_public = body.public_client == Some(true);
    // By these names of Keycloak, nothing is kept or a secret that can be read again.
    let signs = matches!(body.client_authenticator_type.as_deref(), Some("client-jwt" | "client-secret-jwt"));
    match secret.filter(|_| !is_public && !signs) {
        Some(secret) => {
            let hash = call.server.app.client_secrets.hash_ahead(&Secret::from(secret)).await?;
            Ok(hash.map(Arc::from))
        }
        None => Ok(None),
    }
}

/// Gives `client` the stored form of its secret: of `new` (whose `hash` may be made already), of the one that `old` has, else
/// of one that is drawn. A client that came with the realm gets none by itself; one that is public, or proves itself by its
/// key, keeps none.
pub(super) async fn settled(
    call: &Call,
    old: Option<&Client>,
    client: &mut Client,
    new: Option<Secret>,
    hash: Option<&str>,
) -> Result<(), AdminError> {
    let by_key = client.settings.authentication == ClientAuthentication::PrivateKeyJwt;
    if client.is_public() || by_key {
        client.secret_hash = None;
        return Ok(());
    }
    let secrets = &call.server.app.client_secrets;
    if let Some(new) = new {
        client.secret_hash = Some(secrets.store_hashed(client, &new, hash).await?);
        return Ok(());
    }
    if old.is_some() && stays(old, client) || client.settings.built_in {
        return Ok(());
    }
    let stored = match old.and_then(|old| secrets.reveal(old)) {
        Some(known) => secrets.store(client, &known).await?,
        None => secrets.store_drawn(client, &Secret::from(random_token())),
    };
    client.secret_hash = Some(stored);
    Ok(())
}

/// Whether the stored form that `client` has is good for what it is now. One that can be read again is sealed for its
/// `client_id`.
fn stays(old: Option<&Client>, client: &Client) -> bool {
    let signs = client.settings.authentication == ClientAuthentication::ClientSecretJwt;
    let renamed = old.is_some_and(|old| old.client_id != client.client_id);
    client.secret_hash.as_ref().is_some_and(|stored| {
        let is_sealed = stored.starts_with(SEALED_PREFIX);
        is_sealed == signs && !(renamed && (is_sealed || stored.starts_with(SHARED_PREFIX)))
    })
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
    told(&credential(shown(&call, &client)))
}

/// Draws a new secret and shows it, this once.
pub(in super::super) async fn regenerate(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_regenerate(call))).await
}

async fn try_regenerate(call: &Call) -> Answer {
    let mut client = cover::changeable(call).await?;
    if client.is_public() {
        return Err(AdminError::bad("A public client keeps no secret"));
    }
    let secret = Secret::from(random_token());
    client.secret_hash = Some(call.server.app.client_secrets.store_drawn(&client, &secret));
    let path = format!("clients/{}/client-secret", client.id);
    let changes = vec![call.unmoved(), Change::PutClient { client: Box::new(client), at: call.now() }];
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
