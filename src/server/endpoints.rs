//! What a server answers with: routes, and before them what needs no way through the routes.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use tokio::time::Instant;
use tower::Service;
use tracing::Level;

use super::guard::{ACCESS, Guard, Rules};
use super::{Limits, Peer};
use crate::telemetry::metrics::Route;
use crate::telemetry::{Metrics, RequestId};

/// Answers a request without a body at once, from what is in memory, if it is one for that; with its route. It must not
/// wait, log or fail: what is not at hand is left to the routes.
pub type AtHand = Arc<dyn Fn(IpAddr, &Parts) -> Option<(Route, Response)> + Send + Sync>;

/// The page for what the guards answer themselves, by its status and the request's identifier.
pub type Apology = Arc<dyn Fn(StatusCode, RequestId) -> Response + Send + Sync>;

/// What a server answers with.
#[derive(Clone)]
pub struct Endpoints {
    /// Every address.
    pub router: Router,
    /// The shorter way to some of them.
    pub at_hand: Option<AtHand>,
    /// What a person gets to see where no endpoint answered; without it they get JSON as programs do.
    pub apology: Option<Apology>,
    /// How the paths of routes end whose handlers may make [`super::Room`] for larger bodies than others, and refuse larger
    /// ones still.
    pub roomy: &'static [&'static str],
}

impl From<Router> for Endpoints {
    fn from(router: Router) -> Self {
        Self { router, at_hand: None, apology: None, roomy: &[] }
    }
}

/// Endpoints with the guards around each of them.
#[derive(Clone)]
pub struct Guarded {
    router: Router,
    at_hand: Option<AtHand>,
    rules: Rules,
}

impl std::fmt::Debug for Guarded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Guarded")
    }
}

impl Guarded {
    /// The guards around each route, the fallback, and what is at hand.
    pub fn new(endpoints: Endpoints, limits: &Limits, metrics: Metrics) -> Self {
        let Endpoints { router, at_hand, apology, roomy } = endpoints;
        let rules = Rules::new(limits, metrics, apology, roomy);
        Self { router: router.layer(Guard(rules.clone())), at_hand, rules }
    }

    /// The answer to a request without a body that came at `begun`, if it is at hand.
    pub(super) fn at_hand(&self, peer: IpAddr, parts: &Parts, begun: Instant) -> Option<Response> {
        let (route, response) = self.at_hand.as_ref()?(peer, parts)?;
        let id = RequestId::fresh();
        // Nothing but the access line is logged on this way, so nothing else needs a span.
        let told = tracing::enabled!(target: ACCESS, Level::DEBUG);
        let _span = told.then(|| tracing::info_span!("request", id = %id).entered());
        Some(self.rules.finished(response, id, &parts.method, route, begun))
    }

    /// The answer of the routes.
    pub(super) async fn routed(&self, request: Request) -> Response {
        self.router.clone().call(request).await.unwrap_or_else(|never| match never {})
    }
}

/// For calls within the process, which come from this machine.
impl Service<Request> for Guarded {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let guarded = self.clone();
        let (parts, body) = request.into_parts();
        let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
        Box::pin(async move {
            Ok(match guarded.at_hand(peer, &parts, Instant::now()) {
                Some(response) => response,
                None => guarded.routed(Request::from_parts(parts, body)).await,
            })
        })
    }
}
