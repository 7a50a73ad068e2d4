//! The key set, in whole: what each kind of key says, and nothing more.

use serde_json::{Value, json};
use vestibule::testing::TestServer;

const REALM: &str = r#"
    [realm]
    name = "main"
    [[realm.clients]]
    id = "ps"
    public = true
    signature_algorithm = "PS256"
    [[realm.clients]]
    id = "es"
    public = true
    signature_algorithm = "ES256"
    [[realm.clients]]
    id = "ed"
    public = true
    signature_algorithm = "EdDSA"
"#;

/// What is the same for every key of a kind, and the length of what is not.
fn shape(key: &Value) -> Value {
    let members = key.as_object().unwrap().iter().map(|(name, value)| {
        let shape = match (name.as_str(), value) {
            ("kty" | "use" | "alg" | "crv" | "e", value) => value.clone(),
            (_, Value::String(text)) => json!(format!("{} letters", text.len())),
            ("x5c", Value::Array(chain)) => json!(format!("{} certificate", chain.len())),
            (_, other) => panic!("{name}: {other}"),
        };
        (name.clone(), shape)
    });
    members.collect::<serde_json::Map<_, _>>().into()
}

#[tokio::test]
async fn rfc7517_5_each_key_has_the_shape_of_its_algorithm() {
    let server = TestServer::with_realm(REALM).await.unwrap();
    let set = server.browser().get(&server.rp("ps", None).endpoint("certs")).await.json();
    assert_eq!(set.as_object().unwrap().keys().collect::<Vec<_>>(), ["keys"]);
    let mut shapes: Vec<Value> = set["keys"].as_array().unwrap().iter().map(shape).collect();
    shapes.sort_by_key(|shape| shape["alg"].to_string());
    assert_eq!(
        json!(shapes),
        json!([
            {
                "alg": "ES256", "crv": "P-256", "kid": "43 letters", "kty": "EC", "use": "sig",
                "x": "43 letters", "y": "43 letters",
            },
            {
                "alg": "EdDSA", "crv": "Ed25519", "kid": "43 letters", "kty": "OKP", "use": "sig",
                "x": "43 letters",
            },
            {
                "alg": "PS256", "e": "AQAB", "kid": "43 letters", "kty": "RSA", "n": "342 letters",
                "use": "sig",
            },
            {
                "alg": "RS256", "e": "AQAB", "kid": "43 letters", "kty": "RSA", "n": "342 letters",
                "use": "sig", "x5c": "1 certificate", "x5t": "27 letters", "x5t#S256": "43 letters",
            },
        ])
    );
}
