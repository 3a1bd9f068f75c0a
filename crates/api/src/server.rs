//! Sockets: listening, serving HTTP/1.1 and HTTP/2 without TLS, ending in good order.

use crate::guard::{self, Guard};
use axum::Router;
use runtime::Shutdown;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// How long open requests may take after the signal to end.
const GRACE: Duration = Duration::from_secs(5);

/// One address and what is answered there.
pub struct Listener {
    /// The socket, bound already.
    pub socket: TcpListener,
    /// What is answered.
    pub router: Router,
    /// Who gets in.
    pub guard: Guard,
}

/// Serves all listeners until the signal, then lets open requests end.
pub async fn serve(listeners: Vec<Listener>, shutdown: &Shutdown) {
    let mut servers = JoinSet::new();
    for Listener {
        socket,
        router,
        guard,
    } in listeners
    {
        let signal = std::sync::Arc::new(Notify::new());
        let raised = std::sync::Arc::clone(&signal);
        // `notify_one` is remembered, so a signal before the server waits is not lost.
        shutdown.on_trigger(move || raised.notify_one());
        let router = router.layer(axum::middleware::from_fn_with_state(guard, guard::check));
        servers.spawn(async move {
            let ended = async move { signal.notified().await };
            if let Err(error) = axum::serve(socket, router)
                .with_graceful_shutdown(ended)
                .await
            {
                tracing::error!(%error, "a listener ended");
            }
        });
    }
    let signal = std::sync::Arc::new(Notify::new());
    let raised = std::sync::Arc::clone(&signal);
    shutdown.on_trigger(move || raised.notify_one());
    signal.notified().await;
    let all_ended = async { while servers.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all_ended).await.is_err() {
        tracing::warn!("requests still open after {GRACE:?} are cut off");
    }
}
