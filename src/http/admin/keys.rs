//! `GET …/keys`: the realm's public keys, and which one signs.

use serde_json::{Map, Value, json};

use super::answer::{Answer, told};
use super::call::Call;

/// Tells them, newest first.
pub(super) async fn list(call: Call) -> Answer {
    let state = call.with_keys().await?;
    let ring = &state.ring;
    let active: Map<String, Value> = state
        .algorithms
        .iter()
        .filter_map(|algorithm| Some((algorithm.name().to_owned(), ring.signer(*algorithm)?.kid().into())))
        .collect();
    let keys: Vec<Value> = ring
        .keys()
        .iter()
        .map(|one| {
            let signs = active.values().any(|kid| kid == one.key.kid());
            json!({
                "kid": one.key.kid(),
                "providerId": one.key.kid(),
                "providerPriority": if signs { 100 } else { 0 },
                "status": if signs { "ACTIVE" } else { "PASSIVE" },
                "type": one.key.public_jwk().get("kty"),
                "algorithm": one.key.algorithm().name(),
                "publicKey": one.key.public_spki_base64(),
                "certificate": one.key.certificate(),
                "use": "SIG",
                "validTo": one.served_until.map(|until| until.0.saturating_mul(1_000)),
            })
        })
        .collect();
    told(&json!({ "active": active, "keys": keys }))
}
