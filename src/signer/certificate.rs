//! The certificate that stands beside an RS256 key in the key set (`x5c`, RFC 7517 §4.7), for adapters that read keys out
//! of certificates alone. It vouches for nothing: its key signs it, and nobody's trust hangs on it.
//!
//! All of it follows from the key, the signature too (RSASSA-PKCS1-v1_5 has no randomness), so that every node and every
//! start makes the same bytes and none is kept.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::error::Unspecified;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::Algorithm;
use super::material::Pair;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// `sha256WithRSAEncryption` with its empty parameters (RFC 4055 §5).
const SHA256_WITH_RSA: [u8; 15] =
    [SEQUENCE, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];
/// `id-at-commonName`.
const COMMON_NAME: [u8; 5] = [0x06, 3, 0x55, 0x04, 0x03];
/// The beginning of time for this certificate, and no end (RFC 5280 §4.1.2.5): the key's own life is the ring's to end.
const FROM: &[u8] = b"000101000000Z";
const UNTIL: &[u8] = b"99991231235959Z";
/// Bytes of a serial number, of which a certificate may have 20 (RFC 5280 §4.1.2.2).
const SERIAL: usize = 16;

/// A self-signed certificate in DER.
pub(super) struct Certificate(Vec<u8>);

impl Certificate {
    /// The certificate of `pair`, whose SubjectPublicKeyInfo is `spki`, under the name `kid`.
    pub(super) fn of(pair: &Pair, spki: &[u8], kid: &str) -> Result<Self, Unspecified> {
        let hash = digest(&SHA256, spki);
        // A positive number that does not begin with a zero byte.
        let serial: Vec<u8> = hash.as_ref().iter().take(SERIAL).copied().collect();
        let serial: Vec<u8> = serial
            .iter()
            .enumerate()
            .map(|(at, byte)| if at == 0 { (byte & 0x7f) | 0x40 } else { *byte })
            .collect();
        let attribute = element(SEQUENCE, &[&COMMON_NAME, &element(UTF8_STRING, &[kid.as_bytes()])]);
        let name = element(SEQUENCE, &[&element(SET, &[&attribute])]);
        let validity = [element(UTC_TIME, &[FROM]), element(GENERALIZED_TIME, &[UNTIL])];
        let [from, until] = &validity;
        let body = element(
            SEQUENCE,
            &[
                &element(INTEGER, &[&serial]),
                &SHA256_WITH_RSA,
                &name,
                &element(SEQUENCE, &[from, until]),
                &name,
                spki,
            ],
        );
        let signature = pair.sign(Algorithm::RS256, &body, <[u8]>::to_vec)?;
        let signature = element(BIT_STRING, &[&[0], &signature]);
        Ok(Self(element(SEQUENCE, &[&body, &SHA256_WITH_RSA, &signature])))
    }

    /// As base64 without armour.
    pub(super) fn base64(&self) -> String {
        STANDARD.encode(&self.0)
    }

    /// Adds the members of a JWK that tell it (RFC 7517 §4.7 to §4.9).
    pub(super) fn tell(&self, jwk: &mut Map<String, Value>) {
        jwk.insert("x5c".into(), json!([self.base64()]));
        for (name, algorithm) in [("x5t", &SHA1_FOR_LEGACY_USE_ONLY), ("x5t#S256", &SHA256)] {
            jwk.insert(name.into(), URL_SAFE_NO_PAD.encode(digest(algorithm, &self.0)).into());
        }
    }
}

/// An element of DER (X.690 §8.1): its tag, its length in the shortest form, and its parts.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let bytes = length.to_be_bytes();
    let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut element = vec![tag];
    match (significant.as_slice(), u8::try_from(length)) {
        (_, Ok(short)) if short < 0x80 => element.push(short),
        (significant, _) => {
            // A length has eight bytes at most.
            element.push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
            element.extend_from_slice(significant);
        }
    }
    parts.iter().for_each(|part| element.extend_from_slice(part));
    element
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use x509_parser::prelude::{FromDer, X509Certificate};

    use super::*;
    use crate::signer::SigningKey;

    #[test]
    fn rfc7517_4_7_the_certificate_is_of_the_key_and_signed_by_it() {
        let key = SigningKey::generate(Algorithm::RS256).unwrap();
        let jwk = key.public_jwk();
        let der = STANDARD.decode(jwk["x5c"][0].as_str().unwrap()).unwrap();
        let (rest, read) = X509Certificate::from_der(&der).unwrap();
        assert!(rest.is_empty());
        assert_eq!(STANDARD.encode(read.public_key().raw), key.public_spki_base64());
        assert_eq!(read.subject().to_string(), format!("CN={}", key.kid()));
        assert_eq!(read.issuer(), read.subject());
        assert!(read.validity().not_before.timestamp() < 1_700_000_000);
        let end = time::macros::datetime!(9999-12-31 23:59:59 UTC).unix_timestamp();
        assert_eq!(read.validity().not_after.timestamp(), end);
        let public = read.public_key().subject_public_key.data.to_vec();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .verify(read.tbs_certificate.as_ref(), read.signature_value.as_ref())
            .unwrap();
        assert_eq!(jwk["x5t#S256"], URL_SAFE_NO_PAD.encode(digest(&SHA256, &der)));
        assert_eq!(jwk["x5t"].as_str().unwrap().len(), 27);
        assert_eq!(key.certificate(), jwk["x5c"][0].as_str());
    }

    #[test]
    fn the_same_key_has_the_same_certificate_at_every_node() {
        let vault = crate::vault::Vault::random();
        let key = SigningKey::generate(Algorithm::RS256).unwrap();
        let sealed = key.seal(&vault, "place").unwrap();
        let again = SigningKey::unseal(Algorithm::RS256, &sealed, &vault, "place").unwrap();
        assert_eq!(key.public_jwk(), again.public_jwk());
        for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
            let other = SigningKey::generate(algorithm).unwrap();
            assert!(other.certificate().is_none() && other.public_jwk().get("x5c").is_none());
        }
    }

    #[test]
    fn lengths_are_in_the_shortest_form() {
        for (length, head) in [
            (0, &[4, 0][..]),
            (127, &[4, 127]),
            (128, &[4, 0x81, 128]),
            (255, &[4, 0x81, 255]),
            (256, &[4, 0x82, 1, 0]),
            (70_000, &[4, 0x83, 1, 0x11, 0x70]),
        ] {
            let found = element(4, &[&vec![7; length]]);
            assert_eq!((&found[..head.len()], found.len()), (head, head.len() + length), "{length}");
        }
    }
}
