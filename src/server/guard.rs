//! What stands around every endpoint: request id, access line, metrics, time limit, caught panics.
//!
//! One layer instead of five, since each layer of a router costs an allocation per request.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::header::{ACCEPT, CONNECTION, CONTENT_LENGTH, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use tower::{Layer, Service};
use tracing::Instrument;

use super::{Apology, Limits, MAX_TARGET_BYTES};
use crate::telemetry::metrics::Route;
use crate::telemetry::{Metrics, RequestId};

/// Names the request, in every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// Whom access lines are from, in the log.
pub(super) const ACCESS: &str = "vestibule::access";

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

/// What the guards go by.
#[derive(Clone)]
pub(super) struct Rules {
    metrics: Metrics,
    request: Duration,
    body_bytes: u64,
    apology: Option<Apology>,
    roomy: &'static [&'static str],
}

impl Rules {
    pub(super) fn new(
        limits: &Limits,
        metrics: Metrics,
        apology: Option<Apology>,
        roomy: &'static [&'static str],
    ) -> Self {
        let (request, body_bytes) = (limits.request_timeout, limits.body_bytes as u64);
        Self { metrics, request, body_bytes, apology, roomy }
    }

    fn is_roomy(&self, request: &Request) -> bool {
        let path = request.extensions().get::<MatchedPath>();
        path.is_some_and(|path| self.roomy.iter().any(|end| path.as_str().ends_with(end)))
    }

    fn objection(&self, request: &Request) -> Option<Objection> {
        let length =
            request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
        if let Some(objection) = request.extensions().get::<Objection>() {
            Some(*objection)
        } else if target > MAX_TARGET_BYTES {
            Some(Objection::LongTarget)
        } else {
            let large = length.is_some_and(|bytes| bytes > self.body_bytes) && !self.is_roomy(request);
            large.then_some(Objection::LargeBody)
        }
    }

    /// The response with what every one carries, once it is counted and told.
    pub(super) fn finished(
        &self,
        mut response: Response,
        id: RequestId,
        method: &Method,
        route: Route,
        begun: Instant,
    ) -> Response {
        response.headers_mut().insert(REQUEST_ID, id.header());
        // No answer of ours is to be taken for anything but what it says it is.
        if !response.headers().contains_key(X_CONTENT_TYPE_OPTIONS) {
            response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        }
        let (status, took) = (response.status(), begun.elapsed());
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(
            target: ACCESS,
            method = method.as_str(),
            route = route.as_str(),
            status = status.as_u16(),
            micros,
            "answered"
        );
        self.metrics.request(method, route, status, took);
        response
    }
}

#[derive(Clone)]
pub(super) struct Guard(pub(super) Rules);

impl<S> Layer<S> for Guard {
    type Service = Around<S>;

    fn layer(&self, inner: S) -> Around<S> {
        Around { inner, rules: self.0.clone() }
    }
}

#[derive(Clone)]
pub(super) struct Around<S> {
    inner: S,
    rules: Rules,
}

impl<S> Service<Request> for Around<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let rules = self.rules.clone();
        let begun = Instant::now();
        let id = RequestId::fresh();
        let span = tracing::info_span!("request", id = %id);
        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let route = route.map_or(Route::Unmatched, Route::Matched);
        request.extensions_mut().insert(id);
        let for_person = wants_page(request.headers());
        let answered = match rules.objection(&request) {
            Some(objection) => Err(objection),
            // Nothing happens before the future is polled, and that is where panics are caught.
            None => Ok(self.inner.call(request)),
        };
        let guarded = async move {
            let response = match answered {
                Err(objection) => Err(objection.response()),
                Ok(response) => within(rules.request, caught(response)).await,
            };
            let response = response.unwrap_or_else(|plain| match &rules.apology {
                Some(apology) if for_person => page_for(&plain, apology(plain.status(), id)),
                _ => plain,
            });
            Ok(rules.finished(response, id, &method, route, begun))
        };
        Box::pin(guarded.instrument(span))
    }
}

/// Whether who asks shows what comes to a person: browsers say so, programs do not.
pub fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The answer of an endpoint, or ours where it gave none.
async fn within(
    limit: Duration,
    response: impl Future<Output = Option<Result<Response, Infallible>>>,
) -> Result<Response, Response> {
    match tokio::time::timeout(limit, response).await {
        Ok(Some(Ok(response))) => Ok(response),
        Ok(None) => Err(json(StatusCode::INTERNAL_SERVER_ERROR, "server_error", None)),
        Err(_) => {
            tracing::warn!("no answer within the time for a request");
            let mut response = json(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", None);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            Err(response)
        }
    }
}

/// `page` in the place of `plain`, with what that says to the connection and to who would try again.
fn page_for(plain: &Response, mut page: Response) -> Response {
    *page.status_mut() = plain.status();
    for name in [CONNECTION, RETRY_AFTER] {
        if let Some(value) = plain.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}

fn json(status: StatusCode, error: &str, description: Option<&str>) -> Response {
    let body = match description {
        Some(description) => serde_json::json!({ "error": error, "error_description": description }),
        None => serde_json::json!({ "error": error }),
    };
    let no_store = [("cache-control", "no-store")];
    (status, no_store, axum::Json(body)).into_response()
}

/// The future's output; `None` when it panicked. The panic hook has logged it by then.
async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| {
        // The future is dropped after a panic and never polled again, so nobody sees it half changed.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}
