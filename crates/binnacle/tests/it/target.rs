//! A target to scrape: healthy, dead, or bad in one of the ways that targets are bad.

use crate::http;
use crate::program::free_port;
use crate::server::{Handler, Server};
use std::io::{BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Between two looks whether to go on waiting.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a request may take from its first byte to its last one.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// How it answers.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// With this exposition.
    Serve(String),
    /// With this status.
    Fail(u16),
    /// With this many bytes of one ever longer exposition, the same lines again and again.
    Stream(usize),
    /// Not at all, while the connection stays open.
    Hang,
}

/// Listens until it is dropped or dies.
pub(crate) struct Target {
    server: Option<Server>,
    port: u16,
    inner: Arc<Inner>,
}

struct Inner {
    behaviour: Mutex<Behaviour>,
    scrapes: AtomicUsize,
}

impl Target {
    /// Starts to listen.
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        let inner = Arc::new(Inner {
            behaviour: Mutex::new(behaviour),
            scrapes: AtomicUsize::new(0),
        });
        // Ours also while it is dead.
        let port = free_port();
        let server = Server::start(port, handler(&inner));
        Self {
            server: Some(server),
            port,
            inner,
        }
    }

    /// A healthy one.
    pub(crate) fn healthy() -> Self {
        Self::start(Behaviour::Serve("requests_total 1\n".to_owned()))
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Closes the port: connections are refused.
    pub(crate) fn die(&mut self) {
        self.server = None;
    }

    /// Listens again on the same port.
    pub(crate) fn revive(&mut self) {
        self.server = Some(Server::start(self.port, handler(&self.inner)));
    }

    /// How often it was asked.
    pub(crate) fn scrapes(&self) -> usize {
        self.inner.scrapes.load(Ordering::Relaxed)
    }
}

fn handler(inner: &Arc<Inner>) -> Handler {
    let inner = Arc::clone(inner);
    Arc::new(move |stream, stop| {
        // Whoever connects without asking, as the one that wakes the listener, gets no answer.
        if !is_asked(&stream, stop).unwrap_or(false) {
            return;
        }
        if http::read_message(&mut BufReader::new(&stream)).is_err() {
            return;
        }
        inner.scrapes.fetch_add(1, Ordering::Relaxed);
        let behaviour = inner.behaviour.lock().expect("lock").clone();
        // A scraper that hangs up is what these behaviours are made for.
        let _answered = answer(&stream, &behaviour, stop);
    })
}

/// Waits for the first byte of a request, as long as the server goes on; the rest may then take its time.
fn is_asked(stream: &TcpStream, stop: &AtomicBool) -> std::io::Result<bool> {
    stream.set_read_timeout(Some(PAUSE))?;
    while !stop.load(Ordering::Relaxed) {
        match stream.peek(&mut [0]) {
            Ok(bytes) => {
                stream.set_read_timeout(Some(REQUEST_TIMEOUT))?;
                return Ok(bytes > 0);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

fn answer(mut stream: &TcpStream, behaviour: &Behaviour, stop: &AtomicBool) -> std::io::Result<()> {
    const HEAD: &str =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n\r\n";
    match behaviour {
        Behaviour::Serve(text) => stream.write_all(format!("{HEAD}{text}").as_bytes()),
        Behaviour::Fail(status) => stream.write_all(
            format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        ),
        Behaviour::Stream(bytes_max) => {
            stream.write_all(HEAD.as_bytes())?;
            let line = |n| format!("endless_total{{number=\"{n:012}\"}} {n}\n");
            let lines: String = (0..1000).map(line).collect();
            let mut sent = 0;
            while sent < *bytes_max && !stop.load(Ordering::Relaxed) {
                stream.write_all(lines.as_bytes())?;
                sent += lines.len();
            }
            Ok(())
        }
        Behaviour::Hang => {
            stream.set_read_timeout(Some(PAUSE))?;
            let mut byte = [0];
            loop {
                // The timeout of the socket ends each read.
                match stream.read(&mut byte) {
                    Ok(0) => return Ok(()),
                    _ if stop.load(Ordering::Relaxed) => return Ok(()),
                    _ => {}
                }
            }
        }
    }
}
