//! The sockets of the server: opening them, and answering on them.

use std::sync::Arc;

use axum::Extension;

use super::BootError;
use crate::config::{Config, Listen};
use crate::http::host::OverTls;
use crate::server::{Ended, Endpoints, Server, Shutdown, Tls};
use crate::telemetry::Metrics;

/// The sockets of requests: one, plain or over TLS; or both side by side.
pub(super) struct Listening {
    pub(super) main: Server,
    pub(super) second: Option<Server>,
    pub(super) tls: Option<Arc<Tls>>,
}

/// Opens the sockets of requests.
pub(super) async fn listen(config: &Config, shutdown: &Shutdown) -> Result<Listening, BootError> {
    let main = bind(&config.listen, "").await?;
    let Some(files) = &config.tls else { return Ok(Listening { main, second: None, tls: None }) };
    let tls = Tls::load(files.clone())?;
    tokio::spawn(Arc::clone(&tls).follow(shutdown.clone()));
    let (main, second) = match &config.stand_in.https_listen {
        None => (main.over(Arc::clone(&tls)), None),
        Some(listen) => (main, Some(bind(listen, " (the port of TLS)").await?.over(Arc::clone(&tls)))),
    };
    Ok(Listening { main, second, tls: Some(tls) })
}

/// Answers on all sockets until the end of both.
pub(super) async fn serve(
    metrics: Metrics,
    config: Config,
    endpoints: Endpoints,
    (main, second): (Server, Option<Server>),
    shutdown: Shutdown,
) -> Ended {
    let limits = &config.limits;
    match second {
        None if config.tls.is_none() => main.serve(endpoints, limits, metrics, &shutdown).await,
        None => main.serve(over_tls(endpoints), limits, metrics, &shutdown).await,
        Some(second) => {
            let secure = over_tls(endpoints.clone());
            let first = main.serve(endpoints, limits, metrics.clone(), &shutdown);
            tokio::join!(first, second.serve(secure, limits, metrics, &shutdown)).0
        }
    }
}

/// The same endpoints for requests that came over TLS. What is at hand does not know of it, so those take the way through the
/// routes.
fn over_tls(endpoints: Endpoints) -> Endpoints {
    Endpoints { router: endpoints.router.layer(Extension(OverTls)), at_hand: None, ..endpoints }
}

/// What to do about it, in the words that follow the reason.
pub(super) fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "; stop what listens there, or choose another port (`dev`: --port N and --management-port N; `serve`: `listen` \
             and `management_listen`)"
        }
        std::io::ErrorKind::PermissionDenied => {
            "; a port below 1024 needs a right of its own: choose a higher one"
        }
        _ => "",
    }
}

/// Opens one socket. `port` says which port that is, in brackets; nothing for the one of requests.
pub(super) async fn bind(listen: &Listen, port: &'static str) -> Result<Server, BootError> {
    listen.bind().await.map_err(|source| BootError::Listen { address: listen.to_string(), port, source })
}
