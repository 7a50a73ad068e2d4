//! What a target has in the clear, hashed and sealed.

use std::collections::HashMap;

use tokio::task::JoinSet;

use super::super::apply::{NewSecret, Prepared, changes as realm_changes};
use super::super::plan::Plan;
use super::Target;
use super::changes::{Made, changes};
use crate::clock::Timestamp;
use crate::passwords::{ClientSecrets, PasswordError, Passwords};
use crate::protocol::client::{Client, ClientAuthentication};
use crate::secrets::{SEALED_PREFIX, Secret, random_token};

/// The changes that carry out `plan`, which was made for `target`.
///
/// # Errors
/// [`PasswordError`].
pub(in super::super) async fn prepare(
    plan: &Plan,
    target: &Target,
    secrets: &ClientSecrets,
    now: Timestamp,
) -> Result<Prepared, PasswordError> {
    let mut made = Made { passwords: hash_all(secrets.passwords(), target).await?, ..Made::default() };
    let mut new_secrets = Vec::new();
    for client in &target.state.clients {
        let stored = match target.secrets.get(&client.client_id) {
            Some(secret) => secrets.store(client, secret).await?,
            None if lacks_secret(client) => {
                let secret = Secret::from(random_token());
                let stored = secrets.store_drawn(client, &secret);
                new_secrets.push(NewSecret { client_id: client.client_id.clone(), secret });
                stored
            }
            None => continue,
        };
        made.secrets.insert(client.client_id.clone(), stored);
    }
    for credential in target.state.users.iter().flat_map(|user| &user.credentials) {
        if let Some(secret) = target.sealed.get(&credential.id) {
            let sealed = secrets.vault().seal(&credential.place(), secret.expose().as_bytes());
            made.sealed.insert(credential.id.clone(), sealed);
        }
    }
    let old = (!plan.new_realm).then(|| plan.state());
    let (records, beside) = changes(old, target, &made);
    Ok(Prepared { changes: realm_changes(plan, records, beside, now), new_secrets })
}

/// Whether the client is to prove itself by a secret that nobody has given it.
fn lacks_secret(client: &Client) -> bool {
    let by_secret = matches!(
        client.settings.authentication,
        ClientAuthentication::Secret | ClientAuthentication::ClientSecretJwt
    );
    by_secret
        && client.secret_hash.is_none()
        && !client.settings.built_in
        && !client.settings.grants.is_empty()
}

/// Hashes the passwords, as many at a time as the pool has room for beside others.
async fn hash_all(passwords: &Passwords, target: &Target) -> Result<HashMap<String, String>, PasswordError> {
    let width = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).saturating_mul(2);
    let mut made = HashMap::with_capacity(target.passwords.len());
    let mut work = JoinSet::new();
    for (id, secret) in &target.passwords {
        if work.len() >= width {
            take(&mut work, &mut made).await?;
        }
        let (passwords, id, secret) = (passwords.clone(), id.clone(), secret.clone());
        work.spawn(async move { (id, passwords.hash(passwords.profile(), secret).await) });
    }
    while !work.is_empty() {
        take(&mut work, &mut made).await?;
    }
    Ok(made)
}

async fn take(
    work: &mut JoinSet<(String, Result<String, PasswordError>)>,
    made: &mut HashMap<String, String>,
) -> Result<(), PasswordError> {
    if let Some(done) = work.join_next().await {
        let (id, hash) = done.map_err(|_| PasswordError::Failed)?;
        made.insert(id, hash?);
    }
    Ok(())
}

/// Takes out of `target` the passwords and secrets that are stored already.
///
/// # Errors
/// [`PasswordError`].
pub(in super::super) async fn leave_out_proven(
    target: &mut Target,
    before: &super::super::state::State,
    secrets: &ClientSecrets,
) -> Result<(), PasswordError> {
    for client in &before.clients {
        let Some(secret) = target.secrets.get(&client.client_id) else { continue };
        let stored = client.secret_hash.as_deref().unwrap_or_default();
        let method = target.state.client(&client.client_id).map(|client| client.settings.authentication);
        if stored.starts_with(SEALED_PREFIX) != (method == Some(ClientAuthentication::ClientSecretJwt)) {
            continue;
        }
        let same = match secrets.reveal(client) {
            Some(known) => known == *secret,
            None if client.secret_hash.is_some() => secrets.verify_of(client, secret).await?,
            None => false,
        };
        if same {
            target.secrets.remove(&client.client_id);
        }
    }
    let stored: HashMap<&str, &String> = before
        .users
        .iter()
        .filter_map(|one| Some((one.user.id.as_str(), one.password_hash.as_ref()?)))
        .collect();
    let mut kept = Vec::with_capacity(target.passwords.len());
    for (id, secret) in std::mem::take(&mut target.passwords) {
        let same = match stored.get(id.as_str()) {
            Some(hash) => secrets.passwords().verify(Some(hash), &secret).await?.matches,
            None => false,
        };
        if !same {
            kept.push((id, secret));
        }
    }
    target.passwords = kept;
    // A credential that opens to the same is the same.
    for user in &before.users {
        for there in &user.credentials {
            let opened = secrets.vault().open(&there.place(), &there.secret).ok();
            let same =
                |secret: &Secret| opened.as_ref().is_some_and(|bytes| **bytes == *secret.expose().as_bytes());
            if target.sealed.get(&there.id).is_some_and(same) {
                target.sealed.remove(&there.id);
                let users = target.state.users.iter_mut();
                for one in users.flat_map(|one| &mut one.credentials).filter(|one| one.id == there.id) {
                    one.secret.clone_from(&there.secret);
                }
            }
        }
    }
    Ok(())
}
