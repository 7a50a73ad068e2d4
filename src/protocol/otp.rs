//! One-time codes of an authenticator app: by time (RFC 6238) or by count (RFC 4226), in Keycloak's terms.
//!
//! Owns which code is right when. That each counts once is the store's: [`Right::spend`] is what a right one uses up.

use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA512};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::credential::{Credential, OTP};
use super::spend::{Spend, SpendKind};
use super::user::User;
use crate::clock::Timestamp;
use crate::secrets;

/// How many steps a device's clock may be off, before and after (RFC 6238 §5.2), and how many codes a device may have
/// shown that nobody typed (RFC 4226 §7.2).
const WINDOW: i64 = 1;

/// How the codes of a device are made: `credentialData` of Keycloak.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Method {
    sub_type: String,
    digits: u32,
    period: i64,
    counter: i64,
    algorithm: String,
}

impl Default for Method {
    fn default() -> Self {
        let (sub_type, algorithm) = ("totp".to_owned(), "HmacSHA1".to_owned());
        Self { sub_type, digits: 6, period: 30, counter: 0, algorithm }
    }
}

/// `secretData` of Keycloak: the key is the value's bytes, unless an encoding is named.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    value: String,
    secret_encoding: Option<String>,
}

/// The key of a device that is being set up, in Base32 (RFC 4648 §6), as authenticator apps take it. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceKey(String);

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("DeviceKey(***)")
    }
}

impl DeviceKey {
    /// The key of these bytes: as many as SHA-1 gives (RFC 4226 §4, R6).
    #[must_use]
    pub fn new(bytes: [u8; 20]) -> Self {
        Self(in_base32(&bytes))
    }

    /// The key as a person types it: four characters, a space.
    #[must_use]
    pub fn groups(&self) -> String {
        let letters: Vec<char> = self.0.chars().collect();
        letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }

    /// The address that authenticator apps read from a picture, for the account `username` at `realm`.
    #[must_use]
    pub fn address(&self, realm: &str, username: &str) -> String {
        let plain = |text: &str| percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string();
        let (realm, username, key) = (plain(realm), plain(username), &self.0);
        format!(
            "otpauth://totp/{realm}:{username}?secret={key}&issuer={realm}&algorithm=SHA1&digits=6&period=30"
        )
    }

    /// What is kept sealed of it: `secretData` of Keycloak.
    #[must_use]
    pub fn secret(&self) -> String {
        json!({ "value": self.0, "secretEncoding": "BASE32" }).to_string()
    }

    /// The device of `user` with this key, whose `secret` is still to be sealed.
    #[must_use]
    pub fn credential(&self, user: &User, label: Option<String>, now: Timestamp) -> Credential {
        let data =
            json!({ "subType": "totp", "digits": 6, "period": 30, "counter": 0, "algorithm": "HmacSHA1" });
        Credential {
            id: Uuid::new_v4().to_string(),
            realm_id: user.realm_id.clone(),
            user_id: user.id.clone(),
            kind: OTP.to_owned(),
            label,
            secret: String::new(),
            data: data.to_string(),
            priority: 10,
            created_at: now,
        }
    }
}

/// How many digits a code may have.
const DIGITS: std::ops::RangeInclusive<u32> = 6..=8;

/// How many seconds a code by time may be good for.
const PERIOD: std::ops::RangeInclusive<i64> = 1..=86_400;

/// What is wrong with a device, by its opened `secret` and its `data`: nobody could sign in by it.
#[must_use]
pub fn problem(secret: &str, data: &str) -> Option<&'static str> {
    let Ok(method) = serde_json::from_str::<Method>(data) else {
        return Some("the data of a device is not written as Keycloak writes it");
    };
    if !["totp", "hotp"].contains(&method.sub_type.as_str()) {
        Some("the subType of a device is totp or hotp")
    } else if !DIGITS.contains(&method.digits) {
        Some("the codes of a device have 6, 7 or 8 digits")
    } else if method.sub_type == "totp" && !PERIOD.contains(&method.period) {
        Some("the period of a device is from 1 to 86400 seconds")
    } else if method.counter < 0 {
        Some("the counter of a device is 0 or more")
    } else if algorithm(&method).is_none() {
        Some("the algorithm of a device is HmacSHA1, HmacSHA256 or HmacSHA512")
    } else if key(secret).is_none_or(|key| key.is_empty()) {
        Some("a device has a secret, as it is or in BASE32")
    } else {
        None
    }
}

/// A right code.
#[derive(Clone, Debug, PartialEq)]
pub struct Right {
    /// What it uses up: no code is good twice (RFC 6238 §5.2).
    pub spend: Spend,
    /// The device, when its counter has moved.
    pub moved: Option<Moved>,
}

/// A device whose counter went on.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// As it is from now on.
    pub credential: Credential,
    /// Its `data` as they were: with others, somebody else was quicker.
    pub before: String,
}

/// Whether `typed` is a code of `credential` at `now`. `secret` is its opened `Credential::secret`.
#[must_use]
pub fn check(credential: &Credential, secret: &str, typed: &str, now: Timestamp) -> Option<Right> {
    let method: Method = serde_json::from_str(&credential.data).ok()?;
    let key = key(secret)?;
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    if credential.kind != OTP || !DIGITS.contains(&method.digits) || method.period <= 0 {
        return None;
    }
    let by_count = method.sub_type == "hotp";
    let (first, last) = if by_count {
        (method.counter, method.counter.saturating_add(WINDOW))
    } else {
        let step = now.0.div_euclid(method.period);
        (step.saturating_sub(WINDOW), step.saturating_add(WINDOW))
    };
    let mut found = None;
    // Every step is tried, so that time tells nothing.
    for step in first..=last {
        if secrets::same(&code(&method, &key, step)?, &typed) {
            found = Some(step);
        }
    }
    let step = found?;
    let expires_at = if by_count {
        // The counter moves with it; the row is for requests side by side.
        now.plus(3_600)
    } else {
        Timestamp(step.saturating_add(WINDOW).saturating_add(1).saturating_mul(method.period))
    };
    let spend = Spend::new(SpendKind::OneTimeCode, &credential.id, &step.to_string(), expires_at);
    Some(Right { spend, moved: by_count.then(|| moved(credential, step)).flatten() })
}

/// The device whose next code is the one after `step`.
fn moved(credential: &Credential, step: i64) -> Option<Moved> {
    let mut data: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&credential.data).ok()?;
    data.insert("counter".to_owned(), step.saturating_add(1).into());
    let data = serde_json::to_string(&data).ok()?;
    let before = credential.data.clone();
    Some(Moved { credential: Credential { data, ..credential.clone() }, before })
}

fn key(secret: &str) -> Option<Vec<u8>> {
    let Key { value, secret_encoding } = serde_json::from_str(secret).ok()?;
    match secret_encoding.as_deref() {
        None => Some(value.into_bytes()),
        Some("BASE32") => base32(&value),
        Some(_) => None,
    }
}

/// RFC 4648 §6, without padding.
fn in_base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: Vec<u8> =
        bytes.iter().flat_map(|byte| (0..8_u32).rev().map(move |place| byte >> place & 1)).collect();
    let value = |five: &[u8]| {
        let missing = u32::try_from(5_usize.saturating_sub(five.len())).unwrap_or_default();
        five.iter().fold(0_u8, |sum, bit| sum << 1 | bit) << missing
    };
    bits.chunks(5)
        .filter_map(|five| ALPHABET.get(usize::from(value(five))))
        .map(|letter| char::from(*letter))
        .collect()
}

/// RFC 4648 §6, with or without padding.
fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut held, mut bytes) = (0_u32, 0_u32, Vec::new());
    for symbol in text.trim_end_matches('=').bytes() {
        let value = match symbol.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter.checked_sub(b'A')?,
            digit @ b'2'..=b'7' => digit.checked_sub(b'2')?.checked_add(26)?,
            _ => return None,
        };
        bits = (bits << 5 | u32::from(value)) & 0xffff;
        held = held.checked_add(5)?;
        if held >= 8 {
            held = held.checked_sub(8)?;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(bytes)
}

fn algorithm(method: &Method) -> Option<hmac::Algorithm> {
    match method.algorithm.as_str() {
        "HmacSHA1" => Some(HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        "HmacSHA256" => Some(HMAC_SHA256),
        "HmacSHA512" => Some(HMAC_SHA512),
        _ => None,
    }
}

/// The code of one step (RFC 4226 §5.3).
fn code(method: &Method, key: &[u8], step: i64) -> Option<String> {
    let tag = hmac::sign(&hmac::Key::new(algorithm(method)?, key), &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag.last()? & 0x0f);
    let four: [u8; 4] = tag.get(at..at.checked_add(4)?)?.try_into().ok()?;
    let number = u32::from_be_bytes(four) & 0x7fff_ffff;
    let shown = number.checked_rem(10_u32.checked_pow(method.digits)?)?;
    Some(format!("{shown:0width$}", width = usize::try_from(method.digits).ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn credential(data: serde_json::Value) -> Credential {
        Credential {
            id: "c1".into(),
            realm_id: "r1".into(),
            user_id: "u1".into(),
            kind: OTP.into(),
            label: None,
            secret: String::new(),
            data: data.to_string(),
            priority: 10,
            created_at: Timestamp(0),
        }
    }

    fn secret(value: &str) -> String {
        json!({ "value": value }).to_string()
    }

    const KEY: &str = "12345678901234567890";

    #[test]
    fn u10_devices_by_which_nobody_could_sign_in() {
        let usual =
            json!({ "subType": "totp", "digits": 6, "period": 30, "counter": 0, "algorithm": "HmacSHA1" });
        assert_eq!(problem(&secret(KEY), &usual.to_string()), None);
        assert_eq!(problem(&secret(KEY), "{}"), None, "what is not said is as usual");
        for (row, name, value) in [
            ("another kind", "subType", json!("sms")),
            ("no digits", "digits", json!(0)),
            ("too many digits", "digits", json!(99_999_999)),
            ("no period", "period", json!(0)),
            ("a period before", "period", json!(-1)),
            ("a period for ever", "period", json!(i64::MAX)),
            ("a count before", "counter", json!(-1)),
            ("another algorithm", "algorithm", json!("X")),
            ("no number", "digits", json!("six")),
        ] {
            let mut data = usual.clone();
            data[name] = value;
            assert!(problem(&secret(KEY), &data.to_string()).is_some(), "{row}");
        }
        for (row, secret) in [
            ("an empty secret", secret("")),
            ("no secret", "{}".to_owned()),
            ("another encoding", json!({ "value": KEY, "secretEncoding": "HEX" }).to_string()),
            ("no BASE32", json!({ "value": "1", "secretEncoding": "BASE32" }).to_string()),
        ] {
            assert!(problem(&secret, &usual.to_string()).is_some(), "{row}");
        }
    }

    #[test]
    fn rfc6238_appendix_b() {
        let keys = [
            ("HmacSHA1", KEY),
            ("HmacSHA256", "12345678901234567890123456789012"),
            ("HmacSHA512", "1234567890123456789012345678901234567890123456789012345678901234"),
        ];
        for (time, codes) in [
            (59, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ] {
            for ((algorithm, key), code) in keys.into_iter().zip(codes) {
                let credential = credential(json!({ "digits": 8, "algorithm": algorithm }));
                let right = check(&credential, &secret(key), code, Timestamp(time));
                assert!(right.is_some(), "{time} {algorithm}");
            }
        }
    }

    #[test]
    fn rfc4226_appendix_d_and_the_counter_moves() {
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        let mut held = credential(json!({ "subType": "hotp", "counter": 0 }));
        for (count, code) in codes.into_iter().enumerate() {
            let right = check(&held, &secret(KEY), code, Timestamp(0)).unwrap();
            held = right.moved.unwrap().credential;
            assert!(held.data.contains(&format!("\"counter\":{}", count + 1)), "{}", held.data);
            assert_eq!(check(&held, &secret(KEY), code, Timestamp(0)), None, "{code} is over");
        }
        let behind = credential(json!({ "subType": "hotp", "counter": 3 }));
        assert!(check(&behind, &secret(KEY), "338314", Timestamp(0)).is_some(), "one was not typed");
        assert!(check(&behind, &secret(KEY), "254676", Timestamp(0)).is_none(), "two were not");
    }

    #[test]
    fn a_clock_may_be_off_by_a_step_and_a_step_is_spent_once() {
        let credential = credential(json!({}));
        let at = |typed: &str, now: i64| check(&credential, &secret(KEY), typed, Timestamp(now));
        // 287082 is the code of step 1, the seconds 30 to 59.
        for (now, good) in
            [(0, true), (29, true), (30, true), (59, true), (89, true), (90, false), (120, false)]
        {
            assert_eq!(at("287082", now).is_some(), good, "{now}");
        }
        assert!(at(" 287 082 ", 30).is_some(), "as devices show it");
        assert_eq!(at("287082", 30).unwrap().spend, at("287082", 89).unwrap().spend, "one step is one thing");
        assert!(at("287082", 30).unwrap().spend.expires_at >= Timestamp(90), "kept while it would be good");
        for wrong in ["", "287083", "87082", "0287082", "abcdef"] {
            assert_eq!(at(wrong, 30), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_understood_is_no_code() {
        let good = |data: serde_json::Value, secret: &str| {
            check(&credential(data), secret, "287082", Timestamp(59)).is_some()
        };
        assert!(good(json!({}), &secret(KEY)));
        let encoded = json!({ "value": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "secretEncoding": "BASE32" });
        assert!(good(json!({}), &encoded.to_string()), "as newer Keycloaks write it");
        assert!(!good(json!({ "algorithm": "HmacMD5" }), &secret(KEY)));
        assert!(!good(json!({ "digits": 1 }), &secret(KEY)));
        assert!(!good(json!({ "period": 0 }), &secret(KEY)));
        assert!(!good(json!({}), "not JSON"));
        assert!(!good(json!({}), &json!({ "value": KEY, "secretEncoding": "X" }).to_string()));
    }

    #[test]
    fn rfc4648_10_base32_goes_both_ways() {
        for (text, expected) in
            [("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("fooba", "MZXW6YTB"), ("", "")]
        {
            assert_eq!(in_base32(text.as_bytes()), expected, "{text}");
            assert_eq!(base32(expected).unwrap(), text.as_bytes(), "{text}");
        }
    }

    #[test]
    fn a_device_that_is_set_up_shows_right_codes() {
        let key = DeviceKey::new(*b"12345678901234567890");
        let user = User::new("r1", "u1", "a b&c", Timestamp(0));
        let device = key.credential(&user, None, Timestamp(0));
        // Appendix B of RFC 6238, cut to six digits.
        assert!(check(&device, &key.secret(), "005924", Timestamp(1_234_567_890)).is_some());
        assert!(check(&device, &key.secret(), "005925", Timestamp(1_234_567_890)).is_none());
        assert_eq!(
            key.address("Acme: ü", &user.username),
            "otpauth://totp/Acme%3A%20%C3%BC:a%20b%26c?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Acme%3A%20%C3%BC&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(key.groups(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert!(!format!("{key:?}").contains("GEZD"));
    }
}
