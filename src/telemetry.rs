//! Logs and metrics.
//!
//! Owns the set-up of structured logs on standard error, the request id, and in [`metrics`] what `/metrics`
//! shows. Leaves what is worth saying to whoever knows it. Audit events are no logs: they are rows.
//!
//! A secret never reaches a log: values that hold one do not implement `Debug` with it, other people's crates
//! are heard from `warn` on only, whatever the level, since some of them print headers and statements below
//! that, and a panic's message is withheld unless it is a literal of the source.

pub mod metrics;
mod process;
mod writer;

use std::any::Any;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::panic::PanicHookInfo;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use metrics::Metrics;

use writer::OneLine;

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object per line.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The level is neither one of error, warn, info, debug, trace, nor a list of directives.
    #[error(
        "{0:?} is no log level: use error, warn, info, debug or trace, or directives such as info,vestibule::store=debug"
    )]
    Level(String),
    /// Somebody has set up logging in this process before.
    #[error("logging is set up already")]
    Twice,
}

/// Sends logs to standard error from here on and panics into the logs.
///
/// `level` is one of error, warn, info, debug, trace, for our own code; or a list of levels by module, as `tracing`'s
/// `Targets` reads it.
///
/// # Errors
/// [`TelemetryError`] for a level that cannot be read, or when it was done before.
pub fn init(format: LogFormat, level: &str) -> Result<(), TelemetryError> {
    let filter = filter(level)?;
    let builder = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(|| OneLine(std::io::stderr()))
        .with_ansi(false)
        .with_span_events(FmtSpan::NONE);
    let done = match format {
        LogFormat::Text => builder.with_target(true).finish().with(filter).try_init(),
        LogFormat::Json => {
            builder.json().flatten_event(true).with_span_list(false).finish().with(filter).try_init()
        }
    };
    done.map_err(|_| TelemetryError::Twice)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Whether `level` is one that [`init`] takes.
///
/// # Errors
/// [`TelemetryError::Level`].
pub fn check_level(level: &str) -> Result<(), TelemetryError> {
    filter(level).map(|_| ())
}

fn filter(level: &str) -> Result<Targets, TelemetryError> {
    let refused = || TelemetryError::Level(level.to_owned());
    let directives = match level {
        "error" => "error".to_owned(),
        "warn" | "info" | "debug" | "trace" => format!("warn,vestibule={level}"),
        // The filter reads a word that it does not know as the name of a target, and then logs nothing.
        word if !word.contains([',', '=']) => return Err(refused()),
        list => format!("warn,{list}"),
    };
    directives.parse().map_err(|_| refused())
}

/// The panic hook of [`init`]: says where, and what as far as it can hold nothing of anybody's.
pub fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, message = literal(panic.payload()), "panic");
}

/// A panic's message, when it is a literal of the source: a formatted one may hold what a client sent.
fn literal(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(message withheld)")
}

/// Names one request in logs, in the `x-request-id` header, on error pages and in audit rows. Made here for
/// each request: one that a client sent would let it write into our logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId([u8; ID_LENGTH]);

/// Characters of a [`RequestId`].
const ID_LENGTH: usize = 22;

impl RequestId {
    /// A new id: a UUIDv7 as 22 characters of base64url, so that ids sort roughly by time.
    #[must_use]
    pub fn fresh() -> Self {
        let (seconds, nanos) = uuid::Timestamp::now(uuid::NoContext).to_unix();
        let millis = seconds.saturating_mul(1_000).saturating_add(u64::from(nanos / 1_000_000));
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &unguessed()).into_uuid();
        let mut text = [b'-'; ID_LENGTH];
        // Sixteen bytes are always as many characters.
        let _ = URL_SAFE_NO_PAD.encode_slice(uuid.as_bytes(), &mut text);
        Self(text)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

/// Ten bytes that never come twice from this process, and tell nobody how many came before. Asking the system for them
/// would cost as much as the whole answer to a small request; these are names, no secrets.
fn unguessed() -> [u8; 10] {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static MADE: AtomicU64 = AtomicU64::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let halves = [KEY.hash_one((0, number)), KEY.hash_one((1, number))];
    let mut bytes = [0; 10];
    for (byte, made) in bytes.iter_mut().zip(halves.iter().flat_map(|half| half.to_le_bytes())) {
        *byte = made;
    }
    bytes
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        for level in
            ["error", "warn", "info", "debug", "trace", "info,vestibule::store=debug", "vestibule=off"]
        {
            assert!(check_level(level).is_ok(), "{level}");
        }
        for level in ["", "loud", "INFO ", "vestibule=loud"] {
            assert!(check_level(level).is_err(), "{level:?}");
        }
    }

    #[test]
    fn g01_a_panic_tells_no_value() {
        let secret = std::hint::black_box("canary");
        let told =
            |panics: fn(&str)| literal(std::panic::catch_unwind(|| panics(secret)).unwrap_err().as_ref());
        assert_eq!(told(|_| panic!("a literal")), "a literal");
        assert_eq!(told(|secret| panic!("no {secret}")), "(message withheld)");
        assert_eq!(told(|_| std::panic::panic_any(7)), "(message withheld)");
    }

    #[test]
    fn other_crates_stay_quiet_at_every_level() {
        assert_eq!(filter("trace").unwrap().to_string(), "vestibule=trace,warn");
    }

    #[test]
    fn request_ids_are_short_distinct_and_fit_a_header() {
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| RequestId::fresh()).collect();
        assert_eq!(ids.len(), 1000);
        for id in &ids {
            assert_eq!(id.as_str().len(), 22);
            assert_eq!(id.header().to_str().unwrap(), id.as_str());
        }
    }
}
