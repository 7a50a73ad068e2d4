//! Tokens of others: the RFCs' examples, and the rows J01 to J03 of attacks.md for every place that takes such a token.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;
use crate::protocol::jwk::JwkSet;
use crate::protocol::jws::JwsError;
use crate::signer::tests::with_header;
use crate::signer::{SigningKey, append, encoded_header, signing_input};

/// One key of each algorithm.
static KEYS: LazyLock<Vec<SigningKey>> =
    LazyLock::new(|| Algorithm::ALL.into_iter().map(|a| SigningKey::generate(a).unwrap()).collect());

fn key(algorithm: Algorithm) -> &'static SigningKey {
    KEYS.iter().find(|key| key.algorithm() == algorithm).unwrap()
}

fn jwk(value: &Value) -> Jwk {
    Jwk::read(value.as_object().unwrap()).unwrap()
}

fn set_of(keys: &[Value]) -> KeySet {
    KeySet::new(&JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap())
}

fn everything() -> KeySet {
    set_of(&KEYS.iter().map(|key| key.public_jwk().clone()).collect::<Vec<_>>())
}

/// The public key with these members; `null` takes one away.
fn changed(algorithm: Algorithm, changes: &[(&str, Value)]) -> Value {
    let mut jwk = key(algorithm).public_jwk().clone();
    for (name, value) in changes {
        jwk[*name] = value.clone();
    }
    jwk.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    jwk
}

const PAYLOAD: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

#[test]
fn rfc7515_a_2_and_a_3_are_believed() {
    let rsa = json!({
        "kty": "RSA", "e": "AQAB",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    });
    let ec = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    for (name, key, header, signature) in [
        (
            "A.2",
            rsa,
            "eyJhbGciOiJSUzI1NiJ9",
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        ),
        (
            "A.3",
            ec,
            "eyJhbGciOiJFUzI1NiJ9",
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
    ] {
        let token = format!("{header}.{PAYLOAD}.{signature}");
        let verified = set_of(&[key]).verify(&token, &Algorithm::ALL).unwrap();
        assert_eq!(verified.claims.text("iss"), Some("joe"), "{name}");
    }
}

/// RFC 8037 §A.4 and §A.5, whose payload is no JSON.
#[test]
fn rfc8037_a_5_is_verified() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let key = PublicKey::from_jwk(&jwk(&json!({ "kty": "OKP", "crv": "Ed25519", "x": x }))).unwrap();
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert!(key.verifies(Algorithm::EdDSA, message, &signature));
    assert!(!key.verifies(Algorithm::EdDSA, b"another message", &signature));
    assert!(!key.verifies(Algorithm::ES256, message, &signature));
}

#[test]
fn a_token_of_each_algorithm_is_believed_with_the_published_key() {
    for signer in KEYS.iter() {
        let token = signer.sign("JWT", &json!({ "sub": "app" })).unwrap();
        let verified = everything().verify(&token, &Algorithm::ALL).unwrap();
        assert_eq!((verified.kid.as_str(), verified.typ.as_deref()), (signer.kid(), Some("JWT")));
        assert_eq!(verified.claims.text("sub"), Some("app"));
    }
}

#[test]
fn a_point_beside_its_curve_is_no_key() {
    let odd = changed(Algorithm::ES256, &[("x", json!(URL_SAFE_NO_PAD.encode([1; 32])))]);
    assert!(matches!(PublicKey::from_jwk(&jwk(&odd)), Err(KeyError::Rejected(Algorithm::ES256))));
    let set = set_of(&[odd, key(Algorithm::EdDSA).public_jwk().clone()]);
    let token = key(Algorithm::EdDSA).sign("JWT", &json!({})).unwrap();
    assert!(set.verify(&token, &Algorithm::ALL).is_ok(), "its neighbour still verifies");
}

#[test]
fn j01_neither_the_header_nor_the_key_alone_chooses_the_algorithm() {
    use Algorithm::{ES256, EdDSA, PS256, RS256};
    let rsa = key(RS256);
    let header = |alg: &str| json!({ "alg": alg, "typ": "JWT", "kid": rsa.kid() });
    let free = set_of(&[changed(RS256, &[("alg", Value::Null)])]);
    let bound = set_of(&[rsa.public_jwk().clone()]);
    for (case, set, alg, allowed, expected) in [
        ("as registered", &bound, "RS256", vec![RS256], None),
        ("any of the key's", &free, "RS256", vec![PS256, RS256], None),
        ("none", &free, "none", vec![RS256], Some(TokenError::Algorithm)),
        ("None", &free, "None", vec![RS256], Some(TokenError::Algorithm)),
        ("HS256", &free, "HS256", vec![RS256], Some(TokenError::Algorithm)),
        ("not allowed by the caller", &free, "RS256", vec![PS256], Some(TokenError::Algorithm)),
        ("nothing allowed", &free, "RS256", vec![], Some(TokenError::Algorithm)),
        ("not the key's", &bound, "PS256", vec![RS256, PS256], Some(TokenError::Algorithm)),
        ("signed by another", &free, "PS256", vec![RS256, PS256], Some(TokenError::Signature)),
        ("of another kind", &free, "ES256", vec![ES256, EdDSA], Some(TokenError::Algorithm)),
    ] {
        let verified = set.verify(&with_header(rsa, &header(alg)), &allowed);
        assert_eq!(verified.err(), expected, "{case}");
    }
}

#[test]
fn j01_a_public_key_is_no_shared_secret() {
    let rsa = key(Algorithm::RS256);
    let der = STANDARD.decode(rsa.public_spki_base64()).unwrap();
    let jwk = rsa.public_jwk().to_string();
    for secret in [der.as_slice(), jwk.as_bytes()] {
        for alg in ["HS256", "RS256"] {
            let input = signing_input(&encoded_header(alg, "JWT", rsa.kid()), b"{}", 32);
            let mac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
            let mac = aws_lc_rs::hmac::sign(&mac, input.as_bytes());
            assert!(everything().verify(&append(input, mac.as_ref()), &Algorithm::ALL).is_err(), "{alg}");
        }
    }
}

#[test]
fn j01_a_signature_is_the_tokens_own() {
    for signer in KEYS.iter() {
        let token = signer.sign("JWT", &json!({ "sub": "app" })).unwrap();
        let other = signer.sign("JWT", &json!({ "sub": "other" })).unwrap();
        let (input, signature) = token.rsplit_once('.').unwrap();
        let length = URL_SAFE_NO_PAD.decode(signature).unwrap().len();
        for (case, signature) in [
            ("another token's", other.rsplit_once('.').unwrap().1.to_owned()),
            ("r and s are zero", URL_SAFE_NO_PAD.encode(vec![0; length])),
            ("one byte", "AA".to_owned()),
        ] {
            let refused = everything().verify(&format!("{input}.{signature}"), &Algorithm::ALL);
            assert_eq!(refused, Err(TokenError::Signature), "{}: {case}", signer.algorithm());
        }
        let stripped = everything().verify(&format!("{input}."), &Algorithm::ALL);
        assert_eq!(stripped, Err(TokenError::Form(JwsError::Parts)));
    }
}

#[test]
fn j02_the_header_names_a_key_and_brings_none() {
    let signer = key(Algorithm::EdDSA);
    let base = json!({ "alg": "EdDSA", "typ": "JWT", "kid": signer.kid() });
    let header = |name: &str, value: Value| {
        let mut header = base.clone();
        header[name] = value;
        with_header(signer, &header)
    };
    let long = header("kid", json!("x".repeat(1 << 20)));
    for (case, token, refusal) in [
        ("a path", header("kid", json!("../../dev/null")), TokenError::UnknownKey),
        ("SQL", header("kid", json!("' UNION SELECT")), TokenError::UnknownKey),
        ("1 MB", long, TokenError::Form(JwsError::TooLong)),
        ("another's", header("kid", json!(key(Algorithm::ES256).kid())), TokenError::Algorithm),
        ("jku", header("jku", json!("http://127.0.0.1:1/")), TokenError::BringsKey),
        ("x5u", header("x5u", json!("http://127.0.0.1:1/")), TokenError::BringsKey),
        ("jwk", header("jwk", signer.public_jwk().clone()), TokenError::BringsKey),
        ("x5c", header("x5c", json!([])), TokenError::BringsKey),
        ("crit", header("crit", json!(["http://x"])), TokenError::Form(JwsError::Extension("crit"))),
    ] {
        assert_eq!(everything().verify(&token, &Algorithm::ALL), Err(refusal), "{case}");
    }
    let stranger = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let posing = with_header(&stranger, &base);
    assert_eq!(everything().verify(&posing, &Algorithm::ALL), Err(TokenError::Signature));
}

#[test]
fn rfc7515_4_1_4_a_token_without_kid_is_of_the_only_key_that_fits() {
    let signer = key(Algorithm::EdDSA);
    let nameless = with_header(signer, &json!({ "alg": "EdDSA" }));
    let named = with_header(signer, &json!({ "alg": "EdDSA", "kid": signer.kid() }));
    let mine = signer.public_jwk().clone();
    let unnamed = changed(Algorithm::EdDSA, &[("kid", Value::Null)]);
    let second = SigningKey::generate(Algorithm::EdDSA).unwrap().public_jwk().clone();
    let (lone, beside) = (set_of(std::slice::from_ref(&mine)), everything());
    assert!(lone.verify(&nameless, &Algorithm::ALL).is_ok());
    assert!(beside.verify(&nameless, &Algorithm::ALL).is_ok(), "the others fit other algorithms");
    assert_eq!(
        set_of(&[mine, second]).verify(&nameless, &Algorithm::ALL),
        Err(TokenError::UnknownKey),
        "two fit"
    );
    assert_eq!(set_of(&[]).verify(&nameless, &Algorithm::ALL), Err(TokenError::UnknownKey));
    assert!(set_of(&[unnamed]).verify(&named, &Algorithm::ALL).is_ok(), "a thumbprint is a name");
    assert!(lone.knows(signer.kid()) && !lone.knows("another"));
}

#[test]
fn rfc7517_4_5_keys_of_different_types_may_share_a_name() {
    let shared = |algorithm| changed(algorithm, &[("kid", json!("one"))]);
    let set = set_of(&[shared(Algorithm::RS256), shared(Algorithm::ES256)]);
    for algorithm in [Algorithm::RS256, Algorithm::ES256] {
        let token = with_header(key(algorithm), &json!({ "alg": algorithm.name(), "kid": "one" }));
        assert!(set.verify(&token, &Algorithm::ALL).is_ok(), "{algorithm}");
    }
}
