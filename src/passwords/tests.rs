//! The pool and the stored forms together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const DEVELOPMENT: Profile = Profile::Development;

fn pool(concurrent: usize, queued: usize) -> Passwords {
    Passwords::with_profile(Limits { concurrent, queued }, DEVELOPMENT)
}

async fn verdict(passwords: &Passwords, hash: &str, password: &str) -> Verdict {
    passwords.verify(Some(hash), &password.into()).await.unwrap()
}

const RIGHT: Verdict = Verdict { matches: true, rehash: false, unusable: None };
const OUTDATED: Verdict = Verdict { matches: true, rehash: true, unusable: None };
const WRONG: Verdict = Verdict { matches: false, rehash: false, unusable: None };

fn unusable(error: SchemeError) -> Verdict {
    Verdict { matches: false, rehash: false, unusable: Some(error) }
}

#[tokio::test]
async fn only_the_right_password_matches_byte_for_byte() {
    let passwords = pool(2, 8);
    let hash = passwords.hash(DEVELOPMENT, "Pässword ".into()).await.unwrap();
    assert_eq!(verdict(&passwords, &hash, "Pässword ").await, RIGHT);
    for (name, wrong) in [
        ("another", "Passwort "),
        ("trimmed", "Pässword"),
        ("another case", "pässword "),
        ("decomposed", "Pa\u{308}ssword "),
        ("empty", ""),
        ("with a NUL", "Pässword \0"),
        ("the hash", hash.as_str()),
    ] {
        assert_eq!(verdict(&passwords, &hash, wrong).await, WRONG, "{name}");
    }
}

#[tokio::test]
async fn every_hash_has_its_own_salt_and_says_its_cost() {
    let passwords = pool(2, 8);
    let (one, two) = (
        passwords.hash(DEVELOPMENT, "x".into()).await.unwrap(),
        passwords.hash(DEVELOPMENT, "x".into()).await.unwrap(),
    );
    assert_ne!(one, two);
    assert!(one.starts_with("$argon2id$v=19$m=256,t=1,p=1$"), "{one}");
    let standard = passwords.hash(Profile::Standard, "x".into()).await.unwrap();
    assert!(standard.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{standard}");
}

/// attacks.md U06: raised to the profile's cost after a right password alone, and never lowered.
#[tokio::test]
async fn weaker_and_foreign_hashes_are_to_be_replaced() {
    let cheap = pool(2, 8);
    let dear = Passwords::new(Limits { concurrent: 2, queued: 8 });
    let development = cheap.hash(DEVELOPMENT, "x".into()).await.unwrap();
    let standard = cheap.hash(Profile::Standard, "x".into()).await.unwrap();
    let pbkdf2 = "$pbkdf2-sha256$i=1$c2FsdHNhbHQ$ABCDEFGHIJKLMNOPQRSTUQ";
    assert_eq!(verdict(&cheap, &development, "x").await, RIGHT);
    assert_eq!(verdict(&cheap, &standard, "x").await, RIGHT, "never lowered");
    assert_eq!(verdict(&dear, &development, "x").await, OUTDATED);
    assert_eq!(verdict(&dear, &development, "y").await, WRONG);
    assert_eq!(verdict(&dear, &standard, "x").await, RIGHT);
    assert_eq!(verdict(&dear, pbkdf2, "x").await, WRONG);
}

/// Hashes made by others: RFC 6070, Python's hashlib with Keycloak's iterations and lengths, and the tests of Argon2's
/// reference implementation.
#[tokio::test]
async fn foreign_hashes_are_understood() {
    let passwords = Passwords::new(Limits { concurrent: 2, queued: 8 });
    for (name, hash, password) in [
        (
            "PBKDF2 with SHA-1, RFC 6070 case 5",
            "$pbkdf2-sha1$i=4096$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$PS7sT+QchJuAyNg2YsDkSospGpZM8vBwOA",
            "passwordPASSWORDpassword",
        ),
        (
            "PBKDF2 with SHA-256",
            "$pbkdf2-sha256$i=27500$AAECAwQFBgcICQoLDA0ODw$qnA427fe69fAjkevcHZvnm7vp3MewnxKL4g2WLfI7U6teQVH1eR2L5DfcV0psPIfjGPtlZbkpnogYX+2TaSl6w",
            "correct horse",
        ),
        (
            "PBKDF2 with SHA-512",
            "$pbkdf2-sha512$i=210000$AAECAwQFBgcICQoLDA0ODw$l4pqr0UVqxiWEnbGDBV//hzeVcB7ZgsFnr5Z+SZYIYjhXWCECCVC/oKM2WWMwBzQGCBfe2yb+20zK3Rr1rkPjg",
            "correct horse",
        ),
        (
            "Argon2id's own test, cheap",
            "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
            "password",
        ),
    ] {
        assert_eq!(verdict(&passwords, hash, password).await, OUTDATED, "{name}");
        assert_eq!(verdict(&passwords, hash, "wrong").await, WRONG, "{name}");
        let scheme: Scheme = hash.parse().unwrap();
        assert_eq!(scheme.to_string(), hash, "{name}");
    }
    let dear = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    assert_eq!(verdict(&passwords, dear, "password").await, RIGHT, "stronger than our own stays");
}

#[tokio::test]
async fn without_a_hash_nothing_matches_not_even_the_empty_password() {
    let passwords = pool(1, 0);
    for password in ["", "x"] {
        assert_eq!(passwords.verify(None, &password.into()).await, Ok(WRONG));
    }
}

/// attacks.md U05, Z23.
#[tokio::test]
async fn hashes_that_cannot_be_used_match_nothing_and_say_why() {
    use SchemeError::{Malformed, OutOfBounds, Unknown};
    let salt = "c2FsdHNhbHQ";
    let tail = format!("{salt}$ABCDEFGHIJKLMNOPQRSTUQ");
    let argon2 = |cost: &str| format!("$argon2id$v=19${cost}${tail}");
    let pbkdf2 = |iterations: &str| format!("$pbkdf2-sha256${iterations}${tail}");
    let passwords = pool(1, 0);
    let started = passwords.verify(Some(&argon2("m=256,t=1,p=1")), &"x".into()).await.unwrap();
    assert_eq!(started, WRONG, "the rows below differ from a good one");
    for (name, hash, error) in [
        ("empty", String::new(), Unknown),
        ("plain text", "x".into(), Unknown),
        ("bcrypt", "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234".into(), Unknown),
        ("argon2i", format!("$argon2i$v=19$m=256,t=1,p=1${tail}"), Unknown),
        ("leading text", format!("x{}", argon2("m=256,t=1,p=1")), Unknown),
        ("name alone", "$argon2id".into(), Malformed),
        ("no version", format!("$argon2id$m=256,t=1,p=1${tail}"), Malformed),
        ("older version", format!("$argon2id$v=16$m=256,t=1,p=1${tail}"), Malformed),
        ("a part more", format!("{}$", argon2("m=256,t=1,p=1")), Malformed),
        ("costs in another order", argon2("t=1,m=256,p=1"), Malformed),
        ("a cost missing", argon2("m=256,t=1"), Malformed),
        ("a cost more", argon2("m=256,t=1,p=1,keyid=AA"), Malformed),
        ("a cost signed", argon2("m=+256,t=1,p=1"), Malformed),
        ("a cost with a zero before", argon2("m=0256,t=1,p=1"), Malformed),
        ("a cost empty", argon2("m=,t=1,p=1"), Malformed),
        ("padding", format!("$argon2id$v=19$m=256,t=1,p=1${salt}=$ABCDEFGHIJKLMNOPQRSTUQ"), Malformed),
        ("not base64", format!("$argon2id$v=19$m=256,t=1,p=1${salt}$*"), Malformed),
        ("4 GiB", argon2("m=4194304,t=1,p=1"), OutOfBounds),
        ("just over the memory", argon2("m=131073,t=1,p=1"), OutOfBounds),
        ("too many passes", argon2("m=256,t=17,p=1"), OutOfBounds),
        ("too much in all", argon2("m=131072,t=5,p=1"), OutOfBounds),
        ("too many lanes", argon2("m=256,t=1,p=17"), OutOfBounds),
        ("too little memory for its lanes", argon2("m=127,t=1,p=16"), OutOfBounds),
        ("no memory", argon2("m=0,t=1,p=1"), OutOfBounds),
        ("no pass", argon2("m=256,t=0,p=1"), OutOfBounds),
        ("no lane", argon2("m=256,t=1,p=0"), OutOfBounds),
        ("beyond 32 bits", argon2("m=4294967296,t=1,p=1"), OutOfBounds),
        ("no salt", "$argon2id$v=19$m=256,t=1,p=1$$ABCDEFGHIJKLMNOPQRSTUQ".into(), OutOfBounds),
        ("no hash", format!("$argon2id$v=19$m=256,t=1,p=1${salt}$"), OutOfBounds),
        ("far too long", argon2(&"m".repeat(600)), OutOfBounds),
        ("no iteration", pbkdf2("i=0"), OutOfBounds),
        ("too many iterations", pbkdf2("i=2000001"), OutOfBounds),
        ("iterations unnamed", pbkdf2("27500"), Malformed),
        ("PBKDF2 without a hash", format!("$pbkdf2-sha256$i=1${salt}$"), OutOfBounds),
        ("PBKDF2 with MD5", format!("$pbkdf2-md5$i=1${tail}"), Unknown),
    ] {
        assert_eq!(verdict(&passwords, &hash, "x").await, unusable(error), "{name}");
    }
}

#[tokio::test]
async fn a_password_over_1024_bytes_is_refused_before_it_is_hashed() {
    let passwords = pool(1, 0);
    let _full = passwords.queue.turn(OURS).await.unwrap();
    let long = Secret::from("ä".repeat(MAX_PASSWORD_BYTES / 2) + "x");
    assert_eq!(passwords.hash(DEVELOPMENT, long.clone()).await, Err(PasswordError::TooLong));
    assert_eq!(passwords.verify(None, &long).await, Err(PasswordError::TooLong));
    let longest = Secret::from("x".repeat(MAX_PASSWORD_BYTES));
    assert_eq!(passwords.verify(None, &longest).await, Err(PasswordError::Busy), "it got as far as the pool");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_work_at_once_than_allowed_and_no_more_waiting() {
    let passwords = pool(2, 3);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (passwords, now, most) = (passwords.clone(), Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                let work = move |_: &Rooms| {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(300));
                    now.fetch_sub(1, Ordering::SeqCst);
                };
                passwords.run(OURS, work).await
            })
        })
        .collect();
    let mut served = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => served += 1,
            Err(error) => assert_eq!(error, PasswordError::Busy),
        }
    }
    assert_eq!(served, 5, "two at work and three waiting");
    assert_eq!(most.load(Ordering::SeqCst), 2);
    assert_eq!(passwords.run(OURS, |_| ()).await, Ok(()), "the pool is free again");
}

/// Dropping a request does not stop its hash, so its place must not be given away before the hash is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_caller_keeps_its_place_until_its_work_is_done() {
    let passwords = pool(1, 0);
    let (begin, began) = std::sync::mpsc::channel();
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let abandoned = tokio::spawn({
        let passwords = passwords.clone();
        async move {
            let work = move |_: &Rooms| {
                begin.send(()).unwrap();
                let _ = ends.recv();
            };
            passwords.run(OURS, work).await
        }
    });
    tokio::task::spawn_blocking(move || began.recv().unwrap()).await.unwrap();
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());
    assert_eq!(passwords.run(OURS, |_| ()).await, Err(PasswordError::Busy));
    end.send(()).unwrap();
    let freed = async {
        while passwords.run(OURS, |_| ()).await.is_err() {
            tokio::task::yield_now().await
        }
    };
    tokio::time::timeout(Duration::from_secs(30), freed).await.unwrap();
}

/// A caller that gives up while it waits leaves the queue.
#[tokio::test]
async fn an_abandoned_place_in_the_queue_is_free_again() {
    let passwords = pool(1, 1);
    let working = passwords.queue.turn(OURS).await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(20), passwords.run(OURS, |_| ()));
    assert!(waiting.await.is_err(), "it waits for its turn");
    let (next, ()) = tokio::join!(passwords.run(OURS, |_| 1), async { drop(working) });
    assert_eq!(next, Ok(1));
    assert_eq!(passwords.load(), (0, 0));
}

/// attacks.md U02, a flood: who comes from elsewhere is served next, and gets a place although there is none.
#[tokio::test]
async fn a_crowd_at_one_place_does_not_hold_up_another() {
    let passwords = pool(1, 3);
    let working = passwords.queue.turn("flood").await.unwrap();
    let done = std::sync::Mutex::new(Vec::new());
    let attempt = |place: &'static str| {
        let (passwords, done) = (&passwords, &done);
        async move {
            let outcome = passwords.run(place, |_| ()).await;
            done.lock().unwrap().push((place, outcome));
        }
    };
    tokio::join!(
        attempt("flood"),
        attempt("flood"),
        attempt("flood"),
        attempt("flood"),
        attempt("home"),
        async { drop(working) },
    );
    let busy = ("flood", Err(PasswordError::Busy));
    let expected = [busy, busy, ("home", Ok(())), ("flood", Ok(())), ("flood", Ok(()))];
    assert_eq!(done.into_inner().unwrap(), expected);
}

/// Nobody waits for ever: then the answer is 503.
#[tokio::test]
async fn a_turn_that_does_not_come_is_given_up() {
    let queue = Queue::new(Limits { concurrent: 1, queued: 1 }, Duration::from_millis(10));
    let _working = queue.turn(OURS).await.unwrap();
    assert_eq!(queue.turn(OURS).await.err(), Some(PasswordError::Busy));
}

#[tokio::test]
async fn work_that_panics_gives_its_place_back() {
    let passwords = pool(1, 0);
    let outcome: Result<(), _> = passwords.run(OURS, |_| panic!("on purpose")).await;
    assert_eq!(outcome, Err(PasswordError::Failed));
    assert_eq!(passwords.run(OURS, |_| ()).await, Ok(()));
}

#[tokio::test]
async fn limits_at_the_ends_are_held_within_reason() {
    for (concurrent, queued) in [(0, 0), (usize::MAX, usize::MAX)] {
        assert!(pool(concurrent, queued).queue.turn(OURS).await.is_ok());
    }
    assert!(Limits::default().concurrent >= 1);
}

#[test]
fn a_printed_scheme_shows_no_hash() {
    let scheme: Scheme = "$pbkdf2-sha256$i=1$c2FsdHNhbHQ$ABCDEFGHIJKLMNOPQRSTUQ".parse().unwrap();
    assert_eq!(format!("{scheme:?}"), "Pbkdf2(***)");
}

proptest! {
    #[test]
    fn any_text_is_answered(text: String) {
        let _ = text.parse::<Scheme>();
    }

    #[test]
    fn what_is_read_is_written_alike(
        text in r"\$(argon2id\$v=19\$m=[0-9]{1,4},t=[0-9]{1,2},p=[0-9]|pbkdf2-sha(1|256|512)\$i=[0-9]{1,5})\$[A-Za-z0-9+/]{8,30}\$[A-Za-z0-9+/]{16,90}"
    ) {
        if let Ok(scheme) = text.parse::<Scheme>() {
            prop_assert_eq!(scheme.to_string(), text);
        }
    }

    #[test]
    fn every_change_of_a_good_hash_is_refused_or_another_hash(at: prop::sample::Index, to: char) {
        let good = "$argon2id$v=19$m=256,t=1,p=1$c2FsdHNhbHQ$ABCDEFGHIJKLMNOPQRSTUQ";
        let mut other: Vec<char> = good.chars().collect();
        let at = at.index(other.len());
        prop_assume!(other[at] != to);
        other[at] = to;
        let other: String = other.into_iter().collect();
        if let Ok(scheme) = other.parse::<Scheme>() {
            prop_assert_ne!(scheme, good.parse::<Scheme>().unwrap());
        }
    }
}
