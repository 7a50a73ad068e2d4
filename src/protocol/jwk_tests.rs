//! Keys and sets: the RFCs' examples, what each bound refuses, and any text at all.

use proptest::prelude::*;

use super::*;

/// RFC 7638 §3.1.
const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn rsa_jwk() -> Value {
    json!({ "kty": "RSA", "n": N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" })
}

fn ec_jwk() -> Value {
    json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "kid": "1",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

fn okp_jwk() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
}

/// `key` with these members; `null` takes one away.
fn with(mut key: Value, changes: &[(&str, Value)]) -> Value {
    let members = key.as_object_mut().unwrap();
    for (name, value) in changes {
        if value.is_null() {
            members.remove(*name);
        } else {
            members.insert((*name).to_owned(), value.clone());
        }
    }
    key
}

fn read(key: &Value) -> Result<Jwk, JwkFault> {
    Jwk::read(key.as_object().unwrap())
}

/// The base64url of `count` bytes that begin with `first` and end in an odd one.
fn octets(first: u8, count: usize) -> Value {
    let mut bytes = vec![0x55; count];
    bytes[0] = first;
    URL_SAFE_NO_PAD.encode(bytes).into()
}

#[test]
fn rfc7638_3_1_and_rfc8037_a_3_thumbprints() {
    let thumbprint = |key: Value| read(&key).unwrap().thumbprint();
    assert_eq!(thumbprint(rsa_jwk()), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(thumbprint(okp_jwk()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/// The example of RFC 9449 §6.1.
#[test]
fn rfc9449_6_1_thumbprint() {
    let key = json!({
        "kty": "EC", "crv": "P-256",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    });
    assert_eq!(read(&key).unwrap().thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn j05_what_is_no_public_key_of_strength_is_refused() {
    use JwkFault::{Member, Private, Symmetric, Unknown, Weak};
    let (rsa, ec, okp) = (rsa_jwk(), ec_jwk(), okp_jwk());
    for (case, key, fault) in [
        ("no kty", with(rsa.clone(), &[("kty", Value::Null)]), Member("kty")),
        ("kty a number", with(rsa.clone(), &[("kty", json!(1))]), Member("kty")),
        ("oct", json!({ "kty": "oct", "k": "c2VjcmV0" }), Symmetric),
        ("d of RSA", with(rsa.clone(), &[("d", json!("AQAB"))]), Private),
        ("p", with(rsa.clone(), &[("p", json!("AQAB"))]), Private),
        ("q", with(rsa.clone(), &[("q", json!("AQAB"))]), Private),
        ("dp", with(rsa.clone(), &[("dp", json!("AQAB"))]), Private),
        ("dq", with(rsa.clone(), &[("dq", json!("AQAB"))]), Private),
        ("qi", with(rsa.clone(), &[("qi", json!("AQAB"))]), Private),
        ("k beside RSA", with(rsa.clone(), &[("k", json!("AQAB"))]), Private),
        ("d of EC", with(ec.clone(), &[("d", json!("AQAB"))]), Private),
        ("d of Ed25519", with(okp.clone(), &[("d", json!(1))]), Private),
        ("d of an unknown type", json!({ "kty": "new", "d": "AQAB" }), Private),
        ("no n", with(rsa.clone(), &[("n", Value::Null)]), Member("n")),
        ("n with padding", with(rsa.clone(), &[("n", json!(format!("{N}==")))]), Member("n")),
        ("n with a leading zero", with(rsa.clone(), &[("n", octets(0, 257))]), Member("n")),
        ("RSA of 1024 bits", with(rsa.clone(), &[("n", octets(0xff, 128))]), Weak),
        ("RSA of 2047 bits", with(rsa.clone(), &[("n", octets(0x7f, 256))]), Weak),
        ("RSA of 8193 bits", with(rsa.clone(), &[("n", octets(1, 1025))]), Weak),
        ("e 1", with(rsa.clone(), &[("e", json!("AQ"))]), Weak),
        ("e 3", with(rsa.clone(), &[("e", json!("Aw"))]), Weak),
        ("e even", with(rsa.clone(), &[("e", json!("AQAC"))]), Weak),
        ("e of 33 bits", with(rsa.clone(), &[("e", json!("AQAAAAE"))]), Weak),
        ("e endless", with(rsa.clone(), &[("e", octets(1, 300))]), Weak),
        ("e empty", with(rsa.clone(), &[("e", json!(""))]), Member("e")),
        ("kid a number", with(rsa.clone(), &[("kid", json!(7))]), Member("kid")),
        ("use a list", with(rsa.clone(), &[("use", json!(["sig"]))]), Member("use")),
        ("key_ops a text", with(rsa, &[("key_ops", json!("verify"))]), Member("key_ops")),
        ("P-192", with(ec.clone(), &[("crv", json!("P-192"))]), Unknown),
        ("no curve", with(ec.clone(), &[("crv", Value::Null)]), Member("crv")),
        ("short x", with(ec.clone(), &[("x", octets(1, 31))]), Member("x")),
        ("long y", with(ec.clone(), &[("y", octets(1, 33))]), Member("y")),
        ("no y", with(ec, &[("y", Value::Null)]), Member("y")),
        ("X25519", with(okp.clone(), &[("crv", json!("X25519"))]), Unknown),
        ("Ed25519 as EC", with(okp, &[("kty", json!("EC"))]), Unknown),
    ] {
        assert_eq!(read(&key), Err(fault), "{case}");
    }
}

#[test]
fn the_strongest_and_the_weakest_rsa_key_are_read() {
    for (first, count) in [(0x80, 256), (0xff, 1024)] {
        assert!(read(&with(rsa_jwk(), &[("n", octets(first, count))])).is_ok(), "{count} bytes");
    }
    assert!(read(&with(rsa_jwk(), &[("e", json!("_____w"))])).is_ok());
}

#[test]
fn rfc8725_3_1_the_key_says_what_it_verifies() {
    use Algorithm::{ES256, EdDSA, PS256, RS256};
    let any = with(rsa_jwk(), &[("alg", Value::Null)]);
    for (case, key, fits) in [
        ("RSA for RS256", rsa_jwk(), vec![RS256]),
        ("RSA for any", any.clone(), vec![RS256, PS256]),
        ("RSA for PS256", with(any.clone(), &[("alg", json!("PS256"))]), vec![PS256]),
        ("RSA for encryption", with(any.clone(), &[("use", json!("enc"))]), vec![]),
        ("RSA for another algorithm", with(any.clone(), &[("alg", json!("RSA-OAEP"))]), vec![]),
        ("RSA as HS256", with(any.clone(), &[("alg", json!("HS256"))]), vec![]),
        ("RSA that verifies", with(any.clone(), &[("key_ops", json!(["verify"]))]), vec![RS256, PS256]),
        ("RSA that encrypts", with(any, &[("key_ops", json!(["encrypt"]))]), vec![]),
        ("P-256", ec_jwk(), vec![ES256]),
        ("P-256 for RS256", with(ec_jwk(), &[("alg", json!("RS256"))]), vec![]),
        ("Ed25519", okp_jwk(), vec![EdDSA]),
        ("rfc9864 Ed25519", with(okp_jwk(), &[("alg", json!("Ed25519"))]), vec![EdDSA]),
    ] {
        let key = read(&key).unwrap();
        let found: Vec<_> = Algorithm::ALL.into_iter().filter(|algorithm| key.fits(*algorithm)).collect();
        assert_eq!(found, fits, "{case}");
    }
}

#[test]
fn rfc7517_5_a_set_leaves_out_what_is_unknown_and_refuses_what_is_secret() {
    let set = |keys: Vec<Value>| JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes());
    let p521 = with(ec_jwk(), &[("crv", json!("P-521"))]);
    let good = set(vec![rsa_jwk(), p521, ec_jwk(), json!({ "kty": "AKP", "pub": "AQ" })]).unwrap();
    assert_eq!((good.keys.len(), good.left_out), (2, 2));
    assert_eq!(good.keys[0].kid.as_deref(), Some("2011-04-29"));
    for (case, keys, fault) in [
        ("a secret among them", vec![rsa_jwk(), json!({ "kty": "oct", "k": "AQ" })], JwkFault::Symmetric),
        (
            "a private key among them",
            vec![ec_jwk(), with(okp_jwk(), &[("d", json!("AQ"))])],
            JwkFault::Private,
        ),
        ("no object", vec![json!("RSA")], JwkFault::Keys),
        ("too many", vec![okp_jwk(); MAX_KEYS + 1], JwkFault::Keys),
    ] {
        assert_eq!(set(keys), Err(fault), "{case}");
    }
    assert_eq!(set(vec![okp_jwk(); MAX_KEYS]).unwrap().keys.len(), MAX_KEYS);
}

#[test]
fn a_document_that_is_no_set_is_refused() {
    let long = format!("{{\"keys\":[],\"a\":\"{}\"}}", "x".repeat(MAX_BYTES));
    for (text, fault) in [
        ("", JwkFault::Json(JsonFault::Syntax)),
        ("[]", JwkFault::Json(JsonFault::NotAnObject)),
        ("{}", JwkFault::Keys),
        (r#"{"keys":{}}"#, JwkFault::Keys),
        (r#"{"keys":[],"keys":[]}"#, JwkFault::Json(JsonFault::Duplicate)),
        (long.as_str(), JwkFault::TooLong),
    ] {
        assert_eq!(JwkSet::parse(text.as_bytes()), Err(fault), "{:.40}", text);
    }
}

fn member() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec!["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "AQAB", "sig", N])
            .prop_map(Value::from),
        (1_usize..1200, any::<u8>()).prop_map(|(count, first)| octets(first, count)),
    ]
}

proptest! {
    #[test]
    fn z11_any_text_is_answered(text: Vec<u8>) {
        let _ = JwkSet::parse(&text);
    }

    /// Whatever is accepted keeps every bound.
    #[test]
    fn z11_an_accepted_key_is_public_and_strong(
        members in prop::collection::btree_map(
            prop::sample::select(vec!["kty", "crv", "n", "e", "x", "y", "kid", "alg", "use", "d", "p", "k", "oth"]),
            member(),
            0..10,
        ),
        base in prop::sample::select(vec![json!({}), rsa_jwk(), ec_jwk(), okp_jwk()]),
    ) {
        let changes: Vec<_> = members.into_iter().collect();
        let key = with(base, &changes);
        if let Ok(read) = read(&key) {
            prop_assert!(PRIVATE.iter().all(|name| key.get(*name).is_none()));
            prop_assert_ne!(&key["kty"], "oct");
            if let Material::Rsa { modulus, exponent } = &read.material {
                prop_assert!((256..=1024).contains(&modulus.len()) && (modulus.len() > 256 || modulus[0] >= 0x80));
                prop_assert!(exponent.len() >= 3 && exponent[exponent.len() - 1] % 2 == 1);
            }
            prop_assert_eq!(Jwk::read(read.required_members().as_object().unwrap()).unwrap().material, read.material);
        }
    }
}
