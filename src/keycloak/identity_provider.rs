//! Identity providers: the settings of one, as its metadata says them.

use serde_json::Value;

use super::Kept;

/// What `import-config` makes of a provider's metadata (OpenID Connect Discovery 1.0 §3): the settings by Keycloak's names.
/// None when it is no such document: what every provider has is missing.
#[must_use]
pub fn config_of_metadata(metadata: &Value) -> Option<Kept> {
    let text = |name: &str| metadata.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut config = Kept::new();
    for (name, member) in
        [("issuer", "issuer"), ("authorizationUrl", "authorization_endpoint"), ("tokenUrl", "token_endpoint")]
    {
        config.insert(name.to_owned(), text(member)?.into());
    }
    for (name, member) in
        [("userInfoUrl", "userinfo_endpoint"), ("logoutUrl", "end_session_endpoint"), ("jwksUrl", "jwks_uri")]
    {
        config.extend(text(member).map(|text| (name.to_owned(), text.into())));
    }
    if config.contains_key("jwksUrl") {
        for name in ["validateSignature", "useJwksUrl"] {
            config.insert(name.to_owned(), "true".into());
        }
    }
    Some(config)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_of_metadata() {
        let least = json!({ "issuer": "i", "authorization_endpoint": "a", "token_endpoint": "t" });
        let told = json!({ "issuer": "i", "authorizationUrl": "a", "tokenUrl": "t" });
        assert_eq!(config_of_metadata(&least).map(Value::Object), Some(told.clone()));
        let (mut whole, mut expected) = (least.clone(), told);
        for (member, name) in [
            ("userinfo_endpoint", "userInfoUrl"),
            ("end_session_endpoint", "logoutUrl"),
            ("jwks_uri", "jwksUrl"),
        ] {
            whole[member] = json!("x");
            expected[name] = json!("x");
        }
        expected["validateSignature"] = json!("true");
        expected["useJwksUrl"] = json!("true");
        assert_eq!(config_of_metadata(&whole).map(Value::Object), Some(expected));
        for member in ["issuer", "authorization_endpoint", "token_endpoint"] {
            let mut poorer = least.clone();
            poorer[member] = json!("");
            assert_eq!(config_of_metadata(&poorer), None, "{member}");
        }
        assert_eq!(config_of_metadata(&json!([])), None);
    }
}
