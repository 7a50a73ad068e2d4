//! A client's own server, which hears what ours posts to it.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;

/// Listens on a free port of loopback.
#[derive(Clone)]
pub(crate) struct Hearing {
    /// Where it is posted to.
    pub(crate) address: String,
    heard: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    status: Arc<AtomicU16>,
}

impl Hearing {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/logout", listener.local_addr().unwrap());
        let heard: Arc<Mutex<Vec<(HeaderMap, String)>>> = Arc::default();
        let status = Arc::new(AtomicU16::new(200));
        let (keep, answer) = (Arc::clone(&heard), Arc::clone(&status));
        let take = move |headers: HeaderMap, body: String| async move {
            keep.lock().unwrap().push((headers, body));
            let status = answer.load(Ordering::Relaxed);
            if status == 0 {
                std::future::pending::<()>().await;
            }
            StatusCode::from_u16(status).unwrap()
        };
        let router = Router::new().route("/logout", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, heard, status }
    }

    /// Publishes a key set, and hears who asks for it.
    pub(crate) async fn of_keys(jwks: serde_json::Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/jwks", listener.local_addr().unwrap());
        let heard: Arc<Mutex<Vec<(HeaderMap, String)>>> = Arc::default();
        let keep = Arc::clone(&heard);
        let tell = move |headers: HeaderMap| async move {
            keep.lock().unwrap().push((headers, String::new()));
            axum::Json(jwks)
        };
        let router = Router::new().route("/jwks", axum::routing::get(tell));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, heard, status: Arc::default() }
    }

    /// Answers with `status` from now on; 0: never.
    pub(crate) fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// Waits for the post number `count`, counted from one.
    pub(crate) async fn post(&self, count: usize) -> (HeaderMap, String) {
        for _ in 0..400 {
            if let Some(post) = self.heard.lock().unwrap().get(count - 1) {
                return post.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("post {count} did not come, {} did", self.count());
    }

    /// The logout token of that post.
    pub(crate) async fn logout_token(&self, count: usize) -> String {
        let (_, body) = self.post(count).await;
        let token = body.strip_prefix("logout_token=").unwrap();
        assert!(!token.contains('&'), "the token and nothing else: {body}");
        token.to_owned()
    }

    /// Asserts that no further post comes for a while.
    pub(crate) async fn nothing_after(&self, count: usize) {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(self.count(), count);
    }
}
