//! The key by which a client proves itself (`jwt.credential`, RFC 7523 §2.2): seen, set from a file, made for the client.
//! Keys of other purposes are SAML's, which this server does not speak; stores of keys in Java's form are not read or made.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::answer::{AdminError, Answer, told};
use super::super::call::{Call, Operation};
use super::cover;
use crate::protocol::certificate;
use crate::protocol::client::Client;
use crate::protocol::jwk::JwkSet;
use crate::realms::RealmError;
use crate::signer::{ClientKey, DAMAGED, KeyError, KeySet};
use crate::store::Change;

/// The one purpose of a key that there is.
const PURPOSE: &str = "jwt.credential";
const STORES: &str = "Key stores (JKS, PKCS12) are not read or made here: send Certificate PEM, Public Key PEM or \
                      JSON Web Key Set, and ask `generate` for a new key";

fn is_known(call: &Call) -> Result<(), AdminError> {
    if call.part("attribute") == PURPOSE {
        return Ok(());
    }
    Err(AdminError::not_implemented("Clients have a key of the purpose jwt.credential alone"))
}

/// What is known of the client's key: its certificate, or the set of keys.
pub(in super::super) async fn read(call: Call) -> Answer {
    let client = cover::named(&call).await?;
    if call.part("attribute") != PURPOSE {
        return told(&json!({}));
    }
    told(&shown(&client))
}

fn shown(client: &Client) -> Value {
    let Some(keys) = &client.settings.jwks else { return json!({}) };
    match certificate::of_key_set(keys) {
        Some(certificate) => json!({ "certificate": certificate }),
        None => json!({ "jwks": keys.to_string() }),
    }
}

/// Makes a key pair for the client. Its private half is told this once and kept nowhere (attacks A06).
pub(in super::super) async fn generate(call: Call) -> Answer {
    is_known(&call)?;
    cover::changeable(&call).await?;
    let fault = |source| RealmError::Keys { realm: call.state.realm.name.clone(), source };
    let made = tokio::task::spawn_blocking(ClientKey::generate).await;
    let key = made.map_err(|_| fault(KeyError::Primitive))?.map_err(fault)?;
    let keys = of_certificate(&key.certificate)?;
    let answer = json!({ "privateKey": key.private.as_str(), "certificate": key.certificate });
    call.repeated(|call| Box::pin(set(call, keys.clone(), "generate", answer.clone()))).await
}

/// Takes the client's key from a file.
pub(in super::super) async fn upload(call: Call) -> Answer {
    is_known(&call)?;
    let keys = uploaded(&call.server.form)?;
    call.repeated(|call| Box::pin(set(call, keys.clone(), "upload", Value::Null))).await
}

/// Takes the client's certificate from a file.
pub(in super::super) async fn upload_certificate(call: Call) -> Answer {
    is_known(&call)?;
    let keys = uploaded(&call.server.form)?;
    call.repeated(|call| Box::pin(set(call, keys.clone(), "upload-certificate", Value::Null))).await
}

/// A store of keys in Java's form.
pub(in super::super) async fn store(call: Call) -> Answer {
    cover::changeable(&call).await?;
    Err(AdminError::not_implemented(STORES))
}

/// Sets the keys of the client; `null` as answer tells what was set.
async fn set(call: &Call, keys: Value, action: &str, answer: Value) -> Answer {
    let mut client = cover::changeable(call).await?;
    client.settings.jwks = Some(keys);
    client.settings.jwks_uri = None;
    let answer = if answer.is_null() { shown(&client) } else { answer };
    let path = format!("clients/{}/certificates/{PURPOSE}/{action}", client.id);
    let changes = vec![call.unmoved(), Change::PutClient { client: Box::new(client), at: call.now() }];
    call.commit(changes, Operation::Action, "CLIENT", &path).await?;
    told(&answer)
}

/// The keys in the file of a form, by what the form says of it.
fn uploaded(form: &BTreeMap<String, Vec<u8>>) -> Result<Value, AdminError> {
    let text = |name: &str| form.get(name).and_then(|value| std::str::from_utf8(value).ok());
    let format = text("keystoreFormat").unwrap_or_default();
    if ["JKS", "PKCS12", "BCFKS"].contains(&format) {
        return Err(AdminError::not_implemented(STORES));
    }
    let file =
        text("file").ok_or_else(|| AdminError::bad("The form has no part called file with text in it"))?;
    match format {
        "Certificate PEM" => of_certificate(&unarmoured(file)),
        "Public Key PEM" => {
            let der = STANDARD.decode(unarmoured(file)).ok();
            let key = der.and_then(|der| certificate::public_key(&der));
            sound(
                json!({ "keys": [key.ok_or_else(|| AdminError::bad("The file holds no public key in PEM"))?] }),
            )
        }
        "JSON Web Key Set" => sound(serde_json::from_str(file).map_err(AdminError::unreadable)?),
        _ => {
            Err(AdminError::bad("keystoreFormat must be Certificate PEM, Public Key PEM or JSON Web Key Set"))
        }
    }
}

fn of_certificate(base64: &str) -> Result<Value, AdminError> {
    let keys = certificate::key_set(base64);
    sound(
        keys.ok_or_else(|| {
            AdminError::bad("The file holds no certificate in PEM, or one of an unknown key")
        })?,
    )
}

/// The keys, if each can be used.
fn sound(keys: Value) -> Result<Value, AdminError> {
    let set = keys.as_object().map(JwkSet::read);
    match set {
        Some(Ok(set)) if set.keys.is_empty() => {
            Err(AdminError::bad("There is no key that this server can use"))
        }
        Some(Ok(set)) if KeySet::is_damaged(&set) => Err(AdminError::bad(DAMAGED)),
        Some(Ok(_)) => Ok(keys),
        Some(Err(fault)) => Err(AdminError::bad(fault.to_string())),
        None => Err(AdminError::bad("A key set is an object")),
    }
}

/// The base64 between the lines of armour, or all of it.
fn unarmoured(file: &str) -> String {
    file.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect()
}
