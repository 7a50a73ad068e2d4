use super::super::Limits;
use super::*;

fn checker(limits: Limits) -> ClientSecrets {
    let passwords = Passwords::with_profile(limits, Profile::Development);
    ClientSecrets::new(passwords, Arc::new(Vault::random()))
}

const ONE: Limits = Limits { concurrent: 1, queued: 0 };

#[tokio::test]
async fn generated_secrets_need_no_pool() {
    let checker = checker(ONE);
    let _full = checker.passwords.queue.turn("elsewhere").await.unwrap();
    let stored = hash_generated("s3cret");
    assert_eq!(checker.verify(&stored, &"s3cret".into()).await, Ok(true));
    for (name, wrong) in [
        ("another", "s3cres"),
        ("shorter", "s3cre"),
        ("empty", ""),
        ("its stored form", stored.as_str()),
        ("its fingerprint", &stored[7..]),
    ] {
        assert_eq!(checker.verify(&stored, &wrong.into()).await, Ok(false), "{name}");
    }
    assert!(checker.proven.is_empty());
}

#[tokio::test]
async fn a_sealed_secret_is_read_in_its_place_and_is_no_password() {
    let checker = checker(ONE);
    let stored = checker.seal("r1", "app", &"s3cret".into());
    assert!(stored.starts_with(SEALED_PREFIX) && !stored.contains("s3cret"));
    assert_eq!(checker.open("r1", "app", &stored), Some("s3cret".into()));
    let bare = stored.strip_prefix(SEALED_PREFIX).unwrap();
    for (name, realm_id, client_id, stored) in [
        ("another realm", "r2", "app", stored.as_str()),
        ("another client", "r1", "web", stored.as_str()),
        ("without its prefix", "r1", "app", bare),
        ("a hash", "r1", "app", "sha256:x"),
    ] {
        assert_eq!(checker.open(realm_id, client_id, stored), None, "{name}");
    }
    let stranger = ClientSecrets::new(checker.passwords.clone(), Arc::new(Vault::random()));
    assert_eq!(stranger.open("r1", "app", &stored), None);
    for presented in ["s3cret", stored.as_str(), ""] {
        assert_eq!(checker.verify(&stored, &presented.into()).await, Ok(false));
    }
}

#[tokio::test]
async fn development_shows_a_secret_again_and_production_never() {
    let vault = Arc::new(Vault::random());
    let secrets =
        |profile| ClientSecrets::new(Passwords::with_profile(Limits::default(), profile), Arc::clone(&vault));
    let (development, production) = (secrets(Profile::Development), secrets(Profile::Standard));
    let mut client = Client {
        id: "1".to_owned(),
        realm_id: "r1".to_owned(),
        client_id: "app".to_owned(),
        enabled: true,
        secret_hash: None,
        settings: Default::default(),
    };
    for drawn in [false, true] {
        let secret = Secret::from("s3cret");
        for (kept, is_shown) in [(&development, true), (&production, false)] {
            let stored = if drawn {
                kept.store_drawn(&client, &secret)
            } else {
                kept.store(&client, &secret).await.unwrap()
            };
            assert!(!stored.contains("s3cret"));
            client.secret_hash = Some(stored);
            assert_eq!(kept.shown(&client).is_some(), is_shown);
            assert_eq!(production.shown(&client), None, "nor what development kept");
            for (presented, right) in [("s3cret", true), ("s3cres", false)] {
                assert_eq!(production.verify_of(&client, &presented.into()).await, Ok(right));
            }
        }
    }
}

#[tokio::test]
async fn a_chosen_secret_is_hashed_once_and_remembered() {
    let checker = checker(ONE);
    let stored = checker.hash_chosen(Profile::Development, "web-secret".into()).await.unwrap();
    assert_eq!(checker.verify(&stored, &"web-secret".into()).await, Ok(true));
    let _full = checker.passwords.queue.turn("elsewhere").await.unwrap();
    assert_eq!(checker.verify(&stored, &"web-secret".into()).await, Ok(true), "from memory");
    assert_eq!(checker.verify(&stored, &"wrong".into()).await, Err(PasswordError::Busy), "never from memory");
}

#[tokio::test]
async fn a_wrong_secret_is_never_remembered() {
    let checker = checker(ONE);
    let stored = checker.hash_chosen(Profile::Development, "web-secret".into()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(checker.verify(&stored, &"wrong".into()).await, Ok(false));
    }
    assert!(checker.proven.is_empty());
}

#[tokio::test]
async fn a_rotated_secret_is_wrong_at_once() {
    let checker = checker(ONE);
    let old = checker.hash_chosen(Profile::Development, "old".into()).await.unwrap();
    assert_eq!(checker.verify(&old, &"old".into()).await, Ok(true));
    let new = checker.hash_chosen(Profile::Development, "new".into()).await.unwrap();
    assert_eq!(checker.verify(&new, &"old".into()).await, Ok(false));
    assert_eq!(checker.verify(&new, &"new".into()).await, Ok(true));
}

#[tokio::test]
async fn many_with_the_same_secret_at_once_share_one_hash() {
    let checker = Arc::new(checker(ONE));
    let stored = checker.hash_chosen(Profile::Development, "web-secret".into()).await.unwrap();
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (checker, stored) = (Arc::clone(&checker), stored.clone());
            tokio::spawn(async move { checker.verify(&stored, &"web-secret".into()).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(true), "with one place in the pool and no queue");
    }
}

#[tokio::test]
async fn stored_forms_that_are_no_hash_match_nothing() {
    let checker = checker(ONE);
    for stored in
        ["", "web-secret", "sha256:", "sha512:abc", "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$aGFzaA"]
    {
        for presented in ["", "web-secret", stored] {
            assert_eq!(
                checker.verify(stored, &presented.into()).await,
                Ok(false),
                "{stored:?} {presented:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_long_secret_is_refused_before_it_is_hashed() {
    let checker = checker(ONE);
    let long = Secret::from("x".repeat(super::super::MAX_PASSWORD_BYTES + 1));
    for stored in [hash_generated("x"), "$argon2id$".to_owned()] {
        assert_eq!(checker.verify(&stored, &long).await, Err(PasswordError::TooLong));
    }
}

#[tokio::test]
async fn the_printed_checker_shows_no_key() {
    let shown = format!("{:?}", checker(ONE));
    assert!(!shown.contains("key_value"), "{shown}");
}
