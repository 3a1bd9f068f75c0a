//! Graphite's plaintext listener: lines over TCP, nothing is answered.
//!
//! What it bounds: connections, the length of a line, how long a sender may be silent, and what is stored at a time.
//! A line that cannot be read is counted and left out; a line without end costs its sender the connection.

use crate::services::Services;
use ingest::graphite::{LINE_BYTES_MAX, decode};
use runtime::Shutdown;
use runtime::metrics::Counter;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

/// The name under which its samples are counted.
const PROTOCOL: &str = "graphite";
/// Connections at once; further ones are closed at once.
const CONNECTIONS_MAX: usize = 512;
/// Bytes that are read before they are stored.
const READ_BYTES: usize = 256 << 10;
/// A sender that is silent for so long is disconnected; senders connect again.
const SILENCE_MAX: Duration = Duration::from_secs(600);
/// How long lines wait for more to be stored with them.
const GATHER: Duration = Duration::from_millis(200);

/// Serves sockets until the signal.
pub async fn serve(sockets: Vec<TcpListener>, services: &Arc<Services>, shutdown: &Shutdown) {
    let refused = services.registry.counter(
        "binnacle_api_graphite_connections_refused_total",
        "Connections of Graphite senders beyond the limit.",
        &[],
    );
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut listening = JoinSet::new();
    for socket in sockets {
        let signal = Arc::new(Notify::new());
        let raised = Arc::clone(&signal);
        // `notify_one` is remembered, so a signal before the wait is not lost.
        shutdown.on_trigger(move || raised.notify_one());
        let listener = Listener {
            socket,
            slots: Arc::clone(&slots),
            refused: refused.clone(),
            services: Arc::clone(services),
        };
        listening.spawn(async move { listener.serve(&signal).await });
    }
    while listening.join_next().await.is_some() {}
}

struct Listener {
    socket: TcpListener,
    slots: Arc<Semaphore>,
    refused: Counter,
    services: Arc<Services>,
}

impl Listener {
    async fn serve(self, signal: &Notify) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = signal.notified() => return,
                Some(_ended) = connections.join_next() => continue,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a Graphite connection was not accepted");
                    tokio::time::sleep(GATHER).await;
                    continue;
                }
            };
            let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
                self.refused.increment();
                continue;
            };
            let services = Arc::clone(&self.services);
            connections.spawn(async move {
                read_lines(stream, &services).await;
                drop(slot);
            });
        }
    }
}

/// Reads until the sender ends, and stores whole lines.
async fn read_lines(mut stream: TcpStream, services: &Arc<Services>) {
    let mut held: Vec<u8> = Vec::new();
    loop {
        let patience = if held.contains(&b'\n') {
            GATHER
        } else {
            SILENCE_MAX
        };
        let read = tokio::time::timeout(patience, stream.read_buf(&mut held)).await;
        let (ended, full) = match read {
            Ok(Ok(0) | Err(_)) => (true, true),
            Ok(Ok(_)) => (false, held.len() >= READ_BYTES),
            // Nothing more came: what is there is stored, or the sender is given up.
            Err(_elapsed) if held.contains(&b'\n') => (false, true),
            Err(_elapsed) => (true, true),
        };
        if full {
            let end = match held.iter().rposition(|byte| *byte == b'\n') {
                _ if ended => held.len(),
                Some(last) => last + 1,
                None => 0,
            };
            let rest = held.split_off(end);
            let whole = std::mem::replace(&mut held, rest);
            if !whole.is_empty() {
                store(whole, services).await;
            }
        }
        if held.len() > LINE_BYTES_MAX && !held.contains(&b'\n') {
            services.ingest.count_refused_lines(PROTOCOL, 1);
            return;
        }
        if ended {
            return;
        }
    }
}

async fn store(lines: Vec<u8>, services: &Arc<Services>) {
    let (ingest, now) = (Arc::clone(&services.ingest), services.clock.now());
    let work = move || {
        let lines = decode(&lines, now);
        ingest.count_refused_lines(PROTOCOL, lines.refused);
        if let Some(complaint) = lines.complaint() {
            tracing::debug!("Graphite lines were refused: {complaint}");
        }
        ingest.append_from(PROTOCOL, &lines.rows)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(_appended)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the store did not take Graphite's lines"),
        Err(error) => tracing::error!(%error, "storing lines ended unexpectedly"),
    }
}
