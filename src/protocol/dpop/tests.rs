use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp(1_562_262_616);

/// The proof of RFC 9449 §4.1, for a token request.
const FIGURE_2: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";

/// The proof of RFC 9449 §7.1, at a protected resource, and the access token that it came with.
const FIGURE_13: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const ACCESS_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

/// Verifies ES256, and names the key by its `x`.
fn es256(signed: Signature<'_>) -> Signed {
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(signed.jwk[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    match UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed.message, signed.signature) {
        Ok(()) => Signed::By(signed.jwk["x"].as_str().unwrap().to_owned()),
        Err(_) => Signed::Not,
    }
}

#[test]
fn rfc9449_4_1_the_proof_of_a_token_request() {
    let addresses = ["https://server.example.com/token".to_owned()];
    let request =
        Request { method: "POST", addresses: &addresses, access_token: None, nonces: None, now: NOW };
    let proof = check(FIGURE_2, &request, es256).unwrap();
    assert_eq!(proof.jti, "-BwC3ESc6acc2lTc");
    assert_eq!(proof.jkt, "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs");
    assert_eq!(check(&FIGURE_2.replace(".2-Gx", ".3-Gx"), &request, es256), Err(ProofError::Signature));
}

#[test]
fn rfc9449_7_1_the_proof_at_a_resource() {
    assert_eq!(ath(ACCESS_TOKEN), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    let addresses = ["https://resource.example.org/protectedresource".to_owned()];
    let access_token = Some(ACCESS_TOKEN);
    let request =
        Request { method: "GET", addresses: &addresses, access_token, nonces: None, now: NOW.plus(2) };
    assert_eq!(check(FIGURE_13, &request, es256).unwrap().jti, "e1j3V_bKic8-LAEB");
    let other = Request { access_token: Some("other"), ..request };
    assert_eq!(check(FIGURE_13, &other, es256), Err(ProofError::AccessToken));
}

#[test]
fn rfc9449_6_1_a_token_is_bound_to_the_thumbprint() {
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".to_owned();
    let proof = Proof { jkt: jkt.clone(), jti: "1".into(), good_until: NOW };
    assert_eq!(proof.confirmation().claim(), json!({ "jkt": jkt }));
    for (value, good) in [
        (jkt.as_str(), true),
        ("", false),
        ("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4", false),
        ("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I=", false),
        ("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J", false),
    ] {
        assert_eq!(is_thumbprint(value), good, "{value}");
    }
}

/// A proof with these changes to header and claims; `null` takes a member away.
fn proof(header: Value, claims: Value) -> String {
    let mut parts = [
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": { "kty": "EC" } }),
        json!({ "jti": "1", "htm": "POST", "htu": "https://op.example/token", "iat": NOW.0, "ath": ath("AT") }),
    ];
    for (part, changes) in parts.iter_mut().zip([header, claims]) {
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => part.as_object_mut().unwrap().remove(name),
                value => part.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
    }
    let [header, claims] = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}.c2ln")
}

fn checked(proof: &str, nonces: Option<NonceDate<'_>>) -> Result<Proof, ProofError> {
    let addresses = ["https://op.example/token".to_owned(), "https://alias.example:8443/token".to_owned()];
    let request =
        Request { method: "POST", addresses: &addresses, access_token: Some("AT"), nonces, now: NOW };
    check(proof, &request, |signed| match signed.jwk.contains_key("d") {
        true => Signed::NoKey,
        false => Signed::By("thumbprint".into()),
    })
}

#[test]
fn rfc9449_4_3_what_a_proof_must_say() {
    let none = || json!({});
    for (name, header, claims, expected) in [
        ("as it should be", none(), none(), Ok(())),
        ("typ in capitals", json!({ "typ": "DPoP+JWT" }), none(), Ok(())),
        ("EdDSA", json!({ "alg": "EdDSA" }), none(), Ok(())),
        ("PS256", json!({ "alg": "PS256" }), none(), Ok(())),
        ("further members", json!({ "kid": "1" }), json!({ "x": { "y": 1 } }), Ok(())),
        ("exp and nbf", none(), json!({ "exp": NOW.0 + 30, "nbf": NOW.0 }), Ok(())),
        ("a name of the server", none(), json!({ "htu": "https://alias.example:8443/token" }), Ok(())),
        ("no typ", json!({ "typ": null }), none(), Err(ProofError::Type)),
        ("another typ", json!({ "typ": "JWT" }), none(), Err(ProofError::Type)),
        ("none", json!({ "alg": "none" }), none(), Err(ProofError::Algorithm)),
        ("HS256", json!({ "alg": "HS256" }), none(), Err(ProofError::Algorithm)),
        ("RS256", json!({ "alg": "RS256" }), none(), Err(ProofError::Algorithm)),
        ("no jwk", json!({ "jwk": null }), none(), Err(ProofError::Key)),
        ("private jwk", json!({ "jwk": { "d": "" } }), none(), Err(ProofError::Key)),
        ("no jti", none(), json!({ "jti": null }), Err(ProofError::Identifier)),
        ("empty jti", none(), json!({ "jti": "" }), Err(ProofError::Identifier)),
        ("jti a number", none(), json!({ "jti": 1 }), Err(ProofError::Identifier)),
        ("long jti", none(), json!({ "jti": "x".repeat(513) }), Err(ProofError::Identifier)),
        ("no htm", none(), json!({ "htm": null }), Err(ProofError::Method)),
        ("another htm", none(), json!({ "htm": "GET" }), Err(ProofError::Method)),
        ("htm in small letters", none(), json!({ "htm": "post" }), Err(ProofError::Method)),
        ("no htu", none(), json!({ "htu": null }), Err(ProofError::Address)),
        ("htu a list", none(), json!({ "htu": ["https://op.example/token"] }), Err(ProofError::Address)),
        ("no iat", none(), json!({ "iat": null }), Err(ProofError::Time)),
        ("iat a text", none(), json!({ "iat": NOW.0.to_string() }), Err(ProofError::Time)),
        ("iat a fraction", none(), json!({ "iat": 1.5 }), Err(ProofError::Time)),
        ("exp a text", none(), json!({ "exp": "x" }), Err(ProofError::Time)),
        ("exp has passed", none(), json!({ "exp": NOW.0 - 60 }), Err(ProofError::Old)),
        ("nbf lies ahead", none(), json!({ "nbf": NOW.0 + 60 }), Err(ProofError::Ahead)),
        ("10 s ahead", none(), json!({ "iat": NOW.0 + 10 }), Ok(())),
        ("11 s ahead", none(), json!({ "iat": NOW.0 + 11 }), Err(ProofError::Ahead)),
        ("60 s old", none(), json!({ "iat": NOW.0 - 60 }), Ok(())),
        ("61 s old", none(), json!({ "iat": NOW.0 - 61 }), Err(ProofError::Old)),
        ("far ahead", none(), json!({ "iat": i64::MAX }), Err(ProofError::Ahead)),
        ("long ago", none(), json!({ "iat": i64::MIN }), Err(ProofError::Old)),
        ("no ath", none(), json!({ "ath": null }), Err(ProofError::AccessToken)),
        ("another ath", none(), json!({ "ath": ath("BT") }), Err(ProofError::AccessToken)),
    ] {
        assert_eq!(checked(&proof(header, claims), None).map(|_| ()), expected, "{name}");
    }
    assert!(matches!(checked("e30.e30.AA", None), Err(ProofError::Form(_))));
}

#[test]
fn a_proof_is_remembered_for_as_long_as_it_is_good() {
    for age in [-10, 0, 60] {
        let issued = NOW.plus(-age);
        let good_until = checked(&proof(json!({}), json!({ "iat": issued.0 })), None).unwrap().good_until;
        assert!(good_until > NOW && good_until > issued.plus(OLDEST), "{age}");
    }
}

#[test]
fn rfc9449_8_a_nonce_dates_the_proof() {
    let made_at = |nonce: &str| nonce.parse().ok().map(|age: i64| NOW.plus(-age));
    let with = |claims: Value| checked(&proof(json!({}), claims), Some(&made_at));
    for (name, claims, expected) in [
        ("a fresh one", json!({ "nonce": "0" }), Ok(())),
        ("the oldest", json!({ "nonce": NONCE_LIFE.to_string() }), Ok(())),
        ("of a node whose clock is ahead", json!({ "nonce": "-5" }), Ok(())),
        ("a clock that is off", json!({ "nonce": "0", "iat": NOW.0 - 3_600 }), Ok(())),
        ("none", json!({}), Err(ProofError::Nonce)),
        ("made up", json!({ "nonce": "x" }), Err(ProofError::Nonce)),
        ("a number", json!({ "nonce": 0 }), Err(ProofError::Nonce)),
        ("too old", json!({ "nonce": (NONCE_LIFE + 1).to_string() }), Err(ProofError::Nonce)),
        ("of the future", json!({ "nonce": "-61" }), Err(ProofError::Nonce)),
        ("without iat all the same", json!({ "nonce": "0", "iat": null }), Err(ProofError::Time)),
    ] {
        assert_eq!(with(claims).map(|_| ()), expected, "{name}");
    }
    let proof = with(json!({ "nonce": "7" })).unwrap();
    assert!(proof.good_until > NOW.plus(NONCE_LIFE - 7));
    assert!(checked(&self::proof(json!({}), json!({ "nonce": "x" })), None).is_ok(), "nobody asked for one");
}

#[test]
fn rfc9449_4_3_one_header() {
    for (name, headers, expected) in [
        ("none", vec![], Ok(None)),
        ("one", vec![Some("a")], Ok(Some("a"))),
        ("two", vec![Some("a"), Some("a")], Err(ProofError::Several)),
        ("no text", vec![None], Err(ProofError::Several)),
    ] {
        assert_eq!(only(headers.into_iter()), expected, "{name}");
    }
}

#[test]
fn each_refusal_has_a_code_and_a_sentence() {
    for error in
        [ProofError::Missing, ProofError::Nonce, ProofError::OtherKey, ProofError::Form(JwsError::Parts)]
    {
        let told = OAuthError::from(error);
        let expected =
            if error == ProofError::Nonce { ErrorCode::UseDpopNonce } else { ErrorCode::InvalidDpopProof };
        assert_eq!((told.code, told.description.into_owned()), (expected, error.to_string()));
    }
}

/// The paths of the route table, and ones that a realm's name makes.
const PATHS: [&str; 6] = [
    "/realms/main/protocol/openid-connect/token",
    "/realms/main/protocol/openid-connect/userinfo",
    "/realms/main/protocol/openid-connect/ext/par/request",
    "/auth/realms/a.b-c_d/protocol/openid-connect/token",
    "/admin/realms/main/users",
    "/",
];

#[test]
fn rfc9449_4_3_an_address_has_many_spellings() {
    let ours = "https://op.example/realms/main/protocol/openid-connect/userinfo";
    for (htu, same) in [
        (ours, true),
        ("https://op.example/realms/main/protocol/openid-connect/userinfo?a=b", true),
        ("https://op.example/realms/main/protocol/openid-connect/userinfo#f", true),
        ("https://op.example/realms/main/protocol/openid-connect/userinfo?a=b#f", true),
        ("HTTPS://OP.example/realms/main/protocol/openid-connect/userinfo", true),
        ("https://op.example:443/realms/main/protocol/openid-connect/userinfo", true),
        ("https://op.example/realms/%6dain/protocol/openid-connect/userinfo", true),
        ("https://op.example:8443/realms/main/protocol/openid-connect/userinfo", false),
        ("http://op.example/realms/main/protocol/openid-connect/userinfo", false),
        ("https://op.example/REALMS/main/protocol/openid-connect/userinfo", false),
        ("https://op.example/realms/main/protocol/openid-connect/userinfo/", false),
        ("https://op.example/realms/main/protocol/openid-connect%2fuserinfo", false),
        ("https://op.example/realms/main/protocol/openid-connect/token", false),
        ("https://op.example.evil.test/realms/main/protocol/openid-connect/userinfo", false),
        ("https://u@op.example/realms/main/protocol/openid-connect/userinfo", false),
        ("https://op.example", false),
        ("/realms/main/protocol/openid-connect/userinfo", false),
        ("//op.example/realms/main/protocol/openid-connect/userinfo", false),
        ("", false),
        ("https://", false),
        ("?", false),
        ("https://op.example/%", false),
    ] {
        assert_eq!(same_address(htu, ours), same, "{htu}");
    }
    assert!(same_address("http://[::1]:8080", "http://[::1]:8080/"), "an empty path is the root");
}

proptest! {
    #[test]
    fn z12_any_text_is_answered(text: String, htu: String) {
        prop_assert!(checked(&text, None).is_err());
        let _ = same_address(&htu, "https://op.example/token");
        let _ = same_address(&format!("https://op.example/{htu}"), "https://op.example/token");
    }

    #[test]
    fn z12_any_claims_are_answered(name in "jti|htm|htu|iat|ath|nonce|exp|nbf", text: String, number: i64) {
        let made_at = |_: &str| Some(Timestamp(number));
        for value in [json!(text), json!(number), json!([text]), json!({ "a": number })] {
            let claims = json!({ name.as_str(): value });
            let _ = checked(&proof(json!({}), claims.clone()), None);
            let _ = checked(&proof(json!({}), claims), Some(&made_at));
        }
    }

    /// However a client escapes, spells and adorns an address, it is the one that was asked, and no other.
    #[test]
    fn z12_the_address_agrees_with_the_request(
        path in prop::sample::select(PATHS.to_vec()),
        other in prop::sample::select(PATHS.to_vec()),
        escaped in prop::collection::vec(any::<bool>(), 64),
        tail in "([?#][a-z=&/%?]{0,8})?",
        port in prop::sample::select(vec!["", ":443"]),
        upper: bool,
    ) {
        let origin = format!("https://op.example{port}");
        let origin = if upper { origin.to_uppercase() } else { origin };
        let spelled: String = path
            .chars()
            .zip(escaped.into_iter().chain(std::iter::repeat(false)))
            .map(|(c, escape)| if escape && c != '/' { format!("%{:02x}", u32::from(c)) } else { c.to_string() })
            .collect();
        let htu = format!("{origin}{spelled}{tail}");
        let [ours, others, plain] =
            [("https", path), ("https", other), ("http", path)].map(|(s, p)| format!("{s}://op.example{p}"));
        prop_assert!(same_address(&htu, &ours));
        prop_assert_eq!(same_address(&htu, &others), path == other);
        prop_assert!(!same_address(&htu, &plain));
    }
}
