//! Reading a signed token before anything believes it: the compact form of RFC 7515 §3.1, strictly.
//!
//! Owns the form, the names of algorithms and the rules of claims ([`Expect`]). Leaves keys and signatures to
//! `signer.rs`: what comes out of [`parse`] is not proven by anything.
//!
//! Stricter than the RFC where leniency has cost others: no duplicate member names (RFC 8725 §2.4 lists the confusion
//! that they cause), no extension that we would have to understand (`crit`, `b64`, `zip`), bounds on length and depth.

mod algorithm;
mod claims;
mod expect;
mod json;
#[cfg(test)]
mod kinds_tests;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

pub use algorithm::{Algorithm, UnknownAlgorithm, half_hash};
pub use claims::Claims;
pub use expect::{Audience, ClaimFault, Expect, ISSUED_AHEAD, LEEWAY};
pub use json::{JsonFault, MAX_DEPTH, strict_json, strict_object};

/// The longest token that is read, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// A token taken apart. Nothing in it is proven yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Jws<'a> {
    /// The protected header.
    pub header: Header,
    /// The payload's members.
    pub claims: Claims,
    /// What the signature is over: the token up to the second dot (RFC 7515 §5.2).
    pub signing_input: &'a str,
    /// The signature's bytes; never empty.
    pub signature: Vec<u8>,
}

/// The members of a protected header that we read (RFC 7515 §4.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// `alg`, as written: to be compared with the key's algorithm, never to choose by.
    pub alg: String,
    /// `typ`.
    pub typ: Option<String>,
    /// `kid`.
    pub kid: Option<String>,
    /// `jwk`, for the one kind of token whose key travels with it: the DPoP proof (RFC 9449 §4.2).
    pub jwk: Option<Map<String, Value>>,
    /// Whether the header brings or points to a key (`jwk`, `jku`, `x5c`, `x5u`). Nothing here ever follows one.
    pub brings_key: bool,
}

/// Why a text is not a token that we would read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Over [`MAX_BYTES`].
    #[error("the token is too long")]
    TooLong,
    /// Not three parts, or an empty one: five parts are a JWE, an empty third is an unsigned token.
    #[error("the token has not three parts")]
    Parts,
    /// A part is not base64url without padding, white space and left-over bits (RFC 7515 §2).
    #[error("a part of the token is not base64url")]
    Base64,
    /// A part is not strict JSON.
    #[error("the token's {0}")]
    Json(&'static str, JsonFault),
    /// A header member has the wrong type, or `alg` is missing.
    #[error("the token's header member {0:?} is missing or of the wrong type")]
    Member(&'static str),
    /// A header member asks for a way of processing that we do not have (RFC 7515 §4.1.11).
    #[error("the token's header asks for the extension {0:?}")]
    Extension(&'static str),
}

/// Takes a compact JWS apart.
///
/// # Errors
/// [`JwsError`] says the first thing that is wrong with it.
pub fn parse(token: &str) -> Result<Jws<'_>, JwsError> {
    if token.len() > MAX_BYTES {
        return Err(JwsError::TooLong);
    }
    let (signing_input, signature) = token.rsplit_once('.').ok_or(JwsError::Parts)?;
    let (header, payload) = signing_input.split_once('.').ok_or(JwsError::Parts)?;
    if payload.contains('.') || header.is_empty() || payload.is_empty() || signature.is_empty() {
        return Err(JwsError::Parts);
    }
    let header = strict_object(&decode(header)?).map_err(|fault| JwsError::Json("header", fault))?;
    let header = read_header(header)?;
    let signature = decode(signature)?;
    let claims = strict_object(&decode(payload)?).map_err(|fault| JwsError::Json("payload", fault))?;
    Ok(Jws { header, claims: Claims::new(claims), signing_input, signature })
}

fn decode(part: &str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::Base64)
}

fn read_header(mut header: Map<String, Value>) -> Result<Header, JwsError> {
    for extension in ["crit", "b64", "zip"] {
        if header.contains_key(extension) {
            return Err(JwsError::Extension(extension));
        }
    }
    let brings_key = ["jwk", "jku", "x5c", "x5u"].into_iter().any(|name| header.contains_key(name));
    Ok(Header {
        alg: text(&mut header, "alg")?.ok_or(JwsError::Member("alg"))?,
        typ: text(&mut header, "typ")?,
        kid: text(&mut header, "kid")?,
        jwk: match header.remove("jwk") {
            None => None,
            Some(Value::Object(jwk)) => Some(jwk),
            Some(_) => return Err(JwsError::Member("jwk")),
        },
        brings_key,
    })
}

fn text(header: &mut Map<String, Value>, name: &'static str) -> Result<Option<String>, JwsError> {
    match header.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwsError::Member(name)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = r#"{"alg":"ES256","typ":"JWT","kid":"k1"}"#;
    const PAYLOAD: &str = r#"{"iss":"https://op.example","exp":1}"#;

    fn token(header: &str, payload: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", encode(header), encode(payload), encode("signature"))
    }

    #[test]
    fn a_well_formed_token_is_taken_apart() {
        let token = token(HEADER, PAYLOAD);
        let jws = parse(&token).unwrap();
        assert_eq!(jws.header.alg, "ES256");
        assert_eq!(jws.header.typ.as_deref(), Some("JWT"));
        assert_eq!(jws.header.kid.as_deref(), Some("k1"));
        assert!(!jws.header.brings_key);
        assert_eq!(jws.claims.text("iss"), Some("https://op.example"));
        assert_eq!(jws.signature, b"signature");
        assert_eq!(format!("{}.{}", jws.signing_input, URL_SAFE_NO_PAD.encode("signature")), token);
    }

    #[test]
    fn rfc7515_compact_form() {
        let good = token(HEADER, PAYLOAD);
        let (input, signature) = good.rsplit_once('.').unwrap();
        let long = token(HEADER, &format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BYTES)));
        for (name, text, refusal) in [
            ("nothing", String::new(), JwsError::Parts),
            ("one part", "abc".into(), JwsError::Parts),
            ("two parts", input.into(), JwsError::Parts),
            ("four parts", format!("{good}.AA"), JwsError::Parts),
            ("five parts, a JWE", format!("{good}.AA.AA"), JwsError::Parts),
            ("unsigned", format!("{input}."), JwsError::Parts),
            ("no payload", "e30..AA".into(), JwsError::Parts),
            ("dots alone", "..".into(), JwsError::Parts),
            ("too long", long, JwsError::TooLong),
            ("padding", format!("{good}="), JwsError::Base64),
            ("line end", format!("{good}\n"), JwsError::Base64),
            ("space before", format!(" {good}"), JwsError::Base64),
            ("standard alphabet", format!("{input}.+/+/"), JwsError::Base64),
            // "AA" and "AB" decode alike for those who drop the left-over bits.
            ("left-over bits", format!("{input}.AB"), JwsError::Base64),
            ("impossible length", format!("{input}.{signature}A"), JwsError::Base64),
        ] {
            assert_eq!(parse(&text), Err(refusal), "{name}");
        }
    }

    #[test]
    fn the_longest_token_is_read_and_one_byte_more_is_not() {
        let good = token(HEADER, PAYLOAD);
        let (input, _) = good.rsplit_once('.').unwrap();
        let longest = format!("{input}.{}", "A".repeat(MAX_BYTES - input.len() - 1));
        assert_ne!(parse(&longest), Err(JwsError::TooLong));
        assert_eq!(parse(&(longest + "A")), Err(JwsError::TooLong));
    }

    #[test]
    fn rfc7515_4_1_header() {
        use JsonFault::{Duplicate, NotAnObject, Syntax, TooDeep};
        let json = |fault| JwsError::Json("header", fault);
        let deep = format!(r#"{{"alg":"ES256","a":{}1{}}}"#, "[".repeat(16), "]".repeat(16));
        for (name, header, refusal) in [
            ("duplicate alg", r#"{"alg":"none","alg":"ES256"}"#, json(Duplicate)),
            ("duplicate, escaped", r#"{"alg":"none","\u0061lg":"ES256"}"#, json(Duplicate)),
            ("array", r#"["ES256"]"#, json(NotAnObject)),
            ("text", r#""ES256""#, json(NotAnObject)),
            ("unfinished", r#"{"alg":"ES256""#, json(Syntax)),
            ("something after", r#"{"alg":"ES256"}{}"#, json(Syntax)),
            ("too deep", deep.as_str(), json(TooDeep)),
            ("no alg", r#"{"typ":"JWT"}"#, JwsError::Member("alg")),
            ("alg a number", r#"{"alg":256}"#, JwsError::Member("alg")),
            ("alg null", r#"{"alg":null}"#, JwsError::Member("alg")),
            ("typ a list", r#"{"alg":"ES256","typ":["JWT"]}"#, JwsError::Member("typ")),
            ("kid a number", r#"{"alg":"ES256","kid":1}"#, JwsError::Member("kid")),
            ("jwk a text", r#"{"alg":"ES256","jwk":"{}"}"#, JwsError::Member("jwk")),
            ("unknown crit", r#"{"alg":"ES256","crit":["http://x"]}"#, JwsError::Extension("crit")),
            ("empty crit", r#"{"alg":"ES256","crit":[]}"#, JwsError::Extension("crit")),
            ("unencoded payload", r#"{"alg":"ES256","b64":false}"#, JwsError::Extension("b64")),
            ("compressed", r#"{"alg":"ES256","zip":"DEF"}"#, JwsError::Extension("zip")),
        ] {
            assert_eq!(parse(&token(header, PAYLOAD)), Err(refusal), "{name}");
        }
    }

    #[test]
    fn a_key_in_the_header_is_noticed() {
        for (name, header, brings) in [
            ("none", HEADER, false),
            ("jwk", r#"{"alg":"ES256","jwk":{}}"#, true),
            ("jku", r#"{"alg":"ES256","jku":"https://evil.example"}"#, true),
            ("x5c", r#"{"alg":"ES256","x5c":[]}"#, true),
            ("x5u", r#"{"alg":"ES256","x5u":"https://evil.example"}"#, true),
        ] {
            assert_eq!(parse(&token(header, PAYLOAD)).unwrap().header.brings_key, brings, "{name}");
        }
    }

    #[test]
    fn the_payload_is_as_strict_as_the_header() {
        for (name, payload, fault) in [
            ("duplicate", r#"{"sub":"a","sub":"b"}"#, JsonFault::Duplicate),
            ("duplicate inside", r#"{"a":[{"b":1,"b":2}]}"#, JsonFault::Duplicate),
            ("not an object", "1", JsonFault::NotAnObject),
            ("number out of range", r#"{"exp":1e999}"#, JsonFault::Syntax),
            ("lone surrogate", r#"{"sub":"\ud800"}"#, JsonFault::Syntax),
        ] {
            assert_eq!(parse(&token(HEADER, payload)), Err(JwsError::Json("payload", fault)), "{name}");
        }
        let not_utf8 =
            format!("{}.{}.AA", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(b"{\"a\":\"\xff\"}"));
        assert_eq!(parse(&not_utf8), Err(JwsError::Json("payload", JsonFault::Syntax)));
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text: String) {
            let _ = parse(&text);
        }

        #[test]
        fn any_parts_are_answered(header: Vec<u8>, payload: Vec<u8>, signature: Vec<u8>) {
            let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            let _ = parse(&format!("{}.{}.{}", encode(&header), encode(&payload), encode(&signature)));
        }

        /// Two texts never read as the same token: what was signed is exactly what was sent.
        #[test]
        fn only_one_text_reads_as_a_token(at: prop::sample::Index, to: char) {
            let good = token(HEADER, PAYLOAD);
            let mut other: Vec<char> = good.chars().collect();
            let at = at.index(other.len());
            prop_assume!(other[at] != to);
            other[at] = to;
            let other: String = other.into_iter().collect();
            if let Ok(read) = parse(&other) {
                let good = parse(&good).unwrap();
                prop_assert!(read.signing_input != good.signing_input || read.signature != good.signature);
            }
        }

        #[test]
        fn depth_is_bounded(depth in 1_usize..3000) {
            let nested = format!(r#"{{"a":{}1{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
            let text = token(HEADER, &nested);
            match parse(&text) {
                Ok(_) => prop_assert!(depth <= MAX_DEPTH),
                Err(JwsError::Json("payload", JsonFault::TooDeep)) => prop_assert!(depth > MAX_DEPTH),
                Err(other) => prop_assert!(other == JwsError::TooLong, "{other:?}"),
            }
        }
    }
}
