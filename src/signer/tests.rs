//! Keys, tokens and rings together, with `jsonwebtoken` as the second opinion.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;
use crate::vault::{Vault, VaultError};

const NOW: Timestamp = Timestamp(1_000_000);

/// One key of each algorithm, made once: an RSA pair takes a while in a debug build.
static KEYS: LazyLock<Vec<Arc<SigningKey>>> = LazyLock::new(|| {
    Algorithm::ALL.into_iter().map(|algorithm| Arc::new(SigningKey::generate(algorithm).unwrap())).collect()
});

fn key(algorithm: Algorithm) -> Arc<SigningKey> {
    Arc::clone(KEYS.iter().find(|key| key.algorithm() == algorithm).unwrap())
}

fn from(key: &Arc<SigningKey>, signs_from: i64, served_until: Option<i64>) -> RingKey {
    RingKey {
        key: Arc::clone(key),
        signs_from: Timestamp(signs_from),
        served_until: served_until.map(Timestamp),
    }
}

fn ring_of(keys: Vec<RingKey>) -> KeyRing {
    KeyRing::new(keys, MacKey::generate(), 0, NOW)
}

fn full_ring() -> KeyRing {
    ring_of(KEYS.iter().map(|key| from(key, 0, None)).collect())
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A token with this header over the claims `{}`, signed properly.
pub(super) fn with_header(key: &SigningKey, header: &Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let token = signing_input(&header, b"{}", 0);
    let pkcs8 = key.pair().pkcs8().unwrap();
    let pair = super::material::Pair::read(key.algorithm(), &pkcs8).unwrap();
    let signature = pair.sign(key.algorithm(), token.as_bytes(), <[u8]>::to_vec).unwrap();
    append(token, &signature)
}

#[test]
fn what_a_key_signs_its_ring_believes() {
    let ring = full_ring();
    for algorithm in Algorithm::ALL {
        let signer = ring.signer(algorithm).unwrap();
        let token = signer.sign("at+jwt", &json!({ "sub": "alice" })).unwrap();
        let verified = ring.verify(&token, NOW).unwrap();
        assert_eq!(verified.kid, signer.kid(), "{algorithm}");
        assert_eq!(verified.typ.as_deref(), Some("at+jwt"), "{algorithm}");
        assert_eq!(verified.claims.text("sub"), Some("alice"), "{algorithm}");
    }
}

#[test]
fn the_header_holds_algorithm_type_and_key_and_nothing_else() {
    for key in KEYS.iter() {
        for typ in ["JWT", "at+jwt", "odd\"type"] {
            let token = key.sign(typ, &json!({})).unwrap();
            let header: Value = serde_json::from_slice(&bytes(token.split('.').next().unwrap())).unwrap();
            assert_eq!(header, json!({ "alg": key.algorithm().name(), "typ": typ, "kid": key.kid() }));
        }
    }
}

/// The published JWK alone must do for a stranger's library.
#[test]
fn jsonwebtoken_verifies_with_the_published_key() {
    let ring = full_ring();
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_slice(ring.jwks()).unwrap();
    for key in KEYS.iter() {
        let token = key.sign("JWT", &json!({ "sub": "alice" })).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let jwk = set.find(key.kid()).unwrap();
        let decoding = jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap();
        let name = key.algorithm().name().parse().unwrap();
        let verify = |message: &str| {
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), &decoding, name).unwrap()
        };
        assert!(verify(message), "{name:?}");
        assert!(!verify(&message.replace('.', "x.")), "{name:?}");
    }
}

#[test]
fn every_changed_bit_of_a_token_is_noticed() {
    let ring = full_ring();
    let token = key(Algorithm::ES256).sign("JWT", &json!({ "sub": "alice" })).unwrap();
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut other = token.clone().into_bytes();
            other[at] ^= 1 << bit;
            let other = String::from_utf8(other).unwrap();
            assert!(ring.verify(&other, NOW).is_err(), "byte {at}, bit {bit}");
        }
    }
}

/// attacks.md J01: the key says the algorithm, the header has no say.
#[test]
fn rfc8725_3_1_the_algorithm_is_the_keys() {
    let ring = full_ring();
    let rsa = key(Algorithm::RS256);
    let header = |alg: &str| json!({ "alg": alg, "typ": "JWT", "kid": rsa.kid() });
    assert!(ring.verify(&with_header(&rsa, &header("RS256")), NOW).is_ok());
    for alg in ["PS256", "none", "HS256", "ES256", "rs256", ""] {
        assert_eq!(ring.verify(&with_header(&rsa, &header(alg)), NOW), Err(TokenError::Algorithm), "{alg:?}");
    }
}

#[test]
fn a_public_key_is_no_shared_secret() {
    let ring = full_ring();
    let rsa = key(Algorithm::RS256);
    let der = STANDARD.decode(rsa.public_spki_base64()).unwrap();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", rsa.public_spki_base64());
    let jwk = rsa.public_jwk().to_string();
    for (name, secret) in [("DER", der.as_slice()), ("PEM", pem.as_bytes()), ("JWK", jwk.as_bytes())] {
        for alg in ["HS256", "RS256"] {
            let header = encoded_header(alg, "JWT", rsa.kid());
            let input = signing_input(&header, b"{}", 32);
            let mac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
            let mac = aws_lc_rs::hmac::sign(&mac, input.as_bytes());
            assert!(ring.verify(&append(input, mac.as_ref()), NOW).is_err(), "{name} as {alg}");
        }
    }
}

#[test]
fn a_wrong_signature_is_refused() {
    let ring = full_ring();
    for key in KEYS.iter() {
        let token = key.sign("JWT", &json!({ "sub": "alice" })).unwrap();
        let other = key.sign("JWT", &json!({ "sub": "bob" })).unwrap();
        let (input, _) = token.rsplit_once('.').unwrap();
        let (_, others) = other.rsplit_once('.').unwrap();
        let name = key.algorithm();
        for (what, signature) in [
            ("another token's", bytes(others)),
            ("zeros", vec![0; bytes(others).len()]),
            ("one byte", vec![0]),
            ("too long", [bytes(others), vec![0]].concat()),
        ] {
            let token = append(input.to_owned(), &signature);
            assert_eq!(ring.verify(&token, NOW), Err(TokenError::Signature), "{name}: {what}");
        }
    }
}

/// attacks.md J02.
#[test]
fn a_token_names_a_key_of_ours_and_brings_none() {
    let ring = full_ring();
    let ours = key(Algorithm::EdDSA);
    let base = json!({ "alg": "EdDSA", "typ": "JWT", "kid": ours.kid() });
    let header = |name: &str, value: Value| {
        let mut header = base.clone();
        header[name] = value;
        with_header(&ours, &header)
    };
    let mut nameless = base.clone();
    nameless.as_object_mut().unwrap().remove("kid");
    assert!(ring.verify(&with_header(&ours, &base), NOW).is_ok());
    for (name, token, refusal) in [
        ("no kid", with_header(&ours, &nameless), TokenError::UnknownKey),
        ("a path", header("kid", json!("../../dev/null")), TokenError::UnknownKey),
        ("SQL", header("kid", json!("' UNION SELECT")), TokenError::UnknownKey),
        ("another of ours", header("kid", json!(key(Algorithm::ES256).kid())), TokenError::Algorithm),
        ("jku", header("jku", json!("http://127.0.0.1:1/")), TokenError::BringsKey),
        ("x5u", header("x5u", json!("http://127.0.0.1:1/")), TokenError::BringsKey),
        ("jwk", header("jwk", ours.public_jwk().clone()), TokenError::BringsKey),
        ("x5c", header("x5c", json!([])), TokenError::BringsKey),
        (
            "crit",
            header("crit", json!(["http://x"])),
            TokenError::Form(crate::protocol::jws::JwsError::Extension("crit")),
        ),
    ] {
        assert_eq!(ring.verify(&token, NOW), Err(refusal), "{name}");
    }
    let stranger = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let token = stranger.sign("JWT", &json!({})).unwrap();
    assert_eq!(ring.verify(&token, NOW), Err(TokenError::UnknownKey));
    let posing = with_header(&stranger, &base);
    assert_eq!(ring.verify(&posing, NOW), Err(TokenError::Signature));
}

#[test]
fn a_key_survives_its_seal_and_opens_in_its_place_only() {
    let vault = Vault::random();
    for key in KEYS.iter() {
        let algorithm = key.algorithm();
        let sealed = key.seal(&vault, "signing_key/realm-1/k").unwrap();
        let again = SigningKey::unseal(algorithm, &sealed, &vault, "signing_key/realm-1/k").unwrap();
        assert_eq!(again.kid(), key.kid(), "{algorithm}");
        let token = again.sign("JWT", &json!({})).unwrap();
        assert!(full_ring().verify(&token, NOW).is_ok(), "{algorithm}");
        let elsewhere = SigningKey::unseal(algorithm, &sealed, &vault, "signing_key/realm-2/k");
        assert!(matches!(elsewhere, Err(KeyError::Sealed(VaultError::Rejected))), "{algorithm}");
    }
    let ec = key(Algorithm::ES256).seal(&vault, "a").unwrap();
    let mixed = SigningKey::unseal(Algorithm::EdDSA, &ec, &vault, "a");
    assert!(matches!(mixed, Err(KeyError::Rejected(Algorithm::EdDSA))));
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\r\n{}\r\n-----END {label}-----\r\n", lines.join("\r\n"))
}

#[test]
fn rfc7468_a_pem_key_is_read() {
    for key in KEYS.iter() {
        let text = format!("a comment before\n{}", pem("PRIVATE KEY", &key.pair().pkcs8().unwrap()));
        assert_eq!(SigningKey::from_pem(key.algorithm(), &text).unwrap().kid(), key.kid());
    }
}

#[test]
fn other_texts_are_no_key_and_the_refusal_shows_none_of_them() {
    let der = key(Algorithm::ES256).pair().pkcs8().unwrap();
    let good = pem("PRIVATE KEY", &der);
    for (name, text, says) in [
        ("nothing", String::new(), "there is no PEM block"),
        ("bare base64", STANDARD.encode(&der), "there is no PEM block"),
        ("public", pem("PUBLIC KEY", &der), "the block is no private key"),
        ("encrypted", pem("ENCRYPTED PRIVATE KEY", &der), "decrypt it first"),
        ("PKCS#1", pem("RSA PRIVATE KEY", &der), "openssl pkcs8"),
        ("cut", good[..good.len() / 2].to_owned(), "the block does not end"),
        ("two", good.clone() + &good, "more than one"),
        ("not base64", good.replace('M', "!"), "not base64"),
        ("truncated DER", pem("PRIVATE KEY", &der[..der.len() - 9]), "not a usable private key for ES256"),
        ("empty", pem("PRIVATE KEY", b""), "not a usable private key for ES256"),
    ] {
        let refusal = SigningKey::from_pem(Algorithm::ES256, &text).unwrap_err();
        assert!(refusal.to_string().contains(says), "{name}: {refusal}");
    }
    assert!(SigningKey::from_pem(Algorithm::RS256, &good).is_err(), "the key of another algorithm");
}

/// attacks.md J05: made with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024`.
#[test]
fn rfc7518_3_3_short_rsa_keys_are_refused() {
    let short = include_str!("testdata/rsa1024.pem");
    let refusal = SigningKey::from_pem(Algorithm::RS256, short).unwrap_err();
    assert!(matches!(refusal, KeyError::Weak | KeyError::Rejected(_)), "{refusal}");
    let exponent = include_str!("testdata/rsa2048-e3.pem");
    let refusal = SigningKey::from_pem(Algorithm::RS256, exponent).unwrap_err();
    assert!(matches!(refusal, KeyError::Weak | KeyError::Rejected(_)), "{refusal}");
}

#[test]
fn nothing_private_is_published_or_printed() {
    let ring = full_ring();
    let set: Value = serde_json::from_slice(ring.jwks()).unwrap();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 4);
    for (jwk, algorithm) in keys.iter().zip(Algorithm::ALL) {
        let key = key(algorithm);
        assert_eq!(jwk, key.public_jwk());
        assert_eq!(jwk["alg"], algorithm.name());
        assert_eq!(jwk["use"], "sig");
        let names: Vec<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = match jwk["kty"].as_str().unwrap() {
            "RSA" if algorithm == Algorithm::RS256 => {
                vec!["alg", "e", "kid", "kty", "n", "use", "x5c", "x5t", "x5t#S256"]
            }
            "RSA" => vec!["alg", "e", "kid", "kty", "n", "use"],
            "EC" => vec!["alg", "crv", "kid", "kty", "use", "x", "y"],
            _ => vec!["alg", "crv", "kid", "kty", "use", "x"],
        };
        assert_eq!(names, expected);
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("SigningKey {{ kid: {:?}, algorithm: {algorithm}, .. }}", key.kid()));
    }
    let mac = MacKey::generate();
    assert_eq!(format!("{mac:?}"), format!("MacKey {{ kid: {:?}, .. }}", mac.kid()));
}

#[test]
fn the_newest_key_that_may_sign_signs() {
    let keys: Vec<_> = (0..4).map(|_| Arc::new(SigningKey::generate(Algorithm::ES256).unwrap())).collect();
    let [old, new, next, gone] = [0, 1, 2, 3].map(|at| &keys[at]);
    let all = vec![
        from(gone, 1, Some(NOW.0)),
        from(old, 1, Some(NOW.0 + 50)),
        from(next, NOW.0 + 30, None),
        from(new, NOW.0, None),
    ];
    let ring = ring_of(all.clone());
    assert_eq!(ring.signer(Algorithm::ES256).unwrap().kid(), new.kid());
    assert!(ring.signer(Algorithm::RS256).is_none());
    let set: Value = serde_json::from_slice(ring.jwks()).unwrap();
    let published: Vec<&str> =
        set["keys"].as_array().unwrap().iter().map(|k| k["kid"].as_str().unwrap()).collect();
    assert_eq!(published, [new.kid(), next.kid(), old.kid()], "the signer first, none that is gone");
    assert_eq!(ring.changes_at(), Some(NOW.plus(30)));

    let later = KeyRing::new(all.clone(), MacKey::generate(), 0, NOW.plus(30));
    assert_eq!(later.signer(Algorithm::ES256).unwrap().kid(), next.kid());
    assert_eq!(later.changes_at(), Some(NOW.plus(50)));

    let last = KeyRing::new(all, MacKey::generate(), 0, NOW.plus(50));
    assert_eq!(last.changes_at(), None);
    assert_eq!(last.keys().len(), 2);
}

#[test]
fn the_order_in_which_keys_are_read_decides_nothing() {
    let keys: Vec<_> = (0..3).map(|_| Arc::new(SigningKey::generate(Algorithm::EdDSA).unwrap())).collect();
    let mut all: Vec<_> = keys.iter().map(|key| from(key, 7, None)).collect();
    let one = ring_of(all.clone());
    all.reverse();
    let other = ring_of(all);
    assert_eq!(one.signer(Algorithm::EdDSA).unwrap().kid(), other.signer(Algorithm::EdDSA).unwrap().kid());
    assert_eq!(one.jwks(), other.jwks());
}

#[test]
fn a_key_is_believed_from_publication_until_its_end() {
    let key = key(Algorithm::EdDSA);
    let ring = ring_of(vec![from(&key, NOW.0 + 30, Some(NOW.0 + 60))]);
    assert!(ring.signer(Algorithm::EdDSA).is_none());
    let token = key.sign("JWT", &json!({})).unwrap();
    assert!(ring.verify(&token, NOW).is_ok(), "another node's clock may run ahead");
    assert!(ring.verify(&token, NOW.plus(59)).is_ok());
    assert_eq!(ring.verify(&token, NOW.plus(60)), Err(TokenError::UnknownKey), "even when the ring is stale");
}

#[test]
fn a_mac_is_believed_by_its_own_key_only() {
    let vault = Vault::random();
    let mac = MacKey::generate();
    let token = mac.sign(&json!({ "typ": "Refresh" })).unwrap();
    let again = MacKey::unseal(&mac.seal(&vault, "mac/realm-1"), &vault, "mac/realm-1").unwrap();
    assert_eq!(again.verify(&token).unwrap().claims.text("typ"), Some("Refresh"));
    assert_eq!(MacKey::generate().verify(&token), Err(TokenError::UnknownKey));
    let header: Value = serde_json::from_slice(&bytes(token.split('.').next().unwrap())).unwrap();
    assert_eq!(header, json!({ "alg": "HS512", "typ": "JWT", "kid": mac.kid() }));
    let (input, _) = token.rsplit_once('.').unwrap();
    assert_eq!(mac.verify(&append(input.to_owned(), &[0; 64])), Err(TokenError::Signature));
    let weaker = signing_input(&encoded_header("HS256", "JWT", mac.kid()), b"{}", 64);
    assert_eq!(mac.verify(&append(weaker, &[0; 32])), Err(TokenError::Algorithm));
    let short = vault.seal("mac/realm-1", &[1; 32]);
    assert!(matches!(MacKey::unseal(&short, &vault, "mac/realm-1"), Err(KeyError::Sealed(_))));
}

#[test]
fn rfc7515_a_mac_agrees_with_jsonwebtoken() {
    let vault = Vault::random();
    let mac = MacKey::generate();
    let secret = vault.open("a", &mac.seal(&vault, "a")).unwrap();
    let token = mac.sign(&json!({ "sub": "alice" })).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let decoding = jsonwebtoken::DecodingKey::from_secret(&secret);
    let name = jsonwebtoken::Algorithm::HS512;
    assert!(jsonwebtoken::crypto::verify(signature, message.as_bytes(), &decoding, name).unwrap());
}

#[test]
fn tokens_for_others_and_tokens_for_ourselves_are_never_mixed_up() {
    let ring = full_ring();
    let own = ring.mac_sign(&json!({})).unwrap();
    let others = ring.signer(Algorithm::RS256).unwrap().sign("JWT", &json!({})).unwrap();
    assert!(ring.mac_verify(&own).is_ok());
    assert_eq!(ring.verify(&own, NOW), Err(TokenError::UnknownKey));
    assert_eq!(ring.mac_verify(&others), Err(TokenError::UnknownKey));
}

#[test]
fn claims_that_are_no_json_are_an_error() {
    use std::collections::BTreeMap;
    let claims = BTreeMap::from([((1, 2), "a key that JSON cannot have")]);
    let signed = key(Algorithm::EdDSA).sign("JWT", &claims);
    assert!(matches!(signed, Err(SignError::Claims(_))));
}

proptest::proptest! {
    /// Z08: where the strict reader and a lenient one both read a header, they read the same.
    #[test]
    fn a_header_has_one_meaning(
        names in proptest::collection::vec(
            proptest::sample::select(vec!["alg", "\\u0061lg", "typ", "kid", "\\u006bid", "cty", "x"]), 0..5),
        values in proptest::collection::vec(
            proptest::sample::select(vec!["\"ES256\"", "\"RS256\"", "\"none\"", "\"k\\u0031\"", "null", "1", "{}"]), 5),
    ) {
        let members: Vec<_> = names.iter().zip(&values).map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let header = URL_SAFE_NO_PAD.encode(format!("{{{}}}", members.join(",")));
        let token = format!("{header}.e30.AAAA");
        if let (Ok(ours), Ok(theirs)) = (crate::protocol::jws::parse(&token), jsonwebtoken::decode_header(&token)) {
            proptest::prop_assert_eq!(&ours.header.alg, &format!("{:?}", theirs.alg));
            proptest::prop_assert_eq!(&ours.header.kid, &theirs.kid);
            proptest::prop_assert_eq!(&ours.header.typ, &theirs.typ);
        }
    }
}

const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const JOE: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// The examples of RFC 7515 §A.2 and §A.3, against the verifiers that the ring's keys use.
#[test]
fn rfc7515_examples() {
    let e = bytes("AQAB");
    let rsa = RsaPublicKeyComponents { n: bytes(RSA_N), e }
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .unwrap();
    let x = bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let y = bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    let point = [vec![4], x, y].concat();
    let ec = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap();
    for (name, key, header, signature) in [
        (
            "A.2 RS256",
            rsa,
            "eyJhbGciOiJSUzI1NiJ9",
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        ),
        (
            "A.3 ES256",
            ec,
            "eyJhbGciOiJFUzI1NiJ9",
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
    ] {
        let token = format!("{header}.{JOE}.{signature}");
        let jws = crate::protocol::jws::parse(&token).unwrap();
        assert!(key.verify_sig(jws.signing_input.as_bytes(), &jws.signature).is_ok(), "{name}");
        assert_eq!(jws.claims.text("iss"), Some("joe"), "{name}");
    }
}

/// RFC 8037 §A.1 to §A.4: the key, its thumbprint, and its one and only signature over the example.
#[test]
fn rfc8037_examples() {
    let seed = bytes("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    let prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let key = SigningKey::from_pkcs8(Algorithm::EdDSA, &[prefix.as_slice(), &seed].concat()).unwrap();
    assert_eq!(key.public_jwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = key.pair().sign(Algorithm::EdDSA, input.as_bytes(), <[u8]>::to_vec).unwrap();
    let expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(URL_SAFE_NO_PAD.encode(signature), expected);
}
