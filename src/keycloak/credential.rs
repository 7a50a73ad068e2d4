//! Credentials: passwords as Keycloak hashes them, one-time codes, and others that are kept.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::record::Kept;
use super::representation::CredentialRepresentation;
use super::{filled, stable_id};
use crate::clock::Timestamp;
use crate::passwords::{Cost, Pbkdf2Digest, Scheme};
use crate::protocol::credential::{Credential, OTP};
use crate::protocol::otp;
use crate::protocol::user::User;
use crate::secrets::Secret;

/// Under which name it is kept, beside a user, what Keycloak says of the password beyond its hash: identifier, label, date.
pub const KEPT: &str = "passwordCredential";

/// The type of a password.
pub const PASSWORD: &str = "password";

/// A user's password as a representation gives it.
#[derive(Clone, Debug, PartialEq)]
pub enum Password {
    /// In the clear; to be hashed.
    Plain(Secret),
    /// As a stored form of this server (a PHC string).
    Stored(String),
}

/// A user's credentials as representations give them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Credentials {
    /// The password; the last one counts.
    pub password: Option<Password>,
    /// What is said of the password beyond its hash, to be kept beside the user as [`KEPT`].
    pub kept: Kept,
    /// Whether it must be replaced at the next sign-in.
    pub temporary: bool,
    /// The others. What is secret of them is not sealed yet.
    pub others: Vec<Credential>,
    /// What is wrong with those that cannot be used.
    pub problems: Vec<CredentialProblem>,
}

/// Why a credential cannot be used. None of them shows any of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CredentialProblem {
    /// Its two texts are not the JSON that they should be.
    #[error("a credential of type `{0}` is not written as Keycloak writes it")]
    Malformed(String),
    /// A hash that this server cannot check.
    #[error("a password is hashed with `{0}`, which is not known here: its user needs a new one")]
    Algorithm(String),
    /// A hash that costs more than is allowed, or has lengths that make no sense.
    #[error("a password's hash asks for more than is allowed here: its user needs a new one")]
    OutOfBounds,
}

/// Reads the credentials of the user `user_id`, who has those of `known`. One without an identifier is the known one that
/// says the same, else it gets one; one without a date is of `now`.
pub fn from_representations(
    credentials: Vec<CredentialRepresentation>,
    realm_id: &str,
    user_id: &str,
    known: &[Credential],
    now: Timestamp,
    new_id: &mut dyn FnMut() -> String,
) -> Credentials {
    let mut read = Credentials::default();
    for (place, credential) in credentials.into_iter().enumerate() {
        let kind = credential.kind.clone().unwrap_or_else(|| PASSWORD.to_owned());
        if kind == PASSWORD {
            read.temporary = credential.temporary.unwrap_or(false);
            match password(&credential) {
                Ok(Some(password)) => {
                    read.password = Some(password);
                    read.kept = described(&credential);
                }
                Ok(None) => {}
                Err(problem) => read.problems.push(problem),
            }
            continue;
        }
        let Some((secret, data)) = parts(&kind, &credential) else {
            read.problems.push(CredentialProblem::Malformed(kind));
            continue;
        };
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let kind = if matches!(kind.as_str(), "totp" | "hotp") { OTP.to_owned() } else { kind };
        let label = filled(credential.user_label.as_deref());
        let given = credential.id.filter(|id| !id.is_empty());
        let there = known.iter().find(|one| match &given {
            Some(id) => one.id == *id,
            None => one.kind == kind && one.label == label && one.data == data,
        });
        let date = credential.created_date.map(|at| Timestamp(at.div_euclid(1_000)));
        read.others.push(Credential {
            id: given.or_else(|| there.map(|one| one.id.clone())).unwrap_or_else(&mut *new_id),
            realm_id: realm_id.to_owned(),
            user_id: user_id.to_owned(),
            kind,
            label,
            secret,
            data,
            priority: credential
                .priority
                .or(there.map(|one| one.priority))
                .unwrap_or_else(|| place.saturating_add(1).saturating_mul(10)),
            created_at: date.or(there.map(|one| one.created_at)).unwrap_or(now),
        });
    }
    read
}

/// What is wrong with a device for one-time codes, by which nobody could sign in; none for other credentials.
#[must_use]
pub fn problem(credential: &CredentialRepresentation) -> Option<&'static str> {
    let kind = credential.kind.as_deref().unwrap_or(PASSWORD);
    if !matches!(kind, "totp" | "hotp" | OTP) {
        return None;
    }
    let (secret, data) = parts(kind, credential)?;
    otp::problem(&secret, &data)
}

fn described(credential: &CredentialRepresentation) -> Kept {
    let members = [
        ("id", credential.id.clone().map(Value::from)),
        ("userLabel", credential.user_label.clone().map(Value::from)),
        ("createdDate", credential.created_date.map(Value::from)),
        ("priority", credential.priority.map(Value::from)),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// What of `described` is not as this server would say it of the password of `user` anyway; null when that is nothing.
#[must_use]
pub fn worth_keeping(mut described: Kept, user: &User) -> Value {
    let usual = [
        ("id", Value::from(stable_id(&[&user.id, PASSWORD]))),
        ("createdDate", Value::from(user.created_at.0.saturating_mul(1_000))),
    ];
    described.retain(|name, value| !usual.contains(&(name.as_str(), value.clone())));
    if described.is_empty() { Value::Null } else { Value::Object(described) }
}

/// A password; none when the representation holds none.
fn password(credential: &CredentialRepresentation) -> Result<Option<Password>, CredentialProblem> {
    if let Some(value) = credential.value.as_deref().filter(|value| !value.is_empty()) {
        return Ok(Some(Password::Plain(value.into())));
    }
    if let Some(value) = &credential.hashed_salted_value {
        let (Some(salt), iterations) = (&credential.salt, credential.hash_iterations.unwrap_or(1)) else {
            return Err(CredentialProblem::Malformed(PASSWORD.to_owned()));
        };
        let name = credential.algorithm.as_deref().unwrap_or("pbkdf2");
        return stored(name, iterations, value, salt, &Map::new()).map(Some);
    }
    let (Some(secret), Some(data)) = (&credential.secret_data, &credential.credential_data) else {
        return Ok(None);
    };
    let malformed = || CredentialProblem::Malformed(PASSWORD.to_owned());
    let secret: Map<String, Value> = serde_json::from_str(secret).map_err(|_| malformed())?;
    let data: Map<String, Value> = serde_json::from_str(data).map_err(|_| malformed())?;
    let text =
        |map: &Map<String, Value>, name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
    let (Some(value), Some(salt)) = (text(&secret, "value"), text(&secret, "salt")) else {
        return Err(malformed());
    };
    let name = text(&data, "algorithm").unwrap_or_else(|| "pbkdf2".to_owned());
    let iterations = data.get("hashIterations").and_then(Value::as_i64).unwrap_or(1);
    let more = data.get("additionalParameters").and_then(Value::as_object).cloned().unwrap_or_default();
    stored(&name, iterations, &value, &salt, &more).map(Some)
}

/// The stored form of a hash: `value` and `salt` are base64, `more` are the parameters of Argon2.
fn stored(
    name: &str,
    iterations: i64,
    value: &str,
    salt: &str,
    more: &Map<String, Value>,
) -> Result<Password, CredentialProblem> {
    let malformed = || CredentialProblem::Malformed(PASSWORD.to_owned());
    let hash = STANDARD.decode(value).map_err(|_| malformed())?;
    let salt = STANDARD.decode(salt).map_err(|_| malformed())?;
    let iterations = u32::try_from(iterations).map_err(|_| malformed())?;
    let digest = match name {
        "pbkdf2" | "pbkdf2-sha1" => Some(Pbkdf2Digest::Sha1),
        "pbkdf2-sha256" => Some(Pbkdf2Digest::Sha256),
        "pbkdf2-sha512" => Some(Pbkdf2Digest::Sha512),
        _ => None,
    };
    let scheme = match digest {
        Some(digest) => {
            let iterations = NonZeroU32::new(iterations).ok_or_else(malformed)?;
            Scheme::Pbkdf2 { digest, iterations, salt, hash }
        }
        None if name == "argon2" => Scheme::Argon2id { cost: argon2(iterations, more)?, salt, hash },
        None => return Err(CredentialProblem::Algorithm(name.to_owned())),
    };
    let scheme = scheme.bounded().map_err(|_| CredentialProblem::OutOfBounds)?;
    Ok(Password::Stored(scheme.to_string()))
}

fn argon2(passes: u32, more: &Map<String, Value>) -> Result<Cost, CredentialProblem> {
    let first = |name: &str| match more.get(name) {
        Some(Value::Array(values)) => values.first().and_then(Value::as_str),
        Some(value) => value.as_str(),
        None => None,
    };
    let (kind, version) = (first("type").unwrap_or("id"), first("version").unwrap_or("1.3"));
    if kind != "id" || version != "1.3" {
        return Err(CredentialProblem::Algorithm(format!("argon2{kind} {version}")));
    }
    let number = |name: &str, otherwise: u32| match first(name) {
        Some(text) => text.parse().map_err(|_| CredentialProblem::Malformed(PASSWORD.to_owned())),
        None => Ok(otherwise),
    };
    Ok(Cost { memory_kib: number("memory", 7_168)?, passes, lanes: number("parallelism", 1)? })
}

/// The two texts of another credential; one-time codes of old files have fields in their place.
fn parts(kind: &str, credential: &CredentialRepresentation) -> Option<(String, String)> {
    let is_json = |text: &&String| serde_json::from_str::<Map<String, Value>>(text).is_ok();
    if let Some(data) = credential.credential_data.as_ref().filter(is_json) {
        let secret =
            credential.secret_data.as_ref().filter(is_json).map_or_else(|| "{}".to_owned(), Clone::clone);
        return Some((secret, data.clone()));
    }
    let value = credential.value.as_ref().or(credential.hashed_salted_value.as_ref())?;
    if !matches!(kind, "totp" | "hotp" | OTP) {
        return None;
    }
    let data = json!({
        "subType": if kind == "hotp" { "hotp" } else { "totp" },
        "digits": credential.digits.unwrap_or(6),
        "period": credential.period.unwrap_or(30),
        "counter": credential.counter.unwrap_or(0),
        "algorithm": credential.algorithm.as_deref().unwrap_or("HmacSHA1"),
    });
    Some((json!({ "value": value }).to_string(), data.to_string()))
}

/// The stored password of `user` as Keycloak writes it, with what is `kept` of it; none for a stored form that Keycloak
/// does not know.
#[must_use]
pub fn password_to_representation(
    user: &User,
    stored: &str,
    kept: &Kept,
) -> Option<CredentialRepresentation> {
    let scheme: Scheme = stored.parse().ok()?;
    let encode = |bytes: &[u8]| STANDARD.encode(bytes);
    let (iterations, name, more, salt, hash) = match &scheme {
        Scheme::Argon2id { cost, salt, hash } => {
            let more = json!({
                "hashLength": [hash.len().to_string()],
                "memory": [cost.memory_kib.to_string()],
                "type": ["id"],
                "version": ["1.3"],
                "parallelism": [cost.lanes.to_string()],
            });
            (cost.passes, "argon2", more, salt, hash)
        }
        Scheme::Pbkdf2 { digest, iterations, salt, hash } => {
            let name = match digest {
                Pbkdf2Digest::Sha1 => "pbkdf2",
                Pbkdf2Digest::Sha256 => "pbkdf2-sha256",
                Pbkdf2Digest::Sha512 => "pbkdf2-sha512",
            };
            (iterations.get(), name, json!({}), salt, hash)
        }
    };
    let secret = json!({ "value": encode(hash), "salt": encode(salt), "additionalParameters": {} });
    let data = json!({ "hashIterations": iterations, "algorithm": name, "additionalParameters": more });
    let text = |name: &str| kept.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| kept.get(name).and_then(Value::as_i64);
    Some(CredentialRepresentation {
        id: Some(text("id").unwrap_or_else(|| stable_id(&[&user.id, PASSWORD]))),
        kind: Some(PASSWORD.to_owned()),
        user_label: text("userLabel"),
        created_date: Some(number("createdDate").unwrap_or_else(|| user.created_at.0.saturating_mul(1_000))),
        secret_data: Some(secret.to_string()),
        credential_data: Some(data.to_string()),
        priority: number("priority"),
        ..CredentialRepresentation::default()
    })
}

/// Another credential; `secret` is its opened secret, when it is to be shown.
#[must_use]
pub fn to_representation(credential: &Credential, secret: Option<String>) -> CredentialRepresentation {
    CredentialRepresentation {
        id: Some(credential.id.clone()),
        kind: Some(credential.kind.clone()),
        user_label: credential.label.clone(),
        created_date: Some(credential.created_at.0.saturating_mul(1_000)),
        secret_data: secret,
        credential_data: Some(credential.data.clone()),
        priority: Some(credential.priority),
        ..CredentialRepresentation::default()
    }
}

#[cfg(test)]
#[path = "credential_tests.rs"]
mod tests;
