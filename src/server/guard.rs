//! What stands around every endpoint: request id, access line, metrics, time limit, caught panics.
//!
//! One layer instead of five, since each layer of a router costs an allocation per request.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use tower::{Layer, Service};
use tracing::Instrument;

use super::{Limits, MAX_TARGET_BYTES};
use crate::telemetry::{Metrics, RequestId};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// `router` with the guards around each of its routes and its fallback.
pub fn guarded(router: Router, limits: &Limits, metrics: Metrics) -> Router {
    let rules = Rules { metrics, request: limits.request_timeout, body_bytes: limits.body_bytes as u64 };
    router.layer(Guard(rules))
}

/// Why a request is refused before an endpoint sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Objection {
    /// `Content-Length` and `Transfer-Encoding`, or either of them twice.
    TwoFramings,
    /// A target above [`MAX_TARGET_BYTES`].
    LongTarget,
    /// A body whose announced length is above the limit.
    LargeBody,
}

impl Objection {
    fn response(self) -> Response {
        let (status, error, description) = match self {
            Self::TwoFramings => {
                (StatusCode::BAD_REQUEST, "invalid_request", "the length of the body is given in two ways")
            }
            Self::LongTarget => (StatusCode::URI_TOO_LONG, "invalid_request", "the address is too long"),
            Self::LargeBody => (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "the body is too large"),
        };
        let mut response = json(status, error, Some(description));
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

#[derive(Clone)]
struct Rules {
    metrics: Metrics,
    request: Duration,
    body_bytes: u64,
}

impl Rules {
    fn objection(&self, request: &Request) -> Option<Objection> {
        let length =
            request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
        if let Some(objection) = request.extensions().get::<Objection>() {
            Some(*objection)
        } else if target > MAX_TARGET_BYTES {
            Some(Objection::LongTarget)
        } else {
            length.filter(|bytes| *bytes > self.body_bytes).map(|_| Objection::LargeBody)
        }
    }
}

#[derive(Clone)]
struct Guard(Rules);

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, rules: self.0.clone() }
    }
}

#[derive(Clone)]
struct Guarded<S> {
    inner: S,
    rules: Rules,
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let rules = self.rules.clone();
        let begun = Instant::now();
        let id = RequestId::fresh();
        let span = tracing::info_span!("request", id = %id);
        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let header = id.header();
        request.extensions_mut().insert(id);
        let guarded = async move {
            let mut response = match rules.objection(&request) {
                Some(objection) => objection.response(),
                None => {
                    within(rules.request, CaughtPanic(Box::pin(async move { inner.call(request).await })))
                        .await
                }
            };
            response.headers_mut().insert(REQUEST_ID, header);
            // No answer of ours is to be taken for anything but what it says it is.
            response.headers_mut().entry(X_CONTENT_TYPE_OPTIONS).or_insert(NOSNIFF);
            let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
            let status = response.status();
            let took = begun.elapsed();
            rules.metrics.request(&method, route, status, took);
            let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            let status = status.as_u16();
            tracing::debug!(target: "vestibule::access", method = method.as_str(), route, status, micros, "answered");
            Ok(response)
        };
        Box::pin(guarded.instrument(span))
    }
}

async fn within(
    limit: Duration,
    response: impl Future<Output = Option<Result<Response, Infallible>>>,
) -> Response {
    match tokio::time::timeout(limit, response).await {
        Ok(Some(Ok(response))) => response,
        Ok(None) => json(StatusCode::INTERNAL_SERVER_ERROR, "server_error", None),
        Err(_) => {
            tracing::warn!("no answer within the time for a request");
            let mut response = json(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", None);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            response
        }
    }
}

fn json(status: StatusCode, error: &str, description: Option<&str>) -> Response {
    let body = match description {
        Some(description) => serde_json::json!({ "error": error, "error_description": description }),
        None => serde_json::json!({ "error": error }),
    };
    let no_store = [("cache-control", "no-store")];
    (status, no_store, axum::Json(body)).into_response()
}

/// A future whose panic becomes `None`. The panic hook has logged it by then.
struct CaughtPanic<F>(Pin<Box<F>>);

impl<F: Future> Future for CaughtPanic<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // The future is dropped after a panic and never polled again, so nobody sees it half changed.
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        }
    }
}
