//! What `/metrics` shows, in OpenMetrics text.
//!
//! Every label comes from a set that a client cannot widen: routes as they stand in the route table, methods
//! that we know, grants and outcomes that are literals of the source.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::MatchedPath;
use axum::http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::process;

/// Upper bounds of the duration buckets, in seconds: from a cached document to a password hash in a queue.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: Route,
    status: u16,
}

/// The route of a request as it stands in the route table: a label that costs nothing to hand on.
#[derive(Clone, Debug)]
pub enum Route {
    /// As the router found it.
    Matched(MatchedPath),
    /// Of a document that was answered without the router.
    Known(Arc<Known>),
    /// No route has the address.
    Unmatched,
}

/// The route of a document that is answered without the router, and where its good answers are counted: to look for that
/// each time would be a good part of the whole answer.
#[derive(Debug)]
pub struct Known {
    pattern: String,
    answered: OnceLock<Histogram>,
}

impl Route {
    /// The route of a document that only `GET` asks for, of one server.
    #[must_use]
    pub fn known(pattern: impl Into<String>) -> Self {
        Self::Known(Arc::new(Known { pattern: pattern.into(), answered: OnceLock::new() }))
    }

    /// The pattern, never the path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Matched(path) => path.as_str(),
            Self::Known(known) => &known.pattern,
            Self::Unmatched => "unmatched",
        }
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        EncodeLabelValue::encode(&self.as_str(), encoder)
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct GrantLabels {
    grant: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

type Probe = Box<dyn Fn(&Metrics) + Send + Sync>;

/// The numbers of one server. Clones share them.
#[derive(Clone)]
pub struct Metrics(Arc<Numbers>);

struct Numbers {
    registry: Registry,
    probes: Mutex<Vec<Probe>>,
    begun: Instant,
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    connections: Gauge,
    refused: Counter,
    tokens: Family<GrantLabels, Counter>,
    sign_ins: Family<OutcomeLabels, Counter>,
    backchannel_logouts: Family<OutcomeLabels, Counter>,
    devices: Family<OutcomeLabels, Counter>,
    hashing: Family<StateLabels, Gauge>,
    hashes: Gauge,
    pool: Family<StateLabels, Gauge>,
    resident: Gauge,
    files: Gauge,
    uptime: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Metrics")
    }
}

impl Metrics {
    /// All numbers at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut numbers = Numbers {
            registry: Registry::default(),
            probes: Mutex::default(),
            begun: Instant::now(),
            requests: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            connections: Gauge::default(),
            refused: Counter::default(),
            tokens: Family::default(),
            sign_ins: Family::default(),
            backchannel_logouts: Family::default(),
            devices: Family::default(),
            hashing: Family::default(),
            hashes: Gauge::default(),
            pool: Family::default(),
            resident: Gauge::default(),
            files: Gauge::default(),
            uptime: Gauge::default(),
        };
        numbers.register();
        Self(Arc::new(numbers))
    }

    /// Counts an answered request.
    pub fn request(&self, method: &Method, route: Route, status: StatusCode, took: Duration) {
        let at_hand = match &route {
            Route::Known(known) if *method == Method::GET && status == StatusCode::OK => {
                Some(Arc::clone(known))
            }
            _ => None,
        };
        let find = || {
            let labels = RequestLabels { method: known(method), route, status: status.as_u16() };
            self.0.requests.get_or_create(&labels).clone()
        };
        match &at_hand {
            Some(known) => known.answered.get_or_init(find).observe(took.as_secs_f64()),
            None => find().observe(took.as_secs_f64()),
        }
    }

    /// Counts an open connection until the value is dropped.
    #[must_use]
    pub fn connection_opened(&self) -> OpenConnection {
        self.0.connections.inc();
        OpenConnection(self.0.connections.clone())
    }

    /// Counts a connection that was refused since there were too many.
    pub fn connection_refused(&self) {
        self.0.refused.inc();
    }

    /// Counts a token response by grant, such as `authorization_code`.
    pub fn tokens_issued(&self, grant: &'static str) {
        self.0.tokens.get_or_create(&GrantLabels { grant }).inc();
    }

    /// Counts a sign-in by outcome, such as `success`, `invalid_user_credentials` or `too_many_attempts`.
    pub fn sign_in(&self, outcome: &'static str) {
        self.0.sign_ins.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Counts an attempt to tell a client of a logout: `told`, `failed` (it is tried again), `postponed` (for trouble of
    /// ours) or `given_up`.
    pub fn backchannel_logout(&self, outcome: &'static str) {
        self.0.backchannel_logouts.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Counts a step of a device's way to tokens: `asked`, `too_many`, `wrong_code`, `approved` or `denied`.
    pub fn device(&self, outcome: &'static str) {
        self.0.devices.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// How many password hashes are being made and how many wait.
    pub fn hashing(&self, running: usize, queued: usize) {
        set_state(&self.0.hashing, "running", running);
        set_state(&self.0.hashing, "queued", queued);
    }

    /// How many password hashes were made since the start.
    pub fn hashes_made(&self, made: u64) {
        self.0.hashes.set(i64::try_from(made).unwrap_or(i64::MAX));
    }

    /// How many database connections are in use and how many are at rest.
    pub fn database_pool(&self, used: usize, idle: usize) {
        set_state(&self.0.pool, "used", used);
        set_state(&self.0.pool, "idle", idle);
    }

    /// Calls `probe` before each reading, for numbers that are looked up rather than counted.
    pub fn before_reading(&self, probe: impl Fn(&Metrics) + Send + Sync + 'static) {
        self.0.probes.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(probe));
    }

    /// Everything, as [`CONTENT_TYPE`].
    #[must_use]
    pub fn text(&self) -> String {
        for probe in self.0.probes.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            probe(self);
        }
        self.0.resident.set(process::resident_bytes());
        self.0.files.set(process::open_files());
        self.0.uptime.set(i64::try_from(self.0.begun.elapsed().as_secs()).unwrap_or(i64::MAX));
        let mut out = String::new();
        if let Err(error) = text::encode(&mut out, &self.0.registry) {
            tracing::error!(%error, "cannot write metrics");
        }
        out
    }
}

/// One open connection; counted until it is dropped.
#[derive(Debug)]
pub struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Numbers {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("vestibule_build", "The running program", build);
        registry.register_with_unit(
            "vestibule_http_request_duration",
            "Answered requests by method, route and status",
            Unit::Seconds,
            self.requests.clone(),
        );
        registry.register("vestibule_http_connections", "Open connections", self.connections.clone());
        registry.register(
            "vestibule_http_connections_refused",
            "Connections refused at the limit",
            self.refused.clone(),
        );
        registry.register("vestibule_tokens_issued", "Token responses by grant", self.tokens.clone());
        registry.register("vestibule_sign_ins", "Sign-ins by outcome", self.sign_ins.clone());
        registry.register(
            "vestibule_backchannel_logouts",
            "Attempts to tell a client of a logout, by outcome",
            self.backchannel_logouts.clone(),
        );
        registry.register("vestibule_devices", "Steps of devices to tokens by outcome", self.devices.clone());
        registry.register("vestibule_password_hashes", "Password hashes at work", self.hashing.clone());
        registry.register(
            "vestibule_password_hashes_made",
            "Password hashes since the start",
            self.hashes.clone(),
        );
        registry.register(
            "vestibule_database_connections",
            "Database connections by state",
            self.pool.clone(),
        );
        registry.register("process_resident_memory_bytes", "Resident memory", self.resident.clone());
        registry.register("process_open_fds", "Open files", self.files.clone());
        registry.register_with_unit(
            "vestibule_uptime",
            "Time since the start",
            Unit::Seconds,
            self.uptime.clone(),
        );
    }
}

fn set_state(family: &Family<StateLabels, Gauge>, state: &'static str, value: usize) {
    family.get_or_create(&StateLabels { state }).set(i64::try_from(value).unwrap_or(i64::MAX));
}

fn known(method: &Method) -> &'static str {
    let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
    methods.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_shown() {
        let metrics = Metrics::new();
        let same = metrics.clone();
        same.request(&Method::POST, Route::known("/token"), StatusCode::OK, Duration::from_millis(3));
        let document = Route::known("/keys");
        for (method, status) in
            [(Method::GET, 200), (Method::GET, 200), (Method::GET, 304), (Method::HEAD, 200)]
        {
            let status = StatusCode::from_u16(status).unwrap();
            same.request(&method, document.clone(), status, Duration::ZERO);
        }
        same.request(
            &Method::from_bytes(b"BREW").unwrap(),
            Route::Unmatched,
            StatusCode::NOT_FOUND,
            Duration::ZERO,
        );
        same.tokens_issued("client_credentials");
        same.sign_in("invalid_user_credentials");
        same.device("asked");
        same.connection_refused();
        let open = same.connection_opened();
        same.before_reading(|metrics| metrics.hashing(2, 7));
        same.before_reading(|metrics| metrics.database_pool(1, 3));
        let text = metrics.text();
        let lines = [
            r#"vestibule_http_request_duration_seconds_count{method="POST",route="/token",status="200"} 1"#,
            r#"vestibule_http_request_duration_seconds_bucket{le="0.005",method="POST",route="/token",status="200"} 1"#,
            r#"vestibule_http_request_duration_seconds_count{method="OTHER",route="unmatched",status="404"} 1"#,
            r#"vestibule_http_request_duration_seconds_count{method="GET",route="/keys",status="200"} 2"#,
            r#"vestibule_http_request_duration_seconds_count{method="GET",route="/keys",status="304"} 1"#,
            r#"vestibule_http_request_duration_seconds_count{method="HEAD",route="/keys",status="200"} 1"#,
            r#"vestibule_tokens_issued_total{grant="client_credentials"} 1"#,
            r#"vestibule_sign_ins_total{outcome="invalid_user_credentials"} 1"#,
            r#"vestibule_devices_total{outcome="asked"} 1"#,
            "vestibule_http_connections_refused_total 1",
            "vestibule_http_connections 1",
            r#"vestibule_password_hashes{state="queued"} 7"#,
            r#"vestibule_database_connections{state="idle"} 3"#,
            concat!("vestibule_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
            "vestibule_uptime_seconds 0",
            "# EOF",
        ];
        for line in lines {
            assert!(text.lines().any(|own| own == line), "{line}\nin\n{text}");
        }
        drop(open);
        assert!(metrics.text().contains("vestibule_http_connections 0"));
    }
}
