//! Column `users.email_key`, by which an e-mail address is found and is one person's alone, unless the realm says otherwise.

use super::error::StoreError;
use super::statement::key;
use crate::protocol::user::{User, canonical};

/// The key of an e-mail address: the canonical address, by which one person signs in. Where the realm lets people share
/// one, and another has it already, the key that is this user's alone: it begins with the address, so that a search finds
/// it, and is nobody's login name.
macro_rules! email_key {
    (realm $realm:literal, user $user:literal, address $address:literal, shared $shared:literal) => {
        concat!(
            "CASE WHEN EXISTS (SELECT 1 FROM realms r JOIN users o ON o.realm_id = r.id WHERE r.id = ",
            $realm,
            " AND r.duplicate_emails = 1 AND o.email_key = ",
            $address,
            " AND o.id <> ",
            $user,
            ") THEN ",
            $shared,
            " ELSE ",
            $address,
            " END"
        )
    };
}

pub(super) use email_key;

/// The canonical address, and the key of one that another has too.
pub(super) fn email_keys(user: &User) -> Result<[Option<String>; 2], StoreError> {
    let address = user.email.as_deref().map(canonical).filter(|key| !key.is_empty());
    let shared = address.as_deref().map(|address| format!("{address}\n{}", user.id));
    shared.as_deref().map(key).transpose()?;
    Ok([address, shared])
}
