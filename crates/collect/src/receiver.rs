//! What tests of senders share: a server on loopback, waiting, and a look at a metric.

use runtime::{Clock as _, Registry, SystemClock};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long anything may take: far more than it does, since the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// Answers one request after the other, until it is dropped.
pub(crate) struct Receiver {
    pub(crate) address: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Listens. `take` gets head and body of a request and says with which status it is answered; what it notes is there
    /// before the sender hears of anything. Port 0: any.
    pub(crate) fn start(
        port: u16,
        mut take: impl FnMut(String, Vec<u8>) -> u16 + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = runtime::thread::spawn("receiver", move || {
            for mut stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Some((head, body)) = request(&stream) else {
                    continue;
                };
                let status = take(head, body);
                let text = format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                );
                // The sender may be gone.
                let _unread = stream.write_all(text.as_bytes());
            }
        });
        Self {
            address,
            stop,
            thread: Some(thread.expect("a thread")),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        port(&self.address)
    }
}

/// The port of an address.
pub(crate) fn port(address: &str) -> u16 {
    let (_, port) = address.rsplit_once(':').expect("a port");
    port.parse().expect("a number")
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _woken = TcpStream::connect(&self.address);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// Reads a request; `None` where the sender goes before it is whole.
fn request(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// An address that refuses connections until somebody listens there, which nobody does by chance while the socket is kept.
pub(crate) fn dead_address() -> (String, tokio::net::TcpSocket) {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    (socket.local_addr().expect("bound").to_string(), socket)
}

/// Waits until it holds; panics when that takes too long.
pub(crate) fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let clock = SystemClock::new();
    while !holds() {
        assert!(clock.monotonic() < PATIENCE, "waited for {what}");
        std::thread::park_timeout(PAUSE);
    }
}

/// The value of the first line that begins like this, `none` where there is none.
pub(crate) fn metric(registry: &Registry, part: &str) -> String {
    let text = registry.render();
    let line = text.lines().find(|line| line.starts_with(part));
    let value = line.and_then(|line| line.rsplit(' ').next());
    value.unwrap_or("none").to_owned()
}
