//! Sockets: accepting, TLS, HTTP/1.1 and HTTP/2, ending in good order.
//!
//! Connections beyond `Limits::connections` wait in the kernel's queue until one ends, as upstream's do.

use crate::guard::{self, Guard, Refusals};
use crate::web::{Cors, LiveWebConfig, Loaded, Prefix};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use http::{HeaderValue, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use runtime::metrics::Counter;
use runtime::{Registry, Shutdown};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// How long open requests may take after the signal to end.
const GRACE: Duration = Duration::from_secs(5);
/// How long a client may take over the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// After a failed accept (as when there is no file descriptor left) so long passes before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The first byte of a TLS connection.
const TLS_HANDSHAKE_RECORD: u8 = 0x16;

/// One address and what is answered there.
pub struct Listener {
    /// The socket, bound already.
    pub socket: TcpListener,
    /// What is answered.
    pub router: Router,
    /// Who gets in.
    pub guard: Guard,
    /// TLS, users and headers.
    pub web: Option<Arc<LiveWebConfig>>,
    /// Which other sites' pages may read answers.
    pub cors: Option<Cors>,
    /// The path before every other.
    pub prefix: Prefix,
}

/// What connections may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open at once, over all listeners.
    pub connections: usize,
    /// How long a client may take over a request's head.
    pub read_timeout: Duration,
}

impl Default for Limits {
    /// Upstream's.
    fn default() -> Self {
        Self {
            connections: 512,
            read_timeout: Duration::from_secs(300),
        }
    }
}

/// The client of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) SocketAddr);

#[derive(Clone)]
struct Connections {
    slots: Arc<Semaphore>,
    read_timeout: Duration,
    accepted: Counter,
    closed: Counter,
    refused: Counter,
    refusals: Refusals,
}

impl Connections {
    fn new(limits: &Limits, registry: &Registry) -> Self {
        let labels = [("listener_name", "http")];
        Self {
            slots: Arc::new(Semaphore::new(limits.connections.max(1))),
            read_timeout: limits.read_timeout,
            accepted: registry.counter(
                "net_conntrack_listener_conn_accepted_total",
                "Total number of connections opened to the listener of a given name.",
                &labels,
            ),
            closed: registry.counter(
                "net_conntrack_listener_conn_closed_total",
                "Total number of connections closed that were made to the listener of a given name.",
                &labels,
            ),
            refused: registry.counter(
                "binnacle_api_handshakes_failed_total",
                "Connections that ended before TLS was agreed on.",
                &[],
            ),
            refusals: Refusals::new(registry),
        }
    }
}

/// Serves all listeners until the signal, then lets open requests end.
pub async fn serve(
    listeners: Vec<Listener>,
    limits: &Limits,
    registry: &Registry,
    shutdown: &Shutdown,
) {
    let connections = Connections::new(limits, registry);
    let mut acceptors = JoinSet::new();
    for listener in listeners {
        let signal = Arc::new(Notify::new());
        let raised = Arc::clone(&signal);
        // `notify_one` is remembered, so a signal before the acceptor waits is not lost.
        shutdown.on_trigger(move || raised.notify_one());
        acceptors.spawn(accept_until(listener, connections.clone(), signal));
    }
    while acceptors.join_next().await.is_some() {}
}

/// Accepts until the signal, then lets open requests end.
async fn accept_until(listener: Listener, connections: Connections, signal: Arc<Notify>) {
    let graceful = GracefulShutdown::new();
    tokio::select! {
        () = accept(listener, connections, &graceful) => {}
        () = signal.notified() => {}
    }
    if tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests still open after {GRACE:?} are cut off");
    }
}

/// What every connection of a listener is served with.
#[derive(Clone)]
struct Face {
    router: Router,
    web: Option<Arc<LiveWebConfig>>,
}

/// Puts what every request passes around the routes: from the outside the prefix, headers, other sites' pages, proof.
fn dressed(listener: Listener, refusals: Refusals) -> (TcpListener, Face) {
    let Listener {
        socket,
        router,
        mut guard,
        web,
        cors,
        prefix,
    } = listener;
    guard.web.clone_from(&web);
    let mut router = router.layer(from_fn_with_state(guard, guard::check));
    router = router.layer(from_fn_with_state(refusals, guard::count));
    if let Some(cors) = cors {
        router = router.layer(from_fn_with_state(cors, crate::web::cors_layer));
    }
    if let Some(web) = &web {
        let web = Arc::clone(web);
        let headers = from_fn(move |request: Request, next: axum::middleware::Next| {
            let web = Arc::clone(&web);
            async move { with_headers(&web.current(), next.run(request).await) }
        });
        router = router.layer(headers);
    }
    if !prefix.is_empty() {
        // Around the routes, which are matched by the path without the prefix.
        let inner = router;
        router = Router::new()
            .fallback_service(inner)
            .layer(from_fn_with_state(prefix, crate::web::prefix_layer));
    }
    (socket, Face { router, web })
}

async fn accept(listener: Listener, connections: Connections, graceful: &GracefulShutdown) {
    let (socket, face) = dressed(listener, connections.refusals.clone());
    loop {
        let Ok(slot) = Arc::clone(&connections.slots).acquire_owned().await else {
            return;
        };
        let (stream, client) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        connections.accepted.increment();
        let (face, connections, watcher) = (face.clone(), connections.clone(), graceful.watcher());
        // The watcher owns it: at the end it is waited for, and then dropped with the runtime.
        #[expect(
            clippy::disallowed_methods,
            reason = "a connection is owned by the watcher of graceful shutdown"
        )]
        drop(tokio::spawn(async move {
            connect(stream, client, (face, &connections, watcher)).await;
            connections.closed.increment();
            drop(slot);
        }));
    }
}

fn with_headers(
    loaded: &Loaded,
    mut response: axum::response::Response,
) -> axum::response::Response {
    for (name, value) in &loaded.config.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}

async fn connect(
    stream: TcpStream,
    client: SocketAddr,
    (face, connections, watcher): (Face, &Connections, Watcher),
) {
    // Small answers are sent at once.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %client, "no delay could not be set");
    }
    let loaded = face.web.as_ref().map(|web| web.current());
    let http2 = loaded.as_ref().is_none_or(|loaded| loaded.config.http2);
    let Some(tls) = loaded.and_then(|loaded| loaded.tls.clone()) else {
        let served = Served { http2, client };
        return converse(stream, served, (face, connections, watcher)).await;
    };
    let hello = async {
        if speaks_plainly(&stream).await {
            return Err(Some(stream));
        }
        let accepted = TlsAcceptor::from(tls).accept(stream).await;
        accepted.map_err(|error| {
            tracing::debug!(%error, %client, "no TLS with a client");
            None
        })
    };
    match tokio::time::timeout(HANDSHAKE, hello).await {
        Ok(Ok(stream)) => {
            let served = Served { http2, client };
            converse(stream, served, (face, connections, watcher)).await;
        }
        Ok(Err(Some(stream))) => {
            connections.refused.increment();
            answer_plainly(stream).await;
        }
        Ok(Err(None)) | Err(_) => connections.refused.increment(),
    }
}

/// Whether a client begins without TLS.
async fn speaks_plainly(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first != [TLS_HANDSHAKE_RECORD]
}

/// As Go's server: whoever sees it knows what to correct.
async fn answer_plainly(mut stream: TcpStream) {
    const ANSWER: &[u8] =
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    // The client may be gone; then nobody misses it.
    let _gone = stream.write_all(ANSWER).await;
    let _gone = stream.shutdown().await;
}

#[derive(Clone, Copy)]
struct Served {
    http2: bool,
    client: SocketAddr,
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    served: Served,
    (face, connections, watcher): (Face, &Connections, Watcher),
) {
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let router = face.router.clone();
        let limit = face.web.clone();
        async move {
            if let Some(web) = limit
                && let Some(rate) = web.current().config.rate_limit
                && !web.lets_in(rate)
            {
                let mut refused = axum::response::Response::new(Body::empty());
                *refused.status_mut() = StatusCode::TOO_MANY_REQUESTS;
                return Ok(refused);
            }
            let mut request = request.map(Body::new);
            request
                .extensions_mut()
                .insert(ClientAddress(served.client));
            router.oneshot(request).await
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(connections.read_timeout);
    builder.http2().timer(TokioTimer::new());
    if !served.http2 {
        builder = builder.http1_only();
    }
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let connection = connection.into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, client = %served.client, "a connection ended early");
    }
}
