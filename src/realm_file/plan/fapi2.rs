//! What keeps a client from meeting the profile `fapi2`, told with the field to change.

use serde_json::Value;

use super::super::entities::{Entity, Fields};
use super::super::places::Notes;
use super::merge::has;
use crate::protocol::jws::Algorithm;
use crate::protocol::profile::FAPI2_ALGORITHMS;

/// How a client may prove itself (FAPI 2.0 §5.3.2.1).
const STRONG: [&str; 3] = ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"];

/// Tells of a client whose realm signs with `realm`. Settings that the profile stands above (pushed requests, bound
/// tokens, the audience of assertions) are none of these: they need not be said.
pub(super) fn check(entity: &Entity, realm: &str, notes: &mut Notes<'_>) {
    let fields = &entity.fields;
    if !is(fields, "profile", "fapi2") {
        return;
    }
    let mut refuse = |field: &str, why: &str| {
        notes.add(&format!("{}.{field}", entity.path), format!("the profile fapi2 {why}"));
    };
    if fields.get("public").is_some_and(|public| public == true) {
        refuse("public", "is for clients that prove who they are: a public client cannot meet it");
    } else if !STRONG.iter().any(|method| is(fields, "authentication", method)) {
        refuse(
            "authentication",
            "needs `authentication = \"private_key_jwt\"` and the client's keys in `jwks` or `jwks_uri`, or a certificate",
        );
    }
    if has(fields, "grants", "password") {
        refuse("grants", "knows no password grant");
    }
    if is(fields, "pkce", "optional") {
        refuse("pkce", "needs PKCE");
    }
    for field in [
        "token_endpoint_auth_signing_alg",
        "authorization_signed_response_alg",
        "userinfo_signed_response_alg",
        "introspection_signed_response_alg",
    ] {
        if text(fields, field).is_some_and(|name| !allowed(name)) {
            refuse(field, "allows PS256, ES256 and EdDSA");
        }
    }
    let access = text(fields, "signature_algorithm").unwrap_or(realm);
    if !allowed(text(fields, "id_token_signed_response_alg").unwrap_or(access)) {
        let why = "needs ID tokens signed with PS256, ES256 or EdDSA: say so here, or in the realm's `signature_algorithm`";
        refuse("id_token_signed_response_alg", why);
    }
    let plain = |uri: &Value| uri.as_str().is_some_and(|uri| uri.starts_with("http://") && !is_loopback(uri));
    let uris = fields.get("redirect_uris").and_then(Value::as_array);
    if uris.is_some_and(|uris| uris.iter().any(plain)) {
        refuse("redirect_uris", "needs https");
    }
}

fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn is(fields: &Fields, name: &str, value: &str) -> bool {
    text(fields, name) == Some(value)
}

fn allowed(name: &str) -> bool {
    name.parse::<Algorithm>().is_ok_and(|algorithm| FAPI2_ALGORITHMS.contains(&algorithm))
}

fn is_loopback(uri: &str) -> bool {
    ["http://localhost", "http://127.0.0.1", "http://[::1]"]
        .iter()
        .filter_map(|host| uri.strip_prefix(host))
        .any(|rest| rest.is_empty() || rest.starts_with([':', '/']))
}
