//! The management port: health and metrics, for orchestrators and Prometheus, never for the public.
//!
//! Owns the addresses and Keycloak's JSON shape, since its probes are what people have. Leaves to the caller
//! how the database is asked.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::server::Shutdown;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::CONTENT_TYPE as METRICS_TYPE;

/// A database that takes longer counts as down. Shorter than any probe's own patience.
const DATABASE_DEADLINE: Duration = Duration::from_millis(500);

type Reachable = Pin<Box<dyn Future<Output = bool> + Send>>;

/// What the management port tells.
#[derive(Clone)]
pub struct Management {
    metrics: Metrics,
    shutdown: Shutdown,
    started: Arc<AtomicBool>,
    database: Arc<dyn Fn() -> Reachable + Send + Sync>,
}

impl Management {
    /// `database` says whether the database answers; it is dropped when it takes too long. `shutdown` is the
    /// one of the main port.
    pub fn new<F, R>(metrics: Metrics, shutdown: Shutdown, database: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = bool> + Send + 'static,
    {
        let database = Arc::new(move || -> Reachable { Box::pin(database()) });
        Self { metrics, shutdown, started: Arc::default(), database }
    }

    /// Says that the main port answers from here on.
    pub fn started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// The routes of the management port.
    pub fn router(self) -> Router {
        self.clone().health().merge(Router::new().route("/metrics", get(metrics)).with_state(self))
    }

    /// Those that tell of health alone.
    pub fn health(self) -> Router {
        Router::new()
            .route("/health", get(ready))
            .route("/health/ready", get(ready))
            .route("/health/live", get(live))
            .route("/health/started", get(has_started))
            .with_state(self)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Up,
    Down,
}

impl From<bool> for Status {
    fn from(up: bool) -> Self {
        if up { Self::Up } else { Self::Down }
    }
}

#[derive(Serialize)]
struct Check {
    name: &'static str,
    status: Status,
}

#[derive(Serialize)]
struct Health {
    status: Status,
    checks: Vec<Check>,
}

impl Health {
    fn of(checks: Vec<Check>) -> Self {
        Self { status: checks.iter().all(|check| check.status == Status::Up).into(), checks }
    }
}

impl IntoResponse for Health {
    fn into_response(self) -> Response {
        let status = if self.status == Status::Up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, [("cache-control", "no-store")], Json(self)).into_response()
    }
}

/// Up while the process can answer at all: a restart would not cure a database.
async fn live() -> Health {
    Health::of(Vec::new())
}

async fn has_started(State(management): State<Management>) -> Health {
    Health::of(vec![management.start_check()])
}

async fn ready(State(management): State<Management>) -> Health {
    let answer = tokio::time::timeout(DATABASE_DEADLINE, (management.database)()).await;
    let database =
        Check { name: "Database connections health check", status: answer.unwrap_or(false).into() };
    let serving = Check { name: "Serving", status: (!management.shutdown.is_begun()).into() };
    Health::of(vec![database, management.start_check(), serving])
}

async fn metrics(State(management): State<Management>) -> Response {
    ([(CONTENT_TYPE, METRICS_TYPE)], management.metrics.text()).into_response()
}

impl Management {
    fn start_check(&self) -> Check {
        Check { name: "Started", status: self.started.load(Ordering::Relaxed).into() }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;

    fn management(answers: impl Fn() -> bool + Send + Sync + 'static) -> Management {
        let management =
            Management::new(Metrics::new(), Shutdown::new(), move || std::future::ready(answers()));
        management.started();
        management
    }

    async fn ask(management: &Management, path: &str) -> (u16, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = management.clone().router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    #[tokio::test]
    async fn all_is_well() {
        let well = management(|| true);
        for path in ["/health", "/health/ready", "/health/live", "/health/started"] {
            let (status, body) = ask(&well, path).await;
            assert_eq!((status, &body["status"]), (200, &json!("UP")), "{path}");
        }
        let (_, ready) = ask(&well, "/health/ready").await;
        let database = json!({"name": "Database connections health check", "status": "UP"});
        assert_eq!(ready["checks"][0], database);
        let metrics =
            well.router().oneshot(Request::get("/metrics").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(metrics.headers()[CONTENT_TYPE], METRICS_TYPE);
    }

    #[tokio::test]
    async fn a_database_that_is_away_is_no_reason_to_restart() {
        let away = management(|| false);
        assert_eq!(ask(&away, "/health/live").await.0, 200);
        let (status, body) = ask(&away, "/health/ready").await;
        assert_eq!(
            (status, &body["status"], &body["checks"][0]["status"]),
            (503, &json!("DOWN"), &json!("DOWN"))
        );
    }

    #[tokio::test]
    async fn a_database_that_hangs_is_down_after_half_a_second() {
        let hanging = Management::new(Metrics::new(), Shutdown::new(), std::future::pending::<bool>);
        let begun = std::time::Instant::now();
        assert_eq!(ask(&hanging, "/health/ready").await.0, 503);
        assert!(begun.elapsed() >= DATABASE_DEADLINE);
    }

    #[tokio::test]
    async fn draining_is_not_ready_and_a_start_not_done_is_not_started() {
        let draining = management(|| true);
        draining.shutdown.begin();
        assert_eq!(ask(&draining, "/health/ready").await.0, 503);
        assert_eq!(ask(&draining, "/health/live").await.0, 200);
        let starting = Management::new(Metrics::new(), Shutdown::new(), || std::future::ready(true));
        assert_eq!(ask(&starting, "/health/started").await.0, 503);
        assert_eq!(ask(&starting, "/health/ready").await.0, 503);
    }
}
