//! Key sets of a listener that counts how often it is asked (attacks J02; OpenID Connect Core §10.1.1).

use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderValue, StatusCode};
use axum::routing::get;
use serde_json::json;

use super::*;
use crate::config::Outbound;
use crate::protocol::outbound::OutboundRules;
use crate::signer::SigningKey;

/// A place that publishes keys.
struct Publisher {
    url: String,
    asked: Arc<AtomicUsize>,
    status: Arc<AtomicU16>,
    keys: Arc<StdMutex<Vec<serde_json::Value>>>,
}

impl Publisher {
    async fn of(keys: &[&SigningKey], cache_control: &'static str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let this = Self { url, asked: Arc::default(), status: Arc::new(200.into()), keys: Arc::default() };
        this.publish(keys);
        let (asked, status, keys) =
            (Arc::clone(&this.asked), Arc::clone(&this.status), Arc::clone(&this.keys));
        let answer = move || {
            asked.fetch_add(1, Ordering::SeqCst);
            let status = StatusCode::from_u16(status.load(Ordering::SeqCst)).unwrap();
            let body = json!({ "keys": *keys.lock().unwrap() }).to_string();
            let age = [(CACHE_CONTROL, HeaderValue::from_static(cache_control))];
            async move {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                (status, age, body)
            }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/jwks", get(answer))).await });
        this
    }

    fn publish(&self, keys: &[&SigningKey]) {
        *self.keys.lock().unwrap() = keys.iter().map(|key| key.public_jwk().clone()).collect();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn key_sets(clock: &Clock) -> Arc<KeySets> {
    let rules = OutboundRules { private: true, http: true };
    let fetcher = Fetcher::new(&Outbound { rules, ca_files: Vec::new() }).unwrap();
    Arc::new(KeySets::new(fetcher, clock.clone()))
}

fn fresh_key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDSA).unwrap()
}

fn token(key: &SigningKey) -> String {
    key.sign("JWT", &json!({ "sub": "app" })).unwrap()
}

#[tokio::test]
async fn a_set_is_fetched_once_while_it_is_fresh() {
    let (clock, key) = (Clock::frozen(Timestamp(1_000)), fresh_key());
    for (cache_control, seconds) in
        [("max-age=120", 120), ("public, max-age=86400", 600), ("no-store", 600), ("max-age=0", 10)]
    {
        let there = Publisher::of(&[&key], cache_control).await;
        let sets = key_sets(&clock);
        for _ in 0..3 {
            sets.verify(&there.url, &token(&key), &Algorithm::ALL).await.unwrap();
        }
        clock.advance(seconds - 1);
        sets.verify(&there.url, &token(&key), &Algorithm::ALL).await.unwrap();
        assert_eq!(there.asked(), 1, "{cache_control}");
        clock.advance(1);
        sets.verify(&there.url, &token(&key), &Algorithm::ALL).await.unwrap();
        assert_eq!(there.asked(), 2, "{cache_control}");
    }
}

#[tokio::test]
async fn openid_core_10_1_1_a_rotated_key_is_found() {
    let (clock, old, new) = (Clock::frozen(Timestamp(1_000)), fresh_key(), fresh_key());
    let there = Publisher::of(&[&old], "max-age=600").await;
    let sets = key_sets(&clock);
    sets.verify(&there.url, &token(&old), &Algorithm::ALL).await.unwrap();
    there.publish(&[&new]);
    clock.advance(PAUSE);
    sets.verify(&there.url, &token(&new), &Algorithm::ALL).await.unwrap();
    let refused = sets.verify(&there.url, &token(&old), &Algorithm::ALL).await;
    assert!(matches!(refused, Err(KeySetError::Token(TokenError::UnknownKey))), "{refused:?}");
    assert_eq!(there.asked(), 2);
}

#[tokio::test]
async fn j02_ten_thousand_unknown_keys_ask_once_in_ten_seconds() {
    let (clock, key, stranger) = (Clock::frozen(Timestamp(1_000)), fresh_key(), fresh_key());
    let there = Publisher::of(&[&key], "").await;
    let sets = key_sets(&clock);
    let odd = token(&stranger);
    for _ in 0..10_000 {
        assert!(sets.verify(&there.url, &odd, &Algorithm::ALL).await.is_err());
    }
    assert_eq!(there.asked(), 1);
    clock.advance(PAUSE);
    for _ in 0..10 {
        assert!(sets.verify(&there.url, &odd, &Algorithm::ALL).await.is_err());
    }
    assert_eq!(there.asked(), 2);
    sets.verify(&there.url, &token(&key), &Algorithm::ALL).await.unwrap();
}

#[tokio::test]
async fn many_callers_wait_for_one_request() {
    let (clock, key) = (Clock::frozen(Timestamp(1_000)), fresh_key());
    let there = Publisher::of(&[&key], "").await;
    let (sets, good) = (key_sets(&clock), token(&key));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let (sets, url, good) = (Arc::clone(&sets), there.url.clone(), good.clone());
            tokio::spawn(async move { sets.verify(&url, &good, &Algorithm::ALL).await.is_ok() })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap());
    }
    assert_eq!(there.asked(), 1);
}

/// A stranger who asks and goes away must not leave everybody else to wait.
#[tokio::test]
async fn a_caller_who_gives_up_stops_no_request() {
    let (clock, key) = (Clock::frozen(Timestamp(1_000)), fresh_key());
    let there = Publisher::of(&[&key], "").await;
    let (sets, token) = (key_sets(&clock), token(&key));
    let hasty = sets.verify(&there.url, &token, &Algorithm::ALL);
    tokio::time::timeout(std::time::Duration::from_millis(1), hasty).await.unwrap_err();
    sets.verify(&there.url, &token, &Algorithm::ALL).await.unwrap();
    assert_eq!(there.asked(), 1);
}

#[tokio::test]
async fn a_failure_is_forgotten_after_ten_seconds_and_an_old_set_is_not_used_beyond_its_time() {
    let (clock, key) = (Clock::frozen(Timestamp(1_000)), fresh_key());
    let there = Publisher::of(&[&key], "max-age=60").await;
    let sets = key_sets(&clock);
    there.status.store(503, Ordering::SeqCst);
    let verify = async || sets.verify(&there.url, &token(&key), &Algorithm::ALL).await;
    assert!(matches!(verify().await, Err(KeySetError::Status(503))));
    there.status.store(200, Ordering::SeqCst);
    assert!(matches!(verify().await, Err(KeySetError::Pausing)), "too early to ask again");
    clock.advance(PAUSE);
    assert!(verify().await.is_ok());
    there.status.store(503, Ordering::SeqCst);
    clock.advance(59);
    assert!(verify().await.is_ok(), "a fresh set needs nobody");
    clock.advance(1);
    assert!(matches!(verify().await, Err(KeySetError::Status(503))));
    assert_eq!(there.asked(), 3);
}

#[tokio::test]
async fn what_is_no_set_is_not_used() {
    let (clock, key) = (Clock::frozen(Timestamp(1_000)), fresh_key());
    let there = Publisher::of(&[], "").await;
    there.keys.lock().unwrap().push(json!({ "kty": "oct", "k": "AQ" }));
    let refused = key_sets(&clock).verify(&there.url, &token(&key), &Algorithm::ALL).await;
    assert!(matches!(refused, Err(KeySetError::Set(JwkFault::Symmetric))), "{refused:?}");
}
