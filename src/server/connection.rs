//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CONNECTION, TRANSFER_ENCODING};
use axum::http::{HeaderValue, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::watch::Receiver;
use tower::Service;

use super::accept::linger;
use super::body::{Answer, bounded};
use super::guard::Objection;
use super::watch::{Alarm, Phase, Watch, Watched};
use super::wire::Wire;
use super::{Peer, Shared, Stage};

/// The parser's own least buffer; a smaller one would make it panic.
const LEAST_BUFFER: usize = 8 * 1024;

/// Answers requests until the client leaves, a deadline passes, or the server stops.
pub(super) async fn drive(stream: TcpStream, peer: Peer, shared: Arc<Shared>, slot: OwnedSemaphorePermit) {
    // Without it a small answer may wait for the client's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let _open = shared.metrics.connection_opened();
    if !first_byte(&stream, &shared).await {
        return;
    }
    let Some(wire) = secured(stream, &shared).await else { return };
    let watch = Arc::new(Watch::new(&shared.limits));
    let finished = Box::pin(answer(wire, peer, &shared, &watch)).await;
    if let (true, Some(stream)) = (finished, watch.released()) {
        linger(stream).await;
    }
    drop(slot);
}

/// Waits for a client to say something. Until then its connection has no parser and no buffer, which is most of
/// what one costs.
async fn first_byte(stream: &TcpStream, shared: &Shared) -> bool {
    let mut stage = shared.stage.subscribe();
    let mut byte = [0];
    tokio::select! {
        biased;
        // Not `readable`: a socket counts as readable until a read has found it empty.
        peeked = stream.peek(&mut byte) => matches!(peeked, Ok(1)),
        _ = stage.wait_for(|stage| *stage == Stage::Cut) => false,
        () = tokio::time::sleep(shared.limits.header_timeout) => false,
    }
}

/// The stream as it is, or encrypted once the client has agreed; none for one that does not in time.
async fn secured(stream: TcpStream, shared: &Shared) -> Option<Wire> {
    let Some(tls) = &shared.tls else { return Some(Wire::Plain(stream)) };
    let mut stage = shared.stage.subscribe();
    tokio::select! {
        biased;
        // On the heap, so that connections without TLS need no room for it.
        secured = Box::pin(tls.handshake(stream)) => match secured {
            Ok(stream) => Some(Wire::Tls(Box::new(stream))),
            Err(error) => {
                tracing::debug!(%error, "no TLS");
                None
            }
        },
        _ = stage.wait_for(|stage| *stage == Stage::Cut) => None,
        () = tokio::time::sleep(shared.limits.header_timeout) => None,
    }
}

/// Whether the connection came to its own end, and was not cut.
async fn answer(stream: Wire, peer: Peer, shared: &Arc<Shared>, watch: &Arc<Watch>) -> bool {
    let mut stage = shared.stage.subscribe();
    let service = service_fn(|request| respond(request, peer, shared, watch));
    let io = TokioIo::new(Watched::new(stream, Arc::clone(watch)));
    let mut connection = std::pin::pin!(builder(shared).serve_connection(io, service));
    let mut alarm = std::pin::pin!(Alarm::new(Arc::clone(watch)));
    let mut known = Stage::Serving;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return true;
            }
            next = stage_after(&mut stage, known) => {
                known = next;
                if next == Stage::Cut {
                    return false;
                }
                // A connection whose request is still on its way is answered first, then closed by its header.
                if matches!(watch.phase(), Phase::Busy | Phase::Idle) {
                    connection.as_mut().graceful_shutdown();
                }
            }
            () = alarm.as_mut() => {
                tracing::debug!(phase = ?watch.phase(), "connection too slow");
                return false;
            }
        }
    }
}

/// The next stage of the server; a server that is gone counts as cut.
async fn stage_after(stage: &mut Receiver<Stage>, known: Stage) -> Stage {
    stage.wait_for(|stage| *stage != known).await.map_or(Stage::Cut, |stage| *stage)
}

fn builder(shared: &Shared) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // The watch keeps time: this timer would close a resting connection as if it dribbled a header.
        .header_read_timeout(None)
        .max_buf_size(shared.limits.header_bytes.max(LEAST_BUFFER))
        .max_header_size(shared.limits.header_bytes);
    builder
}

async fn respond(
    request: hyper::Request<Incoming>,
    peer: Peer,
    shared: &Shared,
    watch: &Arc<Watch>,
) -> Result<Response<Answer>, Infallible> {
    watch.enter(Phase::Busy);
    let mut request: Request = request.map(|body| bounded(body, &shared.limits));
    // A sender that chunks has chosen a framing that a proxy may read otherwise; what follows it on this
    // connection is not trusted (RFC 9112 §6.1).
    let chunked = request.headers().contains_key(TRANSFER_ENCODING);
    let conflict = watch.conflict();
    request.extensions_mut().insert(peer);
    if conflict {
        request.extensions_mut().insert(Objection::TwoFramings);
    }
    let mut router: Router = shared.router.clone();
    let Ok(mut response) = router.call(request).await;
    if chunked || conflict || *shared.stage.borrow() != Stage::Serving {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Answer::new(body, Arc::clone(watch))))
}
