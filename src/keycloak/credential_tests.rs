//! Hashes as Keycloak writes them, made with other programs (Python's hashlib, argon2-cffi).

use super::*;
use crate::passwords::{Limits, Passwords, Profile};

const SALT: &str = "AAECAwQFBgcICQoLDA0ODw==";

fn stored_credential(
    algorithm: &str,
    iterations: i64,
    value: &str,
    more: &Value,
) -> CredentialRepresentation {
    let secret = json!({ "value": value, "salt": SALT, "additionalParameters": {} });
    let data = json!({ "hashIterations": iterations, "algorithm": algorithm, "additionalParameters": more });
    CredentialRepresentation {
        kind: Some("password".into()),
        secret_data: Some(secret.to_string()),
        credential_data: Some(data.to_string()),
        ..CredentialRepresentation::default()
    }
}

fn argon2_parameters() -> Value {
    json!({
        "hashLength": ["32"], "memory": ["7168"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"],
    })
}

fn vectors() -> Vec<(&'static str, i64, &'static str, Value)> {
    vec![
        (
            "pbkdf2",
            20_000,
            "fniHe4wujMvABtTa8nlrXUNDmQbEVpEAOGSrBOKjUxr8fq0EhOTrbtwxv0kDHkCeZpDFXImqFMKFND2GDrIqXQ==",
            json!({}),
        ),
        (
            "pbkdf2-sha256",
            27_500,
            "qnA427fe69fAjkevcHZvnm7vp3MewnxKL4g2WLfI7U6teQVH1eR2L5DfcV0psPIfjGPtlZbkpnogYX+2TaSl6w==",
            json!({}),
        ),
        (
            "pbkdf2-sha512",
            210_000,
            "l4pqr0UVqxiWEnbGDBV//hzeVcB7ZgsFnr5Z+SZYIYjhXWCECCVC/oKM2WWMwBzQGCBfe2yb+20zK3Rr1rkPjg==",
            json!({}),
        ),
        ("argon2", 5, "I9aBicNnH49yuiIjQJC85giAQWszITIjdobXf3FdYMg=", argon2_parameters()),
    ]
}

fn read(credential: CredentialRepresentation) -> Credentials {
    let mut count = 0;
    let mut id = || {
        count += 1;
        format!("id{count}")
    };
    from_representations(vec![credential], "r", "u", &[], Timestamp(1_000), &mut id)
}

#[tokio::test]
async fn every_hash_that_keycloak_writes_is_checked_and_is_to_be_hashed_anew() {
    let passwords = Passwords::with_profile(Limits::default(), Profile::Standard);
    for (algorithm, iterations, value, more) in vectors() {
        let read = read(stored_credential(algorithm, iterations, value, &more));
        let Some(Password::Stored(stored)) = read.password else {
            panic!("{algorithm}: {:?}", read.problems)
        };
        let verdict = passwords.verify(Some(&stored), &"correct horse".into()).await.unwrap();
        assert!(verdict.matches && verdict.rehash, "{algorithm}");
        let wrong = passwords.verify(Some(&stored), &"correct house".into()).await.unwrap();
        assert!(!wrong.matches && !wrong.rehash, "{algorithm}");
    }
}

#[test]
fn a_stored_password_goes_out_as_it_came_in() {
    for (algorithm, iterations, value, more) in vectors() {
        let came = stored_credential(algorithm, iterations, value, &more);
        let Some(Password::Stored(stored)) = read(came.clone()).password else { panic!("{algorithm}") };
        let out = password_to_representation(&user(), &stored, &Kept::new()).unwrap();
        let json = |text: &Option<String>| serde_json::from_str::<Value>(text.as_deref().unwrap()).unwrap();
        assert_eq!(json(&out.secret_data), json(&came.secret_data), "{algorithm}");
        assert_eq!(json(&out.credential_data), json(&came.credential_data), "{algorithm}");
        assert_eq!((out.id, out.created_date), (Some(stable_id(&["u", "password"])), Some(2_000)));
    }
    assert!(password_to_representation(&user(), "sha256:x", &Kept::new()).is_none());
}

#[test]
fn what_is_said_of_a_password_comes_back() {
    let (algorithm, iterations, value, more) = vectors().remove(0);
    let came = CredentialRepresentation {
        id: Some("c".into()),
        user_label: Some("My password".into()),
        created_date: Some(1_690_000_000_500),
        ..stored_credential(algorithm, iterations, value, &more)
    };
    let read = read(came.clone());
    let Some(Password::Stored(stored)) = &read.password else { panic!("{:?}", read.problems) };
    let out = password_to_representation(&user(), stored, &read.kept).unwrap();
    assert_eq!((out.id, out.user_label, out.created_date), (came.id, came.user_label, came.created_date));
}

fn user() -> User {
    User::new("r", "u", "alice", Timestamp(2))
}

#[test]
fn what_cannot_be_used_is_told_without_a_trace_of_it() {
    let (_, _, value, _) = vectors().remove(0);
    let malformed = || CredentialProblem::Malformed("password".into());
    for (name, credential, problem) in [
        (
            "another algorithm",
            stored_credential("bcrypt", 10, value, &json!({})),
            CredentialProblem::Algorithm("bcrypt".into()),
        ),
        (
            "another kind of Argon2",
            stored_credential("argon2", 5, value, &json!({ "type": ["d"] })),
            CredentialProblem::Algorithm("argon2d 1.3".into()),
        ),
        (
            "a hash that asks for the moon",
            stored_credential("pbkdf2-sha512", 900_000_000, value, &json!({})),
            CredentialProblem::OutOfBounds,
        ),
        ("no base64", stored_credential("pbkdf2", 1, "%", &json!({})), malformed()),
        ("no iterations", stored_credential("pbkdf2", 0, value, &json!({})), malformed()),
        (
            "no salt",
            CredentialRepresentation {
                secret_data: Some("{\"value\":\"AAAA\"}".into()),
                ..stored_credential("pbkdf2", 1, value, &json!({}))
            },
            malformed(),
        ),
        (
            "no JSON",
            CredentialRepresentation {
                secret_data: Some("canary".into()),
                ..stored_credential("pbkdf2", 1, value, &json!({}))
            },
            malformed(),
        ),
    ] {
        let read = read(credential);
        assert_eq!((read.password, read.problems.as_slice()), (None, [problem].as_slice()), "{name}");
        assert!(!read.problems[0].to_string().contains("canary"));
    }
}

#[test]
fn one_time_codes_of_new_files_and_of_old_ones_are_alike() {
    let data = json!({ "subType": "totp", "digits": 6, "counter": 0, "period": 30, "algorithm": "HmacSHA1" });
    let new = CredentialRepresentation {
        id: Some("c".into()),
        kind: Some("otp".into()),
        user_label: Some("phone".into()),
        created_date: Some(5_000),
        secret_data: Some(r#"{"value":"DJmQfC73VGFhw7D4QJ8A"}"#.into()),
        credential_data: Some(data.to_string()),
        ..CredentialRepresentation::default()
    };
    let old = CredentialRepresentation {
        kind: Some("totp".into()),
        value: Some("DJmQfC73VGFhw7D4QJ8A".into()),
        ..CredentialRepresentation::default()
    };
    let (new_read, old_read) = (read(new.clone()).others.remove(0), read(old).others.remove(0));
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(json(&old_read.data), data);
    assert_eq!(json(&old_read.secret), json(&new_read.secret));
    assert_eq!((old_read.kind.as_str(), new_read.kind.as_str()), (OTP, OTP));
    let out = to_representation(&new_read, Some(new_read.secret.clone()));
    assert_eq!(out, CredentialRepresentation { priority: Some(10), ..new });
    assert!(!format!("{new_read:?}{out:?}").contains("DJmQ"));
}

#[test]
fn a_password_in_the_clear_may_be_temporary() {
    let plain = CredentialRepresentation {
        value: Some("pw".into()),
        temporary: Some(true),
        ..CredentialRepresentation::default()
    };
    let read = read(plain);
    assert_eq!(read.password, Some(Password::Plain("pw".into())));
    assert!(read.temporary && read.others.is_empty() && read.problems.is_empty());
}
