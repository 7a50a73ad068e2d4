//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::{CONNECTION, TRANSFER_ENCODING};
use axum::http::{HeaderValue, Response};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;

use super::accept::linger;
use super::body::{Answer, Unread, bounded};
use super::guard::Objection;
use super::watch::{Alarm, Alarmed, Phase, Watch, Watched};
use super::wire::Wire;
use super::{ClientCertificate, Peer, Shared, Stage};

/// The parser's own least buffer; a smaller one would make it panic.
const LEAST_BUFFER: usize = 8 * 1024;

/// Answers requests until the client leaves, a deadline passes, or the server stops.
pub(super) async fn drive(stream: TcpStream, peer: Peer, shared: Arc<Shared>, slot: OwnedSemaphorePermit) {
    // Without it a small answer may wait for the client's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let _open = shared.metrics.connection_opened();
    let mut waiting = Waiting {
        stream,
        read: Bytes::new(),
        until: Instant::now() + shared.limits.header_timeout,
        served: false,
    };
    let ended = loop {
        match waiting.next_byte(&shared).await {
            Next::Byte => {}
            Next::Stop => break Some(Wire::Plain(waiting.stream)),
            Next::Nothing => break None,
        }
        let Waiting { stream, read, .. } = waiting;
        let Some((wire, certificate)) = secured(stream, &shared).await else { break None };
        let client = Client { peer, certificate };
        let watch = Arc::new(Watch::new(&shared.limits));
        match Box::pin(answer(wire, read, client, &shared, &watch)).await {
            Outcome::Rests(rests) => waiting = rests,
            Outcome::Ended => break watch.released(),
            Outcome::Cut => break None,
        }
    };
    if let Some(stream) = ended {
        linger(stream).await;
    }
    drop(slot);
}

/// A connection whose client says nothing: no parser, no buffer, which is most of what one costs.
struct Waiting {
    stream: TcpStream,
    /// What came of the next request already.
    read: Bytes,
    until: Instant,
    /// Whether it had an answer before.
    served: bool,
}

impl Waiting {
    /// Waits for the client to say something.
    async fn next_byte(&self, shared: &Shared) -> Next {
        if !self.read.is_empty() {
            return Next::Byte;
        }
        let mut stage = shared.stage.subscribe();
        // Who was never answered may still be about to ask when the server begins to stop.
        let ends = |stage: &Stage| *stage == Stage::Cut || (self.served && *stage != Stage::Serving);
        let mut byte = [0];
        tokio::select! {
            biased;
            // Not `readable`: a socket counts as readable until a read has found it empty.
            peeked = self.stream.peek(&mut byte) => {
                if matches!(peeked, Ok(1)) { Next::Byte } else { Next::Nothing }
            }
            stage = stage.wait_for(ends) => match stage.as_deref() {
                Ok(Stage::Draining) => Next::Stop,
                _ => Next::Nothing,
            },
            () = tokio::time::sleep_until(self.until) => Next::Nothing,
        }
    }
}

/// Who is at the other end.
struct Client {
    peer: Peer,
    certificate: Option<ClientCertificate>,
}

/// The stream as it is, or encrypted once the client has agreed; none for one that does not in time.
async fn secured(stream: TcpStream, shared: &Shared) -> Option<(Wire, Option<ClientCertificate>)> {
    let Some(tls) = &shared.tls else { return Some((Wire::Plain(stream), None)) };
    if shared.plain_too && !begins_a_handshake(&stream).await {
        return Some((Wire::Plain(stream), None));
    }
    let mut stage = shared.stage.subscribe();
    tokio::select! {
        biased;
        // On the heap, so that connections without TLS need no room for it.
        secured = Box::pin(tls.handshake(stream)) => match secured {
            Ok((stream, certificate)) => Some((Wire::Tls(Box::new(stream)), certificate)),
            Err(error) => {
                tracing::debug!(%error, "no TLS");
                None
            }
        },
        _ = stage.wait_for(|stage| *stage == Stage::Cut) => None,
        () = tokio::time::sleep(shared.limits.header_timeout) => None,
    }
}

/// Whether the byte that has come is that of a record with a handshake (RFC 8446 §5.1), as no request's is.
async fn begins_a_handshake(stream: &TcpStream) -> bool {
    let mut byte = [0];
    stream.peek(&mut byte).await.is_ok() && byte == [0x16]
}

/// What a connection that waits comes to.
enum Next {
    /// A request begins.
    Byte,
    /// The server stops; whatever the client sends meanwhile finds no reset.
    Stop,
    /// The client is gone, or had nothing to say for too long.
    Nothing,
}

/// How a connection came out of its parser.
enum Outcome {
    /// It waits for its next request, and needs no parser for that.
    Rests(Waiting),
    /// It came to its own end.
    Ended,
    /// It was cut.
    Cut,
}

async fn answer(
    wire: Wire,
    read: Bytes,
    client: Client,
    shared: &Arc<Shared>,
    watch: &Arc<Watch>,
) -> Outcome {
    let mut stage = shared.stage.subscribe();
    let service = service_fn(|request| respond(request, &client, shared, watch));
    let io = TokioIo::new(Watched::new(wire, read, Arc::clone(watch)));
    let mut connection = builder(shared).serve_connection(io, service);
    let mut alarm = std::pin::pin!(Alarm::new(Arc::clone(watch)));
    let mut known = Stage::Serving;
    // An encrypted connection may hold a request that no look at its socket would show.
    let plain = shared.tls.is_none();
    loop {
        tokio::select! {
            biased;
            ended = &mut connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return Outcome::Ended;
            }
            next = stage_after(&mut stage, known) => {
                known = next;
                if next == Stage::Cut {
                    return Outcome::Cut;
                }
                // A connection whose request is still on its way is answered first, then closed by its header.
                if matches!(watch.phase(), Phase::Busy | Phase::Idle) {
                    std::pin::Pin::new(&mut connection).graceful_shutdown();
                }
            }
            () = alarm.as_mut() => match watch.alarmed(plain && known == Stage::Serving) {
                Alarmed::Patience => {}
                Alarmed::Over => {
                    tracing::debug!(phase = ?watch.phase(), "connection too slow");
                    return Outcome::Cut;
                }
                Alarmed::Rests(until) => {
                    let parts = connection.into_parts();
                    drop(parts.io);
                    // A copy, mostly of nothing: as it comes, it holds on to the parser's whole buffer.
                    let read = Bytes::copy_from_slice(&parts.read_buf);
                    return match watch.released() {
                        Some(Wire::Plain(stream)) => {
                            Outcome::Rests(Waiting { stream, read, until, served: true })
                        }
                        _ => Outcome::Ended,
                    };
                }
            },
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

/// Whether nothing of a request's body is left on the connection.
async fn rest_is_read(unread: Option<Unread<Incoming>>) -> bool {
    match unread {
        Some(unread) => unread.read().await,
        None => true,
    }
}

async fn respond(
    request: hyper::Request<Incoming>,
    client: &Client,
    shared: &Shared,
    watch: &Arc<Watch>,
) -> Result<Response<Answer>, Infallible> {
    let begun = watch.enter(Phase::Busy);
    // A sender that chunks has chosen a framing that a proxy may read otherwise; what follows it on this
    // connection is not trusted (RFC 9112 §6.1).
    let chunked = request.headers().contains_key(TRANSFER_ENCODING);
    let conflict = watch.conflict();
    let (parts, incoming) = request.into_parts();
    let (body, unread) = bounded(incoming, &shared.limits, watch);
    let at_hand = match body.is_end_stream() && !conflict {
        true => shared.guarded.at_hand(client.peer.0.ip(), &parts, begun),
        false => None,
    };
    let mut response = match at_hand {
        Some(response) => response,
        None => {
            let mut request = Request::from_parts(parts, body);
            request.extensions_mut().insert(client.peer);
            if let Some(unread) = &unread {
                request.extensions_mut().insert(unread.room());
            }
            if let Some(certificate) = &client.certificate {
                request.extensions_mut().insert(certificate.clone());
            }
            if conflict {
                request.extensions_mut().insert(Objection::TwoFramings);
            }
            shared.guarded.routed(request).await
        }
    };
    let ends = chunked
        || conflict
        || *shared.stage.borrow() != Stage::Serving
        || response.headers().contains_key(CONNECTION);
    // A client that is not told sends its next request into a connection that is gone.
    if ends || !rest_is_read(unread).await {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Answer::new(body, Arc::clone(watch))))
}
