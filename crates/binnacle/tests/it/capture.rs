//! A receiver of webhooks: keeps every request, answers as it was told.

use crate::http::{self, Message};
use crate::server::Server;
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{BufReader, Write as _};
use std::sync::{Arc, Mutex};

/// Keeps what it is sent.
pub(crate) struct Capture {
    server: Server,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    taken: Mutex<Vec<Message>>,
    /// Statuses to answer next; 200 where there is none left.
    statuses: Mutex<VecDeque<u16>>,
}

impl Capture {
    /// Starts to listen.
    pub(crate) fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let shared = Arc::clone(&inner);
        let server = Server::start(
            0,
            Arc::new(move |stream, _| {
                let mut reader = BufReader::new(&stream);
                let Ok(message) = http::read_message(&mut reader) else {
                    return;
                };
                let next = shared.statuses.lock().expect("lock").pop_front();
                shared.taken.lock().expect("lock").push(message);
                let status = next.unwrap_or(200);
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
                );
                // The sender may have given up.
                let _sent = (&stream).write_all(answer.as_bytes());
            }),
        );
        Self { server, inner }
    }

    /// The address of a path of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address)
    }

    /// Answers the next requests with these statuses.
    pub(crate) fn answer_next(&self, statuses: &[u16]) {
        self.inner.statuses.lock().expect("lock").extend(statuses);
    }

    /// The bodies of everything that was posted to a path, in order.
    pub(crate) fn bodies(&self, path: &str) -> Vec<Value> {
        let taken = self.inner.taken.lock().expect("lock");
        let to_path = taken.iter().filter(|message| message.path() == path);
        to_path.map(Message::json).collect()
    }

    /// How many requests came, to any path.
    pub(crate) fn count(&self) -> usize {
        self.inner.taken.lock().expect("lock").len()
    }
}
